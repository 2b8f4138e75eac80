from __future__ import annotations

import json
import math

import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.evaluation.report.vote import choose_pairs, tally, tally_file, wilson

CANDIDATES = [("people", number, f"sketch {number}", number % 3) for number in range(30)]


def test_pairs_are_spread_over_classes_and_sides() -> None:
    chosen = choose_pairs(CANDIDATES, 12, seed=4)
    assert chosen == choose_pairs(CANDIDATES, 12, seed=4)
    assert chosen != choose_pairs(CANDIDATES, 12, seed=5)
    assert len({one.drawing for one in chosen}) == 12
    assert [sum(one.drawing % 3 == label for one in chosen) for label in range(3)] == [4, 4, 4]
    assert sum(one.first_left for one in chosen) == 6
    assert all(one.source == f"sketch {one.drawing}" for one in chosen)
    assert len(choose_pairs(CANDIDATES, 99)) == 30


def test_a_tally_and_its_chance() -> None:
    found = tally(9, 1, 5)
    assert found.share == 0.9
    assert found.p_value == pytest.approx(2 * 11 / 1024)  # ten throws of a coin: at most one head, or one tail
    # Wilson's interval for 9 of 10, as statsmodels.stats.proportion.proportion_confint has it
    assert (found.low, found.high) == (pytest.approx(0.59585, abs=1e-5), pytest.approx(0.98212, abs=1e-5))
    assert tally(4, 4, 0).p_value == 1
    assert tally(400, 300, 0).p_value < 0.001
    empty = tally(0, 0, 3)
    assert math.isnan(empty.share)
    assert math.isnan(empty.p_value)
    assert wilson(0, 10)[0] == 0


def files(votes: list[dict], page: str = "ab") -> tuple[str, str]:
    pairs = [{"set": "people", "drawing": k, "source": "", "first_left": k % 2 == 0} for k in range(4)]
    return json.dumps({"page": page, "votes": votes}), json.dumps(
        {"models": ["old", "new"], "vote": {"page": "ab", "seed": 0, "pairs": pairs}}
    )


def test_votes_are_counted_by_model_not_by_side() -> None:
    choices = ["left", "left", "equal", "right"]
    found, models = tally_file(*files([{"pair": k, "choice": one} for k, one in enumerate(choices)]))
    assert models == ("old", "new")
    assert (found.first, found.second, found.equal) == (2, 1, 1)
    changed = [{"pair": 0, "choice": "left"}, {"pair": 0, "choice": "right"}]
    assert tally_file(*files(changed))[0].second == 1, "the last vote on a pair counts"


@pytest.mark.parametrize(
    ("votes", "report"),
    [
        ("nothing", files([])[1]),
        (files([])[0], "{}"),
        (files([{"pair": 9, "choice": "left"}])),
        (files([{"pair": 0, "choice": "up"}])),
        (files([{"choice": "left"}])),
        ("[]", files([])[1]),
    ],
)
def test_what_are_no_votes(votes: str, report: str) -> None:
    with pytest.raises(DataError, match=r"give VOTES.json from the voting page and the REPORT.json beside it"):
        tally_file(votes, report)


def test_votes_of_another_page() -> None:
    with pytest.raises(DataError, match="the votes are of another page"):
        tally_file(*files([], page="cd"))
