"""A cut-out drawn as people draw it: a few shaky pen lines around shapes that are remembered, not copied.

Built, not learnt. The silhouette and the main inner lines (:mod:`sketch.contours`) are simplified as Douglas
and Peucker do ("Algorithms for the reduction of the number of points required to represent a digitized line", 1973),
and the corners that are left are joined by new pen strokes. What people do to a shape is done to the strokes:
proportions go wrong, parts stand beside each other, outlines are drawn in pieces that do not meet, most inner lines are
left out and the others lead from edge to edge or become a chord, an arc or a ring; a body and its limbs are drawn as
shapes of their own, and a hem, a few short strokes or a buckle are added. How much of each is drawn anew for each
picture, since one person draws carefully and the next one doodles. Nothing here imports torch.
"""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.units import F32, U8
from edgegan_widget.sketch.contours import check_picture, lines_apart, paint
from edgegan_widget.sketch.lines import box, in_box, one_way, ring, rounded, simplified, swept, turns
from edgegan_widget.sketch.raster import LINE_WIDTH

__all__ = ["MOST", "draw_as_person", "person_lines"]

MOST = 4.0  # of a strength
_SOUGHT_PX = 128  # lines are sought at this side: finer ones nobody draws
_DETAIL = 1.5  # fainter lines than a contour drawing has are among those that people choose from


@dataclass(frozen=True)
class _Manner:
    """How this person draws this picture; lengths are fractions of the object's longer side."""

    crudeness: float
    tolerance: float
    rounding: float
    corner: float
    inner_lines: int
    shortest: float
    reach: float
    tidy: float
    wobble: float
    apart: float
    meeting: float
    pieces: float
    symbols: float
    missing: float
    in_parts: float
    upright: float
    ornaments: float


def draw_as_person(image_u8: U8, seed: int, size_px: int = 64, strength: float = 1.0) -> U8:
    """Draw a cut-out as a person would, with the pad's line width.

    Parameters
    ----------
    image_u8
        Cut-out on white, uint8 [H, W, 3]; the drawing has its place and size in the picture, padded to a square.
    seed
        Whose hand it is. The chance in it depends on the seed and the picture: the same two give the same drawing.
    size_px
        Side of the drawing.
    strength
        0 to 4: 0 is nearly the clean contour, 1 usual, from careful to crude, 2 a crude doodle.

    Returns
    -------
    uint8 [size_px, size_px], 255 is paper; a picture without any line gives an empty page.

    Raises
    ------
    ConfigError
        The strength or the size is out of range.
    DataError
        The array is no such picture.
    """
    if size_px < 1:
        raise ConfigError(f"size_px is {size_px}; give 1 or more, 64 is the networks' size.")
    lines = person_lines(image_u8, seed, strength)
    height, width = image_u8.shape[:2]
    side = max(height, width)
    corner = np.array([(side - width) / 2, (side - height) / 2], np.float32)
    placed = [(line + 0.5 + corner) * (size_px / side) - 0.5 for line in lines]
    return paint(placed, (size_px, size_px), LINE_WIDTH * size_px)


def person_lines(
    image_u8: U8, seed: int, strength: float = 1.0, detail: float = 1.0, mask_u8: U8 | None = None
) -> list[F32]:
    """The pen lines of :func:`draw_as_person`, float32 [points, 2], x and y in pixels of the picture.

    ``detail`` is the share of inner lines, 1 as people draw them; ``mask_u8`` tells where the object is, see
    :func:`~edgegan_widget.sketch.contours.object_mask`. Errors as there.
    """
    if not 0 <= strength <= MOST:
        raise ConfigError(f"strength is {strength}; give a number from 0 (the contour) to {MOST:g}, 1 is usual.")
    if seed < 0:
        raise ConfigError(f"the seed is {seed}; give a whole number, 0 or above.")
    check_picture(image_u8)
    random = np.random.default_rng([seed, zlib.crc32(np.ascontiguousarray(image_u8).tobytes())])
    outlines, inner = lines_apart(image_u8, min(_DETAIL * detail, MOST), mask_u8, _SOUGHT_PX)
    clean = outlines or inner
    if not clean:
        return []
    low, high = box(clean)
    middle, side = np.asarray((low + high) / 2, np.float32), max(float((high - low).max()), 1e-3)
    manner = _manner(random, strength, detail)
    warp = _warp(random, manner.crudeness)
    if random.random() < manner.upright:
        warp[0] -= random.uniform(0.4, 1) * _slant(np.concatenate(clean))
    strokes: list[F32] = []
    shapes = [in_box(line, middle, side) for line in outlines]
    if random.random() < manner.in_parts:
        shapes = _parts(shapes, random) or shapes
    for shape in shapes:
        strokes += _outline(_warped(shape, warp), manner, random)
    for line in _chosen([in_box(line, middle, side) for line in inner], manner, random):
        met, ends = _joined(_warped(one_way(line), warp), strokes, manner)
        if ends or random.random() > manner.tidy:
            strokes += _inner(met, manner, random)
    for shape in shapes:
        strokes += [
            _pen(simplified(_warped(line, warp), manner.tolerance), manner, random)
            for line in _ornaments(shape, manner, random)
        ]
    if not strokes:  # no outline, and none of the inner lines chosen
        strokes = _inner(_warped(one_way(in_box(inner[0], middle, side)), warp), manner, random)
    # People fill the page as the photo did: what the warp made larger or moved comes back into the object's box.
    low, high = box(strokes)
    shrink = side / max(float((high - low).max()), 1e-3)
    return [((stroke - (low + high) / 2) * shrink + middle).astype(np.float32) for stroke in strokes]


