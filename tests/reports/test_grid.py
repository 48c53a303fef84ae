import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from targets.models import Assignment, DraftAssignment
from targets.years import close_year
from tests.factories import approve, assign, grant, make_activity, make_target, make_unit, make_year
from units import access
from units.models import Cluster

YEAR = 2025  # the year before, 2024, has plans, results and headcounts


def trees_of(world, year, value, issuer=None):
    target = make_target(
        issuer or world.k1, year, [{"kind": "total", "value": value, "indicators": [world.trees]}], number=5
    )
    return target.measures.get()


@pytest.fixture
def measure(world):
    """9.000 trees for b11, b12 and b13; last year 120, 60 and nothing were given, 140, 70 and nothing done."""
    make_year(YEAR)
    last = trees_of(world, 2024, 200)
    for unit, author, members, trees, plan in (
        (world.b11, world.cadre, 62, 140, 120),
        (world.b12, world.other_cadre, 31, 70, 60),
    ):
        approve(make_activity(unit, author, world.declaring, {world.members: members}), world.secretary)
        approve(make_activity(unit, author, world.planting, {world.trees: trees, world.times: 1}), world.secretary)
        assign(last, unit, plan)
    make_unit("b13", parent=world.k1, sector="trường học")
    trees_of(world, 2024, 1, world.p1)  # another issuer's: not last year's plan of this one
    return trees_of(world, YEAR, 9000)


@pytest.fixture
def staff(client, world):
    client.force_login(world.staff)
    return client


def address(measure, unit=None):
    return reverse("measure_assign", args=[measure.pk]) + (f"?don-vi={unit.code}" if unit else "")


def sent(response, notes=None, fixed=None, **numbers):
    """What a browser sends from the page: `numbers` typed over, by unit code; `fixed`: marks set otherwise."""
    data = {}
    for row in response.context["rows"]:
        key, code = row["pk"], row["unit"].code
        data |= {f"s-{key}": row["seen"], f"t-{key}": row["shown"], f"b-{key}": row["base"]}
        data |= {f"p-{key}": numbers.get(code, row["text"]), f"n-{key}": (notes or {}).get(code, row["note"])}
        if (fixed or {}).get(code, row["fixed"]):
            data[f"g-{key}"] = "1"
    return data


def boxes(response):
    return {row["unit"].code: row["text"] for row in response.context["rows"]}


def marked(response):
    return [row["unit"].code for row in response.context["rows"] if row["fixed"]]


def drafted(measure):
    rows = DraftAssignment.objects.filter(measure=measure).order_by("unit__code")
    return [(row.unit.code, row.planned, row.note, row.fixed) for row in rows]


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def words(response):
    """The sticky line."""
    return re.search(r'class="grid-balance".*?</div>', response.content.decode(), re.DOTALL)[0]


def balance(response):
    return [response.context["balance"][name] for name in ("from", "given", "shared", "left")]


def test_each_unit_is_shown_beside_its_people_and_what_it_did_last_year(staff, world, measure):
    Assignment.objects.create(measure=measure, unit=world.b12, registered=100)
    page = staff.get(address(measure))
    names = ("headcount", "last_plan", "last_result", "registered", "text")
    assert [tuple(row[name] for name in names) for row in page.context["rows"]] == [
        ("62", "120", "140", "", ""),
        ("31", "60", "70", "100", ""),
        ("–", "–", "–", "", ""),
    ]
    assert page.context["grid"].headcount == world.members
    assert balance(page) == ["Kế hoạch", "9.000 cây", "0 cây", "Còn lại 9.000 cây"]


