from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from activities import review
from activities.models import Activity, KindFigure, Status
from activities.rules import LARGEST_FIGURE, Entry, Rules, check_complete, entry_of, missing
from targets.years import open_year
from tests.factories import make_activity, make_indicator, make_kind, make_target, make_unit
from unionwork.numbers import Parsed


def entry(world, figures=None, hosts=(), **fields):
    day = fields.pop("day", date(2024, 3, 26))
    fields = {"unit": world.b11, "kind": world.planting, "title": "Thử", "first_day": day, "last_day": day} | fields
    return Entry(Activity(**fields), {row: Parsed(value) for row, value in (figures or {}).items()}, list(hosts))


def refused(one):
    with pytest.raises(ValidationError) as error:
        Rules().settle(one)
    return error.value.message_dict


def test_a_right_entry_gets_its_year_and_month(world):
    one = entry(world, {world.trees: 5}, [world.b21], day=date(2024, 12, 31))
    Rules().settle(one)
    assert (one.activity.year_id, one.activity.month) == (2024, 12)


def test_an_activity_counts_in_the_year_of_its_last_day(world):
    open_year(year=2025, actor=None)
    one = entry(world, {world.trees: 5}, first_day=date(2024, 12, 30), last_day=date(2025, 1, 2))
    Rules().settle(one)
    assert (one.activity.year_id, one.activity.month) == (2025, 1)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((date(2024, 3, 5), date(2024, 3, 4)), "Ngày kết thúc phải sau hoặc trùng ngày bắt đầu."),
        (
            (date(2019, 3, 5), date(2019, 3, 5)),
            "Chưa mở năm công tác cho ngày 05/03/2019; liên hệ văn phòng Trung ương.",
        ),
        (
            (date(2099, 3, 5), date(2099, 3, 5)),
            "Ngày 05/03/2099 chưa tới: hoạt động được ghi khi đã kết thúc.",
        ),
    ],
)
def test_wrong_days(world, days, expected):
    assert refused(entry(world, first_day=days[0], last_day=days[1])) == {"last_day": [expected]}


def test_today_is_fine_and_a_day_is_needed(world):
    Rules().settle(entry(world, day=timezone.localdate()))
    assert refused(entry(world, first_day=None)) == {"first_day": ["Nhập ngày, ví dụ 26/03/2024."]}


def test_units_must_stand_in_the_tree_of_that_year(world):
    from units.models import Placement

    late = make_unit("moi", "doan-co-so", world.k1)
    Placement.objects.filter(unit=late, year=2024).delete()
    assert refused(entry(world, unit=late)) == {"unit": ["“Đơn vị moi” không có trong cây đơn vị năm 2024."]}
    assert refused(entry(world, hosts=[late])) == {"hosts": ["“Đơn vị moi” không có trong cây đơn vị năm 2024."]}
    assert refused(entry(world, hosts=[world.b11])) == {
        "hosts": ["Đơn vị chủ trì không ghi lại trong danh sách phối hợp."]
    }
    assert refused(entry(world, {world.members: 5}, [world.b12], kind=world.declaring)) == {
        "hosts": ["Kê khai và mốc là của riêng một đơn vị, không có đơn vị phối hợp."]
    }


def test_figures_must_fit_the_kind(world):
    blood = make_indicator("thu-mau")
    Rules().settle(entry(world, {blood: 4, world.trees: LARGEST_FIGURE}))
    assert refused(entry(world, {world.count: 2})) == {
        "thu-so-hoat-dong": ["“Chỉ số thu-so-hoat-dong” do hệ thống tự đếm, không nhập."]
    }
    assert refused(entry(world, {world.members: 2})) == {
        "thu-doan-vien": ["“Chỉ số thu-doan-vien” là số liệu tại một thời điểm: ghi ở mục Kê khai số liệu."]
    }
    assert refused(entry(world, {world.trees: 2}, kind=world.declaring)) == {
        "thu-cay-xanh": ["“Chỉ số thu-cay-xanh” là số liệu phát sinh: ghi trong một hoạt động."]
    }
    assert refused(entry(world, {world.trees: LARGEST_FIGURE + 1})) == {
        "thu-cay-xanh": ["Số quá lớn. Kiểm tra lại số chữ số; nhiều nhất 1.000.000.000.000.000."]
    }


