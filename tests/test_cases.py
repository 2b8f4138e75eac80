"""Files that people brought and that once were read wrong, each with what is right."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.evaluation.drawn import human_sketches
from edgegan_widget.sketch.trace import read_sketch
from tests.drawn_pictures import likeness

CASES = Path(__file__).parent / "cases"
SHOE, FACE = CASES / "reference" / "shoe.svg", CASES / "reference" / "face.png"
RIGHT = {
    "svg-background-path": SHOE, "svg-curves": FACE, "svg-doctype": SHOE, "svg-shapes-dropped": FACE,
    "svg-transforms": SHOE, "svg-units": SHOE, "json-other-programs": SHOE, "sketch-64px-inverted": SHOE,
    "sketch-black-frame": SHOE, "sketch-coloured-lines": SHOE, "sketch-hairline-scan": SHOE,
    "sketch-paper-on-table": SHOE, "sketch-photo-shadow": SHOE, "sketch-small-in-corner": SHOE,
}  # fmt: skip
FILES = [path for name in RIGHT for path in sorted((CASES / name).iterdir())]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_drawing_is_read_right(path: Path) -> None:
    precision, recall = likeness(read_sketch(path, 64), read_sketch(RIGHT[path.parent.name], 64))
    assert precision >= 0.9
    assert recall >= 0.85


def test_both_references_show_the_same_drawing() -> None:
    assert min(likeness(read_sketch(CASES / "reference" / "shoe.png", 64), read_sketch(SHOE, 64))) > 0.95


@pytest.mark.parametrize("path", sorted((CASES / "svg-no-line").iterdir()), ids=lambda path: path.name)
def test_a_drawing_without_a_line_is_refused(path: Path) -> None:
    with pytest.raises(DataError, match=rf"{path.name}: the SVG shows no lines, but (text|an embedded picture);"):
        read_sketch(path, 64)


def test_sketches_of_any_suffix_are_asked_for() -> None:
    (found,) = human_sketches(CASES / "evaluate-sketches" / "skset" / "jpg", ("sneaker",), 64)
    assert found.sources == ("sneaker/1.jpg",)


def test_a_bad_sketch_is_told_to_who_asks() -> None:
    told: list[str] = []
    human_sketches(CASES / "evaluate-sketches" / "skset" / "bad", ("sneaker",), 64, tell=told.append)
    assert [problem.partition(": ")[0].endswith("2_blank.png") for problem in told] == [True]


def test_a_bad_sketch_is_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        (found,) = human_sketches(CASES / "evaluate-sketches" / "skset" / "bad", ("sneaker",), 64)
    assert found.sources == ("set/sneaker/1.png",)
    assert np.count_nonzero(found.sketches_u8 < 128) > 50
    assert "2_blank.png: the drawing shows no lines" in caplog.text
