import pytest
from django.test import RequestFactory

from unionwork.parameters import numbered_pairs, uuid_of, way_back, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)]
    + [(text, None) for text in ("", "-1", "1.5", " 1", "١", "²", "1\0", "9" * 19, "9" * 5000)],
)
def test_a_whole_number_is_plain_digits_of_a_length_that_a_database_holds(text, number):
    assert whole_number(text) == number


def test_a_uuid_is_nothing_else():
    key = "6f1c8a52-2f6e-4f0b-9a53-0c1a2b3c4d5e"
    assert [str(uuid_of(text)) for text in (key, "", None, "x", "\0", key[:-1])] == [key, *["None"] * 5]


def test_of_pairs_only_whole_ones_are_taken():
    assert numbered_pairs(["12:3", "13", "x:1", "14:-1", "15:2:1", "", "16:0"]) == {12: 3, 16: 0}


@pytest.mark.parametrize(
    ("address", "taken"),
    [("/duyet/?xem=co-canh-bao", "/duyet/?xem=co-canh-bao")]
    + [
        (away, "") for away in ("https://doan.test/", "//doan.test", "javascript:alert(1)", "/\\doan.test", "duyet", "")
    ],
)
def test_the_way_back_stays_within_the_site(address, taken):
    assert way_back(RequestFactory().get("/", {"tiep": address})) == taken
    assert way_back(RequestFactory().post("/?tiep=/x/", {"tiep": address})) == taken
