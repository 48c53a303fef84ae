import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unionwork.numbers import (
    LARGEST,
    Ambiguous,
    NumberError,
    Parsed,
    format_money,
    format_money_short,
    format_number,
    format_percent,
    in_words,
    number_in_words,
    parse_number,
)

VALUES = st.integers(0, LARGEST)
DECIMALS = st.integers(0, 4)


def refusal(text, decimals=0, unit=""):
    with pytest.raises(NumberError) as caught:
        parse_number(text, decimals, unit)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("0", 0, 0),
        ("35", 0, 35),
        ("1234", 0, 1234),
        ("1.234", 0, 1234),
        ("1.234", 2, 123_400),
        ("1.234.567", 0, 1_234_567),
        ("1.234.567,5", 1, 12_345_675),
        ("1.234.567,5", 2, 123_456_750),
        ("397,8", 1, 3978),
        ("397,8", 2, 39_780),
        ("0,05", 2, 5),
        ("66,5%", 2, 6650),
        ("66,5 %", 2, 6650),
        ("66,5", 2, 6650),
        ("100%", 2, 10_000),
        ("2,819 tỷ", 0, 2_819_000_000),
        ("2,819 tỷ đồng", 0, 2_819_000_000),
        ("2819 tỷ", 0, 2_819_000_000_000),
        ("2.819,5 tỷ", 0, 2_819_500_000_000),
        ("1.234.567 triệu", 0, 1_234_567_000_000),
        ("397,8 tỷ", 0, 397_800_000_000),
        ("1,2 tỉ", 0, 1_200_000_000),
        ("1,2 TỈ", 0, 1_200_000_000),
        ("3 nghìn tỷ", 0, 3_000_000_000_000),
        ("400 triệu", 0, 400_000_000),
        ("400triệu", 0, 400_000_000),
        ("2,4 triệu", 0, 2_400_000),
        ("12 nghìn", 0, 12_000),
        ("12 ngàn", 0, 12_000),
        ("03 nghìn", 0, 3000),
        ("1,2 nghìn", 0, 1200),
        ("2,819 nghìn", 2, 281_900),
        ("12 triệu 500 nghìn đồng", 0, 12_500_000),
        ("12.500.000", 0, 12_500_000),
        ("12.500.000 đồng", 0, 12_500_000),
        ("12.500.000đ", 0, 12_500_000),
        ("12.500.000 VNĐ", 0, 12_500_000),
        ("12\u00a0triệu", 0, 12_000_000),
        ("\u202f1.234\u200b", 0, 1234),
        ("１．２３４，５", 1, 12_345),
        ("9.000.000.000.000.000.000", 0, LARGEST),
    ],
)
def test_reads_what_people_write(text, decimals, value):
    assert parse_number(text, decimals) == Parsed(value, "")
    assert parse_number(unicodedata.normalize("NFD", text), decimals) == Parsed(value, "")


@pytest.mark.parametrize(
    ("text", "value", "word"),
    [
        ("trên 20.000", 20_000, "trên"),
        ("Trên 20.000", 20_000, "trên"),
        ("gần 500", 500, "gần"),
        ("gần 15.000", 15_000, "gần"),
        ("hơn 850", 850, "hơn"),
        ("hơn 1,2 tỉ đồng", 1_200_000_000, "hơn"),
        ("trên 397,8 tỷ đồng", 397_800_000_000, "trên"),
        ("khoảng 12 nghìn", 12_000, "khoảng"),
        ("ít nhất 3", 3, "ít nhất"),
        ("ước đạt 400 triệu", 400_000_000, "ước đạt"),
        ("tren 20.000", 20_000, "trên"),
    ],
)
def test_keeps_the_approximate_word(text, value, word):
    assert parse_number(text) == Parsed(value, word)
    assert parse_number(unicodedata.normalize("NFD", text)) == Parsed(value, word)


@pytest.mark.parametrize("text", [None, "", "  ", "-", "–", "—", "\u00a0"])
def test_blank_is_no_figure_not_zero(text):
    assert parse_number(text) == Parsed(None, "")


