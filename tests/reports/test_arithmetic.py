from fractions import Fraction
from itertools import product
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.arithmetic import State, share, state_of, state_of_milestone, state_of_ratio, state_of_target

E, M, X, N = State.EXCEEDED, State.MET, State.MISSED, State.NO_DATA
numbers = st.integers(0, 9_000_000_000_000_000_000)


def rounded(part, whole):
    """Half up to hundredths of a percent, but never up to 100%: by fractions."""
    exact = Fraction(part, whole) * 10_000
    nearest = floor(exact + Fraction(1, 2))
    return 9_999 if nearest == 10_000 and exact < 10_000 else nearest


def compared(reached, needed):
    return E if reached > needed else M if reached == needed else X


def test_small_shares_agree_with_fractions():
    assert [(p, w, share(p, w)) for p in range(60) for w in range(1, 60)] == [
        (p, w, rounded(p, w)) for p in range(60) for w in range(1, 60)
    ]


@given(numbers, st.integers(1, 9_000_000_000_000_000_000))
def test_any_share_agrees_with_fractions(part, whole):
    assert share(part, whole) == rounded(part, whole)


@given(numbers, st.integers(1, 10**18), st.integers(0, 10_000))
def test_a_ratio_is_compared_exactly(numerator, denominator, planned):
    assert state_of_ratio(numerator, denominator, planned) is compared(
        Fraction(numerator, denominator), Fraction(planned, 10_000)
    )


@given(numbers, numbers)
def test_a_number_is_compared_with_its_plan(actual, planned):
    assert state_of(actual, planned) is compared(actual, planned)


@given(numbers, st.integers(1, 10**18))
def test_the_percentage_never_contradicts_the_state(actual, planned):
    if state_of(actual, planned) is X:
        assert share(actual, planned) < 10_000
    else:
        assert share(actual, planned) >= 10_000


def test_just_below_the_plan_is_not_printed_as_all_of_it():
    assert (share(99_999_999, 100_000_000), share(100_000_000, 100_000_000), share(133, 200)) == (9_999, 10_000, 6_650)


def test_what_is_missing_is_neither_zero_nor_missed():
    assert [share(None, 5), share(5, None), share(5, 0), share(0, 5)] == [None, None, None, 0]
    assert [state_of(None, 5), state_of(5, None), state_of(0, 5), state_of(0, 0), state_of(1, 0)] == [N, N, X, M, E]
    assert [state_of_ratio(1, 0, 50), state_of_ratio(1, None, 50), state_of_ratio(None, 2, 50)] == [N, N, N]


def test_a_milestone_is_met_missed_or_unknown():
    assert [state_of_milestone(*case) for case in ((True, True), (False, True), (False, False))] == [M, X, N]


@pytest.mark.parametrize("states", [states for n in (1, 2, 3) for states in product((E, M, X, N), repeat=n)])
def test_targets_of_every_mix_of_states(states):
    everything_met = all(state in (M, E) for state in states)
    exceeded = E if E in states else M
    every_exceeded = E if set(states) == {E} else M
    unmet = X if X in states else N
    assert state_of_target(states) is (exceeded if everything_met else unmet)
    assert state_of_target(states, exceeded_when="all") is (every_exceeded if everything_met else unmet)
    best = next(state for state in (E, M, X, N) if state in states)
    assert state_of_target(states, any_of=True) is best


def test_a_target_without_measures_has_no_state():
    assert (state_of_target([]), state_of_target([], any_of=True)) == (N, N)
