"""Pictures of known drawings as people take them: scans, photos, screenshots. All made by code, the same every time."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke

F = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]


def _arc(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360) -> list[tuple[float, float]]:
    angle = np.radians(np.linspace(start, end, 40))
    return list(zip((x + rx * np.cos(angle)).tolist(), (y + ry * np.sin(angle)).tolist()))


SHOE = (
    [(0.08, 0.62), (0.10, 0.40), (0.20, 0.36), (0.33, 0.44), (0.45, 0.50), (0.62, 0.55), (0.80, 0.58), (0.91, 0.64),
     (0.92, 0.72), (0.08, 0.72), (0.08, 0.62)],
    [(0.08, 0.66), (0.92, 0.68)], [(0.30, 0.50), (0.38, 0.44)], [(0.36, 0.53), (0.44, 0.47)],
    [(0.20, 0.36), (0.24, 0.50), (0.30, 0.62)],
)  # fmt: skip
FACE = (
    _arc(0.5, 0.5, 0.4, 0.42), _arc(0.36, 0.42, 0.06, 0.06), _arc(0.64, 0.42, 0.06, 0.06),
    _arc(0.5, 0.6, 0.2, 0.14, 20, 160), [(0.5, 0.45), (0.46, 0.58), (0.52, 0.58)],
)  # fmt: skip
BAG = (
    [(0.2, 0.42), (0.8, 0.42), (0.9, 0.86), (0.1, 0.86), (0.2, 0.42)], _arc(0.5, 0.42, 0.18, 0.28, 180, 360),
    [(0.16, 0.6), (0.84, 0.6)], _arc(0.5, 0.64, 0.05, 0.05),
)  # fmt: skip
DRAWINGS = {"shoe": SHOE, "face": FACE, "bag": BAG}


@dataclass
class Sheet:
    """A page with a drawing on it: ``ink`` is 1 where the pen went, ``paper`` the page's colour in [0, 1]."""

    ink: F
    random: np.random.Generator

    @property
    def shape(self) -> tuple[int, int]:
        return self.ink.shape[0], self.ink.shape[1]


def sheet_of(
    name: str, size: tuple[int, int] = (600, 600), width: float = 5, place: tuple[float, float, float] | None = None
) -> Sheet:
    """A drawing on a page of (height, width); ``place``: left, top and side in pixels, or filling it."""
    high, wide = size
    left, top, side = place or ((wide - 0.9 * min(size)) / 2, (high - 0.9 * min(size)) / 2, 0.9 * min(size))
    ink = np.zeros(size, np.uint8)
    for line in DRAWINGS[name]:
        points = np.round((np.array(line) * side + (left, top)) * 16).astype(np.int32)
        cv2.polylines(ink, [points], False, 255, max(round(width), 1), cv2.LINE_AA, 4)
    return Sheet(ink.astype(np.float32) / 255, np.random.default_rng(len(name) * 7 + high))


INK, WHITE = (0.1, 0.1, 0.12), (0.97, 0.97, 0.96)


def page_of(sheet: Sheet, pen: tuple[float, ...] = INK, paper: tuple[float, ...] = WHITE) -> F:
    ink = sheet.ink[..., None]
    return np.asarray(ink * np.array(pen, np.float32) + (1 - ink) * np.array(paper, np.float32))


def _u8(page: F) -> U8:
    return np.clip(np.round(page * 255), 0, 255).astype(np.uint8)


def png_of(page: npt.NDArray[np.generic], mode: str | None = None) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(page, mode).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def photo_of(page: F, random: np.random.Generator, grain: float = 0.012, blur: float = 0.8, quality: int = 88) -> bytes:
    page = cv2.GaussianBlur(page, (0, 0), blur) + grain * random.standard_normal(page.shape, np.float32)
    stream = io.BytesIO()
    Image.fromarray(_u8(page)).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _grid(shape: tuple[int, int]) -> tuple[F, F]:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return x / shape[1], y / shape[0]


