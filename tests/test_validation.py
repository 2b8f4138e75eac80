from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.base.errors import DataError, ModelError
from edgegan_widget.base.result import Result
from edgegan_widget.evaluation import validation
from edgegan_widget.evaluation.judge import train_classifier
from edgegan_widget.evaluation.validation import Score, as_json, table, validate
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.sketch.sketch_sets import sketch_folders
from edgegan_widget.training.dataset import load_data
from tests.modulated import modulated_networks


class Copier:
    """A model that returns the training picture of a class, the right or the wrong one."""

    size_px = sketch_px = 64
    name = "copier"

    def __init__(self, shapes: Path, wrong: bool = False) -> None:
        data = load_data(shapes, "train")
        self.classes = data.classes
        first = [int((data.labels == label).nonzero()[0]) for label in range(2)]
        self.pictures = [data.images_u8[index].permute(1, 2, 0).numpy() for index in (first[::-1] if wrong else first)]

    def generate(self, sketch: np.ndarray, label: int) -> Result:
        return Result(self.pictures[label][None], sketch[None], np.zeros((1, 100), np.float32), 1.0)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    train = validation.train_classifier
    monkeypatch.setattr(validation, "train_classifier", lambda data, seed: train(data, seed, steps=40))


def test_a_right_model_and_one_with_exchanged_labels(shapes: Path) -> None:
    right, grid = validate(Copier(shapes), shapes)
    assert [score.name for score in right] == ["real held-out pictures", "pictures from held-out edge maps"]
    assert right[0].accuracy >= 5 / 6
    assert right[1].accuracy == 1
    assert grid.size == (4 * 3 * 64, 64)
    wrong, _ = validate(Copier(shapes, wrong=True), shapes)
    assert wrong[1].accuracy == 0


def test_sketches_are_scored_by_folder(shapes: Path, tmp_path: Path) -> None:
    shutil.copytree(shapes / "val" / "box", tmp_path / "people" / "box")
    shutil.copytree(shapes / "val" / "box", tmp_path / "people" / "cloud")
    assert [folder.name for folder in sketch_folders(tmp_path, ("ball", "box"))] == ["people/box"]
    scores, _ = validate(Copier(shapes), shapes, tmp_path, people="all")
    assert scores[-1] == Score("pictures from sketches: people/box", 3, 3)
    assert "people/box      3  100.0%" in table(scores)
    assert as_json(scores)[-1]["accuracy"] == 1


def test_pictures_larger_than_their_sketches(shapes: Path, tmp_path: Path) -> None:
    shutil.copytree(shapes / "val" / "box", tmp_path / "people" / "box")
    scores, grid = validate(EdgeGAN(modulated_networks(), device="cpu"), shapes, tmp_path, people="all")
    assert len(scores) == 3
    assert grid.size == (4 * 3 * 128, 2 * 128)


def test_a_classifier_is_the_same_every_time(shapes: Path) -> None:
    data = load_data(shapes, "train")
    first, second = (train_classifier(data, seed=1, steps=3) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first.parameters(), second.parameters()))


def test_linked_folders_are_found_once(shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "people").symlink_to(shapes / "val")
    (tmp_path / "sets" / "again").symlink_to(tmp_path)  # a circle
    found = sketch_folders(tmp_path / "sets", ("ball", "box"))
    assert [folder.name for folder in found] == ["people/ball", "people/box"]


def test_nothing_to_measure(shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder of sketches named after a class"):
        sketch_folders(tmp_path, ("ball",))
    single = Copier(shapes)
    single.classes = ("ball",)
    with pytest.raises(ModelError, match="one class, so there is nothing to tell apart"):
        validate(single, shapes)
