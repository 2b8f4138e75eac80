"""A pad without a browser and without a model: what draws for it, and how a pen and a page reach it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from ipycanvas import Canvas

from edgegan_widget.base.result import Asked, Result, Style, variation_seed
from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.drawing.pad import CANVAS_PX
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from tests.screen import part, read, styled


class Plain:
    """An engine behind the same seam whose picture says what it was asked: class, seed and ink as colours."""

    classes = ("ball", "box")
    size_px = sketch_px = 64
    alpha = False
    device_name = "test device"

    def __init__(self) -> None:
        self.calls: list[tuple[str, int | None, int]] = []
        self.asked_styles: list[int | str | None] = []
        self.known_styles: tuple[Style, ...] = ()
        self.go = threading.Event()
        self.go.set()
        self.broken = False
        self.waiting = 0  # calls that began

    def styles(self, label: str) -> tuple[Style, ...]:
        return self.known_styles

    def generate(
        self,
        sketch: np.ndarray,
        label: str,
        *,
        seed: int | None = None,
        variations: int = 1,
        style: int | str | None = None,
    ) -> Result:
        self.waiting += 1
        assert self.go.wait(10)
        if self.broken:
            raise RuntimeError("the model broke")
        self.calls.append((label, seed, variations))
        self.asked_styles.append(style)
        seeds = [(variation_seed(seed, number) or 0) % 256 for number in range(variations)]
        colours = [(self.classes.index(label) * 100, blue, int(255 - sketch.mean())) for blue in seeds]
        images = np.tile(np.array(colours, np.uint8)[:, None, None], (1, 64, 64, 1))
        return Result(images, np.repeat(sketch[None], variations, 0), np.zeros((variations, 100), np.float32), 1.0)

    can_guess = True

    def guess(self, sketch: np.ndarray) -> list[tuple[str, float]]:
        upper = float((sketch[:32] < 128).sum() / max((sketch < 128).sum(), 1))
        return sorted([("ball", upper), ("box", 1 - upper)], key=lambda one: -one[1])

    def approach(self, sketch: np.ndarray, label: str, first: Result, closeness: float) -> Iterator[Result]:
        for step in range(1, 4):
            assert self.go.wait(10)
            self.waiting += 1
            yield replace(first, images=first.images + np.uint8(step * closeness * 4))

    def interpolate(self, start: Asked, end: Asked, frames: int) -> Result:
        first, last = (self.generate(one.sketch, one.label, seed=one.seed).images[0] for one in (start, end))
        share = np.linspace(0, 1, frames)[:, None, None, None]
        images = (first * (1 - share) + last * share).astype(np.uint8)
        return Result(images, images[..., 0], np.zeros((frames, 100), np.float32), 1.0)


def event(pad: SketchPad, kind: str, x: float = 0, y: float = 0) -> None:
    part(pad, Canvas)._handle_frontend_event(None, {"event": kind, "x": x * CANVAS_PX, "y": y * CANVAS_PX}, [])


def draw(pad: SketchPad, *points: tuple[float, float]) -> None:
    for number, (x, y) in enumerate(points):
        event(pad, "mouse_move" if number else "mouse_down", x, y)
    event(pad, "mouse_up")
    assert pad.wait(60)


def complaint(pad: SketchPad) -> str:
    return " ".join(read(line) for line in styled(pad, "eg-status") if "eg-error" in line.value)


def tell(pad: SketchPad, **message: object) -> None:
    """A message of the browser's."""
    part(pad, BrowserSide).hear(None, message, [])
