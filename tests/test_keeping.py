"""Nothing is lost: what enters the history, what the browser stores, and what comes back from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.drawing.looks.look import MOST_KEPT, History, Kept, Look
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.sketch.strokes import Drawing, Stroke, strokes_to
from tests.modulated import saved_modulated
from tests.pad_desk import Plain, complaint, draw, tell
from tests.screen import find, styled
from tests.test_pad import upload

PICTURE = np.zeros((64, 64, 3), np.uint8)


def line(*points: tuple[float, float]) -> Drawing:
    return Drawing().add(Stroke.make(points, 0.025))


@pytest.fixture
def browser(pad: SketchPad, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A browser that stores what it is told, as the page's script does; everything is told as JSON."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(
        BrowserSide, "send",
        lambda self, content, buffers=(): told.append(json.loads(json.dumps(content))),
    )  # fmt: skip
    return told


def record_of(told: list[dict[str, Any]]) -> dict[str, Any]:
    """What a browser has stored after these messages."""
    record: dict[str, Any] = {"strokes": [], "choices": {}, "looks": [], "pending": []}
    for message in told:
        if message["do"] == "all":
            record |= {name: message[name] for name in ("strokes", "choices", "looks")}
        elif message["do"] == "strokes":
            record["strokes"] = [*(record["strokes"] if message["more"] else []), *message["strokes"]]
        elif message["do"] == "choices":
            record["choices"] = message["choices"]
        elif message["do"] == "look":
            known = {look["number"]: look for look in record["looks"]}
            before = known.get(message["look"]["number"])
            if before is not None and before["starred"] == message["look"]["starred"]:
                del known[message["look"]["number"]]  # kept again: it moves to the end
            record["looks"] = [*(known | {message["look"]["number"]: message["look"]}).values()]
    return record


def close(one: Drawing, other: Drawing) -> bool:
    """Whether two drawings are the same as far as a screen shows it."""
    return strokes_to(one.strokes) == strokes_to(other.strokes)


def test_strokes_and_undo_do_not_fill_the_history(pad: SketchPad) -> None:
    for number in range(4):
        draw(pad, (0.2, 0.2 * number), (0.8, 0.2))
    find(pad, "Undo").click()
    find(pad, "Redo").click()
    assert pad.kept == []
    find(pad, "Clear").click()
    assert [len(kept.look.drawing) for kept in pad.kept] == [4]
    find(pad, "Undo").click()
    assert pad.wait(10)
    find(pad, "Clear").click()
    assert len(pad.kept) == 1, "the same look is kept once"


def test_a_drawing_undone_to_nothing_is_kept_once_another_is_drawn(pad: SketchPad) -> None:
    for number in range(3):
        draw(pad, (0.2, 0.2 * number), (0.8, 0.2))
    for _ in range(3):
        find(pad, "Undo").click()
        assert pad.wait(10)
    assert pad.kept == []
    draw(pad, (0.5, 0.1), (0.5, 0.9))
    assert [len(kept.look.drawing) for kept in pad.kept] == [3], "with all its strokes"


def test_each_look_that_was_asked_for_is_kept_with_the_one_before(pad: SketchPad) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    find(pad, "Another look").click()
    assert pad.wait(10)
    assert [kept.look.seed for kept in pad.kept] == [None, pad.look.seed]
    find(pad, "Draw a").value = "box"
    assert pad.wait(10)
    assert [kept.look.label for kept in pad.kept] == ["ball", "ball", "box"]


def test_a_look_comes_back_whole(pad: SketchPad) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    find(pad, "Another look").click()
    assert pad.wait(10)
    first = pad.look
    find(pad, "Clear").click()
    find(pad, "Draw a").value = "box"
    draw(pad, (0.5, 0.2), (0.2, 0.8))
    second = pad.drawing
    tell(pad, do="open", number=pad.kept[-1].number)
    assert pad.wait(10)
    assert pad.look == first
    assert any(kept.look.drawing == second for kept in pad.kept), "what was there before is kept"
    find(pad, "Undo").click()
    assert pad.drawing == second, "going back is a step that undo takes back"


def test_a_look_of_another_model_brings_that_model_back(pad: SketchPad, tmp_path: Path) -> None:
    pad.use_model(saved_modulated(tmp_path / "one"))
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    assert pad.wait(60)
    pad.use_model(saved_modulated(tmp_path / "two"))
    assert pad.wait(60)
    look = pad.kept[0].look
    assert look.model.endswith("one")
    pad.look = look
    assert pad.wait(60)
    assert pad.look == look
    pad.look = Look(look.drawing, "box", 3, None, str(tmp_path / "gone"))
    assert pad.wait(60)
    assert "its model" in complaint(pad)
    assert pad.look.seed == 3


def test_a_new_kernel_gets_everything_back(pad: SketchPad, browser: list[dict[str, Any]]) -> None:
    tell(pad, do="hello", record=None)
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    find(pad, "Draw a").value = "box"
    find(pad, "Variations").value = 4
    find(pad, "Another look").click()
    assert pad.wait(10)
    tell(pad, do="star", number=pad.kept[0].number, starred=True)
    draw(pad, (0.8, 0.2), (0.2, 0.8))
    record = record_of(browser)
    record["pending"] = [{"number": 5, "tool": "pen", "width": 0.02, "points": [[0.1, 0.1, 0], [0.2, 0.9, 0.3]]}]

    other = SketchPad(Plain())
    tell(other, do="hello", record=record)
    assert other.wait(10)
    assert len(other.drawing) == 3
    assert close(Drawing(other.drawing.strokes[:2]), pad.drawing), "and the stroke that no kernel had seen"
    assert (other.label, other.look.seed, find(other, "Variations").value) == ("box", pad.look.seed, 4)
    assert [(kept.look.note(), kept.picture, kept.starred) for kept in other.kept] == [
        (kept.look.note(), kept.picture, kept.starred) for kept in pad.kept
    ]
    other.close()


def test_a_page_that_was_only_loaded_anew_changes_nothing(pad: SketchPad, browser: list[dict[str, Any]]) -> None:
    tell(pad, do="hello", record=None)
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    tell(pad, do="lifted", stroke=7)
    assert browser[-1] == {"do": "taken", "stroke": 7}
    record = record_of(browser)
    stroke = {"tool": "pen", "width": 0.02, "points": [[0.5, 0.5, 0]]}
    record["pending"] = [stroke | {"number": 7}, stroke | {"number": 9}]
    tell(pad, do="hello", record=record)
    assert len(pad.drawing) == 2, "the stroke that was taken is there once, the other one was missed"
    browser.clear()
    tell(pad, do="ping")
    assert browser == [{"do": "pong"}]


def test_forgetting_all(pad: SketchPad, browser: list[dict[str, Any]]) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    find(pad, "Another look").click()
    assert pad.wait(10)
    tell(pad, do="forget")
    assert pad.kept == []
    assert not pad.drawing
    assert (record_of(browser)["looks"], record_of(browser)["strokes"]) == ([], [])


def test_a_saved_drawing_brings_its_look_back(pad: SketchPad, tmp_path: Path) -> None:
    draw(pad, (0.2, 0.2), (0.8, 0.8))
    note = {"class": "box", "seed": 12, "style": None, "model": ""}
    styled(pad, "eg-open")[0].value = upload("a.json", line((0, 0), (1, 1)).to_json(note).encode())
    assert pad.wait(10)
    assert pad.look == Look(line((0, 0), (1, 1)), "box", 12)
    assert complaint(pad) == ""
    note |= {"class": "cow", "model": "/nowhere"}
    styled(pad, "eg-open")[0].value = upload("a.svg", line((0, 0), (1, 1)).to_svg(note).encode())
    assert pad.wait(10)
    assert "came back in part: its model /nowhere is not here and this model does not know the class cow" in complaint(
        pad
    )


def test_the_history_lets_go_of_the_oldest_without_a_star() -> None:
    history = History()
    first = history.keep(Look(line((0, 0), (1, 1)), "ball", 0), PICTURE, starred=True)
    for seed in range(1, MOST_KEPT + 3):
        history.keep(Look(line((0, 0), (1, 1)), "ball", seed), PICTURE)
    seeds = [kept.look.seed for kept in history]
    assert len(history) == MOST_KEPT + 1
    assert seeds[:2] == [0, 3]
    assert history.star(first.number, False).starred is False


@pytest.mark.parametrize("style", [None, 3, "#102030"])
def test_a_kept_look_survives_its_way_through_the_browser(style: int | str | None) -> None:
    kept = History().keep(
        Look(line((0.12345678, 0.2), (0.5, 0.75)), "ball", 4, style, "default"), PICTURE, starred=True
    )
    back = Kept.from_wire(9, json.loads(json.dumps(kept.wire())))
    assert back.look.note() == kept.look.note()
    assert close(back.look.drawing, kept.look.drawing)
    assert (back.number, back.picture, back.starred) == (9, kept.picture, True)


def test_a_note_of_a_wrong_kind_is_left_out() -> None:
    look = Look.noted(Drawing(), {"class": 3, "seed": "x", "style": [1], "model": None})
    assert look == Look(Drawing(), "")
