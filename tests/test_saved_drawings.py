"""One drawing as programs save it as data, read with its order and eraser; nothing but a drawing or a sentence."""

from __future__ import annotations

import base64
import itertools
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import SKETCH_SUFFIXES
from edgegan_widget.sketch.formats import known
from edgegan_widget.sketch.saved import SAVED_SUFFIXES
from edgegan_widget.sketch.strokes import Drawing, Stroke
from edgegan_widget.sketch.trace import read_drawing, sketch_of
from tests.drawn_pictures import SHOE, likeness, truth

POINTS = [[(round(x * 500, 2), round(y * 500, 2)) for x, y in line] for line in SHOE]


def quickdraw(times: bool = False, columns: int = 255, **more: Any) -> dict[str, Any]:
    lines = [
        [[round(x * columns / 500) for x, _ in line], [round(y * columns / 500) for _, y in line]] for line in POINTS
    ]
    if times:
        lines = [[x, y, [number * 10 for number in range(len(x))]] for x, y in lines]
    return {"word": "shoe", "recognized": True, "drawing": lines} | more


def binary() -> bytes:
    head = struct.pack("<Q2sbIH", 1, b"DE", 1, 0, len(POINTS))
    rows = [(struct.pack("<H", len(x)), bytes(x), bytes(y)) for x, y in quickdraw()["drawing"]]
    return head + b"".join(part for row in rows for part in row)


def fabric_path(line: list[tuple[float, float]], **more: Any) -> dict[str, Any]:
    array = np.array(line)
    low, size = array.min(axis=0).tolist(), np.ptp(array, axis=0).tolist()
    path = [
        ["M", *line[0]],
        *(["Q", *a, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2] for a, b in itertools.pairwise(line)),
        ["L", *line[-1]],
    ]
    return {
        "type": "path",
        "left": low[0] - 4,
        "top": low[1] - 4,
        "width": size[0],
        "height": size[1],
        "scaleX": 1,
        "scaleY": 1,
        "angle": 0,
        "stroke": "#000000",
        "fill": None,
        "strokeWidth": 8,
        "path": path,
    } | more


def dense(line: list[tuple[float, float]], count: int = 12) -> list[tuple[float, float]]:
    steps = np.linspace(0, 1, count)
    return [
        tuple(p) for a, b in zip(np.array(line), np.array(line[1:])) for p in (a + steps[:, None] * (b - a)).tolist()
    ]


def moved_path(line: list[tuple[float, float]]) -> dict[str, Any]:
    """Drawn twice as large and elsewhere, and then scaled and moved to where it belongs."""
    drawn = [(2 * x + 70, 2 * y - 30) for x, y in dense(line)]
    low = np.array(line).min(axis=0) - 4
    return fabric_path(drawn, left=low[0], top=low[1], scaleX=0.5, scaleY=0.5, strokeWidth=16)


def fabric(objects: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"version": "4.4.0", "objects": objects, "background": "#eeeeee"} | more


def excalidraw(**more: Any) -> dict[str, Any]:
    items = [
        {
            "type": "freedraw",
            "x": line[0][0],
            "y": line[0][1],
            "strokeColor": "#1e1e1e",
            "strokeWidth": 2,
            "opacity": 100,
            "points": [[x - line[0][0], y - line[0][1]] for x, y in line],
            "isDeleted": False,
            "angle": 0,
        }
        for line in POINTS
    ]
    gone = {"type": "line", "x": 0, "y": 0, "points": [[0, 0], [900, 900]], "isDeleted": True}
    return {"type": "excalidraw", "version": 2, "elements": [*items, gone, {"type": "text", "x": 0, "y": 0}]} | more


def tldraw(points: Any = None, **more: Any) -> dict[str, Any]:
    shapes = [
        {
            "typeName": "shape",
            "id": f"shape:{number}",
            "type": "draw",
            "x": line[0][0],
            "y": line[0][1],
            "index": f"a{number}",
            "parentId": "page:1",
            "rotation": 0,
            "opacity": 1,
            "props": {"color": "black", "size": "m", "segments": [{"type": "free"} | (points or plain)(line)]},
        }
        for number, line in enumerate(POINTS)
    ]
    page = {"typeName": "page", "id": "page:1", "index": "a1"}
    return {"tldrawFileFormatVersion": 1, "records": [page, *reversed(shapes)]} | more


def plain(line: list[tuple[float, float]]) -> dict[str, Any]:
    return {"points": [{"x": x - line[0][0], "y": y - line[0][1], "z": 0.5} for x, y in line]}


def packed(line: list[tuple[float, float]]) -> dict[str, Any]:
    rows = np.array([(x - line[0][0], y - line[0][1], 0.5) for x, y in line])
    steps = np.diff(rows, axis=0).astype("<f2").tobytes()
    return {"path": base64.b64encode(rows[0].astype("<f4").tobytes() + steps).decode()}


