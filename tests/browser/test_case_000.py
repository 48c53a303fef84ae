"""Case 000: the chỉ tiêu of 2024 of a Đoàn Khối, of every kind, written on their pages, issued, and judged against what
its cơ sở then did. What is expected was worked out by hand."""

from datetime import date, timedelta

import pytest

from activities.models import ActivityKind
from targets.intake import received
from targets.models import Indicator, Measure, Target
from tests.browser.checks import check_page
from tests.factories import World, approve, make_activity, make_unit
from units.models import Placement

# One target a row: what it says, how its measures are joined, and what is typed for each measure.
LEARNED = {"kind": "rate", "indicators": "can-bo-doan-da-hoc", "denominators": "can-bo-doan", "value": "100%"}
TARGETS = [
    (
        "Cán bộ đoàn và đoàn viên, thanh niên quán triệt nghị quyết (minh họa)",
        "all",
        [LEARNED, LEARNED | {"indicators": "thanh-nien-da-hoc", "denominators": "thanh-nien", "value": "80%"}],
    ),
    (
        "Mỗi cơ sở ít nhất ba việc tình nguyện (minh họa)",
        "all",
        [{"kind": "coverage", "indicators": "hoat-dong-tinh-nguyen", "floor": "3", "value": "100%"}],
    ),
    (
        "Mỗi cơ sở ít nhất một ý tưởng thành hiện thực (minh họa)",
        "all",
        [{"kind": "coverage", "indicators": "y-tuong-hien-thuc", "floor": "1", "value": "100%"}],
    ),
    (
        "Giúp một xã đạt nông thôn mới (minh họa)",
        "all",
        [{"kind": "total", "indicators": "xa-nong-thon-moi", "value": "1"}],
    ),
    (
        "Hiến máu: hai đợt, bảy trăm đơn vị (minh họa)",
        "all",
        [
            {"kind": "total", "indicators": "dot-hien-mau", "value": "ít nhất 2"},
            {"kind": "total", "indicators": "don-vi-mau", "value": "700"},
        ],
    ),
    (
        "Khối trường học được tư vấn hướng nghiệp (minh họa)",
        "all",
        [
            {
                "kind": "rate",
                "indicators": "thanh-nien-da-tu-van",
                "denominators": "thanh-nien",
                "value": "80%",
                "sector": "Trường học",
            }
        ],
    ),
    (
        "Trồng cây hoặc tặng quà (minh họa)",
        "any",
        [
            {"kind": "total", "indicators": "cay-xanh", "value": "100"},
            {"kind": "total", "indicators": "suat-qua", "value": "50"},
        ],
    ),
    ("Đại hội xong trước 31/5 (minh họa)", "all", [{"kind": "milestone", "deadline": "31/05/2024"}]),
]

