"""How many of a unit's targets were met, in the two wordings reports use. Pure."""

from dataclasses import dataclass

from reports.arithmetic import State

NONE_YET = "chưa có chỉ tiêu"


@dataclass(frozen=True)
class Summary:
    """Counts of targets. `met` includes `exceeded`; met + missed + no_data = targets."""

    targets: int
    met: int
    exceeded: int
    missed: int
    no_data: int

    @property
    def sentence(self):
        if not self.targets:
            return NONE_YET
        sentence = f"hoàn thành {self.met}/{self.targets} chỉ tiêu"
        return f"{sentence}, trong đó {self.exceeded} chỉ tiêu vượt kế hoạch" if self.exceeded else sentence

    @property
    def sentence_short(self):
        return f"{self.met}/{self.targets} chỉ tiêu đạt và vượt" if self.targets else NONE_YET


def summarise(results):
    """Summary of anything with a `state`, such as reports.evaluation.TargetResult."""
    states = [result.state for result in results]
    return Summary(
        targets=len(states),
        met=sum(state.is_met for state in states),
        exceeded=states.count(State.EXCEEDED),
        missed=states.count(State.MISSED),
        no_data=states.count(State.NO_DATA),
    )
