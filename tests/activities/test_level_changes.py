from datetime import date
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.level_changes import in_words, is_big
from activities.quarters import ended, quarters


@pytest.mark.parametrize(
    ("before", "value", "words", "asked"),
    [
        (120, 120, "không đổi", False),
        (0, 0, "không đổi", False),
        (0, 1, "trước là 0", True),
        (100, 115, "+15%", False),
        (100, 85, "−15%", False),
        (1000, 1151, "+15,1%", True),
        (80, 0, "−100%", True),
        (8, 9, "+12,5%", False),
        (1, 1001, "+100.000%", True),
        (10**15, 10**15 + 1, "+0%", False),
    ],
)
def test_a_change_in_words_and_whether_a_reason_is_asked(before, value, words, asked):
    assert (in_words(before, value), is_big(before, value)) == (words, asked)


@given(st.integers(1, 10**15), st.integers(0, 10**15))
def test_a_reason_is_asked_over_fifteen_percent_exactly(before, value):
    assert is_big(before, value) == (abs(Fraction(value - before, before)) > Fraction(15, 100))


def year(first, last):
    return SimpleNamespace(first_day=first, last_day=last)


def test_quarters_follow_the_work_year_and_only_those_ended_are_offered():
    calendar = year(date(2024, 1, 1), date(2024, 12, 31))
    assert [row.last_day for row in quarters(calendar)] == [
        date(2024, 3, 31),
        date(2024, 6, 30),
        date(2024, 9, 30),
        date(2024, 12, 31),
    ]
    assert [row.name for row in ended(calendar, date(2024, 6, 30))] == ["Quý I", "Quý II"]
    assert ended(calendar, date(2024, 3, 30)) == []
    school = quarters(year(date(2023, 12, 15), date(2024, 12, 14)))
    assert [(row.first_day, row.last_day) for row in school] == [
        (date(2023, 12, 15), date(2024, 3, 14)),
        (date(2024, 3, 15), date(2024, 6, 14)),
        (date(2024, 6, 15), date(2024, 9, 14)),
        (date(2024, 9, 15), date(2024, 12, 14)),
    ]
    assert [row.number for row in quarters(year(date(2024, 1, 1), date(2024, 5, 31)))] == [1, 2]
