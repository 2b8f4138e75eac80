"""A picture as training may see it: the object, its edge map, and the edge map as a hand draws it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgegan_widget.base.pictures import open_picture
from edgegan_widget.base.units import U8
from edgegan_widget.sketch.edges import draw, squared
from edgegan_widget.sketch.pairs import halves

__all__ = ["HAND", "Look", "Seen", "draw_lines", "see"]

HAND = {  # what a hand may do, with its share at first: all of it, as augment.ANYBODY
    "wobble": 1.0,
    "gaps": 1.0,
    "thickness": 1.0,
    "details": 1.0,
    "proportions": 1.0,
}


@dataclass(frozen=True)
class Look:
    """How edges are drawn and distorted, as :func:`edgegan_widget.sketch.edges.draw` and ``augment.distort`` take it.

    Parameters
    ----------
    source
        One of the sources of edges; PhotoSketch as ``photosketch=FILE``.
    detail
        0 to 4, 1 as published or trained on.
    strength
        Of the hand, 0 to 4; 0 changes nothing.
    hand
        Wobble, gaps, thickness, details, proportions: 0 to 4 each.
    seed
        Of the hand's chance.
    """

    source: str = "full"
    detail: float = 1.0
    strength: float = 1.0
    hand: tuple[float, ...] = tuple(HAND.values())
    seed: int = 0


@dataclass(frozen=True)
class Seen:
    """A picture, uint8 [S, S, 3], on white paper; and of a ready pair its own edge map, uint8 [S, S]."""

    picture_u8: U8
    edge_u8: U8 | None


def see(path: Path, side_px: int = 128) -> Seen:
    """Open a picture of a data folder as a square of ``side_px``; a ready ``[edge | image]`` pair is taken apart.

    Raises
    ------
    DataError
        The picture cannot be read.
    """
    opened = open_picture(path)
    pair = halves(opened)
    if pair is None:
        return Seen(squared(opened, side_px), None)
    edge, picture = pair
    return Seen(squared(picture, side_px), np.ascontiguousarray(squared(edge, side_px)[..., 0]))


def draw_lines(seen: Seen, look: Look) -> tuple[U8, U8]:
    """The edge map and the same as a hand draws it, uint8 [S, S] each, 255 is paper.

    Raises
    ------
    ConfigError
        A number is out of its range.
    ModelError
        PhotoSketch's weights cannot be used.
    """
    edge = draw(seen.picture_u8, look.source, detail=look.detail) if seen.edge_u8 is None else seen.edge_u8
    if look.strength == 0:
        return edge, edge
    from edgegan_widget.sketch.hands.hand import Hand, distort  # loads torch

    return edge, distort(edge, look.seed, look.strength, Hand(*look.hand))
