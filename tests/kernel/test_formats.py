"""Our format module as Django applies it: its own `vi` reads 03/04/2024 as 4 March and refuses 26/03/2024."""

from datetime import UTC, date, datetime

import pytest
from django import forms
from django.template import Context, Template
from django.utils.formats import date_format, get_format, number_format


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("03/04/2024", date(2024, 4, 3)),
        ("26/03/2024", date(2024, 3, 26)),
        ("26-03-2024", date(2024, 3, 26)),
        ("26.03.2024", date(2024, 3, 26)),
        ("26/03/24", date(2024, 3, 26)),
        ("2024-03-26", date(2024, 3, 26)),
    ],
)
def test_djangos_own_date_field_reads_the_day_first(text, day):
    assert forms.DateField().clean(text) == day


def test_month_first_is_refused():
    with pytest.raises(forms.ValidationError):
        forms.DateField().clean("03/26/2024")


def test_dates_are_printed_day_first_in_local_time():
    assert get_format("DATE_FORMAT") == "d/m/Y"
    assert date_format(date(2024, 4, 3)) == "03/04/2024"
    assert date_format(date(2024, 4, 3), "SHORT_DATE_FORMAT") == "03/04/2024"
    moment = datetime(2023, 12, 31, 17, 30, tzinfo=UTC)
    assert Template("{{ d }} | {{ t }}").render(Context({"d": date(2024, 4, 3), "t": moment})) == (
        "03/04/2024 | 00:30 01/01/2024"
    )


def test_weeks_start_on_monday():
    assert get_format("FIRST_DAY_OF_WEEK") == 1


def test_keys_and_years_in_templates_are_not_grouped():
    assert Template("{{ pk }} {{ year }}").render(Context({"pk": 1234567, "year": 2024})) == "1234567 2024"


def test_grouping_where_asked_for_is_vietnamese():
    assert number_format("1234567.5", decimal_pos=1, force_grouping=True) == "1.234.567,5"
