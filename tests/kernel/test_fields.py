from datetime import UTC, date, datetime
from unittest.mock import patch

import pytest
from django import forms
from django.template import Context, Template

from unionwork.fields import FigureField, VietnameseDateField
from unionwork.numbers import Parsed


class LogForm(forms.Form):
    trees = FigureField(unit="cây")
    road = FigureField(decimals=2, unit="km", required=False)
    value = FigureField(decimals=3, unit="tỷ đồng", required=False)
    day = VietnameseDateField(required=False)
    due = VietnameseDateField(required=False, needs_year=True)


def bound(**data):
    return LogForm({"trees": "35"} | data)


def errors(form, name):
    return [(error.code, error.message) for error in form.errors.as_data().get(name, [])]


def test_figures_clean_to_smallest_units():
    form = bound(trees="trên 20.000", road="397,8")
    assert form.is_valid()
    assert form.cleaned_data["trees"] == Parsed(20_000, "trên")
    assert form.cleaned_data["road"] == Parsed(39_780)


def test_zero_is_a_figure_and_blank_is_none():
    form = bound(trees="0", road="")
    assert form.is_valid()
    assert [form.cleaned_data["trees"], form.cleaned_data["road"]] == [Parsed(0), Parsed(None)]


@pytest.mark.parametrize("blank", ["", " ", "–"])
def test_a_required_figure_must_be_given(blank):
    assert [code for code, _ in errors(bound(trees=blank), "trees")] == ["required"]


def test_a_figure_left_out_of_the_post_is_blank():
    form = LogForm({"trees": "1"})
    assert form.is_valid()
    assert form.cleaned_data["road"] == Parsed(None)


def test_a_refused_figure_stays_as_typed():
    form = bound(trees="1,234,567")
    assert errors(form, "trees") == [
        (
            "invalid",
            "“1,234,567” viết chưa đúng: hàng nghìn ngăn bằng dấu chấm, phần lẻ bằng dấu phẩy. Ví dụ: 1.234.567",
        )
    ]
    assert form["trees"].value() == "1,234,567"


def test_an_ambiguous_figure_is_asked_about():
    form = bound(value="2.819")
    assert [code for code, _ in errors(form, "value")] == ["ambiguous"]
    assert form["value"].value() == "2.819"


def test_another_unit_is_refused():
    assert [code for code, _ in errors(bound(trees="50%"), "trees")] == ["invalid"]


@pytest.mark.parametrize(
    ("name", "initial", "shown"),
    [
        ("trees", None, None),
        ("trees", 0, "0"),
        ("trees", 1_234_567, "1.234.567"),
        ("trees", Parsed(20_000, "trên"), "trên 20.000"),
        ("trees", Parsed(None), ""),
        ("road", 39_780, "397,8"),
        ("value", 2_819_000, "2819"),
        ("value", 2819, "2,819"),
        ("day", date(2024, 4, 3), "03/04/2024"),
        ("day", None, None),
    ],
)
def test_initial_values_are_shown_as_people_write_them(name, initial, shown):
    assert LogForm(initial={name: initial})[name].value() == shown


@pytest.mark.parametrize(
    ("name", "initial", "data", "changed"),
    [
        ("trees", 1234, "1.234", False),
        ("trees", 1234, "1234", False),
        ("trees", 1234, "trên 1.234", True),
        ("trees", Parsed(1234, "trên"), "trên 1.234", False),
        ("trees", None, "", False),
        ("trees", None, "0", True),
        ("trees", 0, "", True),
        ("trees", 1234, "abc", True),
        ("road", 39_780, "397,80", False),
        ("day", date(2024, 4, 3), "3/4/2024", False),
        ("day", date(2024, 4, 3), "4/3/2024", True),
        ("day", None, "", False),
    ],
)
def test_only_another_value_is_a_change(name, initial, data, changed):
    assert LogForm.base_fields[name].has_changed(initial, data) is changed


def test_boxes_are_plain_text_with_the_right_keyboard():
    form = LogForm()
    assert {name: form[name].field.widget.attrs.get("inputmode") for name in form.fields} == {
        "trees": "numeric",
        "road": "decimal",
        "value": "decimal",
        "day": "numeric",
        "due": "numeric",
    }
    assert {form[name].widget_type for name in form.fields} == {"text"}
    assert form["day"].field.widget.attrs["placeholder"] == "dd/mm/yyyy"


@pytest.mark.parametrize("text", ["03/04/2024", "3-4-2024", " 3.4.24 ", "2024-04-03"])
def test_dates_are_day_first(text):
    form = bound(day=text)
    assert form.is_valid()
    assert form.cleaned_data["day"] == date(2024, 4, 3)


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_date_is_none(blank):
    form = bound(day=blank)
    assert form.is_valid()
    assert form.cleaned_data["day"] is None


def test_a_refused_date_stays_as_typed():
    form = bound(day="31/02/2024")
    assert errors(form, "day") == [
        ("invalid", "“31/02/2024”: không có ngày 31 tháng 2; viết ngày/tháng/năm. Ví dụ: 26/03/2024")
    ]
    assert form["day"].value() == "31/02/2024"


def test_today_is_the_day_in_vietnam():
    with patch("django.utils.timezone.now", return_value=datetime(2023, 12, 31, 17, 30, tzinfo=UTC)):
        form = bound(day="hôm nay")
        assert form.is_valid()
    assert form.cleaned_data["day"] == date(2024, 1, 1)


def test_a_deadline_needs_its_year():
    assert errors(bound(due="31/5"), "due") == [("invalid", "“31/5” thiếu năm. Ví dụ: 26/03/2024")]


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        ("{{ v|so }}", 1_234_567, "1.234.567"),
        ("{{ v|so:2 }}", 39_780, "397,8"),
        ("{{ v|so }}", 0, "0"),
        ("{{ v|so }}", None, "–"),
        ("{{ v|phan_tram }}", 6650, "66,5%"),
        ("{{ v|tien }}", 12_500_000, '<span title="12.500.000 đồng">12,5 triệu đồng</span>'),
        ("{{ v|tien }}", 2_819_000_000, '<span title="2.819.000.000 đồng">2,819 tỷ đồng</span>'),
        ("{{ v|tien }}", 1_234_567, "1.234.567 đồng"),
        ("{{ v|tien }}", None, "–"),
        ("{{ v|ngay }}", date(2024, 4, 3), "03/04/2024"),
        ("{{ v|ngay }}", datetime(2023, 12, 31, 17, 30, tzinfo=UTC), "01/01/2024"),
        ("{{ v|ngay }}", None, ""),
        ("{{ v|ngay_gio }}", datetime(2023, 12, 31, 17, 30, tzinfo=UTC), "00:30 01/01/2024"),
        ("{{ v|ngay_gio }}", None, ""),
    ],
)
def test_filters_print_numbers_money_and_dates(source, value, text):
    assert Template("{% load vietnam %}" + source).render(Context({"v": value})) == text