def _manner(random: np.random.Generator, strength: float, detail: float) -> _Manner:
    crudeness = strength * random.uniform(0.3, 1.7)
    some = random.exponential(5 / (0.15 + crudeness**2))
    few, share = (min(crudeness, 2.5) * random.uniform(0.3, 1.7) for _ in range(2))
    return _Manner(
        crudeness=crudeness,
        tolerance=min(0.04, min(1.0, strength) * random.uniform(0.008, 0.018) + crudeness * random.uniform(0, 0.01)),
        rounding=min(0.03, crudeness * max(0.0, random.uniform(-0.02, 0.02))),
        corner=float(np.cos(np.radians(random.uniform(20, 65)))),
        inner_lines=round(detail * some) if strength > 0.05 else 100,
        shortest=min(0.3, min(1.0, strength) * random.uniform(0.08, 0.16) + 0.1 * crudeness * random.uniform(0, 1)),
        reach=min(1.0, strength) * random.uniform(0.08, 0.28),
        tidy=min(0.9, 0.7 * min(1.0, strength) + 0.15 * crudeness),
        wobble=crudeness * random.uniform(0.0005, 0.004),
        apart=0.012 * few,
        meeting=0.015 * share,
        pieces=1.6 * crudeness * random.uniform(0, 1),
        symbols=min(0.8, 0.35 * crudeness),
        missing=min(0.4, 0.15 * crudeness),
        in_parts=0.5 * min(1.0, strength),
        upright=min(0.6, 0.3 * crudeness),
        ornaments=min(1.0, strength) * min(1.0, detail) * random.uniform(0, 0.8 if crudeness < 0.9 else 0.4),
    )


def _warp(random: np.random.Generator, crudeness: float) -> npt.NDArray[np.float64]:
    """Turn, stretch, lean, two bends and two wrong proportions."""
    deviations = np.array([0.05, 0.07, 0.06, 0.10, 0.10, 0.03, 0.03])
    return np.asarray(random.normal(0, 1, 7).clip(-2, 2) * deviations * min(crudeness, 1.8), np.float64)


def _slant(points: F32) -> float:
    """How far the object is turned from upright or level, in radians; people draw most things square to the page."""
    (_, _), (width, height), degrees = cv2.minAreaRect(points)
    if max(width, height) < 1.3 * min(width, height):
        return 0.0
    return float(np.radians((degrees + 45) % 90 - 45))


def _warped(points: F32, warp: npt.NDArray[np.float64]) -> F32:
    turn, stretch, lean, bend_x, bend_y, part_x, part_y = warp.tolist()
    x, y = points[:, 0], points[:, 1]
    # One end grows and the other shrinks: big heads, short legs.
    x, y = x + part_x * np.sin(2 * np.pi * x), y + part_y * np.sin(2 * np.pi * y)
    x, y = x + lean * y + bend_x * y * y, y + bend_y * x * x
    x, y = x * np.exp(stretch), y * np.exp(-stretch)
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=1).astype(np.float32)


