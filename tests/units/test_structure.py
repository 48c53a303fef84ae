from types import SimpleNamespace

import pytest

from units.structure import compare

KINDS = [
    SimpleNamespace(pk="doan-khoi", name="Đoàn Khối", level="district"),
    SimpleNamespace(pk="doan-co-so", name="Đoàn cơ sở", level="base"),
    SimpleNamespace(pk="chi-doan-co-so", name="Chi đoàn cơ sở", level="base"),
    SimpleNamespace(pk="chi-doan", name="Chi đoàn", level="branch"),
]
COUNTS = {"doan-co-so": 13, "chi-doan-co-so": 42, "chi-doan": 7}


@pytest.mark.parametrize(
    ("stated", "warnings"),
    [
        ({}, []),
        ({"đoàn cơ sở": 13, "chi đoàn cơ sở": 42}, []),
        ({"đoàn cơ sở": 13, "chi đoàn cơ sở": 42, "_total": 55}, []),
        (
            {"đoàn cơ sở": 13, "chi đoàn cơ sở": 32},
            ["Số nêu trong văn bản (13 + 32 = 45) khác số đơn vị trong hệ thống (55)."],
        ),
        (
            {"_total": 55, "đoàn cơ sở": 13, "chi đoàn cơ sở": 32},
            ["Số nêu trong văn bản không khớp: 13 + 32 = 45, trong khi tổng nêu là 55."],
        ),
        ({"tổng": 55}, []),
        ({"_total": 60}, ["Tổng nêu trong văn bản (60) khác số đơn vị trong hệ thống (55)."]),
        (
            {"_total": 60, "Đoàn cơ sở": 13, "Chi đoàn cơ sở": 32},
            [
                "Số nêu trong văn bản không khớp: 13 + 32 = 45, trong khi tổng nêu là 60.",
                "Số nêu trong văn bản (13 + 32 = 45) khác số đơn vị trong hệ thống (55).",
                "Tổng nêu trong văn bản (60) khác số đơn vị trong hệ thống (55).",
            ],
        ),
    ],
)
def test_every_disagreement_is_said_once(stated, warnings):
    assert compare(stated, COUNTS, KINDS).warnings == warnings


def test_stated_and_counted_numbers_stand_side_by_side():
    found = compare({"_total": 55, "đoàn cơ sở": 13, "chi đoàn cơ sở": 32, "tổ": 4}, COUNTS, KINDS)
    assert found.kinds == [("Đoàn cơ sở", 13), ("Chi đoàn cơ sở", 42), ("Chi đoàn", 7)]
    assert [(part.label, part.stated, part.counted) for part in found.parts] == [
        ("đoàn cơ sở", 13, 13),
        ("chi đoàn cơ sở", 32, 42),
        ("tổ", 4, None),
    ]
    assert (found.stated_sum, found.stated_total, found.counted) == (49, 55, 55)