@pytest.mark.parametrize(
    ("cell", "decimals", "value"),
    [
        (35, 0, 35),
        (35, 2, 3500),
        (0, 0, 0),
        (-0.0, 0, 0),
        (35.0, 0, 35),
        (66.5, 2, 6650),
        (0.07, 2, 7),
        (397.8, 1, 3978),
        (1.005, 3, 1005),
        (1e16, 0, 10**16),
        (Decimal("12.50"), 1, 125),
    ],
)
def test_reads_workbook_cells_exactly(cell, decimals, value):
    assert parse_number(cell, decimals) == Parsed(value, "")


@pytest.mark.parametrize(
    ("text", "decimals", "unit", "readings"),
    [
        ("2.819 tỷ", 0, "", ["“2,819 tỷ” nếu là 2.819.000.000", "“2819 tỷ” nếu là 2.819.000.000.000"]),
        ("trên 2.819 tỉ đồng", 0, "đồng", ["“2,819 tỷ” nếu là 2.819.000.000", "“2819 tỷ” nếu là 2.819.000.000.000"]),
        ("12.500 triệu", 0, "", ["“12,500 triệu” nếu là 12.500.000", "“12500 triệu” nếu là 12.500.000.000"]),
        ("2.819", 3, "tỷ đồng", ["“2,819 tỷ” nếu là 2.819.000.000", "“2819 tỷ” nếu là 2.819.000.000.000"]),
    ],
)
def test_asks_when_a_dot_reads_two_ways(text, decimals, unit, readings):
    with pytest.raises(Ambiguous) as caught:
        parse_number(text, decimals, unit)
    assert [reading for reading in readings if reading in caught.value.message] == readings


@pytest.mark.parametrize(
    ("text", "decimals", "reason", "example"),
    [
        ("1,234,567", 0, "hàng nghìn ngăn bằng dấu chấm", "1.234.567"),
        ("1,234,567", 3, "hàng nghìn ngăn bằng dấu chấm", "1.234.567"),
        ("1,234.5", 1, "hàng nghìn ngăn bằng dấu chấm", "1.234.567"),
        ("1.5", 0, "phần lẻ viết bằng dấu phẩy", "1,5 hoặc 1.234"),
        ("1.5", 2, "phần lẻ viết bằng dấu phẩy", "1,5 hoặc 1.234"),
        ("1.5 tỷ", 0, "phần lẻ viết bằng dấu phẩy", "1,5 hoặc 1.234"),
        ("0.123", 3, "phần lẻ viết bằng dấu phẩy", "1,5 hoặc 1.234"),
        ("1.2345", 0, "phần lẻ viết bằng dấu phẩy", "1,5 hoặc 1.234"),
        ("1234.567", 0, "phần lẻ viết bằng dấu phẩy", "1,5 hoặc 1.234"),
        ("1.23.456", 0, "phần lẻ viết bằng dấu phẩy", "1,5 hoặc 1.234"),
        ("1,5", 0, "phải là số nguyên", "1.234"),
        ("12,0", 0, "phải là số nguyên", "1.234"),
        ("1,234", 0, "phải là số nguyên", "1.234"),
        ("12,000", 0, "phải là số nguyên", "1.234"),
        (1.5, 0, "“1,5” phải là số nguyên", "1.234"),
        ("1,2345 nghìn", 0, "phải là số nguyên", "1.234"),
        ("1,234", 2, "quá 2 chữ số sau dấu phẩy", "1.234,56"),
        (0.1 + 0.2, 2, "quá 2 chữ số sau dấu phẩy", "1.234,56"),
        ("-5", 0, "số âm", "1.234"),
        ("−5", 0, "số âm", "1.234"),
        (-5, 0, "số âm", "1.234"),
        ("9.000.000.000.000.000.001", 0, "quá lớn", "9.000.000.000.000.000.000"),
        ("9,1", 18, "quá lớn", "9"),
        ("9000001 nghìn tỷ", 0, "quá lớn", "9.000.000.000.000.000.000"),
        ("9" * 100_000, 0, "quá dài", "1.234"),
        (1e308, 0, "quá dài", "1.234"),
        (float("nan"), 0, "không phải là số", "1.234"),
        (float("inf"), 0, "không phải là số", "1.234"),
        (True, 0, "không phải là số", "1.234"),
        ("abc", 0, "không phải là số", "1.234"),
        ("trên", 0, "không phải là số", "1.234"),
        ("tỷ", 0, "không phải là số", "1.234"),
        ("5²", 0, "không phải là số", "1.234"),
        ("٣", 0, "không phải là số", "1.234"),
        (",5", 1, "không phải là số", "1.234"),
        ("66,", 1, "không phải là số", "1.234"),
        ("1e5", 0, "không phải là số", "1.234"),
        ("=1+1", 0, "không phải là số", "1.234"),
        ("#REF!", 0, "không phải là số", "1.234"),
        ("35 cây", 0, "không phải là số", "1.234"),
        ("12 500", 0, "chưa rõ", "12.500.000"),
        ("12 triệu 500", 0, "chưa rõ", "12.500.000"),
        ("12 nghìn 5 triệu", 0, "chưa rõ", "12.500.000"),
        ("1 triệu 1500 nghìn", 0, "chưa rõ", "12.500.000"),
        ("1,5 tỷ 200 triệu", 0, "chưa rõ", "12.500.000"),
    ],
)
def test_refuses_with_a_reason_and_an_example(text, decimals, reason, example):
    message = refusal(text, decimals)
    assert reason in message
    assert message.endswith(f" {example}")


