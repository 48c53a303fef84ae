"""States, percentages and differences of measures and targets (DESIGN.md §3, State). Pure: whole numbers only.

Percentages are in hundredths of a percent. They are rounded half up, except that what is below 100% never prints
as 100%, so that the printed percentage and the state cannot contradict each other.
"""

from enum import StrEnum

WHOLE = 10_000  # 100% in hundredths of a percent


class State(StrEnum):
    EXCEEDED = "vuot"
    MET = "dat"
    MISSED = "chua_dat"
    NO_DATA = "chua_co_so"

    @property
    def label(self):
        return {"vuot": "Vượt kế hoạch", "dat": "Đạt", "chua_dat": "Chưa đạt", "chua_co_so": "Chưa có số"}[self]

    @property
    def shape(self):
        """Says the state without colour."""
        return {"vuot": "★", "dat": "✓", "chua_dat": "▲", "chua_co_so": "○"}[self]

    @property
    def is_met(self):
        return self in (State.MET, State.EXCEEDED)


WORST_FIRST = (State.MISSED, State.NO_DATA, State.MET, State.EXCEEDED)


def share(part, whole):
    """part / whole in hundredths of a percent; None when either is missing or whole is 0."""
    if part is None or not whole:
        return None
    percent = (2 * part * WHOLE + whole) // (2 * whole)
    return min(percent, WHOLE - 1) if part < whole else percent


def state_of(actual, planned):
    """A number against its plan: below 100% missed, equal met, above exceeded."""
    return state_of_ratio(actual, 1, None if planned is None else planned * WHOLE)


def state_of_ratio(numerator, denominator, planned):
    """numerator / denominator against `planned` hundredths of a percent, compared exactly, without division."""
    if numerator is None or not denominator or planned is None:
        return State.NO_DATA
    reached, needed = numerator * WHOLE, planned * denominator
    if reached == needed:
        return State.MET
    return State.EXCEEDED if reached > needed else State.MISSED


def state_of_milestone(done, partly):
    """A milestone is met or not, never exceeded. `partly`: some children are done."""
    if done:
        return State.MET
    return State.MISSED if partly else State.NO_DATA


def state_of_target(states, *, any_of=False, exceeded_when="any"):
    """The state of a target from those of its measures.

    ALL: met when every measure is; exceeded when besides at least one is (`exceeded_when="all"`: every one).
    ANY: the best one decides.
    """
    states = list(states)
    if not states:
        return State.NO_DATA
    if any_of:
        best_first = (State.EXCEEDED, State.MET, State.MISSED, State.NO_DATA)
        return next(state for state in best_first if state in states)
    if State.MISSED in states:
        return State.MISSED
    if State.NO_DATA in states:
        return State.NO_DATA
    exceeded = [state is State.EXCEEDED for state in states]
    return State.EXCEEDED if (all if exceeded_when == "all" else any)(exceeded) else State.MET
