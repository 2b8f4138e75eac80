"""A real process measures two real, small models."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.base.settings import from_json, to_json
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.evaluation.folder import (
    EvaluationFolder,
    Pictures,
    Request,
    find_evaluations,
    new_folder,
    start_evaluation,
)
from edgegan_widget.evaluation.report.table import read_report
from tests.fake_evaluations import fake_pictures, fake_report, write_evaluation, write_model

QUICK = EvaluationConfig(robustness_per_class=0, classifier_steps=2, cache="none")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[str, str], ...]:
    root = tmp_path_factory.mktemp("models")
    return tuple((name, str(write_model(root / name, seed))) for seed, name in enumerate(("a", "b")))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "evaluation"
    EvaluationFolder(tmp_path / "evaluation").stop()


def until_row(found: EvaluationFolder) -> None:
    while found.report() is None and found.status().active:
        time.sleep(0.05)


def test_a_request_is_read_back() -> None:
    request = Request((("a", "x"), ("b", "y")), "data", "sketches", "cpu", EvaluationConfig(per_class=3))
    assert from_json(Request, to_json(request)) == request


def test_pictures_are_read_back_from_disk(tmp_path: Path) -> None:
    pictures = fake_pictures(6, variations=2)
    pictures.save(tmp_path / "p", 1, 0)
    loaded = Pictures.load(tmp_path / "p", 1, 0)
    assert loaded is not None
    assert loaded.variations == 2
    assert loaded.values.keys() == pictures.values.keys()
    for name, values in pictures.values.items():
        assert np.array_equal(loaded.values[name], values), name
    for name in ("sketches", "pictures", "edges", "labels", "seen", "sources"):
        assert np.array_equal(getattr(loaded, name), getattr(pictures, name)), name
    assert Pictures.load(tmp_path / "p", 0, 0) is None
    (tmp_path / "p" / "1_0_right.npy").write_bytes(b"half")
    assert Pictures.load(tmp_path / "p", 1, 0) is None


def test_two_models_are_measured(models: tuple[tuple[str, str], ...], shapes: Path, folder: Path) -> None:
    found = start_evaluation(Request(models, str(shapes), device="cpu", config=QUICK), folder)
    until_row(found)
    first = found.report()
    assert first is not None
    assert first["models"][0]["name"] == "a"
    assert found.report() is first, "read once"
    assert found.pictures(0, 0) is not None, "before the row is seen"
    status = found.wait(120)
    assert (status.state, status.step) == ("finished", status.steps), status.message
    report = found.report()
    assert report is not None
    assert [row["name"] for row in report["models"]] == ["a", "b"]
    assert read_report(json.dumps(report)) == report
    pictures = [found.pictures(model, 0) for model in (0, 1)]
    assert all(one is not None and one.pictures.shape == (6, 64, 64, 3) for one in pictures)
    assert not np.array_equal(pictures[0].pictures, pictures[1].pictures)  # type: ignore[union-attr]
    assert "<h1>" in found.page.read_text()
    assert str(shapes) not in found.page.read_text()


def test_stopping_keeps_the_rows_that_are_done(models: tuple[tuple[str, str], ...], shapes: Path, folder: Path) -> None:
    config = EvaluationConfig(variations=16, robustness_per_class=3, classifier_steps=2, cache="none")
    third = (("c", models[0][1]),)
    found = start_evaluation(Request(models + third, str(shapes), device="cpu", config=config), folder)
    until_row(found)
    found.stop()
    status = found.wait(60)
    assert status.state == "stopped", found.folder.joinpath("log.txt").read_text()
    assert status.message == "What was measured stays."
    report = found.report()
    assert report is not None
    assert 1 <= len(report["models"]) < 3
    assert not found.page.is_file() or "robustness" in report["models"][0], "a page shows whole models only"


def test_a_long_step_is_stopped_in_its_middle(models: tuple[tuple[str, str], ...], shapes: Path, folder: Path) -> None:
    config = EvaluationConfig(classifier_steps=10**6, cache="none")
    found = start_evaluation(Request(models, str(shapes), device="cpu", config=config), folder)
    while not (status := found.status()).seconds_left:
        assert status.active, status.message
        time.sleep(0.05)
    assert 0 < status.step < status.steps == 10**6
    assert f"training the classifier: step {status.step:,} of 1,000,000" in status.message
    found.stop()
    assert found.wait(60).state == "stopped"
    assert found.report() is None


def test_what_cannot_be_measured_is_told_in_a_sentence(
    models: tuple[tuple[str, str], ...], folder: Path, tmp_path: Path
) -> None:
    found = start_evaluation(Request(models, str(tmp_path / "nothing"), device="cpu", config=QUICK), folder)
    status = found.wait(60)
    assert status.state == "failed"
    assert "nothing" in status.message
    assert status.message.endswith(".")


def test_it_outlives_the_process_that_asked_for_it_and_is_found_again(
    models: tuple[tuple[str, str], ...], shapes: Path, folder: Path
) -> None:
    config = EvaluationConfig(classifier_steps=10**6, cache="none")
    code = (
        "import sys, pathlib; from edgegan_widget.base.settings import from_json; "
        "from edgegan_widget.evaluation.folder import *\n"
        "found = start_evaluation(from_json(Request, sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
        "while found.status().state == 'starting': pass"
    )
    request = Request(models, str(shapes), device="cpu", config=config)
    subprocess.run([sys.executable, "-c", code, to_json(request), str(folder)], check=True, timeout=60)
    (found,) = find_evaluations(folder.parent)
    assert found == EvaluationFolder(folder)
    assert found.status().active
    found.stop()
    assert found.wait(60).state == "stopped"


def test_a_process_that_is_gone_is_noticed(models: tuple[tuple[str, str], ...], shapes: Path, folder: Path) -> None:
    config = EvaluationConfig(classifier_steps=10**6, cache="none")
    found = start_evaluation(Request(models, str(shapes), device="cpu", config=config), folder)
    while found.status().state == "starting":
        time.sleep(0.05)
    assert found.process is not None
    found.process.kill()
    status = found.wait(30)
    assert (status.state, status.message) == ("interrupted", "Its process is gone; what was measured stays.")


def test_older_evaluations_keep_their_numbers_and_lose_their_pictures(tmp_path: Path) -> None:
    for number in range(10):
        old = write_evaluation(tmp_path / f"old-{number}", fake_report(), "finished")
        (old.folder / "request.json").write_text("{}")
    made = new_folder(tmp_path)
    assert made.parent == tmp_path
    assert not made.exists()
    kept = [folder.name for folder in find_evaluations(tmp_path) if (folder.folder / "pictures").is_dir()]
    assert kept == [f"old-{number}" for number in range(9, 2, -1)]
    assert all(folder.report() is not None for folder in find_evaluations(tmp_path))
