"""Whatever a file holds, it is a drawing or a sentence: mutations of good files, and made-up ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.strokes import Drawing
from edgegan_widget.sketch.trace import read_drawing, sketch_from_picture

CASES = Path(__file__).parent / "cases"
LIKE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

svgs = [path.read_bytes() for path in sorted(CASES.glob("svg-*/*.svg")) if path.stat().st_size < 3000]
jsons = [path.read_bytes() for path in sorted(CASES.glob("json-*/*"))]
pictures = [path.read_bytes() for path in sorted(CASES.glob("sketch-*/*.png")) if path.stat().st_size < 8000]


def read(name: str, content: bytes) -> None:
    told, drawing = "", Drawing()
    try:
        drawing = read_drawing(name, content)
    except DataError as error:
        told = str(error)
    assert "\n" not in told
    assert told.endswith(".") or not told
    assert all(np.isfinite(stroke.points).all() for stroke in drawing.strokes)
    drawing.fitted()


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A good file with a few parts replaced, left out or repeated."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 40))
        kind = draw(st.integers(0, 2))
        part = [draw(st.binary(max_size=12)), b"", bytes(content[at : at + length]) * 3][kind]
        content[at : at + length] = part
    return bytes(content)


WORDS = [
    "M",
    "L1 2",
    "A5 5 0 1",
    "z",
    "-1e308",
    "nan",
    "url(#a)",
    "#a",
    "100%",
    "rotate(1e9)",
    "matrix(0,0,0,0,0,0)",
    "none",
]
NAMES = ["d", "points", "x", "y", "r", "rx", "width", "height", "viewBox", "transform", "style", "href", "id", "stroke"]
elements = st.recursive(
    st.tuples(
        st.sampled_from(["path", "rect", "circle", "ellipse", "line", "polygon", "use", "text", "style"]),
        st.dictionaries(
            st.sampled_from(NAMES),
            st.sampled_from(WORDS) | st.text("MmLlZzAaCc0123456789.-e, ", max_size=30),
            max_size=5,
        ),
    ).map(lambda pair: f"<{pair[0]} " + attributes(pair[1]) + "/>"),
    lambda inner: st.tuples(
        st.sampled_from(["g", "svg", "symbol", "defs", "switch"]),
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from(WORDS), max_size=3),
    ).map(lambda part: f"<{part[0]} {attributes(part[2])}>" + "".join(part[1]) + f"</{part[0]}>"),
    max_leaves=12,
)


def attributes(given: dict[str, str]) -> str:
    return " ".join(f'{key}="{value}"' for key, value in given.items())


@given(mutated(svgs) | elements.map(lambda inside: f'<svg viewBox="0 0 9 9">{inside}</svg>'.encode()))
@LIKE
def test_svg(content: bytes) -> None:
    read("a.svg", content)


anything = st.recursive(
    st.none() | st.booleans() | st.floats(width=32) | st.integers(-(2**70), 2**70) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "x",
                    "y",
                    "points",
                    "props",
                    "segments",
                    "path",
                    "w",
                    "h",
                    "width",
                    "height",
                    "angle",
                    "opacity",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
programs = st.one_of(
    st.fixed_dictionaries({"drawing": anything}),
    st.fixed_dictionaries({"records": st.lists(anything, max_size=3)}),
    st.fixed_dictionaries(
        {
            "objects": st.lists(
                st.fixed_dictionaries(
                    {"type": st.sampled_from(["path", "rect", "group"])},
                    optional={"path": anything, "objects": anything},
                )
            ),
        }
    ),
    st.fixed_dictionaries({"type": st.just("excalidraw"), "elements": anything}),
    st.fixed_dictionaries({"format": st.just("edgegan-widget drawing"), "version": st.just(1), "strokes": anything}),
)


@given(mutated(jsons) | programs.map(lambda document: json.dumps(document).encode()))
@LIKE
def test_json(content: bytes) -> None:
    read("a.json", content)


@given(mutated([b"\1" * 15 + b"\2\0\3\0abcdef\2\0wxyz"]) | st.binary(max_size=60))
@LIKE
def test_quickdraw_binary(content: bytes) -> None:
    read("a.bin", content)


@given(mutated(pictures))
@settings(LIKE, max_examples=25)
def test_pictures(content: bytes) -> None:
    read("a.png", content)


@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([(), (3,), (4,)]), st.integers(0, 2**32), st.booleans())
@settings(LIKE, max_examples=12)
def test_any_pixels(high: int, wide: int, channels: tuple[int, ...], seed: int, even: bool) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (high, wide, *channels), np.uint8)
    pixels = (
        np.where(random.random((high, wide, *(1 for _ in channels))) < 0.9, 250, pixels).astype(np.uint8)
        if even
        else pixels
    )
    try:
        sketch = sketch_from_picture(pixels, 64)
    except DataError:
        return
    assert sketch.shape == (64, 64)
