"""The page of a blinded vote: drawing, two pictures, no names until the last pair is judged."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgegan_widget.base.errors import ModelError
from edgegan_widget.evaluation.evaluate import Evaluation
from edgegan_widget.evaluation.report.parts import data_url, part
from edgegan_widget.evaluation.report.votes import Ballot, choose_pairs
from edgegan_widget.sketch.scaling import scaled

__all__ = ["blind_page", "choose_ballots", "vote_json"]

Json = dict[str, Any]


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
    content = json.dumps(data).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Which picture is better?</title><style>{part('blind.css')}</style></head><body>\n{part('blind.html')}"
        f'<script type="application/json" id="data">{content}</script>\n<script>\n{part("blind.js")}</script>\n'
        "</body></html>\n"
    )


def _pair(evaluation: Evaluation, one: Ballot) -> Json:
    sets = [scored[one.set_name].drawn for scored in evaluation.scored.values()]
    inputs, step = sets[0].inputs, sets[0].variations
    side = max(drawn.size_px for drawn in sets)  # of both: a size would tell whose they are
    first, second = (data_url([scaled(drawn.pictures_u8[one.drawing * step], side)]) for drawn in sets)
    return {
        "asked": evaluation.train.classes[inputs.labels[one.drawing]].replace("_", " "),
        "source": one.source,
        "drawing": data_url([inputs.sketches_u8[one.drawing]]),
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
