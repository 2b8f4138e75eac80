"""A blinded vote between two models: which pairs are shown, the page that shows them, and what a person's choices say.

The page has a drawing, two pictures, and no names until the last pair is judged.

Interval: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927. Test: the exact
sign test, in which pairs called equal do not count.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgegan_widget.base.errors import DataError, ModelError
from edgegan_widget.base.units import Json
from edgegan_widget.base.words import spoken
from edgegan_widget.evaluation.report.pictures import picture_url, render, strip
from edgegan_widget.sketch.edges import scaled

if TYPE_CHECKING:
    from edgegan_widget.evaluation.judge import Evaluation

__all__ = ["CHOICES", "Ballot", "Tally", "blind_page", "choose_ballots", "choose_pairs", "tally", "tally_file",
           "vote_json", "wilson"]  # fmt: skip


CHOICES = ("left", "right", "equal")
_NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Ballot:
    """One pair of pictures: of which set and drawing, and whether the first model's stands on the left."""

    set_name: str
    drawing: int
    source: str
    first_left: bool


@dataclass(frozen=True)
class Tally:
    """How often each model was preferred.

    Attributes
    ----------
    share, low, high
        The first model's share of the pairs that were decided, with its 95 % interval; nan where none was.
    p_value
        How often chance alone would be at least as one-sided.
    """

    first: int
    second: int
    equal: int
    share: float
    low: float
    high: float
    p_value: float


def choose_pairs(candidates: Sequence[tuple[str, int, str, int]], count: int, seed: int = 0) -> list[Ballot]:
    """Draw pairs for the vote, classes in turn so that each is seen about as often.

    Parameters
    ----------
    candidates
        Set, number, source and class number of each drawing that may be shown.
    count
        Most pairs.
    seed
        Of the choice, the order and the sides; each model stands on the left as often as on the right.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    turns: dict[int, int] = {}
    ranked = []
    for place in random.permutation(len(candidates)):
        label = candidates[place][3]
        turns[label] = turns.get(label, 0) + 1
        ranked.append((turns[label], int(place)))
    chosen = [place for _, place in sorted(ranked, key=lambda one: one[0])[:count]]
    sides = random.permutation(len(chosen)) % 2 == 0
    shown = [chosen[place] for place in random.permutation(len(chosen))]
    named = (candidates[place] for place in shown)
    return [Ballot(name, number, source, bool(left)) for (name, number, source, _), left in zip(named, sides)]


def tally(first: int, second: int, equal: int) -> Tally:
    """Share, interval and sign test of so many votes."""
    decided = first + second
    low, high = wilson(first, decided)
    share = first / decided if decided else float("nan")
    return Tally(first, second, equal, share, low, high, _sign_test(first, second))


def wilson(count: int, of: int) -> tuple[float, float]:
    """95 % interval of a share; nan for none."""
    if not of:
        return float("nan"), float("nan")
    share, square = count / of, _NORMAL_95**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _NORMAL_95 * math.sqrt(share * (1 - share) / of + square / (4 * of**2)) / (1 + square / of)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def tally_file(votes: str | bytes, report: str | bytes) -> tuple[Tally, tuple[str, str]]:
    """The tally of a file of votes and the comparison that its page belongs to, with the models' names.

    Raises
    ------
    DataError
        A file cannot be read as such, or they do not belong together.
    """
    try:
        given, compared = json.loads(votes), json.loads(report)
        (first, second), same_page = compared["models"], given["page"] == compared["vote"]["page"]
        sides = [bool(pair["first_left"]) for pair in compared["vote"]["pairs"]]
        counted = {"first": 0, "second": 0, "equal": 0}
        last_of_each = {int(one["pair"]): one for one in given["votes"]} if same_page else {}
        for one in last_of_each.values():
            counted[_meant(one["choice"], sides[one["pair"]])] += 1
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError(
            "these are no votes and their report; give VOTES.json from the voting page and the REPORT.json beside it."
        ) from error
    if not same_page:
        raise DataError("the votes are of another page than the report's; give the REPORT.json made with that page.")
    return tally(**counted), (first, second)


def _meant(choice: str, first_left: bool) -> str:
    if choice not in CHOICES:
        raise ValueError(f"no choice: {choice}")
    if choice == "equal":
        return "equal"
    return "first" if (choice == "left") == first_left else "second"


def _sign_test(first: int, second: int) -> float:
    """Two-sided, exact."""
    decided = first + second
    if not decided:
        return float("nan")
    tail = sum(math.comb(decided, k) for k in range(min(first, second) + 1))
    return float(min(1.0, tail / 2 ** (decided - 1)))


def choose_ballots(evaluation: Evaluation, count: int, seed: int) -> list[Ballot]:
    """Pairs to vote on: of people's sketches where there are any, else of edge maps; never two equal pictures."""
    first, second = evaluation.scored.values()
    people = [name for name, scored in first.items() if scored.drawn.inputs.split == "people"]
    candidates = []
    for name in people or first:
        inputs, step = first[name].drawn.inputs, first[name].drawn.variations
        side = max(first[name].drawn.size_px, second[name].drawn.size_px)
        one, other = (sets[name].drawn.pictures_at(side)[::step] for sets in (first, second))
        differ = (one != other).any(axis=(1, 2, 3))
        candidates += [(name, int(k), inputs.sources[k], int(inputs.labels[k])) for k in np.nonzero(differ)[0]]
    if not candidates:
        raise ModelError("the two models draw the same pictures, so there is nothing to vote on; give two that differ.")
    return choose_pairs(candidates, count, seed)


