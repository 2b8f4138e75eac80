from __future__ import annotations

import base64
import io
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image

from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.base.result import Result
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.store import build_networks, save_model
from edgegan_widget.panels.drawing.pad import CANVAS_PX
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.modulated import saved_modulated


class Plain:
    """An engine behind the same seam whose picture says what it was asked: class, seed and ink as colours."""

    classes = ("ball", "box")
    size_px = sketch_px = 64
    alpha = False
    device_name = "test device"

    def __init__(self) -> None:
        self.calls: list[tuple[str, int | None, int]] = []
        self.go = threading.Event()
        self.go.set()
        self.broken = False

    def generate(self, sketch: np.ndarray, label: str, *, seed: int | None = None, variations: int = 1) -> Result:
        assert self.go.wait(10)
        if self.broken:
            raise RuntimeError("the model broke")
        self.calls.append((label, seed, variations))
        colour = (self.classes.index(label) * 100, (seed or 0) % 256, int(255 - sketch.mean()))
        images = np.tile(np.array(colour, np.uint8), (variations, 64, 64, 1))
        return Result(images, np.repeat(sketch[None], variations, 0), np.zeros((variations, 100), np.float32), 1.0)


@pytest.fixture
def engine() -> Plain:
    return Plain()


@pytest.fixture
def pad(engine: Plain) -> Iterator[SketchPad]:
    made = SketchPad(engine)
    assert made.wait(10)
    yield made
    made.close()


def draw(pad: SketchPad, *points: tuple[float, float]) -> None:
    for number, (x, y) in enumerate(points):
        kind = "mouse_move" if number else "mouse_down"
        pad._pad._canvas._handle_frontend_event(None, {"event": kind, "x": x * CANVAS_PX, "y": y * CANVAS_PX}, [])
    pad._pad._canvas._handle_frontend_event(None, {"event": "mouse_up", "x": 0, "y": 0}, [])
    assert pad.wait(10)


def shown(pad: SketchPad) -> tuple[int, ...]:
    """Colour of the picture on the page."""
    return Image.open(io.BytesIO(pad._view._picture.value)).getpixel((3, 3))


def complaint(pad: SketchPad) -> str:
    return re.sub("<[^>]+>", "", pad._view._error.value)


def test_nothing_drawn(pad: SketchPad) -> None:
    assert pad.image is None
    assert pad.result is None
    assert not pad.drawing
    assert (pad.sketch == 255).all()
    assert shown(pad) == (255, 255, 255)
    assert "Ready on test device" in pad._view._status.value


