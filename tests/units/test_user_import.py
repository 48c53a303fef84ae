import io

from tests.factories import grant, make_user
from unionwork.imports import run_import
from unionwork.workbooks import read_rows, template_workbook
from units import access
from units.models import Role, User
from units.resources import UserResource

HEADERS = ["Tên đăng nhập", "Họ và tên", "Điện thoại", "Vai trò", "Mã đơn vị"]


def imported(user, *rows):
    return run_import(UserResource(user=user), io.BytesIO(template_workbook(HEADERS, rows)), check=False)


def roles_of(username):
    return list(Role.objects.filter(user__username=username).order_by("pk").values_list("role", "unit__code"))


def test_several_rows_of_one_username_are_several_roles(world):
    outcome = imported(
        world.admin,
        ["hoa", "Nguyễn Thị Hoa Minh Họa", "0912 345 678", "Bí thư", "k1"],
        ["hoa", None, None, "Quản trị", "b11"],
        ["lan", "Trần Thị Lan Minh Họa", 987654321, "cán bộ", "b12"],
    )
    assert (outcome.errors, outcome.created, outcome.updated) == ([], 2, 1)
    hoa, lan = User.objects.get(username="hoa"), User.objects.get(username="lan")
    assert (hoa.full_name, hoa.phone, lan.phone) == ("Nguyễn Thị Hoa Minh Họa", "0912345678", "0987654321")
    assert (roles_of("hoa"), roles_of("lan")) == ([("secretary", "k1"), ("admin", "b11")], [("cadre", "b12")])
    assert not hoa.has_usable_password()
    assert (hoa.is_staff, hoa.is_superuser) == (False, False)


def test_every_label_and_short_form_names_its_role(world):
    words = ["Cán bộ cơ sở", "Bí thư", "Văn phòng", "Quản trị", "Lãnh đạo (xem)", "Lãnh đạo", "Phó bí thư", "Xem"]
    rows = [[f"u{i}", f"Người {i}", None, word, "k1"] for i, word in enumerate(words)]
    assert imported(world.admin, *rows).errors == []
    assert [roles_of(f"u{i}")[0][0] for i in range(len(words))] == [
        "cadre",
        "secretary",
        "staff",
        "admin",
        "viewer",
        "viewer",
        "secretary",
        "viewer",
    ]


def test_importing_again_changes_no_role_and_corrects_the_phone(world):
    outcome = imported(world.admin, ["cadre", None, "0900000001", "Cán bộ cơ sở", "b11"])
    assert (outcome.summary(), roles_of("cadre")) == ("0 thêm mới, 1 cập nhật, 0 lỗi", [("cadre", "b11")])
    world.cadre.refresh_from_db()
    assert (world.cadre.full_name, world.cadre.phone) == ("Người cadre", "0900000001")


def test_rows_outside_the_right_to_grant_are_refused_in_words(world):
    outcome = imported(
        world.admin,
        ["moi", "Người Mới", None, "Bí thư", "k2"],
        ["moi", "Người Mới", None, "Quản trị", "p1"],
        ["moi", None, None, "Chủ tịch", "k1"],
        ["moi3", None, None, "Bí thư", "k1"],
        ["moi 4", "Người Bốn", "12", "Bí thư", "k1"],
        ["moi5", "Người Năm", "không có", "Bí thư", "k1"],
        ["CADRE", None, None, "Bí thư", "k1"],
        ["moi6", "Người Sáu", None, "Bí thư", "k1"],
        ["moi6", "Người Bảy", None, "Cán bộ cơ sở", "k1"],
    )
    assert outcome.errors == [
        'dòng 2, cột "Mã đơn vị": không có đơn vị mã “k2” trong phạm vi quản trị của bạn',
        "dòng 3: bạn không được cấp vai trò “Quản trị” ở “Đơn vị p1”",
        'dòng 4, cột "Vai trò": không có “Chủ tịch”; chọn một trong: Cán bộ cơ sở, Bí thư, Văn phòng, Quản trị, '
        "Lãnh đạo (xem)",
        'dòng 5, cột "Họ và tên": Nhập họ và tên.',
        'dòng 6, cột "Tên đăng nhập": Tên đăng nhập chỉ gồm chữ, số và các dấu @ . + - _, không có khoảng trắng.',
        'dòng 7, cột "Điện thoại": “không có” không phải số điện thoại; ví dụ 0912 345 678.',
        'dòng 8, cột "Tên đăng nhập": đã có tài khoản “cadre”; viết đúng chữ hoa, chữ thường',
        'dòng 10, cột "Họ và tên": khác dòng 9 của cùng tài khoản (“Người Sáu”)',
    ]
    assert not User.objects.filter(username__startswith="moi").exists()


def test_nobody_touches_the_account_of_a_peer_a_superior_or_oneself(world):
    """Oracle: every role the account holds must be one the importer could have granted."""
    peer = make_user("peer", access.ADMIN, world.p1)
    both = make_user("both", access.CADRE, world.b11)
    grant(both, access.CADRE, world.b21)
    root = User.objects.create_superuser("root", full_name="Người cài đặt", password="x")
    for user in (world.admin, peer, both, root, world.central, world.stranger):
        outcome = imported(world.admin, [user.username, "Tên Bị Đổi", "0911111111", "Bí thư", "k1"])
        assert outcome.errors == [
            f"dòng 2: tài khoản “{user.username}” có vai trò ngoài phạm vi bạn quản trị nên không sửa được ở đây"
        ]
        user.refresh_from_db()
        assert (user.full_name == "Tên Bị Đổi", Role.objects.filter(user=user, unit=world.k1).exists()) == (
            False,
            False,
        )
    access.forget_grants(root)
    assert imported(root, ["peer", "Tên Được Đổi", None, "Bí thư", "k1"]).errors == []
    assert roles_of("peer") == [("admin", "p1"), ("secretary", "k1")]


def test_people_without_the_right_import_nobody(world):
    for user in (world.cadre, world.secretary, world.staff, world.viewer, world.central):
        assert imported(user, ["moi", "Người Mới", None, "Bí thư", "b11"]).errors == [
            'dòng 2, cột "Mã đơn vị": không có đơn vị mã “b11” trong phạm vi quản trị của bạn'
        ]


def test_the_template_holds_the_people_below_and_offers_labels_and_codes(world):
    rows = read_rows(io.BytesIO(UserResource(user=world.admin).template(unit=world.k1, year=2024)))
    assert rows.headers == HEADERS
    assert sorted((cells[0], cells[3], cells[4]) for _, cells in rows.rows) == [
        ("cadre", "Cán bộ cơ sở", "b11"),
        ("other-cadre", "Cán bộ cơ sở", "b12"),
        ("secretary", "Bí thư", "k1"),
        ("staff", "Văn phòng", "k1"),
    ]