def _soft(value: F, wide: float) -> F:
    return np.asarray(1 / (1 + np.exp(-np.clip(value / wide, -30, 30))))


def lit(kind: str, shape: tuple[int, int]) -> F:
    """Light on a page, [H, W, 1]."""
    x, y = _grid(shape)
    lights = {
        "gradient": lambda: 1 - 0.6 * x,
        "corner": lambda: 1 - 0.65 * np.hypot(x, y) / 1.42,
        "vignette": lambda: 1 - 1.1 * ((x - 0.5) ** 2 + (y - 0.5) ** 2),
        "lamp": lambda: 0.35 + 0.65 * np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) / 0.12),
        "shadow": lambda: 1 - 0.5 * _soft(x + y - 1, 0.01),
        "soft shadow": lambda: 1 - 0.6 * _soft(x - 0.6 * y - 0.2, 0.06),
        "hand": lambda: 1 - 0.55 * _soft(0.25 - np.hypot(x - 0.8, y - 0.75), 0.03),
        "bars": lambda: 1 - 0.4 * _soft(np.sin(9 * x + 2 * y) - 0.2, 0.1),
        "two": lambda: (1 - 0.35 * _soft(x - 0.5, 0.01)) * (1 - 0.35 * _soft(y - 0.55, 0.02)),
        "dim": lambda: 0.22 + 0.1 * x,
    }
    return np.asarray(lights[kind]()[..., None], np.float32)


def _light(name: str, kind: str, **pens: tuple[float, ...]) -> bytes:
    sheet = sheet_of(name, (700, 800), 4)
    return photo_of(page_of(sheet, **pens) * lit(kind, sheet.shape), sheet.random)


def _wood(shape: tuple[int, int], random: np.random.Generator, dark: float) -> F:
    rows = cv2.GaussianBlur(random.standard_normal(shape, np.float32), (0, 0), sigmaX=40, sigmaY=1.5)
    return np.asarray((dark + 0.9 * rows[..., None]) * np.array([1.1, 0.8, 0.55], np.float32))


def _on_table(
    name: str, corners: list[tuple[int, int]], dark: float = 0.25, wood: bool = False, light: str | None = None
) -> bytes:
    return lying(sheet_of(name, (600, 560), 4), corners, dark, wood, light)


def lying(
    sheet: Sheet, corners: list[tuple[int, int]], dark: float, wood: bool = False, light: str | None = None
) -> bytes:
    """A sheet on a table, its corners seen there."""
    shape, random = (700, 900), sheet.random
    table = _wood(shape, random, dark) if wood else np.full((*shape, 3), dark, np.float32)
    matrix = cv2.getPerspectiveTransform(
        np.array([(0, 0), (560, 0), (560, 600), (0, 600)], np.float32), np.array(corners, np.float32)
    )
    lies = cv2.warpPerspective(np.ones(sheet.shape, np.float32), matrix, (900, 700))[..., None]
    photo = table * (1 - lies) + cv2.warpPerspective(page_of(sheet), matrix, (900, 700)) * lies
    return photo_of(photo * (lit(light, shape) if light else 1), random)


def _frame(name: str, thick: int, inset: int = 0, pen: float = 0.0) -> bytes:
    page = page_of(sheet_of(name))
    for near in range(inset, inset + thick):
        page[near, inset : 600 - inset] = page[599 - near, inset : 600 - inset] = pen
        page[inset : 600 - inset, near] = page[inset : 600 - inset, 599 - near] = pen
    return png_of(_u8(page))


