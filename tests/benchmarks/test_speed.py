"""Speed, for ``pytest tests/benchmarks --benchmark-enable``; as plain tests they only run once each.

Figures with their bars are printed by ``python3 start.py bench``; nothing here fails for being slow.
"""

from __future__ import annotations

import numpy as np
import pytest

from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.sketch.edges import draw
from edgegan_widget.sketch.raster import Rasterizer, rasterize
from edgegan_widget.sketch.sources import names, takes_file
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.benchmarks import __main__ as cli
from tests.benchmarks import drawing as bench
from tests.benchmarks import edges as bench_edges


@pytest.fixture
def walk() -> np.ndarray:
    return np.cumsum(np.random.default_rng(0).normal(0, 0.01, (4000, 2)), axis=0) % 1


def test_one_added_segment(benchmark: object, walk: np.ndarray) -> None:
    raster, segment = Rasterizer(), Stroke.make(walk[:2], 0.02)

    def add() -> np.ndarray:
        raster.draw(segment)
        return raster.sketch()

    assert benchmark(add).shape == (64, 64)


def test_a_redraw_of_4000_points(benchmark: object, walk: np.ndarray) -> None:
    drawing = Drawing().add(Stroke.make(walk, 0.02))
    assert benchmark(rasterize, drawing).shape == (64, 64)


def test_one_picture(benchmark: object) -> None:
    model = EdgeGAN.from_pretrained("default", device="cpu")
    sketch = np.full((64, 64), 255, np.uint8)
    assert benchmark(model.generate, sketch, 0).image.shape == (128, 128, 3)


def test_the_command_measures_and_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_times_ms", lambda action, count: [float(action() is not None)])
    figures = bench.run("default", "cpu")
    assert figures["machine"]["cores"] >= 1
    names = [row["name"] for row in figures["rows"]]
    assert any("engine F" in name for name in names)
    assert all(name in bench.table(figures) for name in names)


@pytest.mark.parametrize("source", [source for source in names() if not takes_file(source)])
def test_edges(benchmark: object, source: str) -> None:
    assert benchmark(draw, bench_edges._object(480, 640), source).shape == (480, 640)


def test_the_command_measures_edges(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench_edges, "_SECONDS", 0.0)
    monkeypatch.setattr(bench_edges, "_photosketch_rows", lambda: [bench_edges._row("photosketch", 1.0, "times", 1.3)])
    monkeypatch.setattr(bench_edges, "_seconds", lambda action: 1.0 + (action() is None))
    assert cli.main(["edges"]) == 0
    shown = capsys.readouterr().out
    assert all(f"edges {source}, 640x480" in shown for source in names() if not takes_file(source))
    assert "bar 1.3 times" in shown