def test_a_work_level_only_where_the_kind_has_one(world):
    assert refused(entry(world, work_level="base")) == {
        "work_level": ["Loại “Loại thu-trong-cay” không có cấp công trình."]
    }


def test_a_counted_figure_of_one_level_is_counted_for_that_level_only(world):
    works = make_kind("thu-cong-trinh", [world.times], has_work_level=True)
    for level in ("base", "district"):
        indicator = make_indicator(f"thu-cap-{level}")
        KindFigure.objects.create(kind=works, indicator=indicator, counted=True, work_level=level)
    activity = make_activity(world.b11, world.cadre, works, {world.times: 5}, work_level="district")
    assert sorted(activity.figures.values_list("indicator__code", "value")) == [
        ("thu-cap-district", 1),
        ("thu-luot", 5),
    ]


def test_what_is_missing_before_sending(world):
    works = make_kind("thu-cong-trinh", [world.times], has_work_level=True)
    works.kind_figures.update(required=True)
    rules = Rules()
    assert missing(entry(world, {world.trees: 1}), rules) == {}
    assert missing(entry(world), rules) == {}  # its one counted figure says something already
    assert missing(entry(world, kind=world.declaring), rules) == {"figures": "Nhập ít nhất một số liệu."}
    assert missing(entry(world, kind=works), rules) == {
        "thu-luot": "Nhập “Chỉ số thu-luot” (lượt).",
        "work_level": "Chọn cấp của công trình.",
    }
    blank = entry(world, kind=works, work_level="base")
    blank.figures = {world.times: Parsed(None)}
    assert missing(blank, rules) == {"thu-luot": "Nhập “Chỉ số thu-luot” (lượt)."}
    assert missing(entry(world, {world.times: 0}, kind=works, work_level="base"), rules) == {}


def test_a_saved_record_is_checked_like_a_typed_one(world):
    activity = make_activity(world.b11, world.cadre, world.declaring, {})
    with pytest.raises(ValidationError) as error:
        check_complete(activity)
    assert error.value.message_dict == {"figures": ["Nhập ít nhất một số liệu."]}
    full = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, hosts=[world.b12])
    check_complete(full)
    again = entry_of(full, Rules())
    assert (again.figures, again.hosts) == ({world.trees: Parsed(5)}, [world.b12])


def test_a_milestone_reaches_its_units_once(world):
    reached = make_target(world.p1, world.year, [{"kind": "milestone"}]).measures.get()
    kind = make_kind("thu-moc", nature="milestone")
    Rules().settle(entry(world, kind=kind, milestone=reached))
    assert refused(entry(world, kind=kind)) == {"milestone": ["Chọn mốc đã hoàn thành trong danh sách chỉ tiêu."]}
    assert refused(entry(world, milestone=reached)) == {
        "milestone": ["Loại “Loại thu-trong-cay” không ghi cho một mốc."]
    }
    assert refused(entry(world, kind=kind, milestone=reached, unit=world.b21)) == {
        "unit": ["Mốc này không áp dụng cho “Đơn vị b21”."]
    }
    assert refused(entry(world, kind=kind, milestone=reached, day=date(2026, 1, 5))) == {
        "last_day": ["Mốc này thuộc năm công tác 2024."]
    }
    done = make_activity(world.b11, world.cadre, kind, milestone=reached)
    assert refused(entry(world, kind=kind, milestone=reached)) == {
        "milestone": [f"“Đơn vị b11” đã ghi hoàn thành mốc này: {done.code}."]
    }
    review.cancel(activity=done, actor=world.cadre)
    anew = make_activity(world.b11, world.cadre, kind, milestone=reached)
    with pytest.raises(review.WrongState) as twice:
        review.restore(activity=done, actor=world.cadre)
    assert twice.value.messages == [f"Không khôi phục được: “Đơn vị b11” đã ghi hoàn thành mốc này: {anew.code}."]
    done.refresh_from_db()
    assert (done.status, done.events.count()) == (Status.CANCELLED, 2)
    review.cancel(activity=anew, actor=world.cadre)
    review.restore(activity=done, actor=world.cadre)
    assert missing(Entry(done), Rules()) == {"document": "Ghi số và ngày của văn bản chứng minh mốc đã hoàn thành."}
