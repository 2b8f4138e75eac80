"""Changes to pictures while training: moved and mirrored objects, and edge maps distorted as a hand distorts them.

Everything is seeded: the same random stream makes the same changes on any device. :func:`sketch_like` distorts tensors
in training, :func:`distort` single pictures, and :func:`distortion_grid` shows what a strength means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.chance import stream
from edgegan_widget.errors import ConfigError, DataError

__all__ = ["ANYBODY", "TRAINED", "Hand", "Placement", "distort", "distortion_grid", "place", "sketch_like"]

U8 = npt.NDArray[np.uint8]

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
    sketch = torch.from_numpy(np.ascontiguousarray(sketch_u8))[None, None].float() / 127.5 - 1
    changed = sketch_like(sketch, stream(seed, 0, "hand"), strength, hand)[0, 0]
    return np.asarray(((changed + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy(), np.uint8)


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


def _sample(planes: Tensor, grid: Tensor) -> Tensor:
    """``grid_sample`` in which paper (1) lies beyond the border."""
    return F.grid_sample(planes - 1, grid, mode="bilinear", padding_mode="zeros", align_corners=False) + 1


def _uniform(random: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(*shape, generator=random)


@dataclass(frozen=True, eq=False)
class Placement:
    """Where each of N objects goes; the same for pictures and drawings of any size.

    Attributes
    ----------
    theta
        float32 [N, 2, 3], sampling grids: mirrored, moved, scaled, turned.
    knots
        float32 [N, 2, 6], displacements along each axis by which parts are stretched at the cost of others, or None.
    """

    theta: Tensor
    knots: Tensor | None = None

    @classmethod
    def draw(cls, random: torch.Generator, count: int, mirrored: bool = True, poses: float = 0.0) -> Placement:
        """Mirror half of the objects if allowed, and move, scale and stretch each a little.

        With ``poses`` above 0 objects also get other proportions, turn and lean, as those of a drawing do.
        """
        mirror = 1 - 2 * torch.randint(2, (count,), generator=random).float() * mirrored
        scale = _uniform(random, 0.95, 1.15, count)  # of the sampling grid: above 1 the object shrinks
        stretch = _uniform(random, 0.93, 1.07, count)
        shift = _uniform(random, -0.06, 0.06, count, 2)
        theta = torch.zeros(count, 2, 3)
        theta[:, 0, 0] = mirror * scale * stretch
        theta[:, 1, 1] = scale / stretch
        theta[:, :, 2] = shift
        if poses <= 0:
            return cls(theta)
        theta[:, :, :2] = theta[:, :, :2] @ _leaning(random, count, poses)[:, :, :2]
        return cls(theta, _knots(random, count, poses))

    def apply(self, planes: Tensor) -> Tensor:
        """The planes [N, C, H, W] so placed; paper (1) comes in from beyond the border."""
        return _sample(planes, self._grid(planes))

    def apply_to_pictures(self, pictures: Tensor) -> Tensor:
        """Pictures [N, 3 or 4, H, W] so placed; the paper beyond the border is not covered by alpha, the fourth."""
        moved = self.apply(pictures[:, :3])
        return torch.cat([moved, -self.apply(-pictures[:, 3:])], dim=1) if pictures.shape[1] > 3 else moved

    def _grid(self, planes: Tensor) -> Tensor:
        grid = F.affine_grid(self.theta.to(planes.device), list(planes.shape), align_corners=False)
        if self.knots is None:
            return grid
        return grid + _stretched(self.knots, planes.shape[2:]).permute(0, 2, 3, 1).to(planes.device)


def place(planes: Tensor, random: torch.Generator, mirrored: bool = True, poses: float = 0.0) -> Tensor:
    """Planes [N, C, H, W], each placed anew, see :meth:`Placement.draw`."""
    return Placement.draw(random, len(planes), mirrored, poses).apply(planes)


def _thicken(ink: Tensor, random: torch.Generator, strength: float) -> Tensor:
    """Dilate each drawing by up to a 64th of its side, fractions of a pixel by blending; at most half change much."""
    amount = (_uniform(random, -1.0, 1.0, len(ink), 1, 1, 1) * strength).clamp(0, 2).to(ink.device)
    reach_px = max(1, round(max(ink.shape[2:]) / 64))
    for step in range(math.ceil(reach_px * min(strength, 2))):
        share = (amount * reach_px - step).clamp(0, 1)
        ink = ink + share * (F.max_pool2d(ink, 3, stride=1, padding=1) - ink)
    return ink


def _bend(ink: Tensor, random: torch.Generator, wobble: float, proportions: float, most_px: float = 1.8) -> Tensor:
    """Bend lines by a smooth random displacement of up to about ``most_px`` pixels at 64, and change proportions."""
    count = len(ink)
    amount = _uniform(random, 0.0, most_px * wobble / 32, count, 1, 1, 1)
    coarse = torch.randn(count, 2, 7, 7, generator=random) * amount / 1.5
    field = F.interpolate(coarse.to(ink.device), size=ink.shape[2:], mode="bicubic", align_corners=True)
    theta = torch.eye(2, 3).expand(count, -1, -1)
    if proportions > 0:
        theta = _leaning(random, count, proportions)
        field = field + _stretched(_knots(random, count, proportions), ink.shape[2:]).to(ink.device)
    grid = F.affine_grid(theta.to(ink.device), list(ink.shape), align_corners=False) + field.permute(0, 2, 3, 1)
    return 1 - _sample(1 - ink, grid)


def _leaning(random: torch.Generator, count: int, strength: float) -> Tensor:
    """Sampling grids [N, 2, 3] of drawings too wide, too high, turned or slanted; none grows out of its frame."""
    squeeze = _uniform(random, -0.12, 0.12, count) * strength
    turn = _uniform(random, -0.1, 0.1, count) * strength
    slant = _uniform(random, -0.12, 0.12, count) * strength
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = (squeeze.abs() + squeeze).exp() * turn.cos()
    theta[:, 1, 1] = (squeeze.abs() - squeeze).exp() * turn.cos()
    theta[:, 0, 1] = slant - turn.sin()
    theta[:, 1, 0] = turn.sin()
    return theta


def _knots(random: torch.Generator, count: int, strength: float, most: float = 0.07) -> Tensor:
    """Displacements [N, 2, 6] at even distances along each axis."""
    knots = torch.zeros(count, 2, 6)
    knots[..., 1:-1] = _uniform(random, -most, most, count, 2, 4) * min(strength, 2.0)  # beyond that lines would fold
    return knots


def _stretched(knots: Tensor, size: torch.Size) -> Tensor:
    """Displacements [N, 2, H, W] by which parts of a drawing are stretched at the cost of others, along each axis."""
    along_x, along_y = (
        F.interpolate(knots[:, axis, None, None], size=(1, length), mode="bicubic", align_corners=True)[:, 0, 0]
        for axis, length in ((0, size[1]), (1, size[0]))
    )
    return torch.stack([along_x[:, None].expand(-1, *size), along_y[:, :, None].expand(-1, *size)], dim=1)


def _break(ink: Tensor, random: torch.Generator, strength: float, most_share: float = 0.25) -> Tensor:
    """Rub out small patches: none in half of the drawings, up to ``most_share`` of the area in the others."""
    share = (_uniform(random, -1.0, 1.0, len(ink), 1, 1, 1) * most_share * strength).clamp_min(0)
    noise = torch.rand(len(ink), 1, 14, 14, generator=random)
    keep = (noise >= share).float().to(ink.device)
    return ink * F.interpolate(keep, size=ink.shape[2:], mode="bilinear", align_corners=False)


def _drop_details(ink: Tensor, random: torch.Generator, strength: float) -> Tensor:
    """Leave out inner strokes, the shorter the more likely."""
    shares = _uniform(random, 0.0, strength, len(ink)).tolist()
    lots = torch.rand(len(ink), _LOTS, generator=random).numpy()
    planes = ink[:, 0].detach().float().cpu().numpy()
    kept = np.stack([_without_details(*of_one) for of_one in zip(planes, shares, lots)])
    return ink * torch.from_numpy(kept)[:, None].to(ink.device, ink.dtype)


def _without_details(
    ink: npt.NDArray[np.float32], share: float, lots: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
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
    around = cv2.copyMakeBorder(closed, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(around, None, (0, 0), 2)
    away_px = cv2.distanceTransform((around != 2).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(away_px > 4 * unit_px, np.uint8)
