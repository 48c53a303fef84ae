import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.models import UnitTotal
from activities.moves.moving import move_unit
from targets.years import close_year
from tests.factories import approve, grant, make_activity, make_unit, make_user, make_year
from unionwork.imports import run_import
from unionwork.workbooks import read_rows, template_workbook
from units import access
from units.models import Move, Placement, Unit, User
from units.resources import UnitResource

HEADERS = [
    "Mã",
    "Tên",
    "Tên ngắn",
    "Loại",
    "Mã cấp trên",
    "Khối đối tượng",
    "Ngày thành lập",
    "Ngày giải thể",
    "Mã đơn vị kế thừa",
]


def row(code, superior=None, kind="Đoàn cơ sở", **cells):
    given = {"Mã": code, "Tên": f"Đơn vị {code}", "Loại": kind, "Mã cấp trên": superior} | cells
    return [given.get(header) for header in HEADERS]


def imported(user, *rows, check=False):
    return run_import(
        UnitResource(user=user, move=move_unit), io.BytesIO(template_workbook(HEADERS, rows)), check=check
    )


def where(code, year=2024):
    """Codes from the root down to the unit, by the parents alone."""
    line, unit = [], Unit.objects.get(code=code)
    while unit:
        line.insert(0, unit.code)
        unit = Placement.objects.get(unit=unit, year=year).parent
    return line


@pytest.fixture
def boss(db):
    return User.objects.create_superuser("boss", full_name="Người cài đặt", password="x")


def test_a_whole_tree_comes_in_whatever_the_order_of_rows(boss):
    outcome = imported(
        boss,
        row("CD1", "CS1", "Chi đoàn"),
        row("CS1", "K1", **{"Khối đối tượng": "trường học", "Ngày thành lập": "26/03/2010", "Tên ngắn": "CS một"}),
        row("K1", "T1", "Đoàn Khối"),
        row("TW", None, "Trung ương"),
        row("T1", "TW", "Tỉnh đoàn"),
    )
    assert (outcome.errors, outcome.created, outcome.updated) == ([], 5, 0)
    year = date.today().year
    assert where("CD1", year) == ["TW", "T1", "K1", "CS1", "CD1"]
    levels = Placement.objects.order_by("path").values_list("unit__code", "level", "year")
    assert list(levels) == [
        ("TW", "central", year),
        ("T1", "province", year),
        ("K1", "district", year),
        ("CS1", "base", year),
        ("CD1", "branch", year),
    ]
    unit = Unit.objects.get(code="CS1")
    assert (unit.short_name, unit.sector, unit.founded) == ("CS một", "trường học", date(2010, 3, 26))
    assert [found.code for found in Unit.objects.matching("cs mot")] == ["CS1"]


def test_new_units_stand_in_every_open_year_since_their_founding(world):
    make_year(2023)
    imported(world.admin, row("b13", "k1"), row("b14", "k1", **{"Ngày thành lập": "01/02/2024"}))
    years = Placement.objects.filter(unit__code__in=["b13", "b14"]).order_by("unit__code", "year")
    this_year = date.today().year
    assert list(years.values_list("unit__code", "year")) == [
        ("b13", 2023),
        ("b13", 2024),
        ("b13", this_year),
        ("b14", 2024),
        ("b14", this_year),
    ]


def test_a_known_code_is_corrected_and_its_old_name_stays_findable(world):
    outcome = imported(
        world.admin,
        row(
            "b11", "k1", "Chi đoàn cơ sở", **{"Tên": "Chi đoàn Sông Hồng (minh họa)", "Khối đối tượng": "doanh nghiệp"}
        ),
    )
    assert (outcome.errors, outcome.created, outcome.updated) == ([], 0, 1)
    unit = Unit.objects.get(code="b11")
    assert (unit.name, unit.former_names, unit.kind_id, unit.sector) == (
        "Chi đoàn Sông Hồng (minh họa)",
        "Đơn vị b11",
        "chi-doan-co-so",
        "doanh nghiệp",
    )
    assert [found.code for found in Unit.objects.matching("DON VI B11")] == ["b11"]


def test_a_new_kind_changes_the_level_in_open_years_only(world):
    close_year(year=2024)
    imported(world.admin, row("b11", "k1", "Liên chi đoàn"))
    levels = Placement.objects.filter(unit=world.b11).order_by("year").values_list("year", "level")
    assert list(levels) == [(2024, "base"), (date.today().year, "branch")]


