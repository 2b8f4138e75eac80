"""What a set of drawings does not show: does the class that is asked for count, and does a seed bring other colours?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgegan_widget.evaluation.drawn import Drawn, InputSet, Model, draw
from edgegan_widget.evaluation.metrics.colours import COLOUR_DRAWINGS, ClassColours, colours, mean_colours, overall
from edgegan_widget.evaluation.metrics.swapped import swapped, swaps
from edgegan_widget.evaluation.scoring import Judge, number

__all__ = ["colours_by_seed", "pictures_of", "swapped_labels"]

Json = dict[str, Any]

COLOUR_SEED = 0  # all seeds follow from it


def pictures_of(inputs: InputSet, classes: int, swapped_per_class: int, colour_seeds: int) -> int:
    """How many pictures both let a model draw."""
    others = len(swaps(inputs.some(swapped_per_class).labels, classes)[0]) if swapped_per_class else 0
    return others + colour_seeds * len(inputs.some(COLOUR_DRAWINGS))


def swapped_labels(model: Model, inputs: InputSet, judge: Judge, per_class: int, seed: int) -> Iterator[Json | int]:
    """Ask for some drawings as other classes; yields pictures drawn, and at last the numbers."""
    chosen = inputs.some(per_class)
    numbers, asked = swaps(chosen.labels, len(judge.train.classes), seed)
    sources = tuple(chosen.sources[one] for one in numbers)
    given = InputSet(chosen.name, chosen.split, chosen.sketches_u8[numbers], asked, sources)
    for step in draw(model, given, judge.train.classes, timed=0):
        if isinstance(step, int):
            yield step
            continue
        found = swapped(chosen.labels, numbers, asked, judge.verdicts(step))
        right, common = found.right, judge.rests_on(step) | {"drawings": len(chosen), "pairs": found.pairs}
        yield {
            "right": number(right.value, right.low, right.high, **common),
            "kept": number(found.kept, **common),
            "by_class": {judge.train.classes[k]: {"right": value} for k, value in found.by_class.items()},
        }


def colours_by_seed(model: Model, inputs: InputSet, judge: Judge, seeds: int) -> Iterator[Json | int]:
    """Draw a few drawings with many seeds; yields pictures drawn, and at last the numbers."""
    chosen, classes = inputs.some(COLOUR_DRAWINGS), judge.train.classes
    for step in draw(model, chosen, classes, seeds, timed=0, seed=COLOUR_SEED):
        if isinstance(step, int):
            yield step * seeds
            continue
        found = _colours(step, judge)
        common: Json = {
            "extractor": "mean colour of the object in CIE Lab", "resize": "none", "real": len(judge.train),
            "generated": len(step.labels), "drawings": len(chosen), "seeds": seeds,
            "split": f"real train, drawn from {inputs.split}",
        }  # fmt: skip
        by_class = {classes[k]: {"ratio": one.ratio, "drawn": one.drawn, "real": one.real} for k, one in found.items()}
        yield {"ratio": number(overall(found), **common), "by_class": by_class}


def _colours(drawn: Drawn, judge: Judge) -> dict[int, ClassColours]:
    ours = mean_colours(drawn.pictures_u8).reshape(-1, drawn.variations, 3)
    real_labels = judge.train.labels.numpy()
    return colours(judge.real_colours, ours, real_labels, drawn.inputs.labels, len(judge.train.classes))
