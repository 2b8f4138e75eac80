"""``compare``, its tally, and ``evaluate --card``, from the command line to the files."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from edgegan_widget.app.cli import main
from edgegan_widget.app.cli_evaluation import add_compare
from edgegan_widget.base.options import chosen
from edgegan_widget.evaluation import features
from edgegan_widget.evaluation.config import EvaluationConfig

DEFAULT = Path(__file__).parents[1] / "models" / "default"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    train = features.training_classifier
    monkeypatch.setattr(features, "training_classifier", lambda data, seed, steps: train(data, seed, 2))
    monkeypatch.setenv("EDGEGAN_WIDGET_CACHE", str(tmp_path / "cache"))
    for split in ("train", "val"):
        for name in ("watch", "sock"):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for number in range(6):
                picture = Image.new("RGB", (64, 64), "white")
                ImageDraw.Draw(picture).ellipse((9 + number, 9, 50, 40), fill=(200, 20 * number, 0))
                picture.save(tmp_path / "data" / split / name / f"{number}.png")
    return tmp_path / "data"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The shipped model with paler pictures."""
    folder = tmp_path / "pale"
    shutil.copytree(DEFAULT, folder)
    weights = load_file(folder / "model.safetensors")
    with safe_open(folder / "model.safetensors", "pt") as stored:
        about = stored.metadata()
    last = next(name for name in weights if name.endswith("generator_image.to_picture.weight"))
    weights[last] = weights[last] * 0.7
    save_file(weights, folder / "model.safetensors", about)
    return folder


def test_compare_and_tally(data: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", str(data), "--inception", "none", "--device", "cpu", "--pairs", "4"]
    out = tmp_path / "out"
    assert main(["compare", "default", str(other), *words, "--out", str(out / "two.html")]) == 0
    assert "default minus" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["two-blind.html", "two.html", "two.json"]
    report = json.loads((out / "two.json").read_text())
    assert report["models"] == ["default", str(other)]
    left = [{"pair": number, "choice": "left"} for number in range(4)]
    (out / "votes.json").write_text(json.dumps({"page": report["vote"]["page"], "votes": left}))
    assert main(["compare", "--tally", str(out / "votes.json"), str(out / "two.json")]) == 0
    told = capsys.readouterr().out
    assert "default 2, " in told
    assert "in 50.0% of the decided pairs" in told


def test_the_seed_of_the_ballots_is_not_that_of_the_evaluation() -> None:
    parser = argparse.ArgumentParser()
    add_compare(parser)
    options = parser.parse_args(["a", "b", "--seed", "5", "--batch-size", "8"])
    config = chosen(options, EvaluationConfig())
    assert (config.seed, config.batch_size) == (0, 8)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "default", "--data", "data", "--out", "out"], "Given is 1 model."),
        (["compare", "a", "b", "--data", "data"], "Given are 2 models, no --out."),
        (["compare", "a", "b", "--data", "data", "--out", "out", "--pairs", "0"], "--pairs is 0"),
        (["compare", "a", "b", "--tally", "votes.json"], "to count votes, give one file"),
        (["compare", "a", "--tally", "votes.json"], "votes.json cannot be read"),
        (["evaluate", "default", "--data", "data"], "there is nowhere to write to"),
        (["evaluate", "a", "b", "--data", "data", "--card"], "--card and --samples are for one model; 2 are given"),
    ],
)
def test_what_cannot_be_asked_for(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert message in capsys.readouterr().err


def test_the_card_names_the_command_but_no_place_of_this_machine(data: Path, other: Path, tmp_path: Path) -> None:
    words = ["--data", str(data), "--inception", "none", "--device", "cpu", "--robustness", "0"]
    words += ["--colour-seeds", "2"]
    assert main(["evaluate", str(other), *words, "--card"]) == 0
    card = (other / "README.md").read_text("utf-8")
    assert "`edgegan-widget evaluate pale --data data --robustness 0 --colour-seeds 2 --card`" in card
    assert str(tmp_path) not in card
    assert "| swapped labels ↑ |" in card
    assert "| spread of colours, 1 is real |" in card
    assert "## Known failures" in card, "the rest of the card stays"


def test_evaluate_writes_page_and_numbers(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", str(data), "--robustness", "0", "--inception", "none", "--device", "cpu"]
    words += ["--swapped", "1", "--colour-seeds", "2", "--samples", str(tmp_path / "out" / "sheet.png")]
    assert main(["evaluate", "default", *words, "--out", str(tmp_path / "out" / "mine.html")]) == 0
    assert "right class" in capsys.readouterr().out
    with Image.open(tmp_path / "out" / "sheet.png") as sheet:
        assert sheet.size == (4 * 3 * 128, 128), "two of each class, each as drawing, edge map and picture"
        assert np.asarray(sheet)[:, 256:384].std() > 20
    report = json.loads((tmp_path / "out" / "mine.json").read_text())
    assert report["classes"] == ["sock", "watch"]
    assert report["models"][0]["name"] == "default"
    assert (tmp_path / "out" / "mine.html").read_text("utf-8").startswith("<!doctype html>")
    assert main(["evaluate", "default", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 1