def test_a_new_kind_must_suit_what_stands_below(world):
    below = "Đoàn cơ sở “Đơn vị b11”"
    assert imported(world.admin, row("k1", "p1", "Chi đoàn")).errors == [
        f'dòng 2, cột "Loại": Chi đoàn ở cấp thấp hơn {below[0].lower()}{below[1:]} đang trực thuộc đơn vị này.'
    ]
    both = [row("k1", "p1", "Chi đoàn"), row("b11", "k1", "Chi đoàn"), row("b12", "k1", "Chi đoàn")]
    assert imported(world.admin, *both).errors == []


def test_another_superior_moves_the_unit_with_its_totals(world):
    grant(world.admin, access.ADMIN, world.p2)
    approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 7}), world.secretary)
    move = lambda **kwargs: move_unit(**kwargs | {"year": 2024})  # noqa: E731
    file = io.BytesIO(template_workbook(HEADERS, [row("b11", "k2")]))
    assert run_import(UnitResource(user=world.admin, move=move), file, check=False).errors == []
    totals = UnitTotal.objects.filter(month=0, indicator=world.trees, value__gt=0)
    assert set(totals.values_list("unit__code", "value")) == {("b11", 7), ("k2", 7), ("p2", 7), ("tw", 7)}
    assert where("b11") == ["tw", "p2", "k2", "b11"]
    moves = Move.objects.filter(year=2024).values_list("unit__code", "from_parent__code", "to_parent__code", "actor")
    assert list(moves) == [("b11", "k1", "k2", world.admin.pk)]


def test_an_import_moves_from_the_current_year_on(world):
    imported(world.admin, row("b11", "p1"))
    assert [where("b11"), where("b11", date.today().year)] == [["tw", "p1", "k1", "b11"], ["tw", "p1", "b11"]]


def test_units_may_change_places_with_each_other_in_one_file(boss, world):
    """b11 goes up to p1 while k1 goes down below b11: only top-down moves can do that."""
    outcome = imported(
        boss, row("k1", "b11", "Đoàn cơ sở"), row("b11", "p1", "Đoàn cơ sở"), row("moi", "k1", "Chi đoàn")
    )
    assert outcome.errors == []
    assert where("moi", date.today().year) == ["tw", "p1", "b11", "k1", "moi"]
    assert where("b12", date.today().year) == ["tw", "p1", "b11", "k1", "b12"]


def test_circles_are_refused_with_their_rows(boss, world):
    outcome = imported(boss, row("x", "y"), row("z", "x"), row("y", "x"), row("k1", "b11"), row("ok", "k2"))
    assert outcome.errors == [
        'dòng 2, cột "Mã cấp trên": các đơn vị nối thành vòng: x (dòng 2) → y (dòng 4) → x (dòng 2)',
        'dòng 4, cột "Mã cấp trên": các đơn vị nối thành vòng: y (dòng 4) → x (dòng 2) → y (dòng 4)',
        'dòng 5, cột "Mã cấp trên": các đơn vị nối thành vòng: k1 (dòng 5) → b11 → k1 (dòng 5)',
    ]
    assert not Unit.objects.filter(code__in=["x", "y", "z", "ok"]).exists()


def test_every_bad_row_is_named_and_nothing_is_saved(world):
    outcome = imported(
        world.admin,
        row("tốt", "k1"),
        row("them", "k1"),
        row("B11", "k1"),
        row("b21", "k1"),
        row("moi1", "k2"),
        row("moi2", None),
        row("moi3", "moi3"),
        row("k1", None, "Đoàn Khối"),
        row("moi4", "b11", "Tỉnh đoàn"),
        row("moi5", "k1", **{"Ngày thành lập": "05/05/2020", "Ngày giải thể": "04/05/2020"}),
        row("moi6", "k1", **{"Mã đơn vị kế thừa": "b22", "Ngày giải thể": "04/05/2020"}),
        row("p1", "p2", "Tỉnh đoàn"),
        row("MOI1", "k1"),
        row("hop-le", "k1"),
        row("duoi-loi", "moi1"),
        row("tuong-lai", "k1", **{"Ngày thành lập": "01/01/2027"}),
    )
    assert outcome.errors == [
        'dòng 2, cột "Mã": Mã chỉ gồm chữ cái không dấu, chữ số và . - _, bắt đầu bằng chữ hoặc số, ví dụ DK-TINH.01.',
        'dòng 3, cột "Mã": Mã “them” dành riêng cho hệ thống; chọn mã khác.',
        'dòng 4, cột "Mã": đã có đơn vị mã “b11”; viết đúng chữ hoa, chữ thường',
        'dòng 5, cột "Mã": mã “b21” là của đơn vị ngoài phạm vi quản trị của bạn',
        'dòng 6, cột "Mã cấp trên": không có đơn vị mã “k2” trong phạm vi quản trị của bạn',
        'dòng 7, cột "Mã cấp trên": chưa nhập; chỉ quản trị hệ thống mới lập được đơn vị không có cấp trên',
        'dòng 8, cột "Mã cấp trên": đơn vị không thể trực thuộc chính nó',
        'dòng 9, cột "Mã cấp trên": để trống, nhưng đơn vị đang trực thuộc “p1”; ghi mã cấp trên',
        'dòng 10, cột "Mã cấp trên": Tỉnh đoàn không thể trực thuộc đoàn cơ sở “Đơn vị b11”: cấp trên ở cấp thấp hơn.',
        'dòng 11, cột "Ngày giải thể": Ngày giải thể phải sau ngày thành lập.',
        'dòng 12, cột "Mã đơn vị kế thừa": không có đơn vị mã “b22” trong phạm vi của bạn',
        'dòng 13, cột "Mã cấp trên": không có đơn vị mã “p2” trong phạm vi quản trị của bạn',
        'dòng 17, cột "Ngày thành lập": Không có năm công tác đang mở nào mà đơn vị và cấp trên cùng tồn tại.',
    ]
    assert Unit.objects.count() == 9