@pytest.mark.parametrize(
    ("text", "decimals", "unit", "value"),
    [
        ("35", 0, "cây", 35),
        ("35 cây", 0, "cây", 35),
        ("1.234 lượt", 0, "lượt", 1234),
        ("20 triệu cây", 0, "cây", 20_000_000),
        ("12 đơn vị máu", 0, "đơn vị máu", 12),
        ("5 tỉnh", 0, "tỉnh", 5),
        ("12.500.000đ", 0, "đồng", 12_500_000),
        ("1.234", 0, "ti vi", 1234),
        ("1.234", 0, "tỷ lệ", 1234),
        ("66,5%", 2, "%", 6650),
        ("2,819", 3, "tỷ đồng", 2819),
        ("2,819 tỷ", 3, "tỷ đồng", 2819),
        ("2819", 3, "tỷ đồng", 2_819_000),
        ("400 triệu", 3, "tỷ đồng", 400),
        ("12.000.000 đồng", 3, "tỷ đồng", 12),
    ],
)
def test_reads_in_the_unit_of_the_indicator(text, decimals, unit, value):
    assert parse_number(text, decimals, unit) == Parsed(value, "")


@pytest.mark.parametrize(("text", "unit"), [("50%", "cây"), ("35 người", "lượt"), ("35 đồng", "cây"), ("35 cây", "%")])
def test_refuses_another_unit_than_the_indicators(text, unit):
    assert refusal(text, unit=unit) == f"“{text}” không hợp với đơn vị tính {unit}: chỉ cần nhập số. Ví dụ: 1.234"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 0, "–"),
        (0, 0, "0"),
        (0, 2, "0"),
        (999, 0, "999"),
        (1234, 0, "1.234"),
        (1_234_567, 0, "1.234.567"),
        (12_345_675, 1, "1.234.567,5"),
        (39_780, 2, "397,8"),
        (5, 2, "0,05"),
        (100_000, 2, "1.000"),
        (-7880, 0, "-7.880"),
        (-5, 1, "-0,5"),
    ],
)
def test_formats_with_grouping_and_without_trailing_zeros(value, decimals, text):
    assert format_number(value, decimals) == text


@pytest.mark.parametrize(
    ("hundredths", "text"), [(6650, "66,5%"), (10_000, "100%"), (8095, "80,95%"), (0, "0%"), (None, "–")]
)
def test_formats_percentages(hundredths, text):
    assert format_percent(hundredths) == text


