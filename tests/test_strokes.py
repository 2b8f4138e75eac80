from __future__ import annotations

import contextlib
import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.stroke import seen
from edgegan_widget.sketch.strokes import FARTHEST, Drawing, Stroke

anything = st.floats(allow_nan=True, allow_infinity=True, width=64)
rows = st.lists(st.tuples(anything, anything), max_size=20)
strokes = st.builds(Stroke.make, rows, st.floats(1e-4, 2.0), st.sampled_from(["pen", "eraser"]))


def drawing_of(items: list[Stroke | None]) -> Drawing:
    drawing = Drawing()
    for stroke in items:
        drawing = drawing.add(stroke)
    return drawing


def line(*points: tuple[float, float], width: float = 0.02, tool: str = "pen") -> Stroke:
    stroke = Stroke.make(points, width, tool)
    assert stroke is not None
    return stroke


@given(rows)
def test_any_input_makes_a_finite_stroke_or_none(points: list[tuple[float, float]]) -> None:
    stroke = Stroke.make(points, 0.02)
    finite = [point for point in points if all(map(math.isfinite, point))]
    if not finite:
        assert stroke is None
    else:
        assert stroke is not None
        assert len(stroke) == len(finite)
        assert stroke.points.shape == (len(finite), 4)
        assert (np.abs(stroke.points[:, :2] - 0.5) <= FARTHEST + 0.5).all()


@given(st.lists(strokes, max_size=6))
@settings(max_examples=60, deadline=None)  # the first loads parsers
def test_json_and_svg_there_and_back(items: list[Stroke | None]) -> None:
    drawing = drawing_of(items)
    assert Drawing.from_json(drawing.to_json()) == drawing
    assert Drawing.from_svg(drawing.to_svg()) == drawing


@given(st.lists(st.sampled_from(["add", "clear", "undo", "redo"]), max_size=40))
def test_undo_and_redo_walk_through_the_edits(actions: list[str]) -> None:
    drawing = Drawing()
    states, at = [()], 0  # what an editor with a list of states would do
    for number, action in enumerate(actions):
        if action == "add":
            drawing = drawing.add(line((0, 0), (number / 50, 1)))
            states, at = [*states[: at + 1], drawing.strokes], at + 1
        elif action == "clear":
            before = drawing
            drawing = drawing.clear()
            if before:
                states, at = [*states[: at + 1], ()], at + 1
        elif action == "undo":
            drawing = drawing.undo()
            at = max(at - 1, 0)
        else:
            drawing = drawing.redo()
            at = min(at + 1, len(states) - 1)
        assert drawing.strokes == states[at]
        assert drawing.can_undo == (at > 0)
        assert drawing.can_redo == (at < len(states) - 1)


def test_a_thousand_undos() -> None:
    drawing = Drawing()
    for number in range(3000):
        drawing = drawing.add(line((0, 0), (number / 3000, 1)))
    for _ in range(3000):
        drawing = drawing.undo()
    assert not drawing
    assert not drawing.can_undo
    assert len(drawing.redo().redo()) == 2
    del drawing  # three thousand states deep, which must not exhaust the stack


def test_drawings_never_change() -> None:
    stroke = line((0.1, 0.2), (0.3, 0.4))
    with pytest.raises(ValueError, match="read-only"):
        stroke.points[0, 0] = 5


def test_fitting_centres_and_fills_the_frame() -> None:
    drawing = Drawing().add(line((0.1, 0.1), (0.3, 0.2))).fitted(margin=0.05)
    (left, top), (right, bottom) = drawing.bounds()
    assert (left, right) == (pytest.approx(0.05), pytest.approx(0.95))
    assert (top + bottom) / 2 == pytest.approx(0.5)
    assert bottom - top == pytest.approx(0.45)
    assert drawing.strokes[0].width == 0.02


def test_fitting_a_dot_or_nothing() -> None:
    assert Drawing().fitted() == Drawing()
    dot = Drawing().add(line((0.9, 0.9))).fitted()
    assert dot.bounds() == ((0.5, 0.5), (0.5, 0.5))


def test_time_and_pressure_are_kept() -> None:
    stroke = Stroke.make([(0, 0, 0, 0.5), (1, 1, 2.5, 7)], 0.02)
    assert stroke is not None
    assert stroke.points[:, 2:].tolist() == [[0, 0.5], [2.5, 1]]


