from types import SimpleNamespace

import pytest

from reports.arithmetic import State
from reports.summary import summarise

E, M, X, N = State.EXCEEDED, State.MET, State.MISSED, State.NO_DATA


@pytest.mark.parametrize(
    ("states", "counts", "sentence", "short"),
    [
        (
            [E] * 5 + [M] * 4 + [X],
            (10, 9, 5, 1, 0),
            "hoàn thành 9/10 chỉ tiêu, trong đó 5 chỉ tiêu vượt kế hoạch",
            "9/10 chỉ tiêu đạt và vượt",
        ),
        ([M] * 9 + [N], (10, 9, 0, 0, 1), "hoàn thành 9/10 chỉ tiêu", "9/10 chỉ tiêu đạt và vượt"),
        (
            [E],
            (1, 1, 1, 0, 0),
            "hoàn thành 1/1 chỉ tiêu, trong đó 1 chỉ tiêu vượt kế hoạch",
            "1/1 chỉ tiêu đạt và vượt",
        ),
        ([X, N], (2, 0, 0, 1, 1), "hoàn thành 0/2 chỉ tiêu", "0/2 chỉ tiêu đạt và vượt"),
        ([], (0, 0, 0, 0, 0), "chưa có chỉ tiêu", "chưa có chỉ tiêu"),
    ],
)
def test_both_sentences_say_the_counts(states, counts, sentence, short):
    found = summarise(SimpleNamespace(state=state) for state in states)
    assert (found.targets, found.met, found.exceeded, found.missed, found.no_data) == counts
    assert (found.sentence, found.sentence_short) == (sentence, short)