def _scan(name: str, sides: str, thick: int = 14) -> bytes:
    sheet = sheet_of(name, (900, 640), 4)
    page = page_of(sheet)
    x, y = _grid(sheet.shape)
    wedge = {"right": 1 - x - 0.01 * y, "left": x - 0.008 * y, "top": (y - 0.006 * x) * 1.4, "bottom": (1 - y) * 1.4}
    for side in sides.split():
        page = page * (1 - 0.95 * _soft(thick / 640 - wedge[side], 0.002))[..., None]
    return photo_of(page, sheet.random, 0.006, 0.5)


def _alpha(name: str, pen: tuple[int, int, int], most: float = 1.0, size: int = 500) -> bytes:
    sheet = sheet_of(name, (size, size), max(size / 100, 2))
    whole = np.zeros((size, size, 4), np.uint8)
    whole[..., :3], whole[..., 3] = pen, np.round(sheet.ink * 255 * most)
    return png_of(whole)


def _cut_out_sheet(name: str) -> bytes:
    """A sheet with transparency around it."""
    sheet = sheet_of(name, (500, 500))
    whole = np.zeros((620, 620, 4), np.uint8)
    whole[60:560, 60:560, :3], whole[60:560, 60:560, 3] = _u8(page_of(sheet)), 255
    return png_of(whole)


def _palette(name: str) -> bytes:
    """White lines on nothing, as a GIF has it."""
    sheet = sheet_of(name, (400, 400))
    picture = Image.fromarray((sheet.ink > 0.5).astype(np.uint8), "P")
    picture.putpalette([0, 0, 0, 255, 255, 255] + [0] * 762)
    stream = io.BytesIO()
    picture.save(stream, "GIF", transparency=0)
    return stream.getvalue()


def _colours(name: str, pens: list[tuple[float, ...]], paper: tuple[float, ...] = (1.0, 1.0, 1.0)) -> bytes:
    page = np.ones((600, 600, 3), np.float32) * np.array(paper, np.float32)
    for number, line in enumerate(DRAWINGS[name]):
        ink = np.zeros((600, 600), np.uint8)
        cv2.polylines(ink, [np.round(np.array(line) * 540 + 30).astype(np.int32)], False, 255, 5, cv2.LINE_AA)
        share = ink[..., None].astype(np.float32) / 255
        page = page * (1 - share) + np.array(pens[number % len(pens)], np.float32) * share
    return png_of(_u8(page))


def _inverted(name: str, side: int, width: float) -> bytes:
    return png_of(_u8(sheet_of(name, (side, side), width).ink))


def _deep(name: str, top: int, light: str | None = None, kind: str = "PNG") -> bytes:
    """A scan of more than 8 bits: its values go up to ``top`` of 65535."""
    sheet = sheet_of(name, (700, 560), 4)
    page = page_of(sheet)[..., 0] * (lit(light, sheet.shape)[..., 0] if light else 1)
    page = page + 0.008 * sheet.random.standard_normal(page.shape, np.float32)
    stream = io.BytesIO()
    Image.fromarray(np.clip(page * top, 0, top).astype(np.uint16)).save(stream, kind)
    return stream.getvalue()


def _deep_colours(name: str, top: int) -> bytes:
    page = page_of(sheet_of(name, (500, 500), 4), pen=(0.1, 0.2, 0.6))
    done, content = cv2.imencode(".png", np.round(page[..., ::-1] * top).astype(np.uint16))
    assert done
    return bytes(content)


def _ruled(
    name: str, squared: bool, shade: tuple[float, ...] = (0.7, 0.8, 0.95), lean: float = 0.0, light: str | None = None,
    pen: tuple[float, ...] = (0.1, 0.1, 0.12), every: int = 34,
) -> bytes:  # fmt: skip
    sheet = sheet_of(name, (900, 700), 5)
    rulings = np.zeros(sheet.shape, np.uint8)
    rulings[40::every] = rulings[41::every] = 255
    if squared:
        rulings[:, 20::every] = rulings[:, 21::every] = 255
    else:
        rulings[:, 90:92] = 255
    if lean:
        matrix = cv2.getRotationMatrix2D((350, 450), lean, 1.1)
        rulings = cv2.warpAffine(rulings, matrix, (700, 900))
        sheet = Sheet(cv2.warpAffine(sheet.ink, matrix, (700, 900)), sheet.random)
    share = rulings[..., None].astype(np.float32) / 255
    paper = (1 - share) * np.array((0.97, 0.97, 0.95), np.float32) + share * np.array(shade, np.float32)
    ink = sheet.ink[..., None]
    page = ink * np.array(pen, np.float32) + (1 - ink) * paper
    return photo_of(page * (lit(light, sheet.shape) if light else 1), sheet.random, 0.008, 0.6)