def _outline(line: F32, manner: _Manner, random: np.random.Generator) -> list[F32]:
    """A closed or open outline as pen strokes that begin and end at its corners."""
    closed = bool(np.hypot(*(line[0] - line[-1])) < 1e-3)
    corners = simplified(rounded(line, manner.rounding, closed), manner.tolerance)
    if len(corners) < 4:
        return [_pen(line, manner, random)]
    if closed:
        corners = corners[:-1]
        if random.random() < manner.symbols * 0.5 and np.ptp(line, axis=0).max() < 0.35:
            return [_pen(ring(line), manner, random, corner=-1.0)]
    sharpness = turns(corners, closed)
    cuts = 1 + random.poisson(manner.pieces)
    # The pen is lifted where the line turns most.
    order = np.argsort(sharpness + random.uniform(0, 0.5, len(sharpness)))[:cuts]
    starts = np.sort(order)
    if closed:
        corners = np.roll(corners, -starts[0], axis=0)
        starts = starts - starts[0]
        corners = np.concatenate([corners, corners[:1]])
    ends = [0, *[start for start in starts.tolist() if 0 < start < len(corners) - 1], len(corners) - 1]
    strokes = []
    pieces = list(itertools.pairwise(ends))
    dropped = int(random.integers(len(pieces))) if len(pieces) > 2 and random.random() < manner.missing else -1
    for number, (first, last) in enumerate(pieces):
        if last > first and number != dropped:
            strokes.append(_pen(_moved(corners[first : last + 1], manner, random), manner, random))
    return strokes or [_pen(corners, manner, random)]


