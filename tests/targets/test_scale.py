import pytest

from targets.scale import PERCENT, read_plan
from unionwork.numbers import NumberError


@pytest.mark.parametrize(
    ("cell", "scale", "value"),
    [
        ("66,5%", PERCENT, 6650),
        (80, PERCENT, 8000),
        (66.5, PERCENT, 6650),
        ("1", PERCENT, 100),
        ("ít nhất 20.000", (0, "cây"), 20000),
        ("2,4 triệu", (0, "lượt"), 2_400_000),
        ("12,5", (2, "km"), 1250),
        (None, (0, "cây"), None),
        (0, PERCENT, 0),
    ],
)
def test_plans_are_read_in_the_scale_of_the_measure(cell, scale, value):
    assert read_plan(cell, *scale) == value


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (0.8, "ô này có hai cách hiểu: 0,8% hay 80%. Gõ thành chữ, ví dụ: 80%"),
        (0.665, "ô này có hai cách hiểu: 0,665% hay 66,5%. Gõ thành chữ, ví dụ: 66,5%"),
        (1, "ô này có hai cách hiểu: 1% hay 100%. Gõ thành chữ, ví dụ: 100%"),
    ],
)
def test_a_percent_cell_that_reads_two_ways_is_asked_about(cell, message):
    with pytest.raises(NumberError) as error:
        read_plan(cell, *PERCENT)
    assert error.value.message == message


@pytest.mark.parametrize("text", ["gần 500", "khoảng 3", "-1", "abc", "1,5"])
def test_what_is_no_exact_number_is_refused(text):
    with pytest.raises(NumberError):
        read_plan(text, 0, "cây")
