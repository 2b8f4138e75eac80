"""Whether a model can be asked for this: the same sentences whether it draws here or on a server."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.words import known_class

__all__ = [
    "MOST_FRAMES", "MOST_VARIATIONS", "check_chance", "check_closeness", "check_frames", "check_sketch", "class_number",
]  # fmt: skip

MOST_VARIATIONS = 64
MOST_FRAMES = 240  # of an interpolation


def class_number(label: str | int, classes: Sequence[str]) -> int:
    """The number of a class that is given by name or number.

    Raises
    ------
    ConfigError
        There is none; what there is is told.
    """
    numbers = f" (numbers 0 to {len(classes) - 1})"
    if isinstance(label, str):
        return classes.index(known_class(label, classes, more=numbers))
    if isinstance(label, (int, np.integer)) and 0 <= label < len(classes):
        return int(label)
    raise ConfigError(f"the class is {label!r}; this model knows {', '.join(classes)}{numbers}.")


def check_sketch(sketch: object, side: int) -> None:
    """Refuse what is no sketch.

    Raises
    ------
    DataError
        It is no uint8 array [side, side].
    """
    if not isinstance(sketch, np.ndarray) or sketch.dtype != np.uint8 or sketch.shape != (side, side):
        given = f"{sketch.dtype} {list(sketch.shape)}" if isinstance(sketch, np.ndarray) else type(sketch).__name__
        raise DataError(
            f"the sketch is {given}; it must be a uint8 array [{side}, {side}] with white paper 255 "
            "(raster.rasterize and trace.sketch_from_picture make one)."
        )


def check_chance(seed: int | None, variations: int) -> None:
    """Refuse a seed or a number of variations that is not allowed.

    Raises
    ------
    ConfigError
        One of them is out of its range.
    """
    if seed is not None and not 0 <= seed < 2**63:
        raise ConfigError(f"the seed is {seed}; give None or a whole number from 0 to 2^63 - 1.")
    if not 1 <= variations <= MOST_VARIATIONS:
        raise ConfigError(f"variations is {variations}; allowed are 1 to {MOST_VARIATIONS}.")


def check_closeness(closeness: float) -> None:
    """Refuse a closeness beyond 0 to 1 with a ConfigError."""
    if not 0 <= closeness <= 1:
        raise ConfigError(f"closeness is {closeness}; give a number from 0 (free) to 1 (strict).")


def check_frames(frames: int) -> None:
    """Refuse a number of frames that is not allowed with a ConfigError."""
    if not 2 <= frames <= MOST_FRAMES:
        raise ConfigError(f"frames is {frames}; allowed are 2 to {MOST_FRAMES}.")