def _parts(shapes: list[F32], random: np.random.Generator) -> list[F32]:
    """The body closed, each limb set against it: as one draws who sees a body and limbs; [] where there are none."""
    scale, margin = 96, 8
    mask = np.zeros((scale + 2 * margin,) * 2, np.uint8)
    whole = [np.round((shape + 0.5) * scale + margin).astype(np.int32) for shape in shapes]
    cv2.fillPoly(mask, whole, 1)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    reach = float(depth.max()) * random.uniform(0.45, 0.8)
    from_core = cv2.distanceTransform((depth < reach).astype(np.uint8), cv2.DIST_L2, 3)
    body = mask & (from_core < reach + 0.5).astype(np.uint8)  # what a disc of this reach can cover from inside
    limbs = mask & (1 - body)
    limbs = cv2.morphologyEx(limbs, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    near = cv2.dilate(body, np.ones((5, 5), np.uint8))
    lines: list[F32] = []
    for area, least in ((body, 0.01), (limbs, 0.006)):
        for chain in cv2.findContours(area, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]:
            if cv2.contourArea(chain) < least * mask.size:
                continue
            points = chain[:, 0]
            line = ((points.astype(np.float32) - margin) / scale - 0.5).astype(np.float32)
            free = near[points[:, 1], points[:, 0]] == 0
            if area is body or free.all() or random.random() < 0.2:
                line = np.concatenate([line, line[:1]])
            elif free.sum() > 5:
                start = int(np.argmin(free))
                line = np.roll(line, -start, axis=0)
                steps = np.flatnonzero(np.roll(free, -start))
                line = line[max(0, steps[0] - 2) : steps[-1] + 3]
            else:
                continue
            lines.append(rounded(line, 0.012, bool((line[0] == line[-1]).all())))
    return lines if len(lines) > 1 else []


def _ornaments(shape: F32, manner: _Manner, random: np.random.Generator) -> list[F32]:
    """What people add because it belongs there: a hem along the outline, short strokes across it, a buckle."""
    low, high = shape.min(axis=0), shape.max(axis=0)
    wide = float((high - low).max())
    if wide < 0.3 or len(shape) < 20 or np.hypot(*(shape[0] - shape[-1])) > 1e-3:
        return []
    lines: list[F32] = []
    # The inside lies to the right of a line that goes round with the clock, as y grows downwards.
    clockwise = np.sign(float(np.sum(shape[:-1, 0] * shape[1:, 1] - shape[1:, 0] * shape[:-1, 1])))
    while len(lines) < 8 and random.random() < manner.ornaments:
        kind, start, share = random.random(), int(random.integers(len(shape))), random.uniform(0.1, 0.4)
        along = np.roll(shape[:-1], -start, axis=0)[: max(8, int(share * len(shape)))]
        ahead = np.gradient(along, axis=0)
        across = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
        across /= np.maximum(np.hypot(across[:, 0], across[:, 1]), 1e-6)[:, None]
        inwards = across * clockwise
        if kind < 0.6:
            lines.append((along + inwards * random.uniform(0.04, 0.1)).astype(np.float32))
        elif kind < 0.72:
            length = random.uniform(0.05, 0.2)
            strokes = np.linspace(0, len(along) - 1, int(random.integers(2, 6))).astype(int)
            lines += [np.stack([along[at], along[at] + length * inwards[at]]).astype(np.float32) for at in strokes]
        else:
            size = random.uniform(0.02, 0.08, 2)
            centre = along[0] + inwards[0] * random.uniform(0.08, 0.2)
            low, high = centre - size, centre + size
            buckle = np.array([low, (high[0], low[1]), high, (low[0], high[1]), low], np.float32)
            lines.append(ring(buckle) if random.random() < 0.5 else buckle)
    return lines


def _inner(line: F32, manner: _Manner, random: np.random.Generator) -> list[F32]:
    """An inner line as it is, or what stands for it: a ring, a chord or an arc."""
    span = float(np.hypot(*(line[0] - line[-1])))
    length = float(np.hypot(*np.diff(line, axis=0).T).sum())
    if random.random() < manner.symbols:
        if length > 2.2 * span:
            line = ring(line)
        elif random.random() < 0.5:
            line = line[[0, len(line) // 2, -1]]
        else:
            line = line[[0, -1]]
        return [_pen(_moved(line, manner, random), manner, random, corner=-1.0)]
    corners = simplified(rounded(line, 0.5 * manner.tolerance, closed=False), 1.5 * manner.tolerance)
    return [_pen(_moved(corners, manner, random), manner, random)]


def _chosen(lines: list[F32], manner: _Manner, random: np.random.Generator) -> list[F32]:
    """The inner lines that this person draws: long ones rather than short ones."""
    if manner.inner_lines >= len(lines) and manner.shortest <= 0:
        return lines
    spans = np.array([float(np.ptp(line, axis=0).max()) for line in lines])
    order = np.argsort(-spans * random.uniform(0.5, 1, len(lines)))
    return [lines[index] for index in order[: manner.inner_lines] if spans[index] >= manner.shortest]


def _joined(line: F32, strokes: list[F32], manner: _Manner) -> tuple[F32, int]:
    """Led on to the lines that it heads for, and how many of its ends meet one or each other.

    People draw from edge to edge, where a photo's line fades before it.
    """
    if not strokes or manner.tolerance < 1e-4 or len(line) < 6:
        return line, 2
    drawn = np.concatenate(strokes)
    parts = [line]
    for end, before, at in ((line[0], line[5], 0), (line[-1], line[-6], 1)):
        ahead = (end - before) / max(float(np.hypot(*(end - before))), 1e-6)
        way = drawn - end
        distance = np.hypot(way[:, 0], way[:, 1]) + 1e-6
        cost = distance * (2 - (way @ ahead) / distance)
        nearest = int(cost.argmin())
        if cost[nearest] < manner.reach:
            parts.insert(at * len(parts), drawn[nearest : nearest + 1])
    round_about = np.hypot(*(line[0] - line[-1])) < 0.3 * np.ptp(line, axis=0).max()
    return np.concatenate(parts), len(parts) - 1 + int(round_about)


def _moved(points: F32, manner: _Manner, random: np.random.Generator) -> F32:
    """A stroke beside its place, turned and of another size."""
    chance = random.normal(0, 1, 4)
    middle = points.mean(axis=0)
    turn, scale = 3 * manner.apart * chance[0], np.exp(3 * manner.apart * chance[1])
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    turned = (points - middle) @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(turned + middle + manner.apart * chance[2:], np.float32)


def _pen(corners: F32, manner: _Manner, random: np.random.Generator, corner: float | None = None) -> F32:
    """A pen line through corners: sweeps where they are soft, ends that go too far or not far enough, a shaky hand."""
    if manner.tolerance < 1e-4 or len(corners) < 2:
        return corners
    line = swept(corners, manner.corner if corner is None else corner)
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    length = float(along[-1])
    if length < 1e-4:
        return line
    most = 0.25 * length
    before, after = (random.normal(0, 1, 2) * manner.meeting).clip(-most, most).tolist()
    count = max(4, int(length / 0.015))
    wanted = np.linspace(-before, length + after, count)
    inner = wanted.clip(0, length)
    points = np.stack([np.interp(inner, along, line[:, axis]) for axis in (0, 1)], axis=1)
    near = min(4, len(line))
    for end, towards, over in ((0, near - 1, before), (-1, -near, after)):
        if over > 0:
            ahead = points[end] - line[towards]
            beyond = np.maximum(wanted - length, 0) if end else np.maximum(-wanted, 0)
            points += beyond[:, None] * ahead / max(float(np.hypot(*ahead)), 1e-6)
    knots = random.normal(0, manner.wobble, (2, int(length / 0.1) + 2))
    where = np.linspace(0, length, knots.shape[1])
    points += np.stack([np.interp(inner, where, knot) for knot in knots], axis=1)
    return points.astype(np.float32)