def vote_json(ballots: Sequence[Ballot], models: Sequence[str], seed: int) -> Json:
    """What a tally needs, for the comparison's JSON; ``page`` tells one page from another."""
    pairs = [
        {"set": one.set_name, "drawing": one.drawing, "source": one.source, "first_left": one.first_left}
        for one in ballots
    ]
    digest = hashlib.sha256(json.dumps([pairs, list(models), seed]).encode()).hexdigest()
    return {"page": digest[:16], "seed": seed, "pairs": pairs}


def blind_page(evaluation: Evaluation, ballots: Sequence[Ballot], vote: Json) -> str:
    """HTML with script and pictures in it; nothing is fetched or sent."""
    models = list(evaluation.scored)
    seed = int(vote["page"][:8], 16)
    key = {"models": models, "first_left": [one.first_left for one in ballots]}
    data = {
        "page": vote["page"],
        "seed": seed,
        "sealed": _sealed(json.dumps(key), seed),
        "pairs": [_pair(evaluation, one) for one in ballots],
    }
    return render("blind.html", data=data)


def _pair(evaluation: Evaluation, one: Ballot) -> Json:
    sets = [scored[one.set_name].drawn for scored in evaluation.scored.values()]
    inputs, step = sets[0].inputs, sets[0].variations
    side = max(drawn.size_px for drawn in sets)  # of both: a size would tell whose they are
    first, second = (picture_url(scaled(drawn.pictures_u8[one.drawing * step], side)) for drawn in sets)
    return {
        "asked": spoken(evaluation.train.classes[inputs.labels[one.drawing]]),
        "source": one.source,
        "drawing": picture_url(strip([inputs.sketches_u8[one.drawing]])),
        "left": first if one.first_left else second,
        "right": second if one.first_left else first,
    }


def _sealed(content: str, seed: int) -> str:
    """Not to be read at a glance: against peeping, not against prying. The page undoes it at the end."""
    sealed = bytearray()
    for byte in content.encode():
        seed = (seed * 1664525 + 1013904223) % 2**32  # Numerical Recipes' generator, the same in the page
        sealed.append(byte ^ (seed >> 24))
    return base64.b64encode(sealed).decode()
