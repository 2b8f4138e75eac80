"""The pad without a browser: front-end events in, draw commands out."""

from __future__ import annotations

import datetime
import io

import ipywidgets as widgets
import numpy as np
import pytest
from ipycanvas import Canvas
from ipycanvas.canvas import COMMANDS
from PIL import Image

from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.drawing.pad import CANVAS_PX, Pad
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.screen import find, part, styled


class Bench:
    """A pad with everything it says and sends recorded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.changes: list[bool] = []
        self.errors: list[Exception | None] = []
        self.sent: list[object] = []
        self.left = self.opened = 0
        self.browser = BrowserSide(self.errors.append)
        self.notes: list[dict[str, object]] = []
        self.pad = Pad(self.changes.append, self._leave, self.notes.append, self.browser, self.errors.append)
        self.canvas = part(self.pad, Canvas)
        manager = self.canvas._canvas_manager
        monkeypatch.setattr(manager, "_send_custom", lambda command, buffers=(): self.sent.append(command))

    def _leave(self) -> None:
        self.left += 1

    def click(self, words: str) -> None:
        find(self.pad, words).click()

    def event(self, kind: str, x: float = 0, y: float = 0) -> None:
        self.canvas._handle_frontend_event(None, {"event": kind, "x": x * CANVAS_PX, "y": y * CANVAS_PX}, [])

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x * CANVAS_PX, "y": y * CANVAS_PX} for x, y in points]
        self.canvas._handle_frontend_event(None, {"event": kind, "touches": touches}, [])

    def draw(self, *points: tuple[float, float]) -> None:
        self.event("mouse_down", *points[0])
        for point in points[1:]:
            self.event("mouse_move", *point)
        self.event("mouse_up", *points[-1])

    def commands(self) -> list[str]:
        """Names of the commands sent, batches taken apart."""
        names = {number: name for name, number in COMMANDS.items()}
        flat: list[str] = []
        for command in self.sent:
            parts = command if isinstance(command[0], list) else [command]
            flat += [names[part[0]] for part in parts]
        return flat


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_a_stroke_is_drawn_and_told(bench: Bench) -> None:
    bench.draw((0.1, 0.2), (0.5, 0.5), (0.9, 0.2))
    (stroke,) = bench.pad.drawing.strokes
    assert stroke.points[:, :2].tolist() == [[0.1, 0.2], [0.5, 0.5], [0.9, 0.2]]
    assert (np.diff(stroke.points[:, 2]) >= 0).all()
    assert bench.changes == [False, False, False, True]
    assert "strokeLines" in bench.commands() or "fillCircle" in bench.commands()


def test_the_sketch_is_that_of_the_strokes(bench: Bench) -> None:
    bench.draw((0.3, 0.3), (0.4, 0.6), (0.6, 0.6))
    assert np.array_equal(bench.pad.sketch(64), rasterize(bench.pad.drawing, fit=True))
    find(bench.pad, "Fit to frame").value = False
    difference = np.abs(bench.pad.sketch(64).astype(int) - rasterize(bench.pad.drawing))
    assert difference.max() <= 32
    assert bench.pad.sketch(128).shape == (128, 128)


def test_a_click_makes_a_dot(bench: Bench) -> None:
    bench.draw((0.5, 0.5))
    assert bench.pad.drawing.point_count == 1
    assert (bench.pad.sketch(64) < 200).any()


def test_leaving_the_canvas_ends_the_stroke(bench: Bench) -> None:
    bench.event("mouse_down", 0.5, 0.5)
    bench.event("mouse_move", 0.9, 0.5)
    bench.event("mouse_out", 1.0, 0.5)
    bench.event("mouse_move", 0.2, 0.2)  # back again, with nothing pressed that the pad knows of
    assert len(bench.pad.drawing) == 1
    assert bench.pad.drawing.point_count == 2


def test_a_stroke_whose_end_was_lost_ends_with_the_next(bench: Bench) -> None:
    bench.event("mouse_down", 0.1, 0.1)
    bench.event("mouse_move", 0.2, 0.2)
    bench.draw((0.8, 0.8), (0.9, 0.9))
    assert [len(stroke) for stroke in bench.pad.drawing.strokes] == [2, 2]


def test_a_tool_chosen_while_drawing_is_for_the_next_stroke(bench: Bench) -> None:
    bench.event("mouse_down", 0.1, 0.1)
    bench.click("Eraser")
    bench.event("mouse_move", 0.9, 0.9)
    bench.event("mouse_up", 0.9, 0.9)
    bench.draw((0.5, 0.5), (0.6, 0.6))
    assert [stroke.tool for stroke in bench.pad.drawing.strokes] == ["pen", "eraser"]


def test_hovering_draws_nothing(bench: Bench) -> None:
    bench.event("mouse_move", 0.5, 0.5)
    bench.event("mouse_up", 0.5, 0.5)
    assert not bench.pad.drawing
    assert bench.changes == []


def test_touch_draws_and_a_second_finger_does_not(bench: Bench) -> None:
    bench.touch("touch_start", (0.1, 0.1))
    bench.touch("touch_start", (0.1, 0.1), (0.8, 0.8))
    bench.touch("touch_move", (0.3, 0.3), (0.9, 0.9))
    bench.touch("touch_end", (0.3, 0.3))
    assert not bench.pad.drawing
    bench.touch("touch_end")
    assert bench.pad.drawing.strokes[0].points[:, :2].tolist() == [[0.1, 0.1], [0.3, 0.3]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_bad_coordinates_never_reach_the_canvas(bench: Bench, bad: float) -> None:
    bench.event("mouse_down", 0.2, 0.2)
    bench.event("mouse_move", bad, 0.5)
    bench.event("mouse_move", 0.5, 0.5)
    bench.event("mouse_up", bad, bad)
    assert bench.pad.drawing.point_count == 2
    assert bench.errors == []


def test_undo_redo_clear(bench: Bench) -> None:
    bench.draw((0.1, 0.1), (0.9, 0.9))
    first = bench.pad.sketch(64)
    bench.draw((0.9, 0.1), (0.1, 0.9))
    bench.click("Undo")
    assert np.array_equal(bench.pad.sketch(64), first)
    bench.click("Redo")
    assert len(bench.pad.drawing) == 2
    bench.click("Clear")
    assert bench.pad.is_empty
    assert (bench.pad.sketch(64) == 255).all()
    bench.click("Undo")
    assert len(bench.pad.drawing) == 2


def test_buttons_that_can_do_nothing_are_off(bench: Bench) -> None:
    def off() -> list[bool]:
        return [find(bench.pad, words).disabled for words in ("Undo", "Redo", "Clear")]

    assert off() == [True, True, True]
    bench.draw((0.1, 0.1), (0.9, 0.9))
    assert off() == [False, True, False]
    bench.click("Undo")
    assert off() == [True, False, True]


def test_the_eraser_and_the_brush_width(bench: Bench) -> None:
    find(bench.pad, "Brush").value = 20
    bench.draw((0.1, 0.5), (0.9, 0.5))
    bench.click("Eraser")
    bench.draw((0.5, 0.3), (0.5, 0.7))
    pen, rubber = bench.pad.drawing.strokes
    assert (pen.tool, rubber.tool) == ("pen", "eraser")
    assert rubber.width == pytest.approx(3 * pen.width)
    assert len(bench.pad.drawing) == 2, "changing a tool must never clear strokes"
    find(bench.pad, "Fit to frame").value = False
    assert bench.pad.sketch(64)[32, 32] == 255


def test_a_browser_that_paints_gets_the_ink_when_the_pen_is_lifted(bench: Bench) -> None:
    bench.browser.present = True
    bench.event("mouse_down", 0.1, 0.1)
    bench.sent.clear()
    for step in range(20):
        bench.event("mouse_move", 0.1 + step / 30, 0.5)
    assert "strokeLines" not in bench.commands()
    bench.event("mouse_up", 0.8, 0.5)
    assert bench.commands().count("strokeLines") == 1
    bench.click("Eraser")
    bench.event("mouse_down", 0.1, 0.1)
    assert bench.commands()[-1] == "fillCircle", "what is rubbed out only the kernel shows"


def test_a_new_browser_gets_everything_again(bench: Bench) -> None:
    bench.draw((0.1, 0.1), (0.9, 0.9))
    bench.sent.clear()
    bench.canvas._handle_frontend_event(None, {"event": "client_ready"}, [])
    commands = bench.commands()
    assert commands[0] == "switchCanvas"
    assert commands.index("clear") < commands.index("strokeLines")
    assert len(bench.sent) == 1, "the whole drawing is one message"


def test_an_error_while_redrawing_does_not_leave_the_canvas_silent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.draw((0.1, 0.1), (0.9, 0.9))
    with monkeypatch.context() as patch:
        patch.setattr(bench.pad, "_paint", lambda points: 1 / 0)
        bench.canvas._handle_frontend_event(None, {"event": "client_ready"}, [])
    assert isinstance(bench.errors[-1], ZeroDivisionError)
    bench.sent.clear()
    bench.draw((0.2, 0.2), (0.4, 0.4))
    assert bench.sent


def test_each_pad_has_a_canvas_manager_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Bench(monkeypatch), Bench(monkeypatch)
    assert first.canvas._canvas_manager is not second.canvas._canvas_manager


def upload(name: str, content: bytes) -> tuple[dict[str, object], ...]:
    now = datetime.datetime.now(datetime.timezone.utc)
    return ({"name": name, "type": "", "size": len(content), "content": memoryview(content), "last_modified": now},)


def opener(bench: Bench) -> widgets.FileUpload:
    return styled(bench.pad, "eg-open")[0]


def test_a_saved_drawing_and_a_sketch_picture_are_opened_and_undone(bench: Bench) -> None:
    bench.draw((0.1, 0.1), (0.2, 0.2))
    before = bench.pad.drawing
    saved = Drawing().add(Stroke.make([(0, 0), (1, 1)], 0.02))
    opener(bench).value = upload("a.json", saved.to_json().encode())
    assert bench.pad.drawing == saved
    picture = np.full((80, 80), 255, np.uint8)
    picture[40, 10:70] = 0
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    opener(bench).value = upload("b.png", stream.getvalue())
    assert len(bench.pad.drawing) == 1
    bench.pad.undo()
    bench.pad.undo()
    assert bench.pad.drawing == before
    assert not any(bench.errors)


def test_a_file_that_cannot_be_opened_changes_nothing(bench: Bench) -> None:
    bench.draw((0.1, 0.1), (0.2, 0.2))
    opener(bench).value = upload("odd.png", b"nothing")
    assert "odd.png cannot be read" in str(bench.errors[-1])
    assert len(bench.pad.drawing) == 1


def test_a_photo_lies_under_the_pad_with_its_opacity(bench: Bench) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (2000, 1000), "red").save(stream, "JPEG")
    styled(bench.pad, "eg-photo")[0].value = upload("photo.jpg", stream.getvalue())
    (underlay,) = styled(bench.pad, "eg-underlay")
    assert max(Image.open(io.BytesIO(underlay.value)).size) == 768
    assert (underlay.layout.visibility, underlay.layout.opacity) == ("visible", "0.4")
    find(bench.pad, "Photo").value = 0.7
    assert underlay.layout.opacity == "0.7"
    assert (bench.pad.sketch(64) == 255).all(), "a photo is no ink"
    bench.pad.remove_underlay()
    assert underlay.layout.visibility == "hidden"


def test_keys_do_what_the_buttons_do(bench: Bench) -> None:
    bench.draw((0.1, 0.1), (0.9, 0.9))
    for name in ("undo", "redo", "eraser", "thicker", "thinner", "thicker", "something else"):
        bench.browser.hear(None, {"do": "tool", "name": name}, [])
    assert len(bench.pad.drawing) == 1
    assert find(bench.pad, "Brush").value == 15
    assert bench.browser.brush == {"tool": "eraser", "width": pytest.approx(3 * 15 / 512)}
    bench.browser.hear(None, {"do": "tool", "name": "clear"}, [])
    assert bench.pad.is_empty
    assert bench.left == 1, "what is cleared is left, what is undone is not"


def test_the_note_of_an_opened_file_is_told(bench: Bench) -> None:
    note = {"class": "ball", "seed": 7, "style": "#ff0000", "model": "default"}
    drawing = Drawing().add(Stroke.make([(0, 0), (1, 1)], 0.02))
    opener(bench).value = upload("a.json", drawing.to_json(note).encode())
    opener(bench).value = upload("a.svg", drawing.to_svg(note).encode())
    opener(bench).value = upload("plain.svg", drawing.to_svg().encode())
    assert bench.notes == [note, note, {}]
    assert bench.errors == [None, None, None], "a success takes an old error away"
