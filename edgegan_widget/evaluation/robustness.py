"""How much does a model put up with? Accuracy and faithfulness as the drawing is distorted more and more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.evaluation.drawn import Drawn, InputSet, Model, draw
from edgegan_widget.evaluation.metrics.distort import DISTORTIONS, Distortion
from edgegan_widget.evaluation.metrics.faithful import fits
from edgegan_widget.evaluation.scoring import Judge

__all__ = ["curves", "steps_of"]

Json = dict[str, Any]
U8 = npt.NDArray[np.uint8]

STRENGTHS = (0.33, 0.67, 1.0)


def steps_of(inputs: InputSet) -> int:
    """How many drawings :func:`curves` lets a model draw."""
    return len(inputs) * (1 + sum(len(_strengths(name)) for name in DISTORTIONS))


def curves(model: Model, inputs: InputSet, judge: Judge) -> Iterator[Json | int]:
    """Draw a set as it is and with each distortion; yields drawings done, and at last the curves.

    A picture of a moved drawing (squeezed, shifted, mirrored) is held against the moved drawing; that of a badly drawn
    one (thickened, thinned, wobbled, broken) against the drawing that was meant.
    """
    done = 0
    plain = yield from _point(model, inputs, inputs.sketches_u8, judge, done)
    done += len(inputs)
    found: Json = {}
    for name, way in DISTORTIONS.items():
        points = [(0.0, *plain)]
        for strength in _strengths(name):
            changed = InputSet(
                inputs.name, inputs.split, _distorted(inputs, way, strength), inputs.labels, inputs.sources
            )
            meant = changed.sketches_u8 if way.moves else inputs.sketches_u8
            points.append((strength, *(yield from _point(model, changed, meant, judge, done))))
            done += len(inputs)
        strengths, accuracy, f_score = zip(*points)
        found[name] = {
            "meaning": way.meaning,
            "against": "the distorted drawing" if way.moves else "the drawing before it was distorted",
            "strengths": list(strengths),
            "accuracy": list(accuracy),
            "f_score": list(f_score),
            "drawings": len(inputs),
            "extractor": judge.classifier.name,
            "split": inputs.split,
        }
    yield found


def _point(model: Model, inputs: InputSet, meant: U8, judge: Judge, before: int) -> Any:
    """A generator of int that returns accuracy and F-score."""
    for step in draw(model, inputs, judge.train.classes, timed=0):
        if isinstance(step, Drawn):
            seen = judge.verdicts(step)
            f_score = np.mean([one.f_score for one in fits(meant, step.pictures_u8)])
            return float((seen == inputs.labels).mean()), float(f_score)
        yield before + step
    raise RuntimeError("a model drew nothing")


def _strengths(name: str) -> tuple[float, ...]:
    return STRENGTHS[-1:] if name == "mirrored" else STRENGTHS


def _distorted(inputs: InputSet, way: Distortion, strength: float) -> U8:
    return np.stack([way.change(sketch, strength, place) for place, sketch in enumerate(inputs.sketches_u8)])
