"""Dates as people here write them: day before month, always. Pure."""

import re
from calendar import isleap
from datetime import date, timedelta

from unionwork.text import fold, typed

FIRST_YEAR, LAST_YEAR = 1900, 2100
_EXAMPLE = "Ví dụ: 26/03/2024"
_DAY_FIRST = re.compile(r"([0-9]{1,2}) ?([/.-]) ?([0-9]{1,2})(?: ?\2 ?([0-9]{4}|[0-9]{2}))?")
_DIGITS_ONLY = re.compile(r"([0-9]{2})()([0-9]{2})([0-9]{4})")  # phones' number pads have no slash
_YEAR_FIRST = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DAYS_AGO = {"hom nay": 0, "hom qua": 1}


class DateError(ValueError):
    """Not a date; `message` says in Vietnamese what is wrong and gives an example."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message


def parse_date(text, today=None):
    """Read a typed date or a workbook's date cell. Raises DateError, also for blank.

    A date without year is the latest such date not after `today`. Without `today` (deadlines, which lie ahead)
    a year must be given.
    """
    if isinstance(text, date):  # a datetime too
        return _date(format_date(text), text.year, text.month, text.day)
    shown = typed("" if text is None else str(text))[:40]
    if not shown:
        raise DateError(f"Chưa nhập ngày. {_EXAMPLE}")
    days_ago = _DAYS_AGO.get(fold(shown))
    if days_ago is not None and today:
        return today - timedelta(days=days_ago)
    if match := _YEAR_FIRST.fullmatch(shown):
        return _date(shown, *map(int, match.groups()))
    match = _DAY_FIRST.fullmatch(shown) or _DIGITS_ONLY.fullmatch(shown)
    if not match:
        raise DateError(f"“{shown}” không phải là ngày. {_EXAMPLE}")
    day, month, year = int(match[1]), int(match[3]), match[4]
    if year is None:
        return _latest(shown, month, day, today)
    return _date(shown, _full_year(year), month, day)


def _full_year(year):
    """Two digits: 69-99 are 1969-1999, as in Django's own %y."""
    if len(year) == 4:
        return int(year)
    return int(year) + (1900 if int(year) >= 69 else 2000)


def _latest(shown, month, day, today):
    if today is None:
        raise DateError(f"“{shown}” thiếu năm. {_EXAMPLE}")
    _date(shown, 2000, month, day)  # a leap year: refuses what no year has
    years = range(today.year, today.year - 9, -1)  # 29/2 can lie eight years back
    days = (date(year, month, day) for year in years if (month, day) != (2, 29) or isleap(year))
    return next(found for found in days if found <= today)


def _date(shown, year, month, day):
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise DateError(f"“{shown}”: năm phải từ {FIRST_YEAR} đến {LAST_YEAR}. {_EXAMPLE}")
    try:
        return date(year, month, day)
    except ValueError:
        raise DateError(f"“{shown}”: không có ngày {day} tháng {month}; viết ngày/tháng/năm. {_EXAMPLE}") from None


def format_date(day):
    """26/03/2024; "" for None."""
    return f"{day:%d/%m/}{day.year:04d}" if day else ""