def test_filling_writes_nothing_and_says_what_it_did(staff, world, measure):
    Assignment.objects.create(measure=measure, unit=world.b12, registered=100)
    cluster = Cluster.objects.create(year=YEAR, organizer=world.k1, name="Cụm 1")
    cluster.members.set([world.b11, world.b12, world.b21])
    page = staff.get(address(measure))
    for action, typed, expected, done in [
        ("deu", {}, ("3.000", "3.000", "3.000"), "Đã chia đều, chưa lưu."),
        (
            "dau-nguoi",
            {},
            ("6.000", "3.000", ""),
            "Đã chia theo số chỉ số thu-doan-vien, chưa lưu; 1 đơn vị chưa có căn cứ nên để trống.",
        ),
        (
            "nam-truoc",
            {},
            ("6.000", "3.000", ""),
            "Đã chia theo thực hiện năm 2024, chưa lưu; 1 đơn vị chưa có căn cứ nên để trống.",
        ),
        ("ke-hoach", {}, ("120", "60", ""), None),
        ("phan-tram", {"phan-tram": "110"}, ("154", "77", ""), None),
        ("phan-tram-nguoi", {"phan-tram-nguoi": "50%"}, ("31", "16", ""), None),
        ("bang-nhau", {"bang-nhau": "1,2 nghìn"}, ("1.200", "1.200", "1.200"), None),
        ("nhom:cum", {"nhom-cum-0": "5"}, ("5", "5", ""), None),
        ("nhom:khoi", {"nhom-khoi-1": "8"}, ("", "", "8"), None),
        ("dang-ky", {}, ("", "100", ""), "Đã lấy số đăng ký của 1 đơn vị, chưa lưu."),
        ("dan", {"dan": "1\r\n2.000\r\n3\r\n"}, ("1", "2.000", "3"), "Đã điền 3 số dán vào, chưa lưu."),
        ("dan", {"dan": "ĐƠN VỊ  B12\t7\nb11\t8"}, ("8", "7", ""), None),
    ]:  # fmt: skip
        filled = staff.post(address(measure), sent(page) | typed | {"chia": action})
        assert (action, filled.status_code, tuple(boxes(filled).values())) == (action, 200, expected)
        assert done in (None, filled.context["done"])
        assert marked(filled) == []
    one = staff.post(address(measure), sent(page) | {"chia": f"dang-ky:{world.b12.pk}"})
    assert (boxes(one), marked(one)) == ({"b11": "", "b12": "100", "b13": ""}, ["b12"])
    assert DraftAssignment.objects.count() == 0


def test_a_number_typed_by_hand_stays_and_the_others_share_exactly_the_rest(staff, world, measure):
    page = staff.get(address(measure))
    filled = staff.post(address(measure), sent(page) | {"chia": "deu"})
    again = staff.post(address(measure), sent(filled, b12="1.001") | {"chia": "deu"})
    assert (boxes(again), marked(again)) == ({"b11": "4.000", "b12": "1.001", "b13": "3.999"}, ["b12"])
    assert again.context["done"] == "Đã chia đều, chưa lưu; 1 dòng “giữ” không đổi."
    assert balance(again) == ["Kế hoạch", "9.000 cây", "9.000 cây", "Đủ"]
    assert staff.post(address(measure), sent(again)).status_code == 302
    assert drafted(measure) == [("b11", 4000, "", False), ("b12", 1001, "", True), ("b13", 3999, "", False)]
    freed = staff.post(address(measure), sent(staff.get(address(measure)), fixed={"b12": False}) | {"chia": "deu"})
    assert (boxes(freed), marked(freed)) == ({"b11": "3.000", "b12": "3.000", "b13": "3.000"}, [])


def test_saving_keeps_a_draft_that_says_what_is_left(staff, world, measure):
    assign(measure, world.b11, 50)
    page = staff.get(address(measure))
    saved = staff.post(address(measure), sent(page, {"b11": "Xã vùng cao"}, b11="60", b12="9 nghìn"), follow=True)
    assert drafted(measure) == [("b11", 60, "Xã vùng cao", True), ("b12", 9000, "", True)]
    assert (Assignment.objects.get(measure=measure).planned, balance(saved)[2:]) == (
        50,
        ["9.060 cây", "Vượt 60 cây (được phép)"],
    )
    assert "Đã lưu bản nháp: 2 đơn vị thay đổi. Cấp dưới chưa thấy." in text_of(saved)
    assert "đang có hiệu lực: 50 cây" in text_of(saved)
    changes = {row["unit"].code: row["change"] for row in saved.context["rows"]}
    assert changes == {"b11": "-57%", "b12": "+12.757%", "b13": ""}
    less = staff.post(address(measure), sent(saved, b12=""), follow=True)
    assert "Còn lại 8.940 cây chưa chia." in text_of(less)
    assert "Không có gì thay đổi" in text_of(staff.post(address(measure), sent(less), follow=True))


