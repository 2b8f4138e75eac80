"""Examples of drawings that work."""

from __future__ import annotations

import time

import numpy as np
import pytest

from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.panels.drawing.examples import LINES, example
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.sketch.raster import rasterize
from tests.pad_desk import Plain, event
from tests.screen import find


def shipped() -> ModelConfig:
    return read_config(find_model("default"))


def test_each_class_of_the_shipped_model_has_one() -> None:
    assert set(LINES) == set(shipped().classes)
    for name in LINES:
        drawing = example(name)
        assert 2 <= len(drawing) <= 12, "few strokes, as a person would draw"
        points = np.concatenate([stroke.points[:, :2] for stroke in drawing.strokes])
        assert points.min() >= 0
        assert points.max() <= 1
        assert 0.01 < (rasterize(drawing, 64, fit=True) < 128).mean() < 0.25, name
    assert example("ball") is None


class Knows(Plain):
    classes = ("ball", "sock")


@pytest.fixture
def pad() -> SketchPad:
    made = SketchPad(Knows())
    assert made.wait(10)
    yield made
    made.close()


def test_an_example_is_drawn_stroke_by_stroke_and_can_be_taken_over(pad: SketchPad) -> None:
    assert find(pad, "Show me").disabled, "there is none of a ball"
    pad.label = "sock"
    find(pad, "Show me").click()
    wait_for(lambda: len(pad.drawing) == 1)
    wait_for(lambda: pad.drawing == example("sock"))
    assert pad.wait(10)
    assert pad.image is not None
    find(pad, "Undo").click()
    assert len(pad.drawing) == len(example("sock")) - 1


def test_a_stroke_of_ones_own_ends_the_example(pad: SketchPad) -> None:
    pad.label = "sock"
    find(pad, "Show me").click()
    wait_for(lambda: len(pad.drawing) >= 1)
    event(pad, "mouse_down", 0.5, 0.5)
    time.sleep(1.0)
    event(pad, "mouse_up")
    count = len(pad.drawing)
    time.sleep(1.0)
    assert len(pad.drawing) == count < len(example("sock")) + 1


def wait_for(holds: object) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
