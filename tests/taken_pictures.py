"""More pictures of known drawings: with what lies beside the sheet, and on paper that is no plain white sheet."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tests.drawn_pictures import INK, TURNED, F, Sheet, lit, page_of, photo_of, sheet_of

Outline = list[tuple[float, float]]

SKIN, BROWN_SKIN, BLUE = (0.82, 0.6, 0.5), (0.45, 0.3, 0.22), (0.1, 0.2, 0.55)


def _pasted(page: F, corners: Outline, colour: tuple[float, ...]) -> F:
    share = np.zeros(page.shape[:2], np.float32)
    cv2.fillPoly(share, [np.array(corners).round().astype(np.int32)], 1.0)
    share = cv2.GaussianBlur(share, (0, 0), 1.5)[..., None]
    return np.asarray(page * (1 - share) + share * np.array(colour, np.float32), np.float32)


def _finger(x: float, y: float, degrees: float, long: float = 180, half: float = 38) -> Outline:
    """Outline of a finger whose middle is at (x, y)."""
    turn = np.radians(np.linspace(-90, 90, 20))
    tip = np.stack([long / 2 + half * np.cos(turn), half * np.sin(turn)], axis=1)
    whole = np.concatenate([[(-long / 2, -half)], tip, [(-long / 2, half)]])
    a = np.radians(degrees)
    placed = whole @ np.array([(np.cos(a), np.sin(a)), (-np.sin(a), np.cos(a))]) + (x, y)
    return [(float(x), float(y)) for x, y in placed.tolist()]


def _held(name: str, fingers: list[Outline], skin: tuple[float, ...], light: str = "gradient") -> bytes:
    sheet = sheet_of(name, (700, 900), 4)
    page = page_of(sheet)
    for finger in fingers:
        page = _pasted(page, finger, skin)
    return photo_of(page * lit(light, sheet.shape), sheet.random)


def _beyond(name: str, **sides: int) -> bytes:
    """A scan of a sheet that is smaller than the glass, black beyond it."""
    sheet = sheet_of(name, (900, 760), 4, (80, 130, 560))
    page = page_of(sheet)
    views = {"top": page, "bottom": page[::-1], "left": page.swapaxes(0, 1), "right": page[:, ::-1].swapaxes(0, 1)}
    for side, wide in sides.items():
        views[side][:wide] = 0.03
    return photo_of(page, sheet.random, 0.006, 0.5)


def _through_a_hole(name: str) -> bytes:
    sheet = sheet_of(name, (700, 700), 4, (160, 160, 380))
    y, x = np.mgrid[:700, :700]
    page = np.where((np.hypot(x - 350, y - 350) > 335)[..., None], 0.02, page_of(sheet)).astype(np.float32)
    return photo_of(page, sheet.random, 0.006, 0.5)


def _bound(name: str) -> bytes:
    """A page of a notebook with a spiral."""
    sheet = sheet_of(name, (900, 760), 4, (90, 150, 620))
    page = page_of(sheet)
    for y in range(25, 900, 40):
        cv2.circle(page, (28, y), 8, (0.15,) * 3, -1)
        cv2.ellipse(page, (14, y - 4), (18, 7), 0, 180, 420, (0.35, 0.35, 0.38), 3, cv2.LINE_AA)
    return photo_of(page, sheet.random, 0.008)


def _punched(name: str) -> bytes:
    sheet = sheet_of(name, (1000, 760), 4, (110, 180, 600))
    page = page_of(sheet)
    for y in (180, 500, 820):
        cv2.circle(page, (40, y), 16, (0.2,) * 3, -1, cv2.LINE_AA)
    return photo_of(page, sheet.random, 0.006, 0.5)


def _boxed(name: str) -> bytes:
    """In the printed box of a form."""
    sheet = sheet_of(name, (900, 760), 4, (90, 140, 580))
    page = page_of(sheet)
    cv2.rectangle(page, (52, 62), (708, 838), INK, 4)
    return photo_of(page, sheet.random, 0.006, 0.5)


def _whiteboard(name: str) -> bytes:
    sheet = sheet_of(name, (700, 900), 7, (200, 110, 480))
    page = page_of(sheet, (0.7, 0.1, 0.1), (0.85, 0.86, 0.87))
    cv2.rectangle(page, (0, 0), (899, 699), (0.75,) * 3, 60)
    cv2.rectangle(page, (35, 35), (864, 664), (0.55, 0.55, 0.57), 10)
    return photo_of(page * lit("corner", sheet.shape), sheet.random, 0.01)


def _lying(name: str, pen: tuple[float, ...], paper: tuple[float, ...], table: float) -> bytes:
    """A sheet that is no lighter than what it lies on."""
    sheet = sheet_of(name, (600, 560), 5)
    target = np.array(TURNED, np.float32)
    matrix = cv2.getPerspectiveTransform(np.array([(0, 0), (560, 0), (560, 600), (0, 600)], np.float32), target)
    lies = cv2.warpPerspective(np.ones(sheet.shape, np.float32), matrix, (900, 700))[..., None]
    page = cv2.warpPerspective(page_of(sheet, pen, paper), matrix, (900, 700))
    return photo_of(np.asarray(table * (1 - lies) + page * lies, np.float32), sheet.random)


def _on(sheet: Sheet, rulings: F, shade: tuple[float, ...]) -> bytes:
    """On paper with these rulings, [H, W] in 0 to 1."""
    share = rulings[..., None]
    paper = (1 - share) * np.array((0.97, 0.97, 0.95), np.float32) + share * np.array(shade, np.float32)
    ink = sheet.ink[..., None]
    return photo_of(np.asarray(ink * np.array(INK, np.float32) + (1 - ink) * paper), sheet.random, 0.008, 0.6)


def _millimetres(name: str) -> bytes:
    rulings = np.zeros((900, 900), np.float32)
    rulings[::9] = rulings[:, ::9] = 0.5
    rulings[::45] = rulings[:, ::45] = 1
    return _on(sheet_of(name, (900, 900), 5), rulings, (0.95, 0.75, 0.6))


def _three_ways(name: str) -> bytes:
    """Isometric paper."""
    rulings = np.zeros((900, 900), np.float32)
    for degrees in (30, 90, 150):
        along = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
        for away in range(-900, 1900, 45):
            middle = np.array([-along[1], along[0]]) * away + 450
            start, end = ((middle + way * 2000 * along).round().astype(int).tolist() for way in (-1, 1))
            cv2.line(rulings, start, end, 1.0, 1, cv2.LINE_AA)
    return _on(sheet_of(name, (900, 900), 5), rulings, (0.7, 0.82, 0.9))


def _strip(name: str) -> bytes:
    sheet = sheet_of(name, (120, 1000), 3, (40, 10, 100))
    return photo_of(page_of(sheet), sheet.random, 0.006, 0.5)


PICTURES: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "a finger": ("shoe", lambda n: _held(n, [_finger(20, 500, -20)], SKIN)),
    "two fingers": ("face", lambda n: _held(n, [_finger(880, 600, 200), _finger(10, 620, -10)], SKIN, "vignette")),
    "a dark finger": ("bag", lambda n: _held(n, [_finger(880, 600, 200)], BROWN_SKIN)),
    "a pen at the edge": ("shoe", lambda n: _held(n, [[(850, 0), (900, 0), (900, 640), (870, 690), (850, 640)]], BLUE)),
    "black beyond the sheet": ("face", lambda n: _beyond(n, right=80)),
    "black beyond two sides": ("bag", lambda n: _beyond(n, right=90, bottom=120)),
    "black all around": ("shoe", lambda n: _beyond(n, left=50, top=60, right=80, bottom=100)),
    "black round a circle": ("face", _through_a_hole),
    "spiral": ("bag", _bound),
    "punched": ("shoe", _punched),
    "printed box": ("face", _boxed),
    "whiteboard with its frame": ("bag", _whiteboard),
    "yellow note on a white table": ("shoe", lambda n: _lying(n, (0.1, 0.15, 0.5), (1.0, 0.92, 0.35), 0.92)),
    "black paper on a table": ("face", lambda n: _lying(n, (0.95, 0.95, 0.9), (0.08, 0.08, 0.09), 0.75)),
    "millimetre paper": ("bag", _millimetres),
    "isometric paper": ("shoe", _three_ways),
    "strip": ("face", _strip),
}