def test_two_people_on_the_same_grid_lose_nothing(staff, world, measure):
    mine = staff.get(address(measure))
    theirs = staff.get(address(measure))
    staff.post(address(measure), sent(theirs, {"b12": "của họ"}, b11="10", b12="20"))
    clash = staff.post(address(measure), sent(mine, b11="11", b13="30"))
    assert clash.status_code == 409
    assert boxes(clash) == {"b11": "11", "b12": "", "b13": "30"}
    assert [row["now"] for row in clash.context["rows"]] == ["10 cây (Người staff)", "", ""]
    assert drafted(measure) == [("b11", 10, "", True), ("b12", 20, "của họ", True)]
    again = staff.post(address(measure), sent(clash), follow=True)
    assert drafted(measure) == [("b11", 11, "", True), ("b12", 20, "của họ", True), ("b13", 30, "", True)]
    assert "Người khác vừa sửa Đơn vị b12; số của họ được giữ." in text_of(again)


def test_bad_input_is_answered_in_words_and_kept(staff, world, measure):
    page = staff.get(address(measure))
    long_note = "ghi chú dài " * 40
    for numbers, notes, first in [
        ({"b11": "2 cây rưỡi"}, {}, "Đơn vị b11: “2 cây rưỡi”"),
        ({"b11": "\0"}, {}, "Đơn vị b11: “"),
        ({"b11": "9" * 30}, {}, "Đơn vị b11: “"),
        ({"b11": "1"}, {"b11": "\0"}, "Đơn vị b11: "),
        ({"b11": "1"}, {"b11": long_note}, "Đơn vị b11: "),
    ]:
        refused = staff.post(address(measure), sent(page, notes, **numbers))
        assert (refused.status_code, boxes(refused)["b11"]) == (422, numbers["b11"].strip())
        assert [error["message"][: len(first)] for error in refused.context["errors"]] == [first]
    for typed, first in [
        ({"chia": "khong-co"}, "Không có cách chia này."),
        ({"chia": "phan-tram", "phan-tram": "mười"}, "Tỷ lệ: “mười” không phải là số."),
        ({"chia": "phan-tram", "phan-tram": "99999999"}, "Tỷ lệ quá lớn."),
        ({"chia": "bang-nhau", "bang-nhau": ""}, "Số cho mỗi đơn vị: nhập một số."),
        ({"chia": "nhom:sao"}, "Không có cách chia nhóm này."),
        ({"chia": "dang-ky"}, "Chưa đơn vị nào đăng ký."),
        ({"chia": "dan", "dan": " "}, "Dán một cột số"),
        ({"chia": "dan", "dan": "1\n2"}, "Dán 2 dòng cho 3 đơn vị."),
        ({"chia": "dan", "dan": "1\nx\n3"}, "Dòng 2 (Đơn vị b12): “x” không phải là số."),
        ({"chia": "dan", "dan": "k2\t1\nb11\t2\nb11\t3\nb12\t-1"}, "Dòng 1: “k2” không có trong bảng."),
    ]:
        refused = staff.post(address(measure), sent(page) | typed)
        assert refused.status_code == 422
        assert refused.context["errors"][0]["message"][: len(first)] == first
        assert set(boxes(refused).values()) == {""}
    assert len(refused.context["errors"]) == 3
    # Units that do not stand here, fields that are missing, numbers nobody was shown: nothing of it is written.
    extra = {f"{name}-{pk}": "5" for name in "spbt" for pk in (world.b21.pk, 10**20)}
    assert staff.post(address(measure), extra).status_code == 302
    assert staff.post(address(measure), {f"s-{world.b11.pk}": "x", f"b-{world.b11.pk}": "?" * 999}).status_code == 302
    staff.post(address(measure), sent(page, b11="3" + "\u0301") | {"chia": "deu", "dem": "\0"})
    assert drafted(measure) == []


