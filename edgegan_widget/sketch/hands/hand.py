"""Edge maps and drawings distorted as a hand distorts them.

Everything is seeded: the same random stream makes the same changes on any device. :func:`sketch_like` distorts tensors
in training, :func:`distort` single pictures, and :func:`distortion_grid` shows what a strength means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.units import F32, U8, to_u8, to_unit
from edgegan_widget.sketch.contours import enclosed
from edgegan_widget.sketch.hands.warp import knots, leaning, sample, stretched, uniform

__all__ = ["ANYBODY", "TRAINED", "Hand", "distort", "distortion_grid", "sketch_like"]

MOST = 4.0  # of a strength and of each share of a hand
_LOTS = 64  # strokes of a drawing that are kept or dropped independently of each other


@dataclass(frozen=True)
class Hand:
    """How much of each distortion a hand makes at strength 1; 0 is none of it, 1 is usual, 4 the most allowed.

    Parameters
    ----------
    wobble
        Lines bend.
    gaps
        Lines break.
    thickness
        Lines are pressed harder.
    details
        Short inner strokes are left out; the outline stays.
    proportions
        The drawing is too wide or too high, leans, and its parts are too large or too small.
    """

    wobble: float = 1.0
    gaps: float = 1.0
    thickness: float = 1.0
    details: float = 0.0
    proportions: float = 0.0

    def __post_init__(self) -> None:
        for name, share in vars(self).items():
            if not 0 <= share <= MOST:
                raise ConfigError(f"{name} is {share}; give a number from 0 to {MOST:g}, 1 is usual.")


TRAINED = Hand()  # what the shipped models were trained on
ANYBODY = Hand(details=1.0, proportions=1.0)


def sketch_like(sketches: Tensor, random: torch.Generator, strength: float = 1.0, hand: Hand = TRAINED) -> Tensor:
    """Distort edge maps as a hand does: lines wobble, break and thicken; if wanted, details and proportions go too.

    Parameters
    ----------
    sketches
        float [N, 1, H, W] in [-1, 1], 1 is paper.
    random
        Source of all the chance in it.
    strength
        0 returns the edge maps unchanged, 1 is the strength used in training.
    hand
        How much of each distortion. Inner strokes are told apart on the CPU, so details cost a transfer on a GPU.
    """
    if strength <= 0:
        return sketches
    ink = 1 - sketches
    if hand.details > 0:
        ink = _drop_details(ink, random, strength * hand.details)
    ink = _thicken(ink, random, strength * hand.thickness)
    ink = _bend(ink, random, strength * hand.wobble, strength * hand.proportions)
    ink = _break(ink, random, strength * hand.gaps)
    return 1 - ink


def distort(sketch_u8: U8, seed: int, strength: float = 1.0, hand: Hand = ANYBODY) -> U8:
    """Distort one edge map or sketch as a hand does.

    Parameters
    ----------
    sketch_u8
        uint8 [H, W], 255 is paper.
    seed
        The same seed makes the same changes; with more strength it makes more of them.
    strength
        0 to 4: 0 returns the same values, 1 is usual.
    hand
        How much of each distortion.

    Returns
    -------
    uint8 [H, W].

    Raises
    ------
    ConfigError
        The strength is out of range.
    DataError
        The array is no such sketch.
    """
    if not 0 <= strength <= MOST:
        raise ConfigError(f"strength is {strength}; give a number from 0 (unchanged) to {MOST:g}, 1 is usual.")
    if sketch_u8.dtype != np.uint8 or sketch_u8.ndim != 2 or sketch_u8.size == 0:
        raise DataError(f"the sketch is {sketch_u8.dtype} {list(sketch_u8.shape)}; give a grey one, uint8 [H, W].")
    if strength == 0:
        return np.array(sketch_u8)
    sketch = to_unit(torch.from_numpy(np.ascontiguousarray(sketch_u8))[None, None])
    changed = sketch_like(sketch, stream(seed, 0, "hand"), strength, hand)[0, 0]
    return np.asarray(to_u8(changed).numpy(), np.uint8)


def distortion_grid(
    sketches_u8: Sequence[U8],
    strengths: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0),
    seed: int = 0,
    hand: Hand = ANYBODY,
    pictures_u8: Sequence[U8] | None = None,
    tile_px: int = 128,
) -> U8:
    """Sketches at several strengths, to look at: a row a sketch, a column a strength.

    Parameters
    ----------
    sketches_u8
        Each uint8 [H, W], 255 is paper.
    strengths
        Of the columns.
    seed
        Row i is drawn with ``seed + i``.
    hand
        How much of each distortion.
    pictures_u8
        What the sketches show, each uint8 [H, W, 3], as a column before the others.
    tile_px
        Side of each tile.

    Returns
    -------
    uint8 [rows, columns, 3].
    """
    rows = []
    for number, sketch_u8 in enumerate(sketches_u8):
        drawn = [distort(sketch_u8, seed + number, strength, hand) for strength in strengths]
        tiles = [cv2.cvtColor(tile, cv2.COLOR_GRAY2RGB) for tile in drawn]
        if pictures_u8 is not None:
            tiles.insert(0, pictures_u8[number])
        rows.append(np.concatenate([_tile(tile, tile_px) for tile in tiles], axis=1))
    if not rows:
        raise DataError("there is no sketch to show; give one or more.")
    return np.asarray(np.concatenate(rows), np.uint8)


def _tile(picture_u8: U8, side_px: int, frame_u8: int = 200) -> U8:
    """The picture, scaled to a square with a thin frame."""
    inner_px = side_px - 2
    scale = inner_px / max(picture_u8.shape[:2])
    size = [max(1, round(side * scale)) for side in picture_u8.shape[1::-1]]
    scaled = cv2.resize(picture_u8, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    tile = np.full((side_px, side_px, 3), frame_u8, np.uint8)
    tile[1:-1, 1:-1] = 255
    top, left = (1 + (inner_px - side) // 2 for side in scaled.shape[:2])
    tile[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return tile


def _thicken(ink: Tensor, random: torch.Generator, strength: float) -> Tensor:
    """Dilate each drawing by up to a 64th of its side, fractions of a pixel by blending; at most half change much."""
    amount = (uniform(random, -1.0, 1.0, len(ink), 1, 1, 1) * strength).clamp(0, 2).to(ink.device)
    reach_px = max(1, round(max(ink.shape[2:]) / 64))
    for step in range(math.ceil(reach_px * min(strength, 2))):
        share = (amount * reach_px - step).clamp(0, 1)
        ink = ink + share * (F.max_pool2d(ink, 3, stride=1, padding=1) - ink)
    return ink


def _bend(ink: Tensor, random: torch.Generator, wobble: float, proportions: float) -> Tensor:
    """Bend lines by a smooth random displacement of up to about 1.8 pixels at 64, and change proportions."""
    count = len(ink)
    amount = uniform(random, 0.0, 1.8 * wobble / 32, count, 1, 1, 1)
    coarse = torch.randn(count, 2, 7, 7, generator=random) * amount / 1.5
    field = F.interpolate(coarse.to(ink.device), size=ink.shape[2:], mode="bicubic", align_corners=True)
    theta = torch.eye(2, 3).expand(count, -1, -1)
    if proportions > 0:
        theta = leaning(random, count, proportions)
        field = field + stretched(knots(random, count, proportions), ink.shape[2:]).to(ink.device)
    grid = F.affine_grid(theta.to(ink.device), list(ink.shape), align_corners=False) + field.permute(0, 2, 3, 1)
    return 1 - sample(1 - ink, grid)


def _break(ink: Tensor, random: torch.Generator, strength: float) -> Tensor:
    """Rub out small patches: none in half of the drawings, up to a quarter of the area in the others."""
    share = (uniform(random, -1.0, 1.0, len(ink), 1, 1, 1) * 0.25 * strength).clamp_min(0)
    noise = torch.rand(len(ink), 1, 14, 14, generator=random)
    keep = (noise >= share).float().to(ink.device)
    return ink * F.interpolate(keep, size=ink.shape[2:], mode="bilinear", align_corners=False)


def _drop_details(ink: Tensor, random: torch.Generator, strength: float) -> Tensor:
    """Leave out inner strokes, the shorter the more likely."""
    shares = uniform(random, 0.0, strength, len(ink)).tolist()
    lots = torch.rand(len(ink), _LOTS, generator=random).numpy()
    planes = ink[:, 0].detach().float().cpu().numpy()
    kept = np.stack([_without_details(*of_one) for of_one in zip(planes, shares, lots)])
    return ink * torch.from_numpy(kept)[:, None].to(ink.device, ink.dtype)


def _without_details(ink: F32, share: float, lots: F32) -> F32:
    """0 on the inner strokes that are left out, 1 elsewhere; ink [H, W] from 0 to 2."""
    lines = (ink > 0.2).astype(np.uint8)
    inner = lines & _inside(lines)
    strokes = cv2.dilate(inner, np.ones((3, 3), np.uint8))  # what nearly touches is one stroke
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    spans = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) / max(ink.shape)
    dropped = lots[np.arange(len(stats)) % len(lots)] < share * np.exp(-2 * spans)
    dropped[0] = False  # label 0 is not a stroke
    outline = lines & (1 - inner)
    return np.asarray(1 - (dropped[labels] & (outline == 0)), np.float32)


def _inside(lines: U8) -> U8:
    """1 well inside what the lines enclose, out of reach of the outline; [H, W]. Where they are open, nothing is."""
    unit_px = max(1, round(max(lines.shape) / 64))
    side_px = 2 * unit_px + 1
    closed = cv2.dilate(lines, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side_px, side_px)))
    within = cv2.copyMakeBorder(enclosed(closed), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    away_px = cv2.distanceTransform(within, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(away_px > 4 * unit_px, np.uint8)
