"""Real pictures like the drawing, on the Draw tab: found after each stroke, laid under the pad, drawn with."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image

from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.drawing.nearest import SHOWN, NearestView
from edgegan_widget.panels.drawing.pad import Pad
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.retrieval.index import Index
from edgegan_widget.sketch.strokes import Drawing
from tests.modulated import saved_modulated
from tests.pad_desk import Plain, draw, tell
from tests.screen import every, find, has, part, said, styled
from tests.test_retrieval import star

SQUARE = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Data with its index: 15 balls and three boxes."""
    for name, number in (*itertools.product(["ball"], range(15)), *itertools.product(["box"], range(3))):
        path = tmp_path / "data" / name / f"{name}_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        star(100 * len(name) + number).save(path)
    Index.build(tmp_path / "data", workers=1)
    return tmp_path / "data"


@pytest.fixture
def pad() -> Iterator[SketchPad]:
    made = SketchPad(Plain())
    assert made.wait(10)
    yield made
    made.close()


def unfold(pad: SketchPad, folder: Path | str) -> None:
    part(pad, widgets.Accordion).selected_index = 0
    find(pad, "Index").value = str(folder)
    settle(pad)


def settle(pad: SketchPad) -> None:
    assert pad.wait(120)
    assert part(pad, NearestView).wait(120)


def strip(pad: SketchPad) -> list[Any]:
    (found,) = styled(pad, "eg-nearest-pictures")
    return list(found.children)


def tooltips(pad: SketchPad) -> list[str]:
    return [tile.children[1].tooltip for tile in strip(pad)]


def underlay(pad: SketchPad) -> widgets.Image:
    (found,) = styled(pad, "eg-underlay")
    return found


def test_nothing_is_looked_up_until_it_is_unfolded(pad: SketchPad, folder: Path) -> None:
    assert part(pad, widgets.Accordion).titles == ("Real pictures like this",)
    assert part(pad, widgets.Accordion).selected_index is None
    find(pad, "Index").value = str(folder)
    draw(pad, *SQUARE)
    settle(pad)
    assert strip(pad) == []
    part(pad, widgets.Accordion).selected_index = 0
    settle(pad)
    assert len(strip(pad)) == SHOWN


def test_the_strip_follows_the_drawing_and_its_class(pad: SketchPad, folder: Path) -> None:
    part(pad, widgets.Accordion).selected_index = 0
    assert "Make one in a terminal: edgegan-widget index DATA" in said(pad)
    unfold(pad, folder)
    assert "18 pictures; draw, and the nearest appear here." in said(pad)
    draw(pad, *SQUARE)
    settle(pad)
    first = tooltips(pad)
    assert all("ball" in words for words in first)
    assert "The nearest of those of ball among 18 pictures" in said(pad)
    draw(pad, (0.1, 0.5), (0.9, 0.5))
    settle(pad)
    assert tooltips(pad) != first
    pad.label = "box"
    settle(pad)
    assert len(strip(pad)) == 3
    find(pad, "Any class").value = True
    settle(pad)
    assert len(strip(pad)) == SHOWN
    assert "The nearest of 18 pictures" in said(pad)


def test_a_class_that_the_index_does_not_have_means_any(pad: SketchPad, folder: Path) -> None:
    (folder / "box").rename(folder / "cow")
    Index.build(folder, workers=1)
    unfold(pad, folder)
    draw(pad, *SQUARE)
    pad.label = "box"
    settle(pad)
    assert len(strip(pad)) == SHOWN
    assert "The index does not have the class box." in said(pad)


def test_a_click_lays_a_picture_under_the_pad(pad: SketchPad, folder: Path) -> None:
    unfold(pad, folder)
    draw(pad, *SQUARE)
    settle(pad)
    before = pad.drawing
    strip(pad)[0].children[1].click()
    assert underlay(pad).layout.visibility == "visible"
    assert bytes(underlay(pad).value).startswith(b"\x89PNG")
    assert pad.drawing is before
    find(pad, "Remove photo").click()
    assert underlay(pad).layout.visibility == "hidden"


def test_its_lines_become_the_drawing_and_undo_takes_them_back(pad: SketchPad, folder: Path) -> None:
    unfold(pad, folder)
    draw(pad, *SQUARE)
    settle(pad)
    before, name = pad.drawing.strokes, tooltips(pad)[2].rstrip(")").split(", ")[1]
    tile = strip(pad)[2]
    assert has(tile.children[2], "eg-take")
    tile.children[2].click()
    settle(pad)
    assert len(pad.drawing.strokes) >= 1
    ink = np.asarray(pad.sketch) < 128
    assert 0.02 < ink.mean() < 0.3
    assert name in tooltips(pad)[0]  # its own lines are nearest to it
    assert len(pad.kept) == 1  # what was drawn is in the history
    find(pad, "Undo").click()
    assert pad.drawing.strokes == before


def test_a_wrong_folder_is_one_sentence_and_a_right_one_takes_it_away(pad: SketchPad, folder: Path) -> None:
    unfold(pad, folder.parent / "nothing")
    assert "holds no index of pictures; make one: edgegan-widget index DATA" in said(pad)
    draw(pad, *SQUARE)
    settle(pad)
    assert "holds no index of pictures" in said(pad)
    assert strip(pad) == []
    find(pad, "Index").value = str(folder)
    settle(pad)
    assert "holds no index" not in said(pad)
    assert len(strip(pad)) == SHOWN
    find(pad, "Index").value = ""
    settle(pad)
    assert strip(pad) == []


def test_pictures_that_are_gone_are_told(pad: SketchPad, folder: Path, tmp_path: Path) -> None:
    Index.build(folder, tmp_path / "apart", workers=1)
    unfold(pad, tmp_path / "apart")
    draw(pad, *SQUARE)
    settle(pad)
    tile = strip(pad)[0]
    for name in ("ball", "box"):
        (folder / name).rename(folder / f"{name}_before")
    tile.children[1].click()
    assert "does not exist; give the path of a PNG" in said(pad)
    draw(pad, (0.1, 0.5), (0.9, 0.5))
    settle(pad)
    assert strip(pad) == []
    assert "None of the pictures is in" in said(pad)


def test_the_folder_comes_back_with_the_page(pad: SketchPad, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(BrowserSide, "send", lambda self, content, buffers=(): sent.append(content))
    unfold(pad, folder)
    (told,) = [message for message in sent if message["do"] == "remember"]
    record = {"strokes": [], "choices": {}, "looks": [], "remembered": {told["name"]: told["value"]}}
    other = SketchPad(Plain())
    tell(other, do="hello", record=record)
    assert find(other, "Index").value == str(folder)
    tell(other, do="hello", record=record | {"remembered": {told["name"]: "elsewhere"}})
    assert find(other, "Index").value == str(folder)
    other.close()


def test_a_real_model_draws_beside_it(folder: Path, tmp_path: Path) -> None:
    pad = SketchPad(saved_modulated(tmp_path / "model"), device="cpu")
    unfold(pad, folder)
    draw(pad, *SQUARE)
    settle(pad)
    assert len(strip(pad)) == SHOWN
    assert len(every(pad, "✎")) == SHOWN
    pad.drawing = Drawing()
    assert pad.image is None
    pad.close()


def test_a_picture_is_laid_in_its_own_proportions(pad: SketchPad) -> None:
    part(pad, Pad).lay(np.zeros((100, 2000, 3), np.uint8))
    assert Image.open(io.BytesIO(underlay(pad).value)).size == (768, 38)