def test_percentages_apply_to_all_and_come_to_a_weighted_whole(staff, world, measure):
    fields = {"kind": "rate", "value": 8000, "indicators": [world.members], "denominators": [world.members]}
    rate = make_target(world.k1, YEAR, [fields]).measures.get()
    page = staff.get(address(rate))
    assert page.context["balance"] == {"common": "80%", "weighted": "80%", "floor": ""}
    saved = staff.post(address(rate), sent(page, b11="50%", b12="66,5"), follow=True)
    assert drafted(rate) == [("b11", 5000, "", True), ("b12", 6650, "", True)]
    assert saved.context["balance"]["weighted"] == "55,5%"  # (62 × 50 + 31 × 66,5) / 93: nobody is counted in b13
    assert [row["common"] for row in saved.context["rows"]] == ["", "", "80%"]
    refused = staff.post(address(rate), sent(saved, b12="101"))
    assert refused.context["errors"][0]["message"] == "Đơn vị b12: Tỷ lệ không quá 100%."
    refused = staff.post(address(rate), sent(saved) | {"chia": "deu"})
    assert refused.context["errors"][0]["message"][:21] == "Tỷ lệ không chia được"
    cover = {"kind": "coverage", "value": 10_000, "floor": 3, "indicators": [world.count]}
    cover = make_target(world.k1, YEAR, [cover]).measures.get()
    saved = staff.post(address(cover), sent(staff.get(address(cover)), b11="50"), follow=True)
    assert saved.context["balance"]["floor"] == "3 hoạt động × 3 cơ sở = 9 hoạt động"
    assert saved.context["balance"]["weighted"] == "83,33%"  # (50 + 100 + 100) / 3


def test_the_page_asks_the_same_number_of_questions_for_3_and_30_children(staff, world, measure):
    def asked():
        staff.get(address(measure))
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(address(measure)).status_code == 200
        return len(captured)

    few = asked()
    for number in range(27):
        assign(measure, make_unit(f"m{number:02}", parent=world.k1), 7)
    assert len(staff.get(address(measure)).context["rows"]) == 30
    assert asked() == few
    assert few <= 25


def test_a_measure_received_from_above_is_given_on(staff, world, measure):
    received = trees_of(world, YEAR, 900, world.p1)
    page = staff.get(address(received))
    assert page.context["refusal"] == "Ý này chưa được giao cho Đơn vị k1 nên chưa giao tiếp cho cấp dưới được."
    assert staff.post(address(received), {}).status_code == 422
    assign(received, world.k1, 500)
    assert balance(staff.get(address(received))) == ["Cấp trên giao", "500 cây", "0 cây", "Còn lại 500 cây"]


def test_nothing_to_give_is_said_in_words(staff, world, measure):
    milestone = make_target(world.k1, YEAR, [{"kind": "milestone"}]).measures.get()
    assert staff.get(address(milestone)).context["refusal"] == (
        "“Mốc” áp dụng chung cho mọi đơn vị cấp dưới nên không cần giao số."
    )
    assign(measure, world.b11, 5)
    assert staff.get(address(measure, world.b11)).context["refusal"] == (
        "Đơn vị b11 không có đơn vị trực thuộc trong năm 2025."
    )
    data = sent(staff.get(address(measure)), b12="5")
    close_year(year=YEAR)
    assert staff.post(address(measure), data).status_code == 422
    assert drafted(measure) == []


def test_who_may_give(client, world, measure):
    above = trees_of(world, YEAR, 9, world.p1)
    for user, row, unit, status in [
        (world.staff, measure, None, 200),
        (world.secretary, measure, None, 200),
        (world.central, measure, world.k1, 200),
        (world.staff, above, None, 200),
        (world.staff, above, world.p1, 404),
        (world.staff, measure, world.k2, 404),
        (world.central, measure, world.p1, 404),
        (world.central, measure, world.k2, 404),
        (world.stranger, measure, None, 404),
        (world.stranger, above, None, 404),
        (world.cadre, measure, None, 403),
        (world.viewer, measure, world.k1, 403),
    ]:
        client.force_login(user)
        assert client.get(address(row, unit)).status_code == status, (user, row, unit)
    grant(world.viewer, access.STAFF, world.b21)
    client.force_login(world.viewer)
    assert client.get(address(measure, world.k1)).status_code == 403  # seeing a unit is not enough


def test_a_hundred_children_are_drafted_at_once_and_a_unit_that_joins_meanwhile_is_left_alone(staff, world, measure):
    codes = [f"m{number:03}" for number in range(102)]
    for code in codes:
        make_unit(code, parent=world.k1)
    data = sent(staff.get(address(measure)), **dict.fromkeys(codes, "7"))
    make_unit("moi", parent=world.k1)
    assert staff.post(address(measure), data).status_code == 302
    assert [row[:2] for row in drafted(measure)] == [(code, 7) for code in codes]
