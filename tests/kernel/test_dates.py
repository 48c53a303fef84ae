import unicodedata
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unionwork.dates import DateError, format_date, parse_date

TODAY = date(2024, 7, 31)
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("26/03/2024", date(2024, 3, 26)),
        ("03/04/2024", date(2024, 4, 3)),
        ("3/4/2024", date(2024, 4, 3)),
        ("05-01-2024", date(2024, 1, 5)),
        ("05‑01‑2024", date(2024, 1, 5)),
        ("5-1-2024", date(2024, 1, 5)),
        ("26.03.2024", date(2024, 3, 26)),
        ("26/03/24", date(2024, 3, 26)),
        ("26/3/68", date(2068, 3, 26)),
        ("26/3/69", date(1969, 3, 26)),
        ("26/3/1931", date(1931, 3, 26)),
        ("2024-03-26", date(2024, 3, 26)),
        ("26032024", date(2024, 3, 26)),
        (" 26 / 3 / 2024 ", date(2024, 3, 26)),
        ("２６/０３/２０２４", date(2024, 3, 26)),
        ("5/1", date(2024, 1, 5)),
        ("5-1", date(2024, 1, 5)),
        ("31/7", date(2024, 7, 31)),
        ("1/8", date(2023, 8, 1)),
        ("21/12", date(2023, 12, 21)),
        ("16-12", date(2023, 12, 16)),
        ("29/2", date(2024, 2, 29)),
        ("hôm nay", date(2024, 7, 31)),
        ("Hôm  qua", date(2024, 7, 30)),
        ("hom qua", date(2024, 7, 30)),
        (date(2024, 3, 26), date(2024, 3, 26)),
        (datetime(2024, 3, 26, 17, 30), date(2024, 3, 26)),
    ],
)
def test_reads_the_day_first(text, day):
    assert parse_date(text, TODAY) == day
    if isinstance(text, str):
        assert parse_date(unicodedata.normalize("NFD", text), TODAY) == day
    else:
        assert type(parse_date(text, TODAY)) is date


def test_yesterday_crosses_the_year():
    assert parse_date("hôm qua", date(2024, 1, 1)) == date(2023, 12, 31)


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (date(2024, 2, 28), date(2020, 2, 29)),
        (date(2025, 7, 31), date(2024, 2, 29)),
        (date(1903, 7, 31), date(1896, 2, 29)),
    ],
)
def test_29_february_is_the_latest_there_was(today, day):
    assert parse_date("29/2", today) == day


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Chưa nhập ngày"),
        (None, "Chưa nhập ngày"),
        ("31/02/2024", "không có ngày 31 tháng 2"),
        ("31/2", "không có ngày 31 tháng 2"),
        ("29/02/2023", "không có ngày 29 tháng 2"),
        ("03/26/2024", "không có ngày 3 tháng 26"),
        ("0/1/2024", "không có ngày 0 tháng 1"),
        ("26/03/2204", "năm phải từ 1900 đến 2100"),
        ("26/03/0024", "năm phải từ 1900 đến 2100"),
        (date(204, 3, 26), "năm phải từ 1900 đến 2100"),
        ("20240326", "năm phải từ 1900 đến 2100"),
        ("26/03-2024", "không phải là ngày"),
        ("26/03/202", "không phải là ngày"),
        ("26/03/20245", "không phải là ngày"),
        ("3/2024", "không phải là ngày"),
        ("2024/03/26", "không phải là ngày"),
        ("ngày mai", "không phải là ngày"),
        ("45377", "không phải là ngày"),
        (45377, "không phải là ngày"),
        ("٢٦/٠٣/٢٠٢٤", "không phải là ngày"),
        ("9" * 10_000, "không phải là ngày"),
    ],
)
def test_refuses_with_a_reason_and_an_example(text, reason):
    with pytest.raises(DateError) as caught:
        parse_date(text, TODAY)
    assert reason in caught.value.message
    assert caught.value.message.endswith("Ví dụ: 26/03/2024")


@pytest.mark.parametrize(("text", "reason"), [("31/5", "thiếu năm"), ("hôm nay", "không phải là ngày")])
def test_without_today_the_year_must_be_written(text, reason):
    with pytest.raises(DateError) as caught:
        parse_date(text)
    assert caught.value.message == f"“{text}” {reason}. Ví dụ: 26/03/2024"


def test_without_today_whole_dates_are_read():
    assert parse_date("31/5/2025") == date(2025, 5, 31)


def test_formats_day_month_year():
    assert [format_date(date(2024, 3, 26)), format_date(date(2024, 4, 3)), format_date(None)] == [
        "26/03/2024",
        "03/04/2024",
        "",
    ]


@given(DAYS)
def test_what_is_formatted_reads_back(day):
    assert parse_date(format_date(day), TODAY) == day
    assert parse_date(day.isoformat(), TODAY) == day


@given(DAYS.filter(lambda day: day.year >= 1910), st.integers(0, 365))
def test_a_date_without_year_is_the_latest_not_after_today(today, days_ago):
    day = date.fromordinal(today.toordinal() - days_ago)
    found = parse_date(f"{day.day}/{day.month}", today)
    same_day_a_year_on = (day.month, day.day) == (today.month, today.day)
    assert found == (today if same_day_a_year_on else day)


@given(st.one_of(st.text(), st.text("0123456789/-. ", max_size=10)))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        day = parse_date(text, TODAY)
    except DateError:
        return
    assert 1900 <= day.year <= 2100