def first_version(shapes: list[dict[str, Any]]) -> dict[str, Any]:
    """A file of tldraw's first version."""
    placed = {f"s{number}": {"id": f"s{number}", "childIndex": number} | each for number, each in enumerate(shapes)}
    return {"name": "a", "document": {"version": 15.5, "pages": {"page": {"id": "page", "shapes": placed}}}}


def first_drawn(line: list[tuple[float, float]], turn: float = 0) -> dict[str, Any]:
    """A line by hand, stored as it was before it was turned about its own middle."""
    points = np.array(line)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    back = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    drawn = (points - middle) @ back.T
    corner = drawn.min(axis=0)
    placed = middle - np.ptp(drawn, axis=0) / 2
    return {"type": "draw", "point": placed.tolist(), "points": (drawn - corner).tolist(), "rotation": turn}


def first_straight(start: tuple[float, float], end: tuple[float, float]) -> dict[str, Any]:
    low = np.minimum(start, end)
    handles = {"start": start, "end": end, "bend": np.add(start, end) / 2}
    told = {name: {"id": name, "point": (np.array(place) - low).tolist()} for name, place in handles.items()}
    return {"type": "arrow", "point": low.tolist(), "rotation": 0, "bend": 0, "handles": told}


def centred(line: list[tuple[float, float]], way: Any) -> dict[str, Any]:
    path = fabric_path(dense(line))
    left, top = (path[side] + 4 + path[size] / 2 for side, size in (("left", "width"), ("top", "height")))
    return path | {"originX": way, "originY": way, "left": left, "top": top}


def two_pages(**session: Any) -> dict[str, Any]:
    """A snapshot whose first page holds something else."""
    other = {"typeName": "page", "id": "page:0", "index": "a0"}
    else_drawn = TL["records"][1] | {"id": "shape:else", "parentId": "page:0"}
    store = {each["id"]: each for each in [*TL["records"], other, else_drawn]}
    return {"document": {"store": store}, "session": session}


TL = tldraw()
SAVED: dict[str, tuple[str, Any]] = {
    "quickdraw simplified": ("a.json", quickdraw()),
    "quickdraw raw": ("a.json", quickdraw(times=True, columns=1400)),
    "quickdraw as text": ("a.json", quickdraw() | {"drawing": json.dumps(quickdraw()["drawing"])}),
    "quickdraw strokes alone": ("a.json", quickdraw()["drawing"]),
    "quickdraw list": ("a.json", [quickdraw(), quickdraw()]),
    "quickdraw ndjson": ("shoe.ndjson", "\n\n" + "\n".join([json.dumps(quickdraw())] * 3)),
    "quickdraw binary": ("shoe.bin", binary() + binary()),
    "fabric": ("a.json", fabric([fabric_path(dense(line)) for line in POINTS])),
    "fabric, moved": ("a.json", fabric([moved_path(line) for line in POINTS])),
    "fabric, polylines": (
        "a.json",
        fabric(
            [
                fabric_path(line) | {"type": "polyline", "points": [{"x": x, "y": y} for x, y in line], "path": None}
                for line in POINTS
            ]
        ),
    ),
    "fabric, hidden": (
        "a.json",
        fabric(
            [
                *(fabric_path(dense(line)) for line in POINTS),
                fabric_path([(0, 0), (500, 500)], visible=False),
                fabric_path([(0, 0), (500, 500)], opacity=0),
                {"type": "image", "src": "x"},
            ]
        ),
    ),
    "excalidraw": ("a.excalidraw", excalidraw()),
    "excalidraw clipboard": ("a.json", excalidraw(type="excalidraw/clipboard")),
    "tldraw": ("a.tldr", tldraw()),
    "tldraw, packed points": ("a.tldr", tldraw(packed)),
    "tldraw snapshot": ("a.json", {"document": {"store": {each["id"]: each for each in TL["records"]}}}),
    "tldraw, the page that was open": ("a.json", two_pages(currentPageId="page:1")),
    "tldraw clipboard": (
        "a.json",
        {"type": "application/tldraw", "data": {"shapes": TL["records"][1:], "rootShapeIds": []}},
    ),
    "tldraw, first version": ("a.tldr", first_version([first_drawn(line) for line in POINTS])),
    "excalidraw elements": ("a.json", excalidraw()["elements"]),
    "excalidraw, nothing told": (
        "a.json",
        excalidraw(elements=[each | {"opacity": None} for each in excalidraw()["elements"][:-2]] + [None]),
    ),
    "fabric objects": ("a.json", [fabric_path(dense(line)) for line in POINTS]),
    "fabric, held in the middle": ("a.json", fabric([centred(line, "center") for line in POINTS])),
    "fabric, held at a share": ("a.json", fabric([centred(line, 0.5) for line in POINTS])),
    "fabric, chosen": (
        "a.json",
        fabric(
            [
                {
                    "type": "activeSelection",
                    "left": 0,
                    "top": 0,
                    "width": 500,
                    "height": 500,
                    "strokeWidth": 0,
                    "objects": [
                        path | {"left": path["left"] - 250, "top": path["top"] - 250, "opacity": None}
                        for path in (fabric_path(dense(line)) for line in POINTS)
                    ],
                }
            ]
        ),
    ),
    "quickdraw, taps": ("a.json", quickdraw() | {"drawing": [*quickdraw()["drawing"], [], [[], []]]}),
    "tldraw in a turned group": (
        "a.tldr",
        {
            "records": [
                {"typeName": "page", "id": "page:1"},
                {
                    "typeName": "shape",
                    "id": "shape:g",
                    "type": "group",
                    "x": 9,
                    "y": 9,
                    "rotation": 0.0,
                    "parentId": "page:1",
                },
                *({**each, "parentId": "shape:g"} for each in TL["records"][1:]),
            ]
        },
    ),
}


