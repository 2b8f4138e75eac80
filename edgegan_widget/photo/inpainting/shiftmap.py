"""``shiftmap``: the hole is put together of pieces of its surroundings, whose seams are evened out.

After He and Sun, "Image completion approaches using the statistics of similar patches" (PAMI 2014), in OpenCV's form,
and Pritch, Kav-Venaki and Peleg, "Shift-map image editing" (ICCV 2009: from a reduced picture to the full size, level
by level). Nothing is copied from what looks like nothing beside the hole: a second horse would be.

Copied details that are wrong cost more than none. In the mean over photos the nearest to what was there lies between
the copy and the likeliest smooth surface over the hole; so coarse details are taken in part, and none with more
contrast than there is around the hole. Only where that is evenly textured, as grass, all are taken: there a hole that
is too smooth is seen at once. From level to level only what is finer than the level before is copied.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.inpainting import Bools, Hole, Method, register
from edgegan_widget.photo.pixels import resized
from edgegan_widget.photo.seams import Mesh, carried, ease, smooth_part
from edgegan_widget.photo.shifts import Shifts, find_shifts, grown, refined, unlike_rim

COARSE_PIXELS = 16_500  # of the reduced photo in which the pieces are found: half a second to a second
_STEP = 2.0  # from one level to the next, at most
COARSE_DETAIL, FINE_DETAIL = 0.55, 0.5  # how much of the copy's details is taken
CALMED = 0.4  # of the copy's slow changes of colour, beyond that
_WINDOW_SHARE = 0.1  # of the square root of the hole's area: how far contrast is measured
_USUAL = 0.3  # the quantile of the surroundings' contrast that counts as theirs
# Of the surroundings' contrast:
UNEVEN, EVEN = 0.64, 0.7  # its low by its high quartile; all details are taken from the second on
_EVEN_USUAL = 0.6  # the quantile that counts as theirs then
PLAIN, TEXTURED = 4.0, 16.0  # up to the first there is nothing but noise to copy
_COARSE_ROUNDS, _FINE_ROUNDS = 200, 3


def _fill(hole: Hole) -> U8:
    sizes = level_sizes(hole.inside.shape)
    while len(sizes) > 1 and _reduced(hole, sizes[0])[1].all():  # what is left is too thin to be seen so small
        del sizes[0]
    photo_u8, inside, never = _reduced(hole, sizes[0])
    shifts = find_shifts(photo_u8, inside, never | unlike_rim(photo_u8, inside))
    mesh, start, filled, share = _coarse(photo_u8, inside, shifts)
    for done, size in enumerate(sizes[1:], 1):
        hole.told(done / len(sizes))
        photo_u8, inside, _ = _reduced(hole, size)
        shifts = refined(grown(shifts, inside.shape), photo_u8, inside)
        before, mesh = mesh, Mesh(inside)
        copied, share = mesh.copied(photo_u8, shifts), carried(share, before, mesh)
        finer = copied.start - carried(start, before, mesh)
        guess = carried(filled, before, mesh) + share * finer
        start, filled = copied.start, mesh.solve(photo_u8, copied, share, guess, _FINE_ROUNDS)
    return mesh.painted(photo_u8, filled)


def _coarse(photo_u8: U8, inside: Bools, shifts: Shifts) -> tuple[Mesh, F32, F32, F32]:
    """The reduced hole: its pixels, what is copied, what it is filled with, and how far details are to be trusted."""
    mesh = Mesh(inside)
    copied = mesh.copied(photo_u8, shifts)
    without, whole = (mesh.solve(photo_u8, copied, np.float32(part), copied.start, _COARSE_ROUNDS) for part in (0, 1))
    details = whole - without
    smooth = mesh.spread(photo_u8, ease(photo_u8, inside), without, _COARSE_ROUNDS)
    share, even = plausible_share(photo_u8, mesh, details)
    part, calmed = COARSE_DETAIL + even * (1 - COARSE_DETAIL), CALMED * (1 - even / 2)
    filled = smooth + share * (part * details - calmed * smooth_part(details, mesh))
    return mesh, copied.start, filled, share * (FINE_DETAIL + even * (1 - FINE_DETAIL))


def plausible_share(photo_u8: U8, mesh: Mesh, details: F32) -> tuple[F32, float]:
    """How much of the details [N, 3] has no more contrast than the hole's surroundings, float32 [N, 1] in 0..1; and
    whether these are one even texture, 0 to 1, so that wherever it is copied from looks right.
    """
    window_px = 2 * round(_WINDOW_SHARE * len(mesh) ** 0.5) + 3
    size = (window_px, window_px)
    near = cv2.dilate(mesh.inside.astype(np.uint8), np.ones(size, np.uint8)) > 0
    known = (~mesh.inside).astype(np.float32)
    photo = photo_u8.astype(np.float32) * known[..., None]
    weight = np.maximum(cv2.boxFilter(known, -1, size), 1e-3)[..., None]
    mean, square = cv2.boxFilter(photo, -1, size) / weight, cv2.boxFilter(photo**2, -1, size) / weight
    around = np.sqrt(np.maximum(square - mean**2, 0).sum(2))[near & ~mesh.inside]
    within = mesh.inside.astype(np.float32)
    strength = cv2.boxFilter(mesh.plane((details**2).sum(1, keepdims=True)), -1, size)
    strength = np.sqrt(strength / np.maximum(cv2.boxFilter(within, -1, size), 1e-3))[mesh.rows, mesh.columns]
    low, usual, high = np.quantile(around, (0.25, _USUAL, 0.75)) if len(around) else (1.0, 255.0, 1.0)
    even = _ramp(float(low / max(high, 1e-3)), UNEVEN, EVEN)
    if even and len(around):  # nothing is around a hole that leaves hardly anything
        usual += even * (np.quantile(around, _EVEN_USUAL) - usual)
    share = _ramp(float(usual), PLAIN, TEXTURED) * np.minimum(1, usual / np.maximum(strength, 1e-3))
    return np.asarray(share[:, None], np.float32), even


def _ramp(value: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (value - start) / (end - start)))


def level_sizes(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Width and height of each level, from the coarsest to the full size."""
    height, width = shape
    share = math.sqrt(COARSE_PIXELS / (height * width))
    if share >= 1:
        return [(width, height)]
    steps = math.ceil(math.log(1 / share, _STEP))
    shares = [share ** (1 - step / steps) for step in range(steps + 1)]
    return [(max(1, round(width * each)), max(1, round(height * each))) for each in shares]


def _reduced(hole: Hole, size: tuple[int, int]) -> tuple[U8, Bools, Bools]:
    """Photo, hole and what is never copied; a pixel is in the hole where any of it is."""
    if hole.inside.shape[1::-1] == size:
        return hole.photo_u8, hole.inside, hole.never
    inside, never = (resized(plane.astype(np.float32), size) > 1e-6 for plane in (hole.inside, hole.never))
    return resized(hole.photo_u8, size), inside, never


register(Method("shiftmap", "pieces of the surroundings, whose seams are evened out", _fill, around=0.6, around_px=24))
