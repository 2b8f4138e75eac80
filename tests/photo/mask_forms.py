"""The mask of one ball in the forms in which programs and people save masks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 120, 90
BALL = (20, 15, 80, 75)


def ball() -> np.ndarray:
    plane = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(plane).ellipse(BALL, 255)
    return np.asarray(plane)


def photo() -> Image.Image:
    """A red ball with a dark rim and a yellow window, on a wall."""
    picture = Image.fromarray(np.tile(np.linspace(90, 200, WIDTH, dtype=np.uint8)[None, :, None], (HEIGHT, 1, 3)))
    draw = ImageDraw.Draw(picture)
    draw.ellipse(BALL, (200, 60, 40), (60, 20, 10), 4)
    draw.rectangle((40, 30, 60, 60), (240, 220, 60), (30, 30, 30), 3)
    return picture


def indexed(number: int, palette: dict[int, tuple[int, int, int]]) -> Image.Image:
    picture = Image.fromarray(((ball() > 0) * number).astype(np.uint8)).convert("P")
    picture.putpalette([part for index in range(256) for part in palette.get(index, (0, 0, 0))])
    return picture


def coloured(inside: tuple[int, int, int], around: tuple[int, int, int]) -> Image.Image:
    return Image.fromarray(np.where(ball()[..., None] > 0, np.uint8(inside), np.uint8(around)))


def with_alpha(picture: Image.Image) -> Image.Image:
    picture.putalpha(Image.fromarray(ball()))
    return picture


def shaded(picture: Image.Image, alpha: int) -> Image.Image:
    picture.putalpha(alpha)
    return picture


def overlay(alpha: int) -> Image.Image:
    """A labelling program's: red all over, and weakly opaque where the object is."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "red")
    picture.putalpha(Image.fromarray((ball() > 0) * np.uint8(alpha)))
    return picture


LOSSY: dict[str, Callable[[], Image.Image]] = {  # as above, but for pixels at the edge
    "light.jpg": lambda: Image.fromarray(ball()),
    "0 and 1.jpg": lambda: Image.fromarray((ball() > 0).astype(np.uint8)),
    "the number of a class.jpg": lambda: Image.fromarray((ball() > 0) * np.uint8(15)),
    "colour of a class.jpg": lambda: coloured((128, 0, 0), (0, 0, 0)),
    "colour on white.jpg": lambda: coloured((200, 0, 0), (255, 255, 255)),
    "two colours.jpg": lambda: coloured((128, 0, 0), (0, 164, 0)),
    "nearly grey.webp": lambda: Image.fromarray(ball()).convert("RGB"),
    "soft colour.png": lambda: soft((128, 0, 0), (20, 30, 200)),
}


def soft(inside: tuple[int, int, int], around: tuple[int, int, int]) -> Image.Image:
    """A mask in colours whose edge is smooth."""
    share = np.asarray(Image.fromarray(ball()).filter(ImageFilter.GaussianBlur(1)))[..., None] / 255
    return Image.fromarray((share * inside + (1 - share) * around).astype(np.uint8))


FORMS: dict[str, Callable[[], Image.Image]] = {
    "255.png": lambda: Image.fromarray(ball()),
    "of one bit.png": lambda: Image.fromarray(ball()).convert("1"),
    "0 and 1.png": lambda: Image.fromarray((ball() > 0).astype(np.uint8)),
    "16 bits.png": lambda: Image.fromarray((ball() > 0).astype(np.uint16) * np.uint16(65535)),
    "fractions.tif": lambda: Image.fromarray((ball() > 0).astype(np.float32)),
    "palette of classes.png": lambda: indexed(1, {1: (128, 0, 0)}),
    "palette whose ground is white.png": lambda: indexed(7, {0: (255, 255, 255), 7: (30, 30, 30)}),
    "dark colour on black.png": lambda: coloured((0, 0, 90), (0, 0, 0)),
    "dark colour on white.png": lambda: coloured((128, 0, 0), (255, 255, 255)),
    "two colours.png": lambda: coloured((128, 0, 0), (0, 164, 0)),
    "alpha of a photo.png": lambda: with_alpha(photo()),
    "alpha of white.png": lambda: with_alpha(Image.new("RGB", (WIDTH, HEIGHT), "white")),
    "0 and 1 in three channels.png": lambda: Image.fromarray((ball() > 0).astype(np.uint8)).convert("RGB"),
    "0 and 1 with an idle alpha.png": lambda: Image.fromarray((ball() > 0).astype(np.uint8)).convert("LA"),
    "dark colour with an idle alpha.png": lambda: coloured((0, 0, 90), (0, 0, 0)).convert("RGBA"),
    "half opaque everywhere.png": lambda: shaded(coloured((255, 255, 255), (0, 0, 0)), 128),
    "grey as light as an overlay.png": lambda: Image.fromarray((ball() > 0) * np.uint8(200)),
    "faint overlay.png": lambda: overlay(100),
    "alpha of black.png": lambda: with_alpha(Image.new("RGB", (WIDTH, HEIGHT))),
}
