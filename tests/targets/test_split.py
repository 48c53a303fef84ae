from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.split import largest_remainder, part_of, share_out, weighted_mean

WEIGHTS = st.dictionaries(st.integers(1, 60), st.integers(0, 10**6), min_size=1, max_size=55)
TOTALS = st.integers(0, 20_000_000)


def brute_force(total, weights):
    """The same by exact fractions: who stands furthest below its quota gets the next unit."""
    if not sum(weights.values()):
        weights = dict.fromkeys(weights, 1)
    quota = {key: Fraction(total * weight, sum(weights.values())) for key, weight in weights.items()}
    parts = {key: floor(share) for key, share in quota.items()}
    for key in sorted(quota, key=lambda key: (parts[key] - quota[key], -weights[key], key)):
        if sum(parts.values()) < total:
            parts[key] += 1
    return parts, quota


@given(TOTALS, WEIGHTS, st.randoms(use_true_random=False))
def test_the_parts_sum_exactly_and_do_not_depend_on_the_order_of_the_rows(total, weights, random):
    expected, quota = brute_force(total, weights)
    parts = largest_remainder(total, weights)
    assert parts == expected
    assert sum(parts.values()) == total
    assert all(abs(part - quota[key]) < 1 for key, part in parts.items())
    rows = list(weights.items())
    random.shuffle(rows)
    assert largest_remainder(total, dict(rows)) == parts


@given(TOTALS, WEIGHTS, st.dictionaries(st.integers(1, 60), st.none() | st.integers(0, 10**6), max_size=20))
def test_rows_set_by_hand_stay_and_the_others_share_exactly_what_they_leave(total, weights, fixed):
    parts = share_out(total, weights, fixed)
    left = total - sum(part or 0 for part in fixed.values())
    assert set(parts) == set(weights) - set(fixed)
    if parts:
        assert sum(parts.values()) == max(0, left)
        assert parts == brute_force(max(0, left), {key: weights[key] for key in parts})[0]


def test_what_cannot_be_shared_is_refused():
    assert largest_remainder(0, {}) == {}
    assert largest_remainder(10, {1: 0, 2: 0, 3: 0}) == {1: 4, 2: 3, 3: 3}
    for total, weights, why in ((-1, {1: 1}, "negative"), (1, {1: -1}, "negative"), (1, {}, "nobody")):
        with pytest.raises(ValueError, match=why):
            largest_remainder(total, weights)


@given(st.integers(0, 10**12), st.integers(0, 10**6))
def test_a_percentage_of_a_number_is_rounded_half_up(value, hundredths):
    assert part_of(value, hundredths) == floor(Fraction(value * hundredths, 10_000) + Fraction(1, 2))


@given(
    st.dictionaries(st.integers(1, 9), st.tuples(st.none() | st.integers(0, 10_000), st.none() | st.integers(0, 99)))
)
def test_percentages_come_to_their_weighted_mean(rows):
    shares, weights = ({key: row[place] for key, row in rows.items()} for place in (0, 1))
    known = [(share, weight or 0) for share, weight in rows.values() if share is not None]
    whole = sum(weight for _, weight in known)
    expected = whole and floor(Fraction(sum(share * weight for share, weight in known), whole) + Fraction(1, 2))
    assert weighted_mean(shares, weights) == (expected if whole else None)
