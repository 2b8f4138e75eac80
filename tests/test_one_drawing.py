from __future__ import annotations

import html
import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ipywidgets import Widget
from PIL import Image

from edgegan_widget.base.errors import DataError, ModelError
from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.networks.find import read_config
from edgegan_widget.panels.evaluation.models_choice import Chosen
from edgegan_widget.panels.evaluation.one_drawing import (
    LOOK_SECONDS,
    PAD,
    SKETCH_PX,
    Answer,
    OneDrawing,
    SideBySide,
    Tried,
    Trier,
)
from edgegan_widget.panels.widgets import picture_png
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.fake_evaluations import fake_pictures, fake_report, write_model
from tests.modulated import saved_modulated
from tests.screen import find, is_shown, options, pictures, said, styled

LINE = Drawing().add(Stroke.make([(0.1, 0.1), (0.9, 0.8)], 0.02))
OTHER = Drawing().add(Stroke.make([(0.1, 0.9), (0.9, 0.2)], 0.02))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Chosen, ...]:
    root = tmp_path_factory.mktemp("models")
    places = [write_model(root / "a", 0), write_model(root / "b", 1), write_model(root / "cups", 2, ("ball", "cup"))]
    return tuple(Chosen(place.name, str(place), read_config(place)) for place in places)


class Desk:
    """A pad beside the widget, and what was said."""

    def __init__(self, models: tuple[Chosen, ...], with_pad: bool = True) -> None:
        self.drawing, self.label, self.models = LINE, "box", models
        self.errors: list[Exception | None] = []
        take = (lambda: (self.drawing, self.label)) if with_pad else None
        self.widget = OneDrawing("cpu", lambda: self.models, take, self.errors.append)

    @property
    def answers(self) -> dict[str, str]:
        """What is said of each model's picture, by the model's name."""
        return {name: about for name, about, _ in tiles(self.widget) if name != "drawing"}


@pytest.fixture
def desk_of(models: tuple[Chosen, ...]) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(**options: Any) -> Desk:
        made.append(Desk(models, **options))
        return made[-1]

    yield make
    for desk in made:
        desk.widget.close()


def load(model: int, place: int) -> Pictures | None:
    """Two models that differ most on the last drawings."""
    return fake_pictures(8, grey=100 * model) if place == 0 else None


def grey_of(png: bytes) -> int:
    return int(np.asarray(Image.open(io.BytesIO(png)))[0, 0, 0])


def tiles(widget: Widget) -> list[tuple[str, str, list[bytes]]]:
    """Name, remark and picture of what stands side by side."""
    found = []
    for tile in styled(widget, "eg-answer"):
        name, _, about = tile.children[-1].value.partition("</b> ")
        found.append((html.unescape(name.removeprefix("<b>")), html.unescape(about), pictures(tile)))
    return found