def test_an_admin_may_not_move_the_unit_it_administers(world):
    """Its superior is somebody else's: the unit keeps its place, but may be renamed."""
    admin = make_user("khoi-admin", access.ADMIN, world.k1)
    below = make_unit("b15", "doan-co-so", world.k1)
    assert imported(admin, row("k1", "b15", "Đoàn cơ sở")).errors != []
    assert imported(admin, row("k1", "p1", "Đoàn Khối", **{"Tên": "Đoàn Khối mới (minh họa)"})).errors == []
    assert (where("k1"), Unit.objects.get(code="k1").name) == (["tw", "p1", "k1"], "Đoàn Khối mới (minh họa)")
    assert below.pk


def test_nobody_without_the_right_imports_units(world):
    for user in (world.cadre, world.secretary, world.staff, world.viewer):
        outcome = imported(user, row("moi", "k1"), row("b11", "k1", **{"Tên": "Khác"}))
        assert outcome.errors == [
            'dòng 2, cột "Mã cấp trên": không có đơn vị mã “k1” trong phạm vi quản trị của bạn',
            'dòng 3, cột "Mã": mã “b11” là của đơn vị ngoài phạm vi quản trị của bạn',
        ]


def test_a_dissolved_unit_names_its_successor_even_when_it_is_in_the_same_file(boss, world):
    outcome = imported(
        boss, row("b11", "moi", **{"Ngày giải thể": "01/07/2025", "Mã đơn vị kế thừa": "moi"}), row("moi", "k1")
    )
    assert outcome.errors == []
    unit = Unit.objects.select_related("successor").get(code="b11")
    assert (unit.successor.code, unit.dissolved) == ("moi", date(2025, 7, 1))
    assert where("b11", date.today().year) == ["tw", "p1", "k1", "moi", "b11"]


def test_checking_writes_nothing(world):
    outcome = imported(world.admin, row("moi", "k1"), row("b11", "p1"), check=True)
    assert (outcome.errors, outcome.summary()) == ([], "1 thêm mới, 1 cập nhật, 0 lỗi")
    assert (Unit.objects.filter(code="moi").exists(), where("b11", date.today().year)) == (
        False,
        ["tw", "p1", "k1", "b11"],
    )


def test_the_template_holds_what_is_there_and_comes_back_unchanged(world):
    file = io.BytesIO(UnitResource(user=world.admin).template(unit=world.p1, year=2024))
    rows = read_rows(file)
    assert rows.headers == HEADERS
    assert [cells[:5] for _, cells in rows.rows] == [
        ["p1", "Đơn vị p1", None, "Tỉnh đoàn", "tw"],
        ["k1", "Đơn vị k1", None, "Đoàn Khối", "p1"],
        ["b11", "Đơn vị b11", None, "Đoàn cơ sở", "k1"],
        ["b12", "Đơn vị b12", None, "Đoàn cơ sở", "k1"],
    ]
    file.seek(0)
    outcome = run_import(UnitResource(user=world.admin, move=move_unit), file, check=False)
    assert (outcome.summary(), Move.objects.count()) == ("0 thêm mới, 4 cập nhật, 0 lỗi", 0)


def test_the_number_of_rows_does_not_change_the_number_of_statements(world):
    """Savepoints, one or two a row, aside."""
    counts = []
    for rows in (3, 30):
        with CaptureQueriesContext(connection) as captured:
            assert imported(world.admin, *(row(f"n{rows}.{i}", "k1") for i in range(rows))).created == rows
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in captured))
        access.forget_grants(world.admin)
    assert counts[0] == counts[1]
