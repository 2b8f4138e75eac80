from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.training import study as studies
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.study import grid, reference_grid, study
from tests.test_finetuning import SMALL

CHANGES = SMALL | {"width": 8, "epochs": 1, "size_px": 64, "edges": "", "poses": 0.0}


def test_the_reference_grid() -> None:
    runs = reference_grid(TrainConfig.from_preset("paper", data="d"), "default")
    assert [(config.lr_generator, config.epochs, config.start_from) for config in runs.values()] == [
        (1e-3, 100, ""), (2e-4, 100, ""), (1e-5, 100, ""), (1e-5, 20, "default"),
    ]  # fmt: skip
    assert len(reference_grid(TrainConfig.from_preset("paper", data="d"), None)) == 3


def test_any_grid() -> None:
    base = TrainConfig.from_preset("projected")
    runs = grid(base, {"lr": ["1e-4", "2e-4"], "latent": ["vector", "spatial"], "mirror": ["false"]})
    assert len(runs) == 4
    first = runs["lr-1e-4_latent-vector_mirror-false"]
    assert (first.lr_generator, first.latent, first.mirror) == (1e-4, "vector", False)
    assert first.lr_discriminator == pytest.approx(1e-4 * 2 / 3)
    for options, message in (
        ({"depth": ["3"]}, "cannot vary 'depth'"),
        ({"epochs": ["few"]}, "epochs is 'few' in the grid; it must be of type int"),
        ({"lr": ["7"]}, "lr_generator is 7.0"),
    ):
        with pytest.raises(ConfigError, match=message):
            grid(base, options)


def test_a_study_trains_resumes_and_reports(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    base = TrainConfig.from_preset("projected", data=str(shapes), **CHANGES)
    runs = grid(base, {"lr": ["1e-4", "2e-4"]})
    trained = study(runs, tmp_path)
    first = [next(trained) for _ in range(4)]
    assert [(name, progress.step) for name, progress in first] == [("lr-1e-4", step) for step in (1, 2, 3, 4)]
    trained.close()
    assert {name for name, _ in study(runs, tmp_path)} == {"lr-2e-4"}, "what is finished is not trained again"
    rows = list(csv.DictReader((tmp_path / "study.csv").read_text().splitlines()))
    assert [row["run"] for row in rows] == list(runs)
    assert all(row["state"] == "finished" and float(row["best_score"]) > 0 for row in rows)
    assert json.loads((tmp_path / "study.json").read_text())[0]["lr"] == 1e-4
    with Image.open(tmp_path / "study.png") as figure:
        assert figure.width > 800
    longer = grid(TrainConfig.from_preset("projected", data=str(shapes), **CHANGES | {"epochs": 2}), {"lr": ["1e-4"]})
    assert [progress.step for _, progress in study(longer, tmp_path)] == [5, 6, 7, 8], "more epochs go on from the last"
    broken = grid(base, {"batch_size": ["64", "4"]})
    assert {name for name, _ in study(broken, tmp_path / "broken")} == {"batch_size-4"}, "the next one begins"
    assert "fewer than one batch of 64" in caplog.text
    assert studies.write_report(broken, tmp_path / "broken")[0]["state"] == "unknown"
