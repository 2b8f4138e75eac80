"""What is it? The classifier of sketches: trained, kept with the model, asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.find import GUESSER as FILE
from edgegan_widget.networks.guesser import Guesser, load_guesser, save_guesser
from edgegan_widget.training.guess import train_guesser
from tests.modulated import saved_modulated


def test_a_trained_one_goes_with_the_model_and_names_drawings(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = saved_modulated(tmp_path / "model")
    assert not EdgeGAN.from_pretrained(folder, device="cpu").can_guess
    assert main(["train-guess", str(shapes), "--model", str(folder), "--steps", "60"]) == 0
    assert FILE in capsys.readouterr().out
    assert (folder / FILE).stat().st_size < 1_000_000
    model = EdgeGAN.from_pretrained(folder, device="cpu")
    assert model.can_guess
    yes, xs = np.mgrid[:64, :64] - 31.5
    ring = np.where(np.abs(np.hypot(yes, xs) - 24) < 1.2, 0, 255).astype(np.uint8)
    guesses = model.guess(ring)
    assert guesses[0][0] == "ball"
    assert sum(share for _, share in guesses) == pytest.approx(1)
    assert [share for _, share in guesses] == sorted((share for _, share in guesses), reverse=True)
    frame = np.where(np.maximum(np.abs(yes), np.abs(xs)).astype(int) == 22, 0, 255).astype(np.uint8)
    assert model.guess(frame)[0][0] == "box"


def test_training_the_same_again_gives_the_same(shapes: Path) -> None:
    from edgegan_widget.training.guess import read

    pictures, people = read(str(shapes), ("ball", "box"), ())
    found = []
    for _ in range(2):
        torch.manual_seed(1)
        guesser = Guesser(2)
        *_, last = train_guesser(guesser, pictures, people, 3, seed=5)
        found.append((last.loss, guesser.head.weight.detach().clone()))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])
    with pytest.raises(ConfigError, match="steps is 0; give at least 1"):
        next(train_guesser(Guesser(2), pictures, people, 0))


def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    folder = saved_modulated(tmp_path / "model")
    save_guesser(folder, Guesser(5))
    with pytest.raises(ModelError, match="train it anew with train-guess"):
        EdgeGAN.from_pretrained(folder, device="cpu")
    (folder / FILE).write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be used"):
        load_guesser(folder, 2)


def test_it_stays_when_a_model_of_the_same_classes_takes_the_folder(tmp_path: Path) -> None:
    folder, other = saved_modulated(tmp_path / "model"), saved_modulated(tmp_path / "other")
    save_guesser(folder, Guesser(2))
    (folder / "README.md").write_text("Mine.")
    (folder / "critics.safetensors").write_bytes(b"of the model before")
    assert main(["export", str(other), "--out", str(folder), "--force"]) == 0
    assert EdgeGAN.from_pretrained(folder, device="cpu").can_guess
    assert (folder / "README.md").read_text() == "Mine."
    assert not (folder / "critics.safetensors").exists(), "they judge the pictures of the weights that were there"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["model", "other"]
    assert main(["export", "default", "--out", str(folder), "--force"]) == 0
    assert not (folder / FILE).exists(), "it knows other classes"


def test_what_is_no_model_stays_beside_one(tmp_path: Path) -> None:
    (tmp_path / "photos" / "summer").mkdir(parents=True)
    (tmp_path / "photos" / "summer" / "me.txt").write_text("Keep me.")
    assert main(["export", "default", "--out", str(tmp_path / "photos")]) == 0
    assert (tmp_path / "photos" / "summer" / "me.txt").read_text() == "Keep me."
    assert (tmp_path / "photos" / "config.json").is_file()
