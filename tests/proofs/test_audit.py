from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from activities.audit import Difference, audit
from activities.models import Activity, UnitTotal
from activities.moves.moving import move_unit
from targets.models import Nature
from tests.factories import approve, make_activity, make_indicator, make_kind


@pytest.fixture
def records(world):
    """One of everything that counts: a part of a whole, a joint activity across provinces, levels, an approved 0."""
    part = make_indicator("thu-phan", part_of=world.trees)
    kind = make_kind("thu-loai", [world.trees, part], [world.count])
    figures = {world.trees: 10, part: 4, world.times: 0}
    approve(
        make_activity(world.b11, world.cadre, kind, figures, hosts=[world.k1, world.b12, world.b21]), world.secretary
    )
    for day, value in ((date(2024, 1, 5), 100), (date(2024, 4, 5), 90), (date(2024, 2, 5), 95)):
        approve(make_activity(world.b11, world.cadre, world.declaring, {world.members: value}, day), world.secretary)
    make_activity(world.b11, world.cadre, kind, {world.trees: 1000})
    return world


def run(*arguments):
    out = StringIO()
    call_command("audit_totals", *arguments, stdout=out)
    return out.getvalue()


def test_right_totals_show_no_difference(records):
    outcome = audit(2024)
    assert outcome.differences == []
    assert outcome.compared == UnitTotal.objects.count()
    assert run() == f"Đã so {outcome.compared} ô, 0 ô khác.\n"


def test_totals_stay_right_after_a_move(records):
    move_unit(unit=records.b11, parent=records.k2, year=2024, actor=records.admin, reason="QĐ 1")
    assert audit(2024).differences == []


@pytest.mark.parametrize("field", ["value", "overlap", "records"])
@pytest.mark.parametrize("month", [0, 3])
def test_a_planted_error_is_named(records, field, month):
    cell = UnitTotal.objects.get(unit=records.k1, indicator=records.trees, month=month)
    right = (cell.value, cell.overlap, cell.records)
    setattr(cell, field, getattr(cell, field) + 1)
    cell.save()
    wrong = (cell.value, cell.overlap, cell.records)
    assert audit(2024).differences == [Difference("k1", 2024, month, "thu-cay-xanh", "p1", wrong, right)]


def test_a_cell_booked_to_the_wrong_province_is_found(records):
    cell = UnitTotal.objects.filter(unit=records.tw, indicator=records.members, month=0)
    cell.update(province=records.p2)
    assert [(row.unit, row.province) for row in audit(2024).differences] == [("tw", "p1"), ("tw", "p2")]


def test_a_missing_cell_is_zeros_and_so_is_a_left_over_one(records):
    UnitTotal.objects.filter(unit=records.b12, indicator=records.trees, month=3).delete()
    UnitTotal.objects.create(
        unit=records.b22, year=records.year, month=5, indicator=records.trees, province=records.p2, records=1
    )
    UnitTotal.objects.create(unit=records.b22, year=records.year, month=6, indicator=records.trees, province=records.p2)
    assert [(row.unit, row.month, row.stored, row.recomputed) for row in audit(2024).differences] == [
        ("b12", 3, (0, 0, 0), (14, 0, 2)),
        ("b22", 5, (0, 0, 1), (0, 0, 0)),
    ]


def test_a_record_that_stopped_counting_behind_the_door_is_found(records):
    Activity.objects.filter(kind=records.declaring).update(status="cancelled")
    assert {(row.unit, row.indicator) for row in audit(2024).differences} == {
        (unit, "thu-doan-vien") for unit in ("b11", "k1", "p1", "tw")
    }


def test_a_month_that_does_not_follow_from_the_date_is_found(records):
    Activity.objects.filter(kind=records.declaring, month=4).update(last_day=date(2024, 5, 1))
    assert {row.month for row in audit(2024).differences} == {4, 5}


def test_an_indicator_hung_elsewhere_behind_the_door_is_found(records):
    loose = make_indicator("thu-khac")
    records.trees.parts.update(part_of=loose)
    assert {row.indicator for row in audit(2024).differences} == {"thu-cay-xanh", "thu-khac"}


def test_the_command_prints_every_differing_cell_and_fails(records, capsys):
    UnitTotal.objects.filter(unit=records.b21, indicator=records.count, month=0).update(value=7)
    out = StringIO()
    with pytest.raises(CommandError, match="1 ô tổng hợp không khớp") as failure:
        call_command("audit_totals", "--year", "2024", stdout=out)
    assert failure.value.returncode == 1
    assert out.getvalue().splitlines()[0] == (
        "b21 · 2024 · cả năm · thu-so-hoat-dong · tỉnh p2: "
        "đang lưu giá trị 7, trừ trùng 0, số bản ghi 1; tính lại giá trị 1, trừ trùng 0, số bản ghi 1"
    )


def test_the_command_refuses_a_year_that_is_not_there(world):
    with pytest.raises(CommandError, match="Không có năm công tác 1999"):
        run("--year", "1999")


def test_levels_of_parts_add_up(world):
    part = make_indicator("thu-phan-cap", Nature.STOCK, part_of=world.members)
    kind = make_kind("thu-ke-khai-2", [world.members, part], nature="stock")
    for day, figures in (
        (date(2024, 2, 1), {part: 5, world.members: 20}),
        (date(2024, 2, 1), {part: 6}),
        (date(2024, 1, 1), {part: 1, world.members: 2}),
    ):
        approve(make_activity(world.b11, world.cadre, kind, figures, day), world.secretary)
    total = UnitTotal.objects.get(unit=world.tw, indicator=world.members, month=0)
    assert (total.value, total.records) == (26, 5)
    assert audit(2024).differences == []
