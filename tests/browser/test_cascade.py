"""20 triệu cây down the tree through the grid: Trung ương → 63 provinces → 15 districts → 55 cơ sở."""

import pytest
from django.utils import timezone

from activities.models import UnitTotal
from targets.models import Assignment, DraftAssignment, Indicator
from tests.browser.checks import check_page
from tests.browser.conftest import LAPTOP
from tests.factories import make_target, make_user, make_year
from units import access, tree
from units.models import Unit, UnitKind

WHOLE = 20_000_000


class Country:
    """Every unit has members declared: 100 and 7 more for each place in its row."""

    def __init__(self):
        self.year = make_year(timezone.localdate().year)
        (self.tw,) = self.below(None, "trung-uong", "tw", 1)
        self.provinces = self.below(self.tw, "tinh-doan", "tinh", 63)
        self.districts = self.below(self.provinces[0], "huyen-doan", "huyen", 15)
        self.bases = self.below(self.districts[0], "doan-co-so", "coso", 55)
        self.declare()
        trees = Indicator.objects.get(code="cay-xanh")
        fields = [{"kind": "total", "value": WHOLE, "indicators": [trees]}]
        target = make_target(self.tw, self.year, fields, text="20 triệu cây xanh", issued_on=None)
        self.measure = target.measures.get()
        staff = [self.tw, self.provinces[0], self.districts[0]]
        self.staff = [make_user(f"vp-{unit.code}", access.STAFF, unit) for unit in staff]
        self.secretary = make_user("bi-thu", access.SECRETARY, self.districts[0])
        self.cadre = make_user("can-bo", access.CADRE, self.bases[0])

    def below(self, parent, kind, code, count):
        kind = UnitKind.objects.get(pk=kind)
        units = [Unit(code=f"{code}-{n:02}", name=f"Đơn vị {code} {n:02}", kind=kind) for n in range(1, count + 1)]
        for unit in units:
            unit.prepare()
        units = Unit.objects.bulk_create(units)
        tree.place_many(pairs=[(unit, parent) for unit in units])
        return units

    def declare(self):
        members = Indicator.objects.get(code="doan-vien")
        UnitTotal.objects.bulk_create(
            UnitTotal(
                unit=unit, year=self.year, month=0, indicator=members, province=row[0], value=100 + 7 * place, records=1
            )
            for row in (self.provinces, self.districts, self.bases)
            for place, unit in enumerate(row)
        )

    def given(self, units):
        rows = Assignment.objects.filter(measure=self.measure, unit__in=units).order_by("unit__code")
        return [row.planned for row in rows]

    def drafted(self, units):
        rows = DraftAssignment.objects.filter(measure=self.measure, unit__in=units).order_by("unit__code")
        return [row.planned for row in rows]


@pytest.fixture
def country(transactional_db):
    return Country()


def grid_of(page, country, unit):
    page.goto(f"/chi-tieu/y/{country.measure.pk}/giao/?nam={country.year}&don-vi={unit.code}")


def box(page, unit):
    return page.get_by_label(f"Giao cho {unit}", exact=True)


def left(page):
    return page.locator("[data-left]").inner_text()


def shared_by_headcount(page, first, number):
    """By members, then one row by hand, then the rest again around it; saved."""
    page.get_by_role("button", name="Theo số đoàn viên").click()
    page.get_by_text("Đã chia theo số đoàn viên, chưa lưu.").wait_for()
    assert left(page) == "Đủ"
    box(page, first).fill(number)
    assert left(page) != "Đủ"
    page.get_by_role("button", name="Theo số đoàn viên").click()
    page.get_by_text("1 dòng “giữ” không đổi").wait_for()
    assert (box(page, first).input_value(), left(page)) == (number, "Đủ")
    check_page(page, contrast=first.code.startswith("huyen"))
    page.get_by_role("button", name="Lưu bản nháp").last.click()
    page.get_by_text("Đã lưu bản nháp").wait_for()


def issued(page, number):
    page.get_by_role("link", name="Xem trước ban hành").click()
    page.get_by_label("Số quyết định").fill(number)
    check_page(page, contrast=number.startswith("02"))
    page.get_by_role("button", name="Ban hành", exact=True).click()
    page.get_by_text(f"Đã ban hành quyết định {number}").wait_for()


def plan_on_dashboard(page):
    page.goto("/")
    return " ".join(page.locator("main").inner_text().split())