def content(given: Any) -> bytes:
    text = given if isinstance(given, (str, bytes)) else json.dumps(given)
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("kind", SAVED)
def test_what_a_program_saved_is_read(kind: str) -> None:
    name, given = SAVED[kind]
    assert min(likeness(sketch_of(name, content(given), 64, told=name), truth("shoe"))) > 0.95
    assert len(read_drawing(name, content(given))) == len(SHOE)


@pytest.mark.parametrize(
    "shapes",
    [
        [first_drawn(line, 0.7 * bool(number)) for number, line in enumerate(POINTS)],
        [first_straight(*ends) for line in POINTS for ends in itertools.pairwise(line)],
    ],
)
def test_the_first_tldraw_is_read_with_its_turns_and_arrows(shapes: list[dict[str, Any]]) -> None:
    assert min(likeness(sketch_of("a.tldr", content(first_version(shapes)), 64, told="a"), truth("shoe"))) > 0.95


@pytest.mark.parametrize(
    ("kind", "more"),
    [("rectangle", {"size": [80, 40]}), ("ellipse", {"radius": [40, 20]}), ("triangle", {"size": [80, 40]})],
)
def test_shapes_of_the_first_tldraw_have_their_size(kind: str, more: dict[str, Any]) -> None:
    shape = {"type": kind, "point": [9, 9], "rotation": 0} | more
    (stroke,) = read_drawing("a.tldr", content(first_version([shape]))).strokes
    wide, high = np.ptp(stroke.points[:, :2], axis=0)
    assert wide == pytest.approx(2 * high, rel=0.02)