def _corner(name: str, size: tuple[int, int], place: tuple[float, float, float], width: float = 3) -> bytes:
    return png_of(_u8(1 - 0.95 * sheet_of(name, size, width, place).ink))


def _shining_through(name: str) -> bytes:
    """With the drawing on the other side of the paper."""
    sheet = sheet_of(name, (700, 700), 5)
    behind = sheet_of("bag", (700, 700), 5).ink[:, ::-1, None]
    return photo_of(page_of(sheet) * (1 - 0.05 * behind), sheet.random, 0.006)


def _small_frame(name: str, side: int, thick: int) -> bytes:
    page = page_of(sheet_of(name, (side, side), 2))
    page[:thick] = page[-thick:] = page[:, :thick] = page[:, -thick:] = 0
    return png_of(_u8(page))


def _marker(name: str, light: str) -> bytes:
    sheet = sheet_of(name, (600, 600), 22)
    return photo_of(page_of(sheet) * lit(light, sheet.shape), sheet.random)


def _dots(name: str) -> bytes:
    sheet = sheet_of(name, (800, 800), 5)
    page = page_of(sheet)
    for shift in (0, 1):
        page[20 + shift :: 32, 20::32] *= 0.6
        page[20 + shift :: 32, 21::32] *= 0.6
    return photo_of(page, sheet.random, 0.006, 0.6)


def _dusty(name: str) -> bytes:
    sheet = sheet_of(name, (800, 800), 4)
    page = page_of(sheet)
    for y, x in sheet.random.integers(5, 795, (150, 2)):
        cv2.circle(page, (int(x), int(y)), 1, (0.5, 0.5, 0.5), -1)
    return photo_of(page, sheet.random, 0.01)


def _slate(name: str, paper: tuple[float, ...], pen: tuple[float, ...], light: str | None = None) -> bytes:
    sheet = sheet_of(name, (700, 800), 6)
    page = page_of(sheet, pen, paper) * (lit(light, sheet.shape) if light else 1)
    return photo_of(page, sheet.random, 0.015)


def _seen(turn: float, lean: float, away: float = 1.15, yaw: float = 0) -> list[tuple[int, int]]:
    """Corners of a 560x600 sheet seen by a camera with 900 pixels focal length; degrees turned and leant back."""
    corners = np.array([(-280, -300, 0), (280, -300, 0), (280, 300, 0), (-280, 300, 0)], float)
    a, b, c = np.radians([turn, lean, yaw])
    corners = corners @ np.array([(np.cos(a), np.sin(a), 0), (-np.sin(a), np.cos(a), 0), (0, 0, 1)])
    corners = corners @ np.array([(1, 0, 0), (0, np.cos(b), -np.sin(b)), (0, np.sin(b), np.cos(b))])
    corners = corners @ np.array([(np.cos(c), 0, np.sin(c)), (0, 1, 0), (-np.sin(c), 0, np.cos(c))])
    seen = corners[:, :2] / (corners[:, 2:] + 900 * away) * 900 + (450, 350)
    return [(round(x), round(y)) for x, y in seen.tolist()]