VOLUNTEER = ("tinh-nguyen", {})
IDEA = ("y-tuong-sang-kien", {"y-tuong-hien-thuc": 1})
# What the cơ sở did: (unit, kind of record, figures). What is said of it: the sentence, and every measure.
SHORT = (
    [
        ("b11", "ke-khai", {"can-bo-doan": 10, "can-bo-doan-da-hoc": 9, "thanh-nien": 100, "thanh-nien-da-hoc": 90}),
        ("b11", "ke-khai", {"thanh-nien-da-tu-van": 100}),  # no school: nothing of it in 6a
        ("b12", "ke-khai", {"can-bo-doan": 10, "can-bo-doan-da-hoc": 10, "thanh-nien": 100, "thanh-nien-da-hoc": 60}),
        ("s1", "ke-khai", {"can-bo-doan": 5, "can-bo-doan-da-hoc": 5, "thanh-nien": 200, "thanh-nien-da-hoc": 150}),
        ("s1", "ke-khai", {"thanh-nien-da-tu-van": 150}),
        *[("b11", *VOLUNTEER)] * 2,  # below the floor of three
        *[("b12", *VOLUNTEER)] * 3,  # at it
        *[("s1", *VOLUNTEER)] * 4,  # above it
        ("b11", *IDEA),
        ("b12", "hien-mau", {"don-vi-mau": 300}),
        ("b12", "trong-cay", {"cay-xanh": 99}),
        ("b12", "tang-qua", {"suat-qua-nguoi-dan": 10}),
        ("b11", "moc", {}),
    ],
    "Hoàn thành 0/8 chỉ tiêu.",
    {
        "1a": ("96% (24/25)", "Chưa đạt"),
        "1b": ("75% (300/400)", "Chưa đạt"),
        "2a": ("2/3 đơn vị", "Chưa đạt"),
        "3a": ("1/3 đơn vị", "Chưa đạt"),
        "4a": ("chưa có số", "Chưa có số"),
        "5a": ("1 đợt", "Chưa đạt"),
        "5b": ("300 đơn vị", "Chưa đạt"),
        "6a": ("75% (150/200)", "Chưa đạt"),
        "7a": ("99 cây", "Chưa đạt"),
        "7b": ("10 suất", "Chưa đạt"),
        "8a": ("1/3 đơn vị", "Chưa đạt"),
    },
)
EXACTLY = (
    [
        ("b11", "ke-khai", {"can-bo-doan-da-hoc": 10}),
        ("b12", "ke-khai", {"thanh-nien-da-hoc": 80}),
        ("s1", "ke-khai", {"thanh-nien-da-tu-van": 160}),
        ("b11", *VOLUNTEER),
        ("b12", *IDEA),
        ("s1", *IDEA),
        ("s1", "ha-tang-moi-truong", {"xa-nong-thon-moi": 1}),
        ("s1", "hien-mau", {"don-vi-mau": 400}),
        ("s1", "trong-cay", {"cay-xanh": 1}),
        ("b12", "moc", {}),
        ("s1", "moc", {}),
    ],
    "Hoàn thành 8/8 chỉ tiêu.",
    {
        "1a": ("100% (25/25)", "Đạt"),
        "1b": ("80% (320/400)", "Đạt"),
        "2a": ("3/3 đơn vị", "Đạt"),
        "3a": ("3/3 đơn vị", "Đạt"),
        "4a": ("1 xã", "Đạt"),
        "5a": ("2 đợt", "Đạt"),
        "5b": ("700 đơn vị", "Đạt"),
        "6a": ("80% (160/200)", "Đạt"),
        "7a": ("100 cây", "Đạt"),
        "7b": ("10 suất", "Chưa đạt"),  # one of the two is enough
        "8a": ("3/3 đơn vị", "Đạt"),
    },
)
MORE = (
    [
        ("s1", "ke-khai", {"thanh-nien-da-hoc": 160, "thanh-nien-da-tu-van": 190}),
        ("b11", *VOLUNTEER),
        ("b11", "ha-tang-moi-truong", {"xa-nong-thon-moi": 1}),
        ("b11", "hien-mau", {"don-vi-mau": 50}),
        ("b11", "trong-cay", {"cay-xanh": 1}),
    ],
    "Hoàn thành 8/8 chỉ tiêu, trong đó 5 chỉ tiêu vượt kế hoạch.",
    {
        "1a": ("100% (25/25)", "Đạt"),
        "1b": ("82,5% (330/400)", "Vượt"),
        "2a": ("3/3 đơn vị", "Đạt"),
        "3a": ("3/3 đơn vị", "Đạt"),
        "4a": ("2 xã", "Vượt"),
        "5a": ("3 đợt", "Vượt"),
        "5b": ("750 đơn vị", "Vượt"),
        "6a": ("95% (190/200)", "Vượt"),
        "7a": ("101 cây", "Vượt"),
        "7b": ("10 suất", "Chưa đạt"),
        "8a": ("3/3 đơn vị", "Đạt"),
    },
)