@pytest.mark.parametrize(
    ("dong", "short"),
    [
        (None, "–"),
        (0, "0 đồng"),
        (800_000, "800.000 đồng"),
        (999_999, "999.999 đồng"),
        (1_000_000, "1 triệu đồng"),
        (12_500_000, "12,5 triệu đồng"),
        (720_000_000, "720 triệu đồng"),
        (1_234_567, "1.234.567 đồng"),
        (1_234_000, "1,234 triệu đồng"),
        (2_819_000_000, "2,819 tỷ đồng"),
        (2_819_000_001, "2.819.000.001 đồng"),
        (397_800_000_000, "397,8 tỷ đồng"),
        (2_819_000_000_000, "2,819 nghìn tỷ đồng"),
        (3_000_000_000_000, "3 nghìn tỷ đồng"),
        (1_234_000_000_000_000, "1.234.000.000.000.000 đồng"),
        (-12_500_000, "-12,5 triệu đồng"),
    ],
)
def test_short_money_is_exact(dong, short):
    assert format_money_short(dong) == short


@pytest.mark.parametrize(
    ("dong", "words"),
    [
        (None, "–"),
        (0, "0 đồng"),
        (500, "500 đồng"),
        (12_500_000, "12 triệu 500 nghìn đồng"),
        (12_500_300, "12 triệu 500 nghìn 300 đồng"),
        (2_819_000_000, "2 tỷ 819 triệu đồng"),
        (2_819_500_000_000, "2 nghìn 819 tỷ 500 triệu đồng"),
    ],
)
def test_says_money_in_words(dong, words):
    assert number_in_words(dong) == words


@pytest.mark.parametrize(
    ("value", "decimals", "unit", "words"),
    [
        (12_500_000, 0, "đồng", "12 triệu 500 nghìn đồng"),
        (0, 0, "Đồng", "0 đồng"),
        (281_950, 2, "tỷ đồng", "2 nghìn 819 tỷ 500 triệu đồng"),
        (1_250, 2, "đồng", ""),
        (None, 0, "đồng", ""),
        (35, 0, "cây", ""),
        (35, 0, "", ""),
    ],
)
def test_only_money_is_said_in_words_beside_its_box(value, decimals, unit, words):
    assert in_words(value, decimals, unit) == words


def test_formats_money_in_full():
    assert [format_money(12_500_000), format_money(None)] == ["12.500.000 đồng", "–"]


@given(VALUES, DECIMALS)
def test_what_is_formatted_reads_back(value, decimals):
    assert parse_number(format_number(value, decimals), decimals) == Parsed(value)


@given(VALUES, st.sampled_from(["trên", "gần", "hơn", "khoảng", "ít nhất"]))
def test_what_is_formatted_with_a_word_reads_back(value, word):
    assert parse_number(f"{word} {format_number(value)}") == Parsed(value, word)


@given(st.one_of(VALUES, st.builds(lambda n, p: n * 10**p, st.integers(0, 9000), st.integers(0, 14))))
def test_short_money_reads_back(dong):
    assert parse_number(format_money_short(dong), unit="đồng") == Parsed(dong)


@given(st.integers(0, 999_999_999))
def test_words_in_whole_thousands_read_back(thousands):
    assert parse_number(number_in_words(thousands * 1000)) == Parsed(thousands * 1000)


@given(st.integers(0, 10**13), DECIMALS)
def test_cells_are_exact(value, decimals):
    exact = Decimal(value).scaleb(-decimals)
    assert parse_number(exact, decimals) == Parsed(value)
    assert parse_number(float(exact), decimals) == Parsed(value)


@given(st.one_of(st.text(), st.text("0123456789.,-% tỷriệungìđồ", max_size=15), st.floats(), st.integers()))
def test_any_input_is_read_or_refused_in_words(anything):
    try:
        value = parse_number(anything, 2).value
    except NumberError:
        return
    assert value is None or 0 <= value <= LARGEST
