"""The days for which levels are usually declared: ends of months and quarters. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

NAMES = ("Quý I", "Quý II", "Quý III", "Quý IV")


@dataclass(frozen=True)
class Quarter:
    number: int
    first_day: date
    last_day: date

    @property
    def name(self):
        return NAMES[self.number - 1]


def quarters(work_year):
    """The four quarters of a work year, counted from its first day; the last one ends with it."""
    found, first = [], work_year.first_day
    for number in (1, 2, 3, 4):
        following = _plus_months(work_year.first_day, 3 * number)
        last = work_year.last_day if number == 4 else min(following - timedelta(days=1), work_year.last_day)
        if first <= work_year.last_day:
            found.append(Quarter(number, first, last))
        first = following
    return found


def ended(work_year, today):
    """The quarters that ended by `today`: what can be declared."""
    return [quarter for quarter in quarters(work_year) if quarter.last_day <= today]


def last_month_end(day):
    """`day` when it ends its month, else the end of the month before."""
    return day if (day + timedelta(days=1)).day == 1 else day.replace(day=1) - timedelta(days=1)


def _plus_months(day, months):
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