def test_twenty_million_trees_reach_every_base_unit(country, laptop, phone, new_page, live_server, login):
    top, province, district = country.tw, country.provinces[0], country.districts[0]
    login(laptop, country.staff[0])
    grid_of(laptop, country, top)
    shared_by_headcount(laptop, province, "1.500.000")
    drafted = country.drafted(country.provinces)
    assert (len(drafted), sum(drafted), drafted[0]) == (63, WHOLE, 1_500_000)
    login(phone, country.staff[1])
    assert "20 triệu cây xanh" not in plan_on_dashboard(phone)
    issued(laptop, "01-QĐ/TWĐTN")
    assert country.given(country.provinces) == drafted
    assert "kế hoạch 1.500.000 cây" in plan_on_dashboard(phone)

    login(laptop, country.staff[1])
    grid_of(laptop, country, province)
    shared_by_headcount(laptop, district, "200.000")
    issued(laptop, "02-QĐ/TĐTN")
    given = country.given(country.districts)
    assert (len(given), sum(given), given[0]) == (15, 1_500_000, 200_000)

    login(laptop, country.staff[2])
    login(phone, country.cadre)
    by_keyboard_alone(laptop, country)
    other = new_page(base_url=live_server.url, **LAPTOP)
    login(other, country.secretary)
    two_people(laptop, other, country)
    drafted = country.drafted(country.bases)
    assert "cây xanh" not in plan_on_dashboard(phone)
    grid_of(laptop, country, district)
    issued(laptop, "03-QĐ/HĐ")
    assert country.given(country.bases) == drafted
    assert f"kế hoạch {drafted[0]:,} cây".replace(",", ".") in plan_on_dashboard(phone)
    login(phone, country.secretary)
    grid_of(phone, country, district)
    check_page(phone, contrast=False)


def by_keyboard_alone(page, country):
    first, second, third = country.bases[:3]
    grid_of(page, country, country.districts[0])
    press_until(page, "chia-dau-nguoi")
    page.keyboard.press("Enter")
    page.get_by_text("Đã chia theo số đoàn viên, chưa lưu.").wait_for()
    press_until(page, f"p-{first.pk}")
    page.keyboard.press("Enter")
    page.keyboard.type("1.000")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("2000")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == f"p-{second.pk}"
    marks = [page.locator(f"[name=g-{unit.pk}]").is_checked() for unit in (first, second, third)]
    assert (box(page, second).input_value(), marks) == ("1.000", [False, True, False])
    page.keyboard.press("Shift+Tab")
    press_until(page, "chia-dau-nguoi", key="Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_text("1 dòng “giữ” không đổi").wait_for()
    assert left(page) == "Đủ"
    page.locator("input[name^=n-]").last.focus()
    while page.evaluate("document.activeElement.innerText") != "Lưu bản nháp":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Đã lưu bản nháp").wait_for()
    drafted = country.drafted(country.bases)
    assert (len(drafted), sum(drafted), drafted[1]) == (55, 200_000, 1_000)


def press_until(page, focus, key="Tab"):
    for _ in range(400):
        if page.evaluate("document.activeElement.id") == focus:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never reaches {focus}")


def two_people(mine, theirs, country):
    """What others saved stays; the same number changed twice is shown and asked about, never overwritten unseen."""
    first, second, third = country.bases[:3]
    for page in (mine, theirs):
        grid_of(page, country, country.districts[0])
    for unit, number in ((first, "111"), (second, "222")):
        box(theirs, unit).fill(number)
    theirs.get_by_role("button", name="Lưu bản nháp").last.click()
    theirs.get_by_text("Đã lưu bản nháp").wait_for()
    for unit, number in ((second, "333"), (third, "444")):
        box(mine, unit).fill(number)
    mine.get_by_role("button", name="Lưu bản nháp").last.click()
    mine.get_by_text("Số mới: 222 cây").wait_for()
    assert country.drafted(country.bases)[:2] == [111, 222]
    assert [box(mine, unit).input_value() for unit in (second, third)] == ["333", "444"]
    check_page(mine, contrast=False)
    mine.get_by_role("button", name="Lưu bản nháp").last.click()
    mine.get_by_text("Người khác vừa sửa Đơn vị coso 01; số của họ được giữ.").wait_for()
    assert country.drafted(country.bases)[:3] == [111, 333, 444]


def test_a_column_is_pasted_downwards_and_nothing_unsaved_is_left_without_a_question(country, laptop, login):
    login(laptop, country.staff[0])
    grid_of(laptop, country, country.tw)
    box(laptop, country.provinces[1]).evaluate(
        """(box) => {
            const data = new DataTransfer();
            data.setData("text", "Tỉnh\\t5.000\\r\\n6.000\\r\\nx\\r\\n");
            box.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    assert [box(laptop, unit).input_value() for unit in country.provinces[:5]] == ["", "5.000", "6.000", "x", ""]
    assert left(laptop) == "…"
    box(laptop, country.provinces[3]).fill("")
    assert left(laptop) == "Còn lại 19.989.000 cây"
    asked = []
    laptop.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    laptop.get_by_role("link", name="Về chỉ tiêu").click()
    laptop.wait_for_url("**/chi-tieu/*/?*")
    assert asked == ["beforeunload"]
