from datetime import date

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from targets.years import close_year, reopen_year
from tests.factories import make_unit, make_user, make_year
from units import access, organising, tree
from units.models import Placement, Unit

THIS_YEAR = date.today().year


def lines(year):
    """{code: codes from the root down}, by walking the parents one by one: no path is looked at."""
    above = dict(Placement.objects.filter(year=year).values_list("unit__code", "parent__code"))

    def line(code):
        return [*line(above[code]), code] if above[code] else [code]

    return {code: line(code) for code in above}


def paths_say(year):
    """The same, read from the paths."""
    codes = dict(Unit.objects.values_list("pk", "code"))
    rows = Placement.objects.filter(year=year).values_list("unit__code", "path")
    return {code: [codes[pk] for pk in tree.ancestor_ids(path)] for code, path in rows}


def test_opening_a_year_copies_the_nearest_earlier_tree(world):
    tree.move(unit=world.b11, parent=world.k2, year=THIS_YEAR)
    make_year(2025)
    assert lines(2025) == lines(2024)
    assert paths_say(2025) == lines(2024)
    make_year(THIS_YEAR + 1)
    assert lines(THIS_YEAR + 1) == lines(THIS_YEAR) != lines(2024)


def test_an_earlier_year_leaves_out_what_was_not_yet_founded(world):
    Unit.objects.filter(code="k1").update(founded=date(2024, 1, 1))
    make_year(2023)
    assert lines(2023) == {
        "tw": ["tw"],
        "p1": ["tw", "p1"],
        "b11": ["tw", "p1", "b11"],
        "b12": ["tw", "p1", "b12"],
        "p2": ["tw", "p2"],
        "k2": ["tw", "p2", "k2"],
        "b21": ["tw", "p2", "k2", "b21"],
        "b22": ["tw", "p2", "k2", "b22"],
    }
    assert paths_say(2023) == lines(2023)


def test_a_closed_years_tree_never_changes(world):
    before = list(Placement.objects.filter(year=2024).order_by("pk").values())
    close_year(year=2024)
    with pytest.raises(ValidationError, match="đã khoá"):
        tree.move(unit=world.b11, parent=world.k2, year=2024)
    make_unit("b13", "doan-co-so", world.k1)
    organising.update_unit(unit=world.b11, kind=world.p1.kind, actor=world.admin)
    tree.open_year(year=2024)
    assert list(Placement.objects.filter(year=2024).order_by("pk").values()) == before
    reopen_year(year=2024)
    assert tree.move(unit=world.b11, parent=world.k2, year=2024) == 1


def test_no_tree_is_made_beside_closed_ones(world):
    """Otherwise a year of today, opened later, would find an empty tree and keep it."""
    close_year(year=2024)
    close_year(year=THIS_YEAR)
    with pytest.raises(ValidationError, match="Không có năm công tác đang mở"):
        make_unit("b13", "doan-co-so", world.k1)
    assert tree.open_years() == []


def test_a_unit_never_comes_to_stand_below_itself(world):
    for parent in (world.k1, world.b11):
        with pytest.raises(ValidationError, match="chính nó"):
            tree.move(unit=world.k1, parent=parent, year=2024)
    assert paths_say(2024) == lines(2024)


def test_many_are_placed_as_one_by_one(world):
    new = [Unit(code=f"n{i}", name=f"Mới {i}", kind=world.b11.kind) for i in range(3)]
    organising.add_many(units=new, actor=None)
    rows, nowhere = tree.place_many(pairs=[(new[0], world.k1), (new[1], new[0]), (new[2], None)])
    assert (len(rows), nowhere) == (6, [])
    assert {code: lines(2024)[code] for code in ("n0", "n1", "n2")} == {
        "n0": ["tw", "p1", "k1", "n0"],
        "n1": ["tw", "p1", "k1", "n0", "n1"],
        "n2": ["n2"],
    }
    assert paths_say(2024) == lines(2024)
    assert tree.place_many(pairs=[(new[0], world.k2)]) == ([], [new[0]])


class EveryTree(TestCase):
    """After any adds and moves, what each person sees is what a walk over the parents says."""

    @settings(max_examples=25)
    @given(st.data())
    def test_scope_equals_a_walk_over_the_parents(self, data):
        make_year(THIS_YEAR)
        units = [make_unit("u0", "trung-uong")]
        for i in range(1, data.draw(st.integers(2, 9))):
            units.append(make_unit(f"u{i}", "chi-doan", data.draw(st.sampled_from(units))))
        granted = {}
        for i in range(3):
            unit = data.draw(st.sampled_from(units))
            granted[make_user(f"n{i}", data.draw(st.sampled_from([access.VIEWER, access.ADMIN])), unit)] = unit
        for _ in range(data.draw(st.integers(0, 6))):
            unit, parent = data.draw(st.sampled_from(units)), data.draw(st.sampled_from(units))
            cannot = parent.code == unit.code or unit.code in lines(THIS_YEAR)[parent.code]
            try:
                tree.move(unit=unit, parent=parent, year=THIS_YEAR)
                assert not cannot
            except ValidationError:
                assert cannot
        walk = lines(THIS_YEAR)
        assert paths_say(THIS_YEAR) == walk
        for user, unit in granted.items():
            access.forget_grants(user)
            below = {code for code, line in walk.items() if unit.code in line}
            manages = below if user.roles.get().role == access.ADMIN else set()
            movable = {code for code in manages if code != unit.code}
            assert set(Unit.objects.visible_to(user).values_list("code", flat=True)) == below
            assert set(Unit.objects.editable_by(user).values_list("code", flat=True)) == manages
            assert set(Unit.objects.movable_by(user).values_list("code", flat=True)) == movable
