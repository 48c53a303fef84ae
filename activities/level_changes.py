"""How far a declared level moved from the one before it. Pure."""

from dataclasses import dataclass
from datetime import date

from unionwork.dates import format_date
from unionwork.numbers import Parsed, format_number

ASKED_OVER = 15  # percent


@dataclass(frozen=True)
class Level:
    """A level as it was declared: `value` in the indicator's smallest unit."""

    value: int
    day: date
    word: str = ""

    @property
    def parsed(self):
        return Parsed(self.value, self.word)


def is_big(before, value):
    """Whether a change is one to give a reason for: over 15%, and every change from 0."""
    return abs(value - before) * 100 > ASKED_OVER * before


def in_words(before, value):
    """ "+12,5%", "không đổi"; there is no percentage of 0. `levels.js` says the same while one types."""
    if value == before:
        return "không đổi"
    if not before:
        return "trước là 0"
    tenths = (2000 * abs(value - before) + before) // (2 * before)  # rounded half up
    return f"{'+' if value > before else '−'}{format_number(tenths, 1)}%"


def sentence(indicator, level, value):
    """One big change, as the writer is asked about it and the reviewer reads it."""
    moved = f"{indicator.format(level.value)} → {indicator.format(value)} {indicator.unit_of_measure}"
    return f"“{indicator}” {moved}: {in_words(level.value, value)} so với số kê khai {format_date(level.day)}."
