"""The standard periods of a work year: twelve months, four quarters, two halves, the year. Pure."""

from calendar import monthrange
from datetime import date, timedelta

from targets.models import Period, PeriodKind

# (kind, months in one, days after its end until it is due)
STANDARD = (
    (PeriodKind.MONTH, 1, 5),
    (PeriodKind.QUARTER, 3, 7),
    (PeriodKind.HALF, 6, 10),
    (PeriodKind.YEAR, 12, 15),
)
ROMAN = ("I", "II", "III", "IV")


def first_day_of(year, number):
    """The first day of month 1..13 of a work year: the inverse of `WorkYear.month_of`."""
    years, month = divmod(year.first_day.month - 2 + number, 12)
    whole = date(year.first_day.year + years, month + 1, 1)
    if year.first_day.day > monthrange(whole.year, whole.month)[1]:  # a month without that day
        return (whole + timedelta(days=31)).replace(day=1)
    return whole.replace(day=year.first_day.day)


def standard_periods(year):
    """[Period] of a work year, unsaved; of a year shorter than twelve months those that begin within it."""
    periods = []
    for kind, months, days in STANDARD:
        for number in range(1, 12 // months + 1):
            first, after = first_day_of(year, (number - 1) * months + 1), first_day_of(year, number * months + 1)
            if first > year.last_day:
                break
            last = year.last_day if number * months == 12 else min(after - timedelta(days=1), year.last_day)
            due = last + timedelta(days=days)
            name = name_of(kind, number, first, last, year)
            periods.append(
                Period(year=year, kind=kind, number=number, name=name, first_day=first, last_day=last, due=due)
            )
    return periods


def name_of(kind, number, first, last, year):
    """ "Tháng 7", "Quý III", "6 tháng đầu năm", "Năm 2026"; with its days where months do not begin on the first."""
    if kind == PeriodKind.YEAR:
        return f"Năm {year}"
    if kind == PeriodKind.HALF:
        return f"6 tháng {'đầu' if number == 1 else 'cuối'} năm"
    days = "" if first.day == 1 else f" ({first:%d/%m} – {last:%d/%m})"
    if kind == PeriodKind.QUARTER:
        return f"Quý {ROMAN[number - 1]}{days}"
    return f"Tháng {first.month}" if not days else f"Kỳ{days.replace('(', '').replace(')', '')}"
