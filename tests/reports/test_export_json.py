import json
from datetime import date

from reports.export_json import as_dict, as_json, plain
from reports.yearend import gather
from tests.factories import assign, make_target


def test_the_whole_report_in_the_contracts_names_order_and_scales(khoi):
    world = khoi.world
    found = as_dict(gather(world.k1, world.year))
    assert json.loads(as_json(gather(world.k1, world.year))) == found
    assert list(found) == [
        "unit",
        "year",
        "as_of",
        "summary",
        "targets",
        "indicators",
        "children",
        "awards",
        "warnings",
    ]
    assert found["unit"] == {"code": "k1", "name": "Đơn vị k1", "level": "district"}
    assert (found["year"], found["as_of"], found["awards"]) == (2024, "2024-12-31", [])
    assert list(found["summary"].items()) == [
        ("targets", 5),
        ("met", 1),
        ("exceeded", 1),
        ("missed", 3),
        ("no_data", 1),
        ("sentence", "hoàn thành 1/5 chỉ tiêu, trong đó 1 chỉ tiêu vượt kế hoạch"),
        ("sentence_short", "1/5 chỉ tiêu đạt và vượt"),
    ]


def test_a_target_with_its_measures(khoi):
    targets = as_dict(gather(khoi.world.k1, khoi.world.year))["targets"]
    total, rates, milestone, roads, silent = targets
    assert list(total) == ["number", "text", "issuer", "state", "measures"]
    assert (total["number"], total["text"], total["issuer"], total["state"]) == (
        1,
        "Trồng mới 500 cây xanh",
        "p1",
        "vuot",
    )
    assert [list(row.items()) for row in total["measures"]] == [
        [
            ("letter", "a"),
            ("kind", "total"),
            ("planned", 100),
            ("registered", 120),
            ("actual", 103),
            ("numerator", None),
            ("denominator", None),
            ("percent", 103),
            ("difference", 3),
            ("last_year", None),
            ("state", "vuot"),
        ]
    ]
    shown = ("planned", "actual", "numerator", "denominator", "percent", "difference", "state")
    assert [tuple(row[name] for name in shown) for row in rates["measures"]] == [
        (66.5, 66.5, 133, 200, 100, 0, "dat"),
        (100, 66.67, 2, 3, 66.67, -33.33, "chua_dat"),
    ]
    assert [tuple(row[name] for name in shown) for row in (*milestone["measures"], *roads["measures"])] == [
        (None, 33.33, 1, 3, 33.33, None, "chua_dat"),
        (25.5, 22.4, None, None, 87.84, -3.1, "chua_dat"),
    ]
    assert tuple(silent["measures"][0][name] for name in shown) == (5, None, None, None, None, None, "chua_co_so")


def test_indicators_and_children_in_their_own_units(khoi):
    found = as_dict(gather(khoi.world.k1, khoi.world.year))
    lines = {line["code"]: line for line in found["indicators"]}
    assert list(lines["duong-lam-moi"].items()) == [
        ("code", "duong-lam-moi"),
        ("name", "Đường giao thông làm mới"),
        ("unit_of_measure", "km"),
        ("nature", "flow"),
        ("total", 22.4),
        ("own", 0),
        ("overlap", 0),
        ("by_level", {"central": 0, "province": 0, "district": 0, "base": 22.4}),
    ]
    trees = lines["thu-cay-xanh"]
    assert (trees["total"], trees["own"], trees["overlap"], trees["by_level"]["base"]) == (103, 11, 81, 92)
    assert lines["tri-gia-cong-trinh-phan-viec"]["total"] == 720_000_000
    silent = lines["sang-kien"]
    assert (silent["total"], silent["own"], silent["overlap"], silent["by_level"]) == (None, None, 0, {})
    assert [child["code"] for child in found["children"]] == ["s1", "b11", "b12"]
    assert found["children"][0] == {"code": "s1", "name": "Đoàn trường", "indicators": {}}
    assert found["children"][1]["indicators"] == {
        "cong-trinh-phan-viec": 2,
        "cong-trinh": 2,
        "cong-trinh-khoi": 1,
        "cong-trinh-co-so": 1,
        "tri-gia-cong-trinh-phan-viec": 210_000_000,
        "tri-gia-cong-trinh": 210_000_000,
        "duong-lam-moi": 10,
        "buoi-don-ve-sinh": 1,
        "thu-cay-xanh": 72,
        "thu-so-hoat-dong": 2,
        "thu-da-hoc": 90,
        "thu-doan-vien": 100,
    }


def test_as_of_and_a_plan_in_kilometres(khoi):
    world = khoi.world
    measure = make_target(
        world.tw, 2024, [{"kind": "total", "value": 100_000, "indicators": [khoi.roads]}], number=9
    ).measures.get()
    assign(measure, world.k1, 5025)
    found = as_dict(gather(world.k1, world.year, date(2024, 11, 2)))
    assert found["as_of"] == "2024-11-02"
    assert [(row["planned"], row["actual"], row["difference"]) for row in found["targets"][0]["measures"]] == [
        (50.25, 12.4, -37.85)
    ]


def test_plain_numbers():
    assert [plain(value, 2) for value in (39_780, 4_000, 5, 0, -310, None)] == [397.8, 40, 0.05, 0, -3.1, None]
    assert [type(plain(value, 2)) for value in (4_000, 5)] == [int, float]
