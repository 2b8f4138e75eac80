"""How much does a model put up with? Its numbers as the drawing is distorted more and more.

A distortion is a drawing as another hand might have made it: it takes a sketch uint8 [S, S] (paper 255), a strength
from 0 (nothing) to 1 (as far as a person would go) and a seed, and returns a sketch of the same size.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8, Json
from edgegan_widget.evaluation.drawn import Drawn, InputSet, Model, draw
from edgegan_widget.evaluation.metrics import Metric, answerable

if TYPE_CHECKING:
    from edgegan_widget.evaluation.judge import Judge

__all__ = ["DISTORTIONS", "Distortion", "curved", "curves", "steps_of"]

Change = Callable[[U8, float, int], U8]

STRENGTHS = (0.33, 0.67, 1.0)
PAPER = 255.0


def curved(classes: int) -> list[Metric]:
    """The numbers that are told of distorted drawings of so many classes; each by the last part of its place."""
    return [one for question in answerable(classes) for one in question.numbers if one.curve is not None]


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
        points = [plain]
        for strength in _strengths(name):
            sketches = [way.change(sketch, strength, place) for place, sketch in enumerate(inputs.sketches_u8)]
            changed = dataclasses.replace(inputs, sketches_u8=np.stack(sketches))
            meant = changed.sketches_u8 if way.moves else inputs.sketches_u8
            points.append((yield from _point(model, changed, meant, judge, done)))
            done += len(inputs)
        found[name] = {
            "meaning": way.meaning,
            "against": "the distorted drawing" if way.moves else "the drawing before it was distorted",
            "strengths": [0.0, *_strengths(name)],
            **{key: [point[key] for point in points] for key in plain},
            "drawings": len(inputs),
            "extractor": judge.classifier.name,
            "split": inputs.split,
        }
    yield found


def _point(model: Model, inputs: InputSet, meant: U8, judge: Judge, before: int) -> Any:
    """A generator of int that returns each number's value."""
    for step in draw(model, inputs, judge.train.classes, timed=0):
        if isinstance(step, Drawn):
            told = curved(len(judge.train.classes))
            return {one.path[-1]: one.curve(step, meant, judge) for one in told if one.curve is not None}
        yield before + step
    raise RuntimeError("a model drew nothing")


def _strengths(name: str) -> tuple[float, ...]:
    return STRENGTHS[-1:] if name == "mirrored" else STRENGTHS


@dataclass(frozen=True)
class Distortion:
    """One way to change a drawing.

    ``moves`` tells whether lines are where the person wants them after the change (squeezed, shifted, mirrored: the
    picture should follow), or whether the drawing meant is the one before it.
    """

    change: Change
    moves: bool
    meaning: str


def _thicken(sketch: U8, strength: float, _: int) -> U8:
    """Ink spreads by up to two pixels of 64: by a disc of any radius, drawn larger so that parts of pixels count."""
    scale = 4
    radius = round(strength * 2 * sketch.shape[0] / 64 * scale)
    if radius < 1:
        return sketch
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    large = cv2.resize(sketch, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(cv2.erode(large, disc), sketch.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _thin(sketch: U8, strength: float, _: int) -> U8:
    """Lines are drawn twice as large and worn away from both sides, but never through."""
    if strength <= 0:
        return sketch
    scale = 4
    large = cv2.resize(sketch, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    depth = cv2.distanceTransform((large < 128).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ridge = depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)) - 0.5
    kept = (depth > strength * 0.8 * scale) | (ridge & (depth > 0))
    worn = np.where(kept, large, PAPER).astype(np.uint8)
    return np.asarray(cv2.resize(worn, sketch.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _wobble(sketch: U8, strength: float, seed: int) -> U8:
    """A smooth random displacement of up to about four pixels of 64."""
    side = sketch.shape[0]
    random = np.random.Generator(np.random.PCG64(seed))
    coarse = random.standard_normal((7, 7, 2)).astype(np.float32) * np.float32(strength * 2 * side / 64)
    field = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    return _remap(sketch, columns + field[..., 0], rows + field[..., 1])


def _break(sketch: U8, strength: float, seed: int) -> U8:
    """Up to half of all small patches are rubbed out."""
    side = sketch.shape[0]
    random = np.random.Generator(np.random.PCG64(seed))
    cells = random.random((side // 4, side // 4)) < 0.5 * strength
    gone = cv2.resize(cells.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST).astype(bool)
    return np.where(gone, np.uint8(255), sketch)


def _squeeze(sketch: U8, strength: float, _: int) -> U8:
    """Narrower, down to 60 % of the width, about the middle."""
    return _affine(sketch, stretch=1 - 0.4 * strength)


def _shift(sketch: U8, strength: float, seed: int) -> U8:
    """Set aside by up to eight pixels of 64, in a random direction."""
    angle = np.random.Generator(np.random.PCG64(seed)).uniform(0, 2 * np.pi)
    reach = strength * 8 * sketch.shape[0] / 64
    return _affine(sketch, right=float(reach * np.cos(angle)), down=float(reach * np.sin(angle)))


def _mirror(sketch: U8, strength: float, _: int) -> U8:
    """Left for right: all or nothing."""
    return np.ascontiguousarray(sketch[:, ::-1]) if strength > 0 else sketch


DISTORTIONS: dict[str, Distortion] = {
    "thickened": Distortion(_thicken, False, "lines up to 4 px of 64 wider"),
    "thinned": Distortion(_thin, False, "lines worn down to a hair"),
    "wobbled": Distortion(_wobble, False, "bent by about 2 px of 64 in the mean, 4 at most places"),
    "broken": Distortion(_break, False, "up to half of the patches rubbed out"),
    "squeezed": Distortion(_squeeze, True, "down to 60 % of the width"),
    "shifted": Distortion(_shift, True, "up to 8 px of 64 aside"),
    "mirrored": Distortion(_mirror, True, "left for right"),
}


def _affine(sketch: U8, stretch: float = 1.0, right: float = 0.0, down: float = 0.0) -> U8:
    side = sketch.shape[0]
    middle = (side - 1) / 2
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    return _remap(
        sketch, (columns - middle - np.float32(right)) / np.float32(stretch) + middle, rows - np.float32(down)
    )


def _remap(sketch: U8, columns: F32, rows: F32) -> U8:
    moved = cv2.remap(
        sketch, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=PAPER,
    )  # fmt: skip
    return np.asarray(moved, np.uint8)