def size_of(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


def pair(widget: Widget) -> tuple[int, int]:
    """The greys of the two pictures that lie over each other."""
    right, left = pictures(styled(widget, "eg-wipe")[0])
    return grey_of(left), grey_of(right)


def test_all_models_draw_what_is_on_the_pad(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    find(desk.widget, "Try the drawing on the pad").click()
    assert desk.widget.wait()
    assert desk.errors == [None]
    assert list(desk.answers) == ["a", "b", "cups"]
    (_, _, drawn), (_, _, first), (_, _, second), (_, about, none) = tiles(desk.widget)
    assert len(drawn) == len(first) == len(second) == 1
    assert first != second
    assert re.fullmatch(r"\d+ ms", desk.answers["a"])
    assert (about, none) == ("does not draw box.", [])
    assert options(find(desk.widget, "Left")) == ["a", "b"], "those that can be compared"


def test_an_empty_pad_and_no_model_are_told(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    desk.drawing = Drawing()
    with pytest.raises(DataError, match="the pad is empty"):
        desk.widget.try_drawing()
    desk.drawing, desk.models = LINE, ()
    with pytest.raises(ModelError, match="no model is chosen"):
        desk.widget.try_drawing()


def test_following_the_pad(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    find(desk.widget, "Follow the pad").value = True
    for drawing, label in ((LINE, "box"), (OTHER, "box"), (OTHER, "ball")):
        desk.drawing, desk.label = drawing, label
        expected = "does not draw box." if label == "box" else " ms"
        sketch = picture_png(rasterize(drawing, SKETCH_PX))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            shown = tiles(desk.widget)
            if shown and shown[0][2] == [sketch] and shown[-1][1].endswith(expected):
                break
            time.sleep(0.02)
        assert tiles(desk.widget)[0][2] == [sketch]
        assert desk.answers["cups"].endswith(expected)
    find(desk.widget, "Follow the pad").value = False
    assert desk.widget.wait()
    desk.drawing = LINE
    time.sleep(2 * LOOK_SECONDS)
    assert desk.widget.wait()
    assert tiles(desk.widget)[0][2] == [sketch], "it is followed no longer"


def test_a_broken_model_does_not_hide_the_others(models: tuple[Chosen, ...], tmp_path: Path) -> None:
    place = write_model(tmp_path / "broken", 3)
    broken = Chosen("broken", str(place), read_config(place))
    (place / "model.safetensors").write_bytes(b"nothing")
    tried: list[Tried] = []
    trier = Trier("cpu", tried.append, lambda error: None)
    trier.submit(LINE, "box", (broken, models[0]))
    assert trier.wait()
    trier.submit(OTHER, "box", (models[1],))
    assert trier.wait()
    assert tried[0].answers["broken"].about.startswith("cannot draw: ")
    assert tried[0].answers["a"].picture is not None
    assert list(trier._engines) == [models[1].place], "a model that is no longer chosen is let go"
    before = threading.active_count()
    trier.close()
    while threading.active_count() >= before:
        time.sleep(0.02)


def test_drawings_of_a_set_are_shown_with_every_model(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(with_pad=False)
    widget = desk.widget
    assert not is_shown(widget), "there is nothing to choose yet"
    widget.show(fake_report(), load)
    assert is_shown(widget)
    assert options(find(widget, "Drawing")) == ["edge maps of held-out pictures"], "with pictures"
    assert find(widget, "Class").options == (("ball", 0), ("box", 1))
    assert find(widget, "Number").max == 4
    assert list(desk.answers) == ["first", "second"]
    find(widget, "Class").value = 1
    find(widget, "Number").value = 2
    assert pair(widget)[0] == 3, "the second box is drawing 3"
    assert desk.answers["first"] == "F 0.38"
    find(widget, "Number").value = 3
    assert desk.answers["first"] == "F 0.62, seen as ball"


def test_drawings_on_which_models_differ_come_first(desk_of: Callable[..., Desk]) -> None:
    def apart(model: int, place: int) -> Pictures | None:
        pictures = fake_pictures(8)
        if model == 1:
            pictures.values["f_score"][4] = 0
        return pictures if place == 0 else None

    widget = desk_of(with_pad=False).widget
    widget.show(fake_report(), apart)
    seen = []
    for number in range(1, 5):
        find(widget, "Number").value = number
        seen.append(pair(widget)[0])
    assert seen == [4, 0, 2, 6]


def test_a_growing_report_does_not_move_what_is_looked_at(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    report = fake_report()
    desk.widget.show(report | {"models": report["models"][:1]}, load)
    assert find(desk.widget, "Drawing").value == PAD, "what was chosen stays"
    find(desk.widget, "Drawing").value = 0
    find(desk.widget, "Class").value = 1
    find(desk.widget, "Number").value = 3
    desk.widget.show(report, load)
    assert (find(desk.widget, "Class").value, find(desk.widget, "Number").value) == (1, 3)
    assert list(desk.answers) == ["first", "second"]


def test_two_pictures_lie_over_each_other() -> None:
    side = SideBySide()
    assert not styled(side, "eg-two")
    greys = {name: Answer(np.full((64, 64, 3), grey, np.uint8), "") for name, grey in (("a", 10), ("b", 20), ("c", 30))}
    side.show(np.full((64, 64), 255, np.uint8), greys)
    assert pair(side) == (10, 20)
    find(side, "Right").value = "c"
    assert pair(side) == (10, 30)
    del greys["a"]
    side.show(np.full((64, 64), 255, np.uint8), greys)
    assert (find(side, "Left").value, find(side, "Right").value) == ("b", "c"), "a choice stays where it can"
    find(side, "Blend").value = True
    assert styled(side, "eg-blend")
    side.show(None, {})
    assert not tiles(side)
    assert not styled(side, "eg-two")


def test_captions_are_text() -> None:
    side = SideBySide()
    side.show(np.zeros((8, 8), np.uint8), {"<i>": Answer(None, "a < b")})
    assert said(side).endswith("<i> a < b")


def test_models_of_several_sizes_draw_the_same_drawing(models: tuple[Chosen, ...], tmp_path: Path) -> None:
    """A modulated one reads a sketch smaller than its picture."""
    place = saved_modulated(tmp_path / "large")
    desk = Desk((*models[:1], Chosen("large", str(place), read_config(place))))
    desk.widget.show(None, lambda _model, _place: None)
    desk.widget.try_drawing()
    assert desk.widget.wait(60)
    assert [size_of(picture) for _, _, (picture,) in tiles(desk.widget)[1:]] == [(64, 64), (128, 128)]
    desk.widget.close()