@pytest.mark.parametrize("kind", ["star", "trapezoid", "arrow-right", "x-box", "rhombus-2"])
def test_shapes_of_tldraw_are_no_rectangles(kind: str) -> None:
    def drawn(geo: str) -> Any:
        shape = {"typeName": "shape", "type": "geo", "x": 0, "y": 0, "parentId": "page:1", "id": "shape:1"}
        records = [TL["records"][0], shape | {"props": {"geo": geo, "w": 90, "h": 90}}]
        return sketch_of("a.tldr", content(TL | {"records": records}), 64, told="a")

    assert min(likeness(drawn(kind), drawn("rectangle"))) < 0.7


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (excalidraw(elements=[{"type": "text", "x": 0, "y": 0}]), "but text"),
        (fabric([{"type": "i-text", "text": "shoe"}]), "but text"),
        (fabric([{"type": "Image", "src": "x"}]), "but an embedded picture"),
        (first_version([{"type": "sticky", "text": "x", "point": [0, 0]}]), "but text"),
        (quickdraw() | {"drawing": [[[1, 2, 3], [1, 2]]]}, "3 places across and 2 down"),
        (b"", "the file is empty"),
        (b"\x93NUMPY\1\0", "ndjson"),
    ],
)
def test_what_shows_no_lines_says_what_it_shows(given: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        sketch_of("a.json", content(given), 64, told="a.json")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_any_encoding(encoding: str) -> None:
    assert len(read_drawing("a.json", json.dumps(quickdraw()).encode(encoding))) == len(SHOE)


def test_shapes_have_their_form() -> None:
    boxes = [
        (
            "a.excalidraw",
            {"type": "excalidraw", "elements": [{"type": kind, "x": 10, "y": 20, "width": 200, "height": 100}]},
        )
        for kind in ("rectangle", "ellipse", "diamond")
    ]
    boxes += [
        (
            "a.json",
            fabric(
                [
                    {
                        "type": kind,
                        "left": 0,
                        "top": 0,
                        "width": 200,
                        "height": 100,
                        "rx": 100,
                        "ry": 50,
                        "radius": 0,
                        "stroke": "red",
                        "strokeWidth": 2,
                    }
                ]
            ),
        )
        for kind in ("rect", "ellipse")
    ]
    boxes += [
        (
            "a.tldr",
            {
                "records": [
                    {"typeName": "shape", "type": "geo", "x": 0, "y": 0, "props": {"w": 200, "h": 100, "geo": kind}}
                ]
            },
        )
        for kind in ("rectangle", "ellipse", "diamond", "hexagon")
    ]
    for name, given in boxes:
        (left, top), (right, bottom) = read_drawing(name, content(given)).bounds()
        assert (right - left) / (bottom - top) == pytest.approx(2, abs=0.02), given


def test_a_quarter_turn() -> None:
    upright = {"type": "line", "x": 50, "y": 0, "points": [[0, 0], [100, 0]], "angle": np.pi / 2}
    (left, top), (right, bottom) = read_drawing(
        "a.json", content({"type": "excalidraw", "elements": [upright]})
    ).bounds()
    assert right - left == pytest.approx(0, abs=1e-9)
    assert bottom - top == pytest.approx(1 - 2 * 6 / 128)


def test_erasers_keep_their_place() -> None:
    rubbed = fabric_path([(0, 0), (500, 500)], globalCompositeOperation="destination-out", strokeWidth=30)
    own = fabric_path([(0, 500), (500, 500)], eraser={"type": "eraser", "objects": [fabric_path([(-9, -9), (9, 9)])]})
    drawing = read_drawing("a.json", content(fabric([own, rubbed, fabric_path([(0, 20), (500, 90)])])))
    assert [stroke.tool for stroke in drawing.strokes] == ["pen", "eraser", "eraser", "pen"]


EMPTY = {
    "a.json": Drawing().to_json(),
    "b.json": '{"word": "shoe", "drawing": []}',
    "c.json": '{"objects": [], "version": "5"}',
    "d.excalidraw": '{"type": "excalidraw", "elements": []}',
    "e.tldr": '{"tldrawFileFormatVersion": 1, "records": []}',
    "f.svg": Drawing().to_svg(),
    "g.json": Drawing().add(Stroke.make([(0, 0)], 0.1, "eraser")).to_json(),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_drawing_is_one_from_every_program(name: str) -> None:
    assert not any(stroke.tool == "pen" for stroke in read_drawing(name, EMPTY[name].encode()).strokes)
    with pytest.raises(DataError, match=rf"^{name}: the drawing shows no lines; draw some, dark on light paper"):
        sketch_of(name, EMPTY[name].encode(), 64, told=name)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{}", "not a saved drawing that can be read .*Quick, Draw!, Excalidraw, fabric.js .*, tldraw"),
        ('{"layers": [1, 2]}', "not a saved drawing that can be read"),
        ("[[[1, 2], [3]]]", "not a saved drawing that can be read"),
        ('{"drawing": [[[1, 2', "no whole JSON"),
        ('{"drawing": [[["a"], ["b"]]]}', "of Quick, Draw! is damaged"),
        (
            '{"type": "excalidraw", "elements": [{"type": "line", "points": [[0, 0], [1, 1]]}]}',
            "of Excalidraw is damaged",
        ),
        ('{"objects": [{"type": "path", "path": "M0 0 L"}]}', "of fabric.js .* is damaged"),
        ('{"records": [{"type": "geo", "props": {}}]}', "of tldraw is damaged"),
        ("[" * 100_000, "no whole JSON"),
    ],
)
def test_what_cannot_be_read_is_told(given: str, message: str) -> None:
    with pytest.raises(DataError, match=rf"^a\.json: .*{message}"):
        read_drawing("a.json", given.encode())


def test_every_kind_of_file_counts_as_a_sketch() -> None:
    assert set(SAVED_SUFFIXES) <= set(SKETCH_SUFFIXES)
    assert len(known()) >= 5


def test_the_pad_opens_every_kind(tmp_path: Path) -> None:
    drawing = read_drawing("a.tldr", content(tldraw()))
    assert Drawing.from_json(drawing.to_json()) == drawing


@pytest.mark.parametrize(
    "several",
    [
        json.dumps(quickdraw()) + "\n" + json.dumps(quickdraw()),
        [quickdraw(), quickdraw()],
        {"type": "excalidrawlib", "libraryItems": [{"elements": excalidraw()["elements"]}] * 2},
    ],
)
def test_of_several_drawings_the_first_is_read_and_the_rest_told(
    several: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(read_drawing("a.json", content(several))) == len(SHOE)
    assert "the first is read, the others are left out" in caplog.text
    caplog.clear()
    read_drawing("a.json", content(quickdraw()))
    assert not caplog.text
