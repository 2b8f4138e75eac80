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
from PIL import Image

from edgegan_widget.base.errors import DataError, ModelError
from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.networks.find import read_config
from edgegan_widget.panels.evaluation.models_choice import Chosen
from edgegan_widget.panels.evaluation.one_drawing import PAD, OneDrawing
from edgegan_widget.panels.evaluation.side_by_side import Answer, SideBySide
from edgegan_widget.panels.evaluation.trier import Tried, Trier
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.fake_evaluations import fake_pictures, fake_report, write_model
from tests.modulated import saved_modulated

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
    def answers(self) -> dict[str, Answer]:
        return self.widget._side._answers


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


def said(widget: Any) -> str:
    return html.unescape(re.sub("<[^>]+>", "", widget.value))


def test_all_models_draw_what_is_on_the_pad(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    desk.widget._try.click()
    assert desk.widget.wait()
    assert desk.errors == [None]
    assert list(desk.answers) == ["a", "b", "cups"]
    first, second = desk.answers["a"], desk.answers["b"]
    assert first.picture is not None
    assert second.picture is not None
    assert not np.array_equal(first.picture, second.picture)
    assert re.fullmatch(r"\d+ ms", first.about)
    assert desk.answers["cups"].picture is None
    assert desk.answers["cups"].about == "does not draw box."
    assert len(desk.widget._side._tiles.children) == 4, "the drawing and three answers"
    assert desk.widget._side._first.options == (("a", "a"), ("b", "b")), "those that can be compared"


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
    desk.widget._follow.value = True
    for drawing, label in ((LINE, "box"), (OTHER, "box"), (OTHER, "ball")):
        desk.drawing, desk.label = drawing, label
        deadline = time.monotonic() + 30
        while desk.widget._tried != (drawing, label) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert desk.widget._tried == (drawing, label)
    desk.widget._follow.value = False
    assert desk.widget._follower is None
    assert desk.widget.wait()


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
    assert "eg-hidden" in widget._dom_classes, "there is nothing to choose yet"
    widget.show(fake_report(), load)
    assert "eg-hidden" not in widget._dom_classes
    assert [name for name, _ in widget._source.options] == ["edge maps of held-out pictures"], "with pictures"
    assert widget._class.options == (("ball", 0), ("box", 1))
    assert widget._number.max == 4
    assert list(desk.answers) == ["first", "second"]
    widget._class.value = 1
    widget._number.value = 2
    assert grey_of(widget._side._left.value) == 3, "the second box is drawing 3"
    assert desk.answers["first"].about == "F 0.38"
    widget._number.value = 3
    assert desk.answers["first"].about == "F 0.62, seen as ball"


def test_drawings_on_which_models_differ_come_first(desk_of: Callable[..., Desk]) -> None:
    def apart(model: int, place: int) -> Pictures | None:
        pictures = fake_pictures(8)
        if model == 1:
            pictures.values["f_score"][4] = 0
        return pictures if place == 0 else None

    widget = desk_of(with_pad=False).widget
    widget.show(fake_report(), apart)
    assert list(widget._order) == [4, 0, 2, 6]


def test_a_growing_report_does_not_move_what_is_looked_at(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    report = fake_report()
    desk.widget.show(report | {"models": report["models"][:1]}, load)
    assert desk.widget._source.value == PAD, "what was chosen stays"
    desk.widget._source.value = 0
    desk.widget._class.value = 1
    desk.widget._number.value = 3
    desk.widget.show(report, load)
    assert (desk.widget._class.value, desk.widget._number.value) == (1, 3)
    assert list(desk.answers) == ["first", "second"]


def test_two_pictures_lie_over_each_other() -> None:
    side = SideBySide()
    assert "eg-hidden" in side._two._dom_classes
    greys = {name: Answer(np.full((64, 64, 3), grey, np.uint8), "") for name, grey in (("a", 10), ("b", 20), ("c", 30))}
    side.show(np.full((64, 64), 255, np.uint8), greys)
    assert "eg-hidden" not in side._two._dom_classes
    assert (grey_of(side._left.value), grey_of(side._right.value)) == (10, 20)
    side._second.value = "c"
    assert grey_of(side._right.value) == 30
    del greys["a"]
    side.show(np.full((64, 64), 255, np.uint8), greys)
    assert (side._first.value, side._second.value) == ("b", "c"), "a choice stays where it can"
    side._blend.value = True
    assert "eg-blend" in side._wipe._dom_classes
    side.show(None, {})
    assert not side._tiles.children
    assert "eg-hidden" in side._two._dom_classes


def test_captions_are_text(desk_of: Callable[..., Desk]) -> None:
    side = desk_of().widget._side
    side.show(np.zeros((8, 8), np.uint8), {"<i>": Answer(None, "a < b")})
    assert said(side._tiles.children[1].children[0]) == "<i> a < b"


def test_models_of_several_sizes_draw_the_same_drawing(models: tuple[Chosen, ...], tmp_path: Path) -> None:
    """A modulated one reads a sketch smaller than its picture."""
    place = saved_modulated(tmp_path / "large")
    desk = Desk((*models[:1], Chosen("large", str(place), read_config(place))))
    desk.widget.show(None, lambda _model, _place: None)
    desk.widget.try_drawing()
    assert desk.widget.wait(60)
    assert {name: answer.picture.shape for name, answer in desk.answers.items()} == {
        "a": (64, 64, 3), "large": (128, 128, 3),
    }  # fmt: skip
    desk.widget.close()
