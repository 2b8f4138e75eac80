"""A sheet of what a model drew, not picked: the first drawings of each class and set, with edge maps and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.files import write_atomic
from edgegan_widget.evaluation.drawn import Drawn
from edgegan_widget.evaluation.judge import Evaluation

__all__ = ["sample_sheet", "write_samples"]

U8 = npt.NDArray[np.uint8]

PER_CLASS = 2
BLOCKS = 4  # in a row


def write_samples(path: Path, evaluation: Evaluation) -> None:
    """Write the sheet of the first model as PNG."""
    (sets, *_) = evaluation.scored.values()
    with write_atomic(path) as stream:
        sample_sheet([scored.drawn for scored in sets.values()]).save(stream, "PNG")


def sample_sheet(sets: list[Drawn]) -> Image.Image:
    """Blocks of drawing | edge map | picture, set after set."""
    strips = [strip for drawn in sets for strip in _strips(drawn)]
    strips += [np.full_like(strips[0], 255)] * (-len(strips) % BLOCKS)
    rows = [np.concatenate(strips[start : start + BLOCKS], axis=1) for start in range(0, len(strips), BLOCKS)]
    return Image.fromarray(np.concatenate(rows, axis=0))


def _strips(drawn: Drawn) -> Iterator[U8]:
    """uint8 [S, 3 S, 3] of the first drawings of each class, in their order."""
    labels = drawn.inputs.labels
    for number in sorted(int(n) for label in np.unique(labels) for n in np.nonzero(labels == label)[0][:PER_CLASS]):
        row = number * drawn.variations
        picture = drawn.pictures_u8[row]
        planes = drawn.inputs.sketches_u8[number], drawn.edges_u8[row]
        yield np.concatenate([*(_enlarged(plane, len(picture)) for plane in planes), picture], axis=1)


def _enlarged(plane: U8, side_px: int) -> U8:
    scale = side_px // len(plane)
    return np.repeat(plane.repeat(scale, 0).repeat(scale, 1)[..., None], 3, axis=2)