def test_a_stroke_shows_a_picture(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert pad.image is not None
    assert shown(pad) == tuple(pad.image[3, 3])
    assert engine.calls[-1] == ("ball", None, 1)


def test_another_class_changes_the_picture_and_undo_restores_it(pad: SketchPad) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    first = shown(pad)
    pad.label = "box"
    assert pad.wait(10)
    assert shown(pad)[0] == 100
    pad.label = "ball"
    draw(pad, (0.8, 0.2), (0.2, 0.8))
    assert shown(pad) != first
    pad._pad.undo()
    assert pad.wait(10)
    assert shown(pad) == first


def test_clearing_shows_paper_even_while_a_picture_is_under_way(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    engine.go.clear()
    pad._ask()
    pad._pad.clear()
    engine.go.set()
    assert pad.wait(10)
    assert shown(pad) == (255, 255, 255)
    assert pad.image is None


def test_seed_and_variations(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    pad._view._seed.value = 17
    pad._view._seeded.value = True
    pad._view._variations.value = 4
    assert pad.wait(10)
    assert engine.calls[-1] == ("ball", 17, 4)
    assert len(pad._view._others.children) == 3
    pad._view._throw()
    assert pad.wait(10)
    assert engine.calls[-1][1] == pad._view._seed.value


def test_while_the_pen_is_down_one_picture_is_drawn(pad: SketchPad, engine: Plain) -> None:
    pad._view._variations.value = 8
    engine.calls.clear()
    event = {"event": "mouse_down", "x": 100, "y": 100}
    pad._pad._canvas._handle_frontend_event(None, event, [])
    assert pad.wait(10)
    assert [call[2] for call in engine.calls] == [1]
    pad._pad._canvas._handle_frontend_event(None, {"event": "mouse_up", "x": 0, "y": 0}, [])
    assert pad.wait(10)
    assert engine.calls[-1][2] == 8


def test_history_brings_back_drawing_class_and_seed(pad: SketchPad) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    first = pad.drawing
    pad._view.choose("box", 9)
    draw(pad, (0.5, 0.2), (0.2, 0.8))
    assert len(pad._view._history.children) == 2
    oldest = pad._view._history.children[-1]
    oldest.children[1].click()
    assert pad.wait(10)
    assert pad.drawing == first
    assert (pad.label, pad._view.seed) == ("ball", None)
    pad._pad.undo()
    assert len(pad.drawing) == 2, "going back is a step that undo takes back"


def test_an_error_is_shown_and_the_pad_goes_on(pad: SketchPad, engine: Plain) -> None:
    engine.broken = True
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert "the model broke" in complaint(pad)
    engine.broken = False
    draw(pad, (0.3, 0.2), (0.2, 0.8))
    assert complaint(pad) == ""
    assert len(pad.drawing) == 2


@pytest.mark.parametrize(
    ("kind", "start"), [("png", b"\x89PNG"), ("both", b"\x89PNG"), ("svg", b"<svg"), ("json", b"{")]
)
def test_saving(pad: SketchPad, kind: str, start: bytes) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    pad._view._save(kind)
    link = re.search(r'download="([^"]+)" href="data:[^;]+;base64,([^"]+)"', pad._view._download.value)
    assert link is not None
    assert link[1].startswith("ball")
    content = base64.b64decode(link[2])
    assert content.startswith(start)
    if kind == "json":
        assert Drawing.from_json(content) == pad.drawing
    if kind == "both":
        assert Image.open(io.BytesIO(content)).size == (1024, 512)


def test_there_is_nothing_to_save_from_an_empty_pad(pad: SketchPad) -> None:
    with pytest.raises(ConfigError, match="nothing to save yet; draw something first"):
        pad._view._save("png")


def test_a_drawing_set_by_code_is_drawn(pad: SketchPad, engine: Plain) -> None:
    pad.drawing = Drawing().add(Stroke.make([(0.1, 0.1), (0.9, 0.1)], 0.02))
    assert pad.wait(10)
    assert pad.image is not None
    assert pad.drawing.can_undo


def test_unknown_model_and_class(engine: Plain) -> None:
    with pytest.raises(ModelError, match="no model called"):
        SketchPad("nothing")
    with pytest.raises(ConfigError, match="this model knows ball, box"):
        SketchPad(engine, label="cow")


def test_it_shows_the_style_and_the_browsers_side_with_itself(pad: SketchPad, monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[object] = []
    monkeypatch.setattr("edgegan_widget.panels.frame.display", displayed.append)
    bundle = pad._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in str(bundle)
    assert "<script>" in displayed[0].data
    assert "cdn" not in displayed[0].data


def test_the_shipped_model_behind_the_pad() -> None:
    pad = SketchPad(device="cpu")
    assert pad.label == "sneaker"
    draw(pad, (0.1, 0.6), (0.1, 0.4), (0.5, 0.45), (0.9, 0.6), (0.1, 0.6))
    assert pad.wait(60)
    assert pad.image is not None
    assert pad.image.std() > 5, "a picture, not a plain area"
    pad.close()


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """A model folder of boxes and mugs with random weights, of 128 pixels."""
    config = ModelConfig(("box", "mug"), "compact", size_px=128, style_size=16, width=4, edge_channels=1)
    save_model(tmp_path / "mugs", build_networks(config))
    return tmp_path / "mugs"


def test_another_model_takes_over_what_is_drawn(pad: SketchPad, other_model: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    pad.label = "box"
    pad.use_model(other_model)
    assert pad.wait(60)
    assert complaint(pad) == ""
    assert pad.label == "box", "the chosen class stays where the model knows it"
    assert [value for _, value in pad._view._class.options] == ["box", "mug"]
    assert pad.sketch.shape == (128, 128)
    assert pad.image is not None
    assert pad.image.shape == (128, 128, 3)
    assert "model mugs" in pad._view._status.value
    pad.label = "mug"
    assert pad.wait(60)
    assert complaint(pad) == ""


def test_a_class_that_the_new_model_does_not_know_gives_way(pad: SketchPad, other_model: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert pad.label == "ball"
    pad.use_model(other_model)
    assert pad.label == "box"
    assert pad.wait(60)
    pad._view._history.children[-1].children[1].click()
    assert "this model knows box, mug" in complaint(pad), "the history may hold classes of the model before"


def test_a_model_that_cannot_be_used_changes_nothing(pad: SketchPad, engine: Plain) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    with pytest.raises(ModelError, match="no model called"):
        pad.use_model("nothing")
    pad.label = "box"
    assert pad.wait(10)
    assert engine.calls[-1][0] == "box"


def test_a_model_whose_weights_are_broken_gives_way_to_the_one_before(
    pad: SketchPad, engine: Plain, other_model: Path
) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    weights = next(other_model.glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-100])
    pad.use_model(other_model)
    assert pad.wait(60)
    assert complaint(pad)
    assert [value for _, value in pad._view._class.options] == ["ball", "box"]
    draw(pad, (0.2, 0.8), (0.8, 0.2))
    assert complaint(pad) == ""
    assert engine.calls[-1][0] == pad.label


def test_a_picture_of_the_model_before_is_not_shown(pad: SketchPad, engine: Plain, other_model: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    engine.go.clear()
    pad._ask()
    while pad._worker._mailbox:
        time.sleep(0.01)
    pad.use_model(other_model)
    engine.go.set()
    assert pad.wait(60)
    assert pad.image is not None
    assert pad.image.shape == (128, 128, 3)


# A picture larger than its sketch, with alpha ------------------------------------------------------------------------


def saved(pad: SketchPad, kind: str) -> tuple[str, bytes]:
    """Name and content of what the button for ``kind`` gives to save."""
    next(one for one in buttons(pad._view) if f"eg-save-{kind}" in one._dom_classes).click()
    link = pad._view._download.value
    found = re.search(r'download="([^"]+)" href="data:[^;]+;base64,([^"]+)"', link)
    assert found is not None, complaint(pad)
    return found[1], base64.b64decode(found[2])


def buttons(widget: widgets.Widget) -> Iterator[widgets.Button]:
    if isinstance(widget, widgets.Button):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from buttons(child)


def test_a_model_whose_picture_is_larger_than_its_sketch(pad: SketchPad, tmp_path: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    transparent = pad._view._transparent
    assert transparent.disabled
    assert "has no transparent picture" in transparent.tooltip
    pad.use_model(saved_modulated(tmp_path / "large"))
    pad._view._variations.value = 2
    assert pad.wait(60)
    assert complaint(pad) == ""
    assert (pad.sketch.shape, pad.image.shape) == ((64, 64), (128, 128, 3))
    assert opened(pad._view._picture.value).size == (128, 128)
    assert opened(pad._view._edge.value).size == (64, 64)
    assert len(pad._view._history.children) == 1
    assert not transparent.disabled
    name, content = saved(pad, "transparent")
    assert name == "ball_transparent.png"
    assert np.array_equal(np.asarray(opened(content)), pad.result.rgba[0])
    name, content = saved(pad, "png")
    assert np.array_equal(np.asarray(opened(content)), pad.image)
    assert opened(saved(pad, "both")[1]).size == (1024, 512)


def test_a_model_without_alpha_takes_the_choice_away_again(pad: SketchPad, other_model: Path, tmp_path: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    pad.use_model(saved_modulated(tmp_path / "large"))
    assert not pad._view._transparent.disabled
    pad.use_model(other_model)
    assert pad._view._transparent.disabled
    assert pad.wait(60)


def test_a_loaded_engine_with_alpha(tmp_path: Path) -> None:
    made = SketchPad(EdgeGAN.from_pretrained(saved_modulated(tmp_path / "large"), device="cpu"))
    assert not made._view._transparent.disabled
    draw(made, (0.2, 0.2), (0.8, 0.8))
    assert made.result.alpha is not None
    made.close()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))
