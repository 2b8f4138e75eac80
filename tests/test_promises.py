"""The promises of docs/reliability.md in short; ``python3 start.py soak`` holds them over many more trials."""

from __future__ import annotations

import zlib
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.trace import read_sketch
from tests.soak.promises import PROMISES

SHORT = {
    "models": 60, "drawings": 100, "pictures": 100, "kills": 3, "seeds": 2, "memory": 60, "pages": 1, "labels": 100,
    "scenes": 100,
}  # fmt: skip
USUAL = 300
# Minutes long: what the first counts is a test in test_workbench.py, and tests/serving holds the last.
ELSEWHERE = ("page-memory", "versions", "engines")


@pytest.mark.parametrize("name", [name for name in PROMISES if name not in ELSEWHERE])
def test_a_promise_holds(name: str) -> None:
    assert PROMISES[name].hold(SHORT.get(name, USUAL), Random(zlib.crc32(name.encode())))


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (2, 9000), (1, 1), (3, 700)])
def test_strips_are_read_or_refused(size: tuple[int, int], tmp_path: Path) -> None:
    picture = Image.new("L", size, 255)
    picture.putpixel((size[0] // 2, size[1] // 2), 0)
    picture.save(tmp_path / "strip.png")
    try:
        assert read_sketch(tmp_path / "strip.png", 64).shape == (64, 64)
    except DataError as error:
        assert "no lines" in str(error)  # noqa: PT017 - either is right
