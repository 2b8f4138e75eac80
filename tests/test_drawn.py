from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.base.result import Result
from edgegan_widget.evaluation import drawn, features
from edgegan_widget.evaluation.drawn import Drawn, InputSet, draw, held_out_edges
from edgegan_widget.evaluation.judge import as_tensor
from edgegan_widget.networks.architectures.paper import PaperEdgeGAN
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.training.dataset import load_data
from tests.benchmarks import evaluate as bench_evaluate


class OneByOne:
    """A model that can draw no more than one at a time."""

    def __init__(self, model: EdgeGAN) -> None:
        self.name, self.classes, self.size_px, self._model = "one by one", model.classes, model.size_px, model
        self.asked = 0

    def generate(self, sketch: np.ndarray, label: int, *, seed: int | None = None, variations: int = 1) -> Result:
        self.asked += 1
        return self._model.generate(sketch, label, seed=seed, variations=variations)


@pytest.fixture(scope="module")
def model() -> EdgeGAN:
    return EdgeGAN(PaperEdgeGAN(ModelConfig(("box", "ball"), width=8)), device="cpu")


@pytest.fixture
def inputs(shapes: Path) -> InputSet:
    return held_out_edges(load_data(shapes, "val"))


def ended(steps: Iterator[Drawn | int]) -> tuple[list[int], Drawn]:
    *counts, found = steps
    assert isinstance(found, Drawn)
    return counts, found


def test_many_at_once_is_as_one_by_one(model: EdgeGAN, inputs: InputSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "PICTURES_AT_ONCE", 8)
    single = OneByOne(model)
    counts, together = ended(draw(model, inputs, ("ball", "box"), variations=2, timed=3))
    assert counts == [4, 6]
    counts, alone = ended(draw(single, inputs, ("ball", "box"), variations=2, timed=0))
    assert counts == [1, 2, 3, 4, 5, 6]
    assert single.asked == 6
    assert together.pictures_u8.shape == (12, 64, 64, 3)
    assert np.abs(together.pictures_u8.astype(int) - alone.pictures_u8).max() <= 1
    assert np.abs(together.edges_u8.astype(int) - alone.edges_u8).max() <= 1
    assert (len(together.milliseconds), len(alone.milliseconds)) == (3, 0)
    assert not (together.pictures_u8[0] == together.pictures_u8[1]).all(), "variations follow each other"


def test_edges_are_as_large_as_sketches_and_pictures_as_asked_for(inputs: InputSet) -> None:
    class Large:
        name, classes, size_px, sketch_px = "large", ("ball", "box"), 128, 64

        def generate(self, sketch: np.ndarray, label: int, *, seed: int | None = None, variations: int = 1) -> Result:
            grey = 0 if seed is None else seed
            pictures = np.full((variations, 128, 128, 3), grey, np.uint8)
            return Result(pictures, sketch[None].repeat(variations, 0), np.zeros((variations, 4), np.float32), 1.0)

    _, found = ended(draw(Large(), inputs, ("ball", "box"), seed=9, timed=0))
    assert found.pictures_u8.shape == (6, 128, 128, 3)
    assert (found.pictures_u8 == 9).all(), "the seed is handed on"
    assert found.edges_u8.shape == (6, 64, 64)
    assert as_tensor(found, 64).shape == (6, 3, 64, 64)
    assert found.pictures_at(128) is found.pictures_u8


def test_the_bench_measures_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    train = features.training_classifier
    monkeypatch.setattr(features, "training_classifier", lambda data, seed, steps: train(data, seed, 2))
    monkeypatch.setattr(bench_evaluate, "_TRAIN", 2)
    monkeypatch.setattr(bench_evaluate, "_HELD_OUT", 4)
    monkeypatch.setattr(bench_evaluate, "_DRAWN_ALONE", 8)
    figures = bench_evaluate.run(device="cpu", pictures=40)
    rows = {row["name"]: row for row in figures["rows"]}
    assert rows["40 pictures: classifier, drawing, all numbers of the set"]["bar"] == 180
    assert rows["memory of the process, most"]["value"] > 50
    assert all(row["value"] > 0 for row in rows.values())
    assert figures["machine"]["torch threads"] >= 1
