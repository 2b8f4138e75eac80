"""Do other seeds bring other colours, as many as real things have?

Lines say nothing of colour, so one drawing may end in many. The mean colour of the object, in CIE Lab (1976), where
distances are about those that people see, spreads over the seeds of one drawing; it is held against its spread over the
real pictures of the class. Spread is the root of the covariance's trace, in units of CIE Lab.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64
from edgegan_widget.evaluation.metrics.told import Told
from edgegan_widget.sketch.contours import filled_mask

__all__ = ["COLOURS", "ClassColours", "colours", "mean_colours", "overall"]

U8 = npt.NDArray[np.uint8]

COLOUR_DRAWINGS = 4  # of a class: how many are drawn with many seeds

COLOURS = Told(
    ("spread of colours, 1 is real", ".2f", ("colours", "ratio")),
    "How much the mean colour of an object differs over the seeds of one drawing, against how much it does over real "
    "pictures of the class; 0 is one colour.",
    "This number is of pictures by other seeds, which are not kept: classes are sorted by it; shown without a seed.",
)


@dataclass(frozen=True)
class ClassColours:
    """Colours of one class: spread over the seeds of a drawing, over real pictures, and the first over the second."""

    drawn: float
    real: float
    count: int
    real_count: int

    @property
    def ratio(self) -> float:
        """1 is as many colours as reality has, 0 is one."""
        return self.drawn / self.real


def mean_colours(pictures_u8: U8) -> F64:
    """Mean colour of the object, whatever is not white paper, in CIE Lab; [N, 3], nan for a blank sheet.

    Parameters
    ----------
    pictures_u8
        uint8 [N, S, S, 3].
    """
    return np.array([_mean_colour(picture) for picture in pictures_u8], np.float64).reshape(-1, 3)


def _mean_colour(picture_u8: U8) -> F64:
    on_object = filled_mask(picture_u8) > 0
    if not on_object.any():
        return np.full(3, np.nan)
    lab = cv2.cvtColor(picture_u8.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return np.asarray(lab[on_object].mean(axis=0), np.float64)


def colours(
    real: F64, drawn: F64, real_labels: npt.ArrayLike, labels: npt.ArrayLike, classes: int
) -> dict[int, ClassColours]:
    """Colours by class number; classes with fewer than two pictures on either side, or one real colour, are left out.

    Parameters
    ----------
    real, drawn
        Mean colours [R, 3], and [N, V, 3] of V seeds of each drawing; nan is left out.
    real_labels, labels
        [R] and [N] Their class numbers.
    classes
        How many classes there are.
    """
    real_labels, labels = np.asarray(real_labels), np.asarray(labels)
    found = {}
    for number in range(classes):
        theirs = [real[real_labels == number]]
        ours = list(drawn[labels == number])
        spreads = _spread(ours), _spread(theirs)
        if np.isfinite(spreads).all() and spreads[1] > 0:
            found[number] = ClassColours(*spreads, sum(map(len, ours)), len(theirs[0]))
    return found


def overall(found: dict[int, ClassColours]) -> float:
    """Mean ratio over classes; nan for none."""
    return float(np.mean([one.ratio for one in found.values()])) if found else float("nan")


def _spread(groups: list[F64]) -> float:
    """Root of the trace of the covariance within groups [V, 3], a mean over groups; nan where none has two."""
    whole = [group[np.isfinite(group).all(axis=1)] for group in groups]
    traces = [group.var(axis=0, ddof=1).sum() for group in whole if len(group) > 1]
    return float(np.sqrt(np.mean(traces))) if traces else float("nan")