@pytest.fixture
def world(transactional_db):
    """k1 with two cơ sở and a school."""
    world = World()
    world.s1 = make_unit("s1", parent=world.k1, sector="Trường học")
    world.day = date(2024, 2, 1)
    return world


def test_the_targets_of_case_000_are_written_issued_and_judged(world, laptop, login):
    login(laptop, world.staff)
    for number, (text, join, measures) in enumerate(TARGETS, 1):
        write(laptop, number, text, join, measures)
    assert Target.objects.filter(issuer=world.k1, issued_on=None).count() == 8
    assert below(world) == 0  # drafts reach nobody
    issue(laptop)
    assert below(world) == 4  # rates, coverages and milestones that concern a base unit outside the schools
    for happened, sentence, expected in (SHORT, EXACTLY, MORE):
        for unit, kind, figures in happened:
            record(world, getattr(world, unit), kind, figures)
        assert judged(laptop) == expected
        assert laptop.locator("#cau-tong-hop").inner_text() == sentence
    check_page(laptop)


def write(page, number, text, join, measures):
    page.goto("/chi-tieu/them/?nam=2024")
    assert page.locator("#id_number").input_value() == str(number)
    page.locator("#id_text").fill(text)
    page.locator("#id_join").select_option(join)
    for place, measure in enumerate(measures):
        if place:
            with page.expect_navigation():
                page.get_by_role("button", name="Thêm ý").click()
        for name, value in measure.items():
            type_in(page, f"id_y-{place}-{name}", value)
    if number == 2:
        said = page.locator(".preview").filter(has_text="Được tính")
        said.wait_for()
        assert said.inner_text().startswith("Được tính: số cơ sở có từ 3 hoạt động tình nguyện trở lên / tổng số cơ sở")
        check_page(page)
    with page.expect_navigation():
        page.get_by_role("button", name="Lưu chỉ tiêu").click()
    assert page.locator("h1").inner_text() == f"Chỉ tiêu {number} năm 2024"


def type_in(page, field, value):
    if field.endswith("kind"):
        page.locator(f"[id^='{field}_'][value='{value}']").check()
    elif page.locator(f"#{field}").evaluate("(e) => e.tagName") == "SELECT":
        page.locator(f"#{field}").select_option(value)
    else:
        page.locator(f"#{field}").fill(value)


def issue(page):
    page.get_by_role("link", name="Ban hành").click()
    page.get_by_label("Số quyết định").fill("01-QĐ/ĐK")
    page.get_by_label("Ngày quyết định").fill("10/01/2024")
    check_page(page)
    with page.expect_navigation():
        page.get_by_role("button", name="Ban hành").click()
    assert "01-QĐ/ĐK" in page.locator("main").inner_text()


def below(world):
    """How many chỉ tiêu of k1 reach the base unit b11."""
    place = Placement.objects.select_related("unit").get(unit=world.b11, year=2024)
    return len({row.measure.target_id for row in received([place], world.year).values()})


def judged(page):
    """{measure: (what it came to, its state)}, as the dashboard says it."""
    page.goto("/?nam=2024")
    lines = page.locator(".measures > li").all()
    return {
        line.locator(".measure-number").inner_text().rstrip("."): (
            line.locator(".measure-figures a").first.inner_text(),
            line.locator(".state").inner_text()[2:],
        )
        for line in lines
    }


def record(world, unit, kind, figures):
    """An approved record of the next day, so that a later declaration is the later one."""
    world.day += timedelta(days=1)
    fields = {}
    if kind == "moc":
        milestone = Measure.objects.get(kind="milestone", target__issuer=world.k1)
        fields = {"milestone": milestone, "document": "Biên bản đại hội (minh họa)"}
    values = {Indicator.objects.get(code=code): value for code, value in figures.items()}
    kind = ActivityKind.objects.get(code=kind)
    approve(make_activity(unit, world.cadre, kind, values, world.day, **fields), world.secretary)