def test_curves_and_lines_of_a_foreign_svg() -> None:
    text = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">
      <path d="M10 10 h20 v-5 l5,5 c1 1 2 2 3 3 z" stroke-width="2"/>
      <polyline points="0,0 50,25"/><line x1="1" y1="2" x2="3" y2="4"/>
      <circle r="3" fill="none" stroke="black"/></svg>"""
    drawing = Drawing.from_svg(text)
    assert [len(stroke) for stroke in drawing.strokes[:3]] == [16, 2, 2]
    assert drawing.strokes[0].points[1, :2].tolist() == [0.3, 0.1]
    assert drawing.strokes[0].width == 0.02


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a saved drawing"),
        ("[]", "not a saved drawing"),
        ('{"format": "tldraw"}', "format is 'tldraw'"),
        ('{"format": "edgegan-widget drawing", "version": 9}', "version 9"),
        ('{"format": "edgegan-widget drawing", "version": 1, "strokes": [{"points": [["a"]], "width": 1}]}', "point"),
        ('{"format": "edgegan-widget drawing", "version": 1, "strokes": [{"points": [[1, 2]], "width": -1}]}', "width"),
    ],
)
def test_bad_json(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Drawing.from_json(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<svg", "not an SVG"),
        ("<html></html>", "not an SVG"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "DOCTYPE"),
        ('<svg><path d="L1 1"/></svg>', "no lines, but paths that cannot be followed"),
        ("<svg><text>shoe</text></svg>", "no lines, but text"),
    ],
)
def test_bad_svg(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Drawing.from_svg(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_drawing_or_a_data_error(content: bytes) -> None:
    for read in (Drawing.from_json, Drawing.from_svg):
        with contextlib.suppress(DataError):
            read(content)


@pytest.mark.parametrize("tool", ["brush", ""])
def test_unknown_tool(tool: str) -> None:
    with pytest.raises(DataError, match="allowed are 'pen' and 'eraser'"):
        Stroke.make([(0, 0)], 0.1, tool)


def test_specks_are_tiny_and_far_and_eyes_are_not() -> None:
    body = Stroke.make([(0.2, 0.2), (0.5, 0.2), (0.5, 0.5), (0.2, 0.5)], 0.02)
    eye, speck = Stroke.make([(0.3, 0.3), (0.31, 0.3)], 0.02), Stroke.make([(0.9, 0.9)], 0.02)
    whole = Drawing((body, eye, speck))
    assert whole.specks == (speck,)
    assert whole.fitted().strokes == Drawing((body, eye)).fitted().strokes
    assert Drawing((eye, speck)).specks == (), "a drawing of dots is a drawing"
    near = Stroke.make([(0.52, 0.5)], 0.02)
    assert Drawing((body, near)).specks == ()


def test_what_cannot_be_seen_does_not_shrink_a_drawing() -> None:
    seen = Drawing().add(line((0.2, 0.5), (0.8, 0.5)))
    strayed = seen.add(line((3.9, 3.9))).add(line((-2, 0.4), (-1, 3)))
    assert strayed.bounds() == seen.bounds()
    assert strayed.fitted().bounds() == seen.fitted().bounds()
    assert len(strayed.fitted()) == 1


def test_a_line_is_cut_where_it_leaves_the_pad() -> None:
    drawing = Drawing().add(line((-1, -1), (0.5, 0.5), (0.5, 3), (0.6, 3), (0.6, 0.2)))
    assert drawing.bounds() == ((0, 0), (pytest.approx(0.6), 1))
    parts = [stroke.points[:, :2].round(6).tolist() for stroke in drawing.visible]
    assert parts == [[[0, 0], [0.5, 0.5], [0.5, 1]], [[0.6, 1], [0.6, 0.2]]]
    beside = Drawing().add(line((2, 2), (3, 3)))
    assert beside.visible == beside.strokes, "nothing of it is on the pad: all of it counts"
    assert beside.fitted().bounds() == (pytest.approx((6 / 128, 6 / 128)), pytest.approx((122 / 128, 122 / 128)))


@given(st.lists(st.tuples(st.floats(-4, 5), st.floats(-4, 5)), min_size=1, max_size=8))
def test_what_is_seen_lies_on_the_pad(points: list[tuple[float, float]]) -> None:
    for part in seen(line(*points)):
        assert ((part.points[:, :2] >= 0) & (part.points[:, :2] <= 1)).all()
    Drawing().add(line(*points)).fitted()


def test_copies_leave_the_history_out() -> None:
    drawing = Drawing()
    for number in range(3000):
        drawing = drawing.add(line((0, 0), (number / 3000, 1)))
    for copied in (pickle.loads(pickle.dumps(drawing)), copy.deepcopy(drawing)):
        assert copied == drawing
        assert not copied.can_undo
    assert copy.copy(drawing).can_undo
