"""Does the picture follow the drawing? Its own edges against the lines that were drawn.

Chamfer distance: Barrow et al., "Parametric Correspondence and Chamfer Matching", IJCAI 1977, both ways. Boundary
F-score: Martin, Fowlkes and Malik, "Learning to Detect Natural Image Boundaries", PAMI 2004, section 3.2, with the
matching relaxed to "a line lies within the tolerance", as is usual where lines are few. Lines are compared as skeletons
one pixel wide, so that width does not count. Before measuring, the picture's
edges are shifted by a few pixels to where they fit best, so that a whole object set a little aside is not punished.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import F32, U8, Json
from edgegan_widget.evaluation.metrics import PICTURES, Measured, Metric, Question, register
from edgegan_widget.evaluation.metrics.intervals import mean_of
from edgegan_widget.sketch.edges import draw, scaled
from edgegan_widget.sketch.trace import thin

if TYPE_CHECKING:
    from edgegan_widget.evaluation.drawn import Drawn
    from edgegan_widget.evaluation.judge import Judge, Look

__all__ = ["Fit", "fit", "fits", "lines", "picture_edges"]

Bool = npt.NDArray[np.bool_]
Points = npt.NDArray[np.int64]

INK_BELOW_U8 = 160  # a one-pixel line between two pixels leaves each half grey
TOLERANCE = 2 / 64  # of the side; Martin et al. allow 0.75 % of the diagonal, which is less than a pixel here
AT_ONCE = 256  # pictures thinned together
LARGEST_SHIFT = 4 / 64  # of the side, either way


@dataclass(frozen=True)
class Fit:
    """How a picture's edges and a drawing lie on each other.

    Attributes
    ----------
    chamfer
        Mean distance of a line to the nearest one on the other side, both ways averaged, as a share of the side.
    precision
        Share of the picture's edges that were drawn.
    recall
        Share of the drawn lines that are edges of the picture.
    shift_px
        Down and right by which the picture's edges were moved.
    """

    chamfer: float
    precision: float
    recall: float
    shift_px: tuple[int, int]

    @property
    def f_score(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def picture_edges(picture_u8: U8) -> U8:
    """The edge map of a picture uint8 [S, S, 3], made as the training's edge maps are; uint8 [S, S], paper 255."""
    side = picture_u8.shape[0]
    # Linear: a sharper filter overshoots beside a border, and the overshoot would get an outline of its own.
    large = cv2.resize(picture_u8, (2 * side, 2 * side), interpolation=cv2.INTER_LINEAR)
    return draw(np.asarray(large, np.uint8), "full", side)


def lines(drawn_u8: U8) -> Bool:
    """Skeletons bool [..., S, S] of drawings or edge maps uint8 [..., S, S]."""
    return thin(drawn_u8 < INK_BELOW_U8)


def fit(drawn: Bool, edges: Bool) -> Fit:
    """Lay a picture's edges over a drawing.

    Parameters
    ----------
    drawn, edges
        Skeletons bool [S, S], see :func:`lines`.

    Returns
    -------
    If either is blank, nothing fits: chamfer 1, the shares 0.
    """
    side = drawn.shape[0]
    if not drawn.any() or not edges.any():
        return Fit(1.0, 0.0, 0.0, (0, 0))
    reach = round(LARGEST_SHIFT * side)
    to_drawn, to_edges = _distance(drawn, reach), _distance(edges, reach)
    drawn_at, edges_at = np.argwhere(drawn) + reach, np.argwhere(edges) + reach
    square = itertools.product(range(-reach, reach + 1), repeat=2)
    offsets = np.array(sorted(square, key=lambda at: abs(at[0]) + abs(at[1])))
    missed = _at(to_edges, drawn_at, -offsets)  # [shifts, drawn points]
    extra = _at(to_drawn, edges_at, offsets)
    chamfers = (missed.mean(axis=1) + extra.mean(axis=1)) / 2
    best = int(chamfers.argmin())  # the smallest shift among equals: they are in this order
    tolerance_px = TOLERANCE * side
    return Fit(
        float(chamfers[best]) / side,
        float((extra[best] <= tolerance_px).mean()),
        float((missed[best] <= tolerance_px).mean()),
        (int(offsets[best][0]), int(offsets[best][1])),
    )


def fits(drawn_u8: U8, pictures_u8: U8) -> list[Fit]:
    """:func:`fit` of each drawing [N, S, S] with the edges of its picture [N, T, T, 3], at its side."""
    side = drawn_u8.shape[-1]
    found = []
    for start in range(0, len(drawn_u8), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        edges = np.stack([picture_edges(scaled(picture, side)) for picture in pictures_u8[rows]])
        found += [fit(*pair) for pair in zip(lines(drawn_u8[rows]), lines(edges))]
    return found


def _distance(ink: Bool, margin: int) -> F32:
    """Distance of each pixel to the nearest ink, with ``margin`` pixels more on each side; float32 [S + 2m, S + 2m]."""
    paper = np.pad(~ink, margin, constant_values=True).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(paper, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _at(field: F32, points: Points, offsets: Points) -> F32:
    """Values of ``field`` at the points moved by each offset, [offsets, points]."""
    wide = field.shape[1]
    flat = points @ np.array([wide, 1])
    values: F32 = field.ravel()[flat[None] + (offsets @ np.array([wide, 1]))[:, None]]
    return values


_NUMBERS = ("f_score", "chamfer", "precision", "recall")


def _compute(look: Look) -> Measured:
    drawn, classes = look.drawn, look.judge.train.classes
    found = fits(drawn.inputs.sketches_u8[drawn.number], drawn.pictures_u8)
    values = {name: np.array([getattr(one, name) for one in found]) for name in _NUMBERS}
    common: Json = {
        "extractor": "edges of the picture", "resize": _reduced(drawn), "generated": len(drawn.labels),
        "split": drawn.inputs.split,
    }  # fmt: skip
    part: Json = {name: mean_of(given, drawn, **common) for name, given in values.items()}
    part["by_class"] = {
        classes[k]: {name: float(given[drawn.labels == k].mean()) for name, given in values.items()}
        for k in np.unique(drawn.labels)
    }
    return Measured(part, {name: values[name] for name in ("f_score", "chamfer")})


def _reduced(drawn: Drawn) -> str:
    """How pictures are brought to the drawings' size, in words."""
    side = drawn.inputs.sketches_u8.shape[-1]
    return "none" if drawn.size_px == side else f"from {drawn.size_px} to {side} pixels, those of the drawing"


def _curve(drawn: Drawn, meant_u8: U8, _: Judge) -> float:
    return float(np.mean([one.f_score for one in fits(meant_u8, drawn.pictures_u8)]))


register(Question(
    "faithful",
    (
        Metric(("faithful", "f_score"), "F-score of lines", ".3f", "↑",
            "How well the picture's edges and the drawn lines meet, both ways; 1 is on every line.",
            per_picture="f_score", caption="F {:.2f}", leads=True, paired=True, short="F", curve=_curve),
        Metric(("faithful", "chamfer"), "chamfer", ".4f", "↓",
            "Mean distance between drawn lines and the picture's edges, both ways, over its side.",
            per_picture="chamfer", caption="chamfer {:.4f}", paired=True),
    ),
    _compute,
    "Sorted by this number.",
    PICTURES,
    place=40,
))  # fmt: skip
