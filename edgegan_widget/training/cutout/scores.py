"""How good found masks are, as the papers on salient objects measure it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8

__all__ = ["MaskScore", "score_masks"]

_BETA_SQUARED = 0.3  # Achanta et al., "Frequency-tuned Salient Region Detection", CVPR 2009, equation 8
_LEVELS = 256


@dataclass(frozen=True)
class MaskScore:
    """Scores over ``count`` pictures.

    Attributes
    ----------
    mae
        Mean absolute error of a pixel, 0..1; smaller is better.
    max_f
        Highest F-measure (beta squared 0.3) over all thresholds, of the mean precision and recall; 0..1.
    iou
        Mean intersection over union at the threshold 0.5; 0..1.
    """

    count: int
    mae: float
    max_f: float
    iou: float

    def __str__(self) -> str:
        return f"MAE {self.mae:.4f}, max F {self.max_f:.4f}, IoU {self.iou:.4f} on {self.count} photos"


def score_masks(found: Iterable[tuple[F32, U8]]) -> MaskScore:
    """Scores of found masks, float32 in 0..1 of any size, beside true ones, uint8 [H, W], 255 is object."""
    errors, overlaps = [], []
    precision, recall = np.zeros(_LEVELS), np.zeros(_LEVELS)
    for likely, mask_u8 in found:
        whole = cv2.resize(likely, mask_u8.shape[::-1], interpolation=cv2.INTER_LINEAR)
        inside = mask_u8 >= 128
        errors.append(float(np.abs(whole - inside).mean()))
        overlaps.append(_overlap(whole >= 0.5, inside))
        one_precision, one_recall = _curves(whole, inside)
        precision, recall = precision + one_precision, recall + one_recall
    count = max(1, len(errors))
    precision, recall = precision / count, recall / count
    f = (1 + _BETA_SQUARED) * precision * recall / np.maximum(_BETA_SQUARED * precision + recall, 1e-12)
    return MaskScore(len(errors), float(np.mean(errors)), float(f.max()), float(np.mean(overlaps)))


def _overlap(found: np.ndarray, inside: np.ndarray) -> float:
    return float((found & inside).sum() / max(1, (found | inside).sum()))


def _curves(likely: F32, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall at each threshold from 255 / 255 down to 0."""
    levels = np.round(np.clip(likely, 0, 1) * (_LEVELS - 1)).astype(np.intp)
    right = np.bincount(levels[inside], minlength=_LEVELS)[::-1].cumsum()
    all_found = np.bincount(levels.ravel(), minlength=_LEVELS)[::-1].cumsum()
    return right / np.maximum(1, all_found), right / max(1, inside.sum())
