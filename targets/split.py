"""Sharing a number out so that the parts sum exactly to it (DESIGN.md §3, Assignment: largest remainder). Pure."""


def largest_remainder(total, weights):
    """Whole parts of `total` in proportion to `weights` ({key: weight ≥ 0}), summing exactly to it: {key: part}.

    Hare's quota: everybody gets the whole part of total × weight / sum, what is left goes one by one to the largest
    remainders; of equal remainders the larger weight first, then the smaller key, so that the order in which the
    weights come does not matter. All weights 0: all are taken as equal. Raises ValueError for a negative total or
    weight, or when something is to be shared among nobody.
    """
    if total < 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("Nothing negative can be shared out.")
    if not weights:
        if total:
            raise ValueError("There is nobody to share among.")
        return {}
    whole = sum(weights.values())
    if not whole:
        return largest_remainder(total, dict.fromkeys(weights, 1))
    parts = {key: total * weight // whole for key, weight in weights.items()}
    left = total - sum(parts.values())
    by_remainder = sorted(weights, key=lambda key: (-(total * weights[key] % whole), -weights[key], key))
    for key in by_remainder[:left]:
        parts[key] += 1
    return parts


def share_out(total, weights, fixed):
    """`largest_remainder` around the parts that stay: {key: part} of the keys of `weights` that are not in `fixed`.

    `fixed`: {key: part} set by hand. When they take more than there is, nothing is left for the others.
    """
    free = {key: weight for key, weight in weights.items() if key not in fixed}
    left = total - sum(part or 0 for part in fixed.values())
    return largest_remainder(max(0, left), free) if free else {}


def weighted_mean(shares, weights):
    """Σ share × weight / Σ weight over the keys with both, rounded half up; None without any weight.

    `shares`: {key: hundredths of a percent or None}. What a whole comes to whose parts reach their percentages.
    """
    pairs = [(share, weights.get(key) or 0) for key, share in shares.items() if share is not None]
    whole = sum(weight for _, weight in pairs)
    return (2 * sum(share * weight for share, weight in pairs) + whole) // (2 * whole) if whole else None


def part_of(value, hundredths):
    """`hundredths` of a percent of `value` (a whole number ≥ 0), rounded half up."""
    return (2 * value * hundredths + 10_000) // 20_000