FLAT = _seen(2, 3, 1.1)
TURNED = _seen(14, 4, 1.3)
SEEN_ASLANT = _seen(4, 38, 1.2, 10)
RAINBOW = [(0.9, 0.1, 0.1), (1.0, 0.9, 0.1), (0.1, 0.7, 0.2), (0.1, 0.3, 0.9), (0.9, 0.5, 0.8)]

PICTURES: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "gradient": ("shoe", lambda n: _light(n, "gradient")),
    "dark corner": ("face", lambda n: _light(n, "corner")),
    "vignette": ("bag", lambda n: _light(n, "vignette")),
    "lamp": ("shoe", lambda n: _light(n, "lamp")),
    "hard shadow": ("face", lambda n: _light(n, "shadow")),
    "soft shadow": ("bag", lambda n: _light(n, "soft shadow")),
    "shadow of a hand": ("shoe", lambda n: _light(n, "hand")),
    "shadows of blinds": ("face", lambda n: _light(n, "bars")),
    "two shadows": ("bag", lambda n: _light(n, "two")),
    "dim room": ("shoe", lambda n: _light(n, "dim")),
    "warm light, pencil": ("face", lambda n: _light(n, "gradient", pen=(0.55, 0.5, 0.45), paper=(0.95, 0.85, 0.7))),
    "blue pen in shadow": ("bag", lambda n: _light(n, "shadow", pen=(0.1, 0.2, 0.7))),
    "dark table": ("shoe", lambda n: _on_table(n, FLAT)),
    "dark table, turned": ("face", lambda n: _on_table(n, TURNED)),
    "seen aslant": ("bag", lambda n: _on_table(n, SEEN_ASLANT)),
    "wooden table": ("shoe", lambda n: _on_table(n, TURNED, 0.45, wood=True)),
    "wooden table, aslant": ("face", lambda n: _on_table(n, SEEN_ASLANT, 0.35, wood=True)),
    "grey table": ("bag", lambda n: _on_table(n, FLAT, 0.6)),
    "table with a shadow": ("shoe", lambda n: _on_table(n, FLAT, 0.2, light="gradient")),
    "black frame": ("shoe", lambda n: _frame(n, 12)),
    "thin black frame": ("face", lambda n: _frame(n, 2)),
    "thick black frame": ("bag", lambda n: _frame(n, 24)),
    "frame a little inside": ("shoe", lambda n: _frame(n, 3, 10)),
    "grey frame": ("face", lambda n: _frame(n, 8, 0, 0.5)),
    "scanner edge right": ("bag", lambda n: _scan(n, "right")),
    "scanner edges": ("shoe", lambda n: _scan(n, "right bottom")),
    "scanner lid": ("face", lambda n: _scan(n, "left top bottom", 24)),
    "white on black 28": ("shoe", lambda n: _inverted(n, 28, 1)),
    "white on black 64": ("face", lambda n: _inverted(n, 64, 2)),
    "white on black 100": ("bag", lambda n: _inverted(n, 100, 2)),
    "white on black 1500": ("shoe", lambda n: _inverted(n, 1500, 9)),
    "blackboard": ("face", lambda n: _slate(n, (0.15, 0.2, 0.17), (0.85, 0.85, 0.8), "vignette")),
    "blueprint": ("bag", lambda n: _slate(n, (0.1, 0.2, 0.55), (0.8, 0.85, 0.95))),
    "yellow note": ("shoe", lambda n: _slate(n, (1.0, 0.9, 0.4), (0.2, 0.2, 0.4), "gradient")),
    "brown paper": ("face", lambda n: _slate(n, (0.6, 0.45, 0.3), (0.1, 0.08, 0.05))),
    "white ink on brown paper": ("bag", lambda n: _slate(n, (0.5, 0.38, 0.25), (0.95, 0.95, 0.92))),
    "black on nothing": ("shoe", lambda n: _alpha(n, (0, 0, 0))),
    "white on nothing": ("face", lambda n: _alpha(n, (255, 255, 255))),
    "red on nothing": ("bag", lambda n: _alpha(n, (230, 30, 30))),
    "faint white on nothing": ("shoe", lambda n: _alpha(n, (255, 255, 255), 0.3)),
    "white on nothing 64": ("face", lambda n: _alpha(n, (255, 255, 255), size=64)),
    "white on nothing, palette": ("bag", _palette),
    "sheet with nothing around": ("shoe", _cut_out_sheet),
    "coloured lines": ("shoe", lambda n: _colours(n, RAINBOW)),
    "yellow lines": ("face", lambda n: _colours(n, [(1.0, 0.92, 0.2)])),
    "pale lines": ("bag", lambda n: _colours(n, [(0.86, 0.86, 0.86)])),
    "pale and black lines": ("face", lambda n: _colours(n, [(0.0, 0.0, 0.0), (0.75, 0.75, 0.75)])),
    "colours on black": ("bag", lambda n: _colours(n, RAINBOW, (0.05, 0.05, 0.05))),
    "hairlines": ("face", lambda n: _corner(n, (3508, 2480), (300, 600, 1900), 1)),
    "small in a corner": ("shoe", lambda n: _corner(n, (2000, 1600), (1250, 1680, 260))),
    "small in the middle": ("face", lambda n: _corner(n, (1500, 2400), (1100, 700, 200), 2)),
    "12 bits": ("bag", lambda n: _deep(n, 4095)),
    "16 bits": ("shoe", lambda n: _deep(n, 65535)),
    "16 bits with a shadow": ("face", lambda n: _deep(n, 65535, "shadow")),
    "12 bits, TIFF": ("shoe", lambda n: _deep(n, 4095, "gradient", "TIFF")),
    "12 bits in colours": ("bag", lambda n: _deep_colours(n, 4095)),
    "lined paper": ("shoe", lambda n: _ruled(n, False)),
    "squared paper": ("face", lambda n: _ruled(n, True)),
    "squared paper, turned": ("bag", lambda n: _ruled(n, True, lean=2.5)),
    "lined paper in a shadow": ("face", lambda n: _ruled(n, False, light="soft shadow")),
    "dark squares": ("shoe", lambda n: _ruled(n, True, (0.5, 0.55, 0.6), every=45)),
    "lined, blue pen": ("bag", lambda n: _ruled(n, False, (0.75, 0.8, 0.85), pen=(0.15, 0.2, 0.6))),
    "squares as dark as the pen": ("shoe", lambda n: _ruled(n, True, (0.15, 0.15, 0.17), every=60)),
    "lines as dark as the pen": ("face", lambda n: _ruled(n, False, (0.15, 0.15, 0.17), every=60)),
    "shining through": ("shoe", _shining_through),
    "framed 64": ("shoe", lambda n: _small_frame(n, 64, 1)),
    "framed 100": ("face", lambda n: _small_frame(n, 100, 3)),
    "white table": ("shoe", lambda n: _on_table(n, TURNED, 0.84)),
    "marker in a shadow": ("bag", lambda n: _marker(n, "shadow")),
    "dotted paper": ("face", _dots),
    "dusty scan": ("bag", _dusty),
}  # fmt: skip


def truth(name: str) -> U8:
    """The sketch of a drawing as it was drawn."""
    strokes = tuple(stroke for line in DRAWINGS[name] if (stroke := Stroke.make(line, 0.02)) is not None)
    return rasterize(Drawing(strokes), fit=True)


def likeness(sketch: U8, wanted: U8) -> tuple[float, float]:
    """Precision and recall of a sketch's lines, within 2 pixels of 64."""
    a, b = sketch < 128, wanted < 128
    if not a.any():
        return 0.0, 0.0
    to_a, to_b = (cv2.distanceTransform((~each).astype(np.uint8), cv2.DIST_L2, 3) for each in (a, b))
    return float((to_b[a] <= 2).mean()), float((to_a[b] <= 2).mean())
