from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.http import Http404
from django.test import RequestFactory

from targets import years
from targets.models import WorkYear
from tests.factories import make_unit
from units import tree
from units.models import Placement

pytestmark = pytest.mark.django_db


def open_school_year(year=2024):
    return years.open_year(
        year=year, actor=None, first_day=date(year - 1, 12, 15), last_day=date(year, 12, 14), theme="Thử"
    )


def refused(**kwargs):
    with pytest.raises(ValidationError) as error:
        years.open_year(**kwargs, actor=None)
    return error.value.message_dict


def test_a_year_is_the_calendar_year_unless_said_otherwise():
    assert (years.open_year(year=2023, actor=None).first_day, years.open_year(year=2023, actor=None).last_day) == (
        date(2023, 1, 1),
        date(2023, 12, 31),
    )


def test_days_of_another_work_year_are_refused_and_nothing_is_opened():
    open_school_year(2024)
    message = "Trùng ngày với năm công tác 2024 (15/12/2023 đến 14/12/2024)."
    assert refused(year=2023) == {"first_day": [message]}
    assert refused(year=2025, first_day=date(2024, 12, 14), last_day=date(2025, 12, 13)) == {"first_day": [message]}
    assert list(WorkYear.objects.values_list("year", flat=True)) == [2024]
    assert tree.open_years() == [2024]


def test_neighbouring_years_may_touch():
    open_school_year(2024)
    assert years.open_year(year=2023, actor=None, last_day=date(2023, 12, 14)).year == 2023
    assert open_school_year(2025).year == 2025


def test_opening_an_open_year_again_changes_nothing():
    open_school_year(2024)
    assert years.open_year(year=2024, actor=None, theme="Khác").theme == "Thử"
    assert WorkYear.objects.count() == 1


@pytest.mark.parametrize(
    ("kwargs", "field"),
    [
        ({"year": 1999}, "year"),
        ({"year": 2101}, "year"),
        ({"year": 2024, "first_day": date(2022, 1, 1), "last_day": date(2022, 12, 31)}, "first_day"),
        ({"year": 2024, "last_day": date(2025, 1, 5)}, "last_day"),
        ({"year": 2024, "first_day": date(2024, 6, 1), "last_day": date(2024, 5, 1)}, "__all__"),
    ],
)
def test_impossible_years_are_refused(kwargs, field):
    assert list(refused(**kwargs)) == [field]


def test_closing_freezes_the_tree_and_reopening_frees_it():
    years.open_year(year=2024, actor=None)
    root = make_unit("goc", "trung-uong")
    other = make_unit("khac", "tinh-doan", root)
    child = make_unit("con", "doan-khoi", root)
    assert years.close_year(year=2024) is True
    assert years.close_year(year=2024) is False
    with pytest.raises(ValidationError):
        tree.move(unit=child, parent=other, year=2024)
    assert years.reopen_year(year=2024) is True
    assert years.reopen_year(year=2024) is False
    tree.move(unit=child, parent=other, year=2024)
    assert Placement.objects.get(unit=child, year=2024).parent == other


def chosen(**query):
    return years.chosen_year(RequestFactory().get("/", query))


def test_the_chosen_year_is_the_named_one_else_the_current():
    this_year = date.today().year
    for year in (2023, this_year):
        years.open_year(year=year, actor=None)
    assert chosen(nam="2023").year == 2023
    assert chosen(nam="").year == this_year
    assert chosen().year == this_year
    for wrong in ("1999", "abc", "20233", "²023", "-024"):
        with pytest.raises(Http404):
            chosen(nam=wrong)


def test_the_current_year_is_the_running_one_else_the_latest_begun_else_the_first():
    today = date.today()
    later = years.open_year(year=today.year + 2, actor=None)
    assert chosen() == later
    before = years.open_year(year=today.year - 3, actor=None)
    assert chosen() == before
    running = years.open_year(year=today.year, actor=None)
    assert chosen() == running


def test_without_any_year_there_is_no_current_one():
    assert chosen() is None
