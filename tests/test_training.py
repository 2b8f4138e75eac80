from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from edgegan_widget import training
from edgegan_widget.checkpoint import load_model
from edgegan_widget.config import PRESETS, TrainConfig
from edgegan_widget.dataset import load_data
from edgegan_widget.errors import TrainingError
from edgegan_widget.recipes.paper import TensorFlowRMSProp
from edgegan_widget.training import Trainer, train
from tests.parity.original import golden

CPU = torch.device("cpu")


def flat(state: object, prefix: str = "") -> dict[str, object]:
    """Every leaf of a nested state by its path."""
    if isinstance(state, dict):
        items = state.items()
    elif isinstance(state, (list, tuple)):
        items = enumerate(state)
    else:
        return {prefix: state}
    found: dict[str, object] = {}
    for name, value in items:
        found |= flat(value, f"{prefix}/{name}")
    return found


def assert_same(a: Trainer, b: Trainer) -> None:
    ours, theirs = flat(a.state_dict()), flat(b.state_dict())
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        same = torch.equal(value, theirs[name]) if isinstance(value, torch.Tensor) else value == theirs[name]
        assert same, name


def small(preset: str) -> TrainConfig:
    return dataclasses.replace(
        PRESETS[preset],
        epochs=2,
        batch_size=4,
        width=4 if preset == "compact" else 8,
        device="cpu",
        precision="float32",
    )


@pytest.mark.parametrize("preset", ["paper", "compact"])
def test_resuming_equals_never_having_stopped(preset: str, shapes: Path, tmp_path: Path) -> None:
    data = load_data(shapes, "train")
    straight, broken = Trainer(data, small(preset), CPU), Trainer(data, small(preset), CPU)
    for _ in straight:
        pass
    broken.stop_requested = lambda: broken.step == 3
    for _ in broken:
        pass
    assert broken.step == 3
    training.save_state(tmp_path / "s.pt", broken.state_dict())
    resumed = Trainer(data, small(preset), CPU)
    resumed.load_state_dict(training.load_state(tmp_path / "s.pt", CPU))
    for _ in resumed:
        pass
    assert straight.step == resumed.step == 8
    assert_same(straight, resumed)


@pytest.mark.parametrize("preset", ["paper", "compact"])
def test_a_run_leaves_a_model_samples_and_metrics(preset: str, shapes: Path, tmp_path: Path) -> None:
    reports = list(train(shapes, tmp_path / "run", small(preset)))
    assert reports[-1].step == reports[-1].steps == 8
    assert reports[-1].epoch == 2
    assert all(value == value for value in reports[-1].losses.values())
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["losses"] == reports[-1].losses
    assert load_model(tmp_path / "run").config.classes == ("ball", "box")
    assert [path.name for path in (tmp_path / "run" / "samples").iterdir()] == ["step_0000008.png"]
    assert "preset" in json.loads((tmp_path / "run" / "config.json").read_text())


def test_a_run_is_not_overwritten_and_can_be_resumed(shapes: Path, tmp_path: Path) -> None:
    config = small("compact")
    first = train(shapes, tmp_path / "run", config)
    next(iter(first))
    first.close()
    with pytest.raises(TrainingError, match="already holds a run; add --resume"):
        next(iter(train(shapes, tmp_path / "run", config)))
    longer = dataclasses.replace(config, epochs=3)
    assert list(train(shapes, tmp_path / "run", longer, resume=True))[-1].step == 12


def test_stopping_the_iteration_saves(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "REPORT_EVERY_STEPS", 1)
    for progress in train(shapes, tmp_path / "run", small("compact")):
        if progress.step == 3:
            break
    del progress
    state = training.load_state(tmp_path / "run" / "checkpoints" / "last.pt", CPU)
    assert state["step"] == 3


def test_other_classes_cannot_be_resumed(shapes: Path, tmp_path: Path) -> None:
    list(train(shapes, tmp_path / "run", dataclasses.replace(small("compact"), epochs=1)))
    trainer = Trainer(load_data(shapes, "train", classes=["box", "ball"]), small("compact"), CPU)
    with pytest.raises(TrainingError, match="trained on ball, box, the data has box, ball"):
        trainer.load_state_dict(training.load_state(tmp_path / "run" / "checkpoints" / "last.pt", CPU))


def test_too_few_pictures(shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="16 training pictures, fewer than one batch of 32"):
        next(iter(train(shapes, tmp_path / "run", dataclasses.replace(small("compact"), batch_size=32))))


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_state(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "REPORT_EVERY_STEPS", 1)
    run = train(shapes, tmp_path / "run", small("compact"), save_every_seconds=0)
    next(run)
    monkeypatch.setattr(training, "_means", lambda steps: {"image_l1": float("nan")})
    with pytest.raises(TrainingError, match="the loss image_l1 is no longer finite at step 2"):
        next(run)
    assert training.load_state(tmp_path / "run" / "checkpoints" / "last.pt", CPU)["step"] == 1


def test_the_rate_falls_at_the_end(shapes: Path) -> None:
    trainer = Trainer(load_data(shapes, "train"), dataclasses.replace(small("compact"), decay_fraction=0.5), CPU)
    factors = []
    for trainer.step in range(8):
        factors.append(trainer._rate_factor())
    assert factors == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_rmsprop_as_tensorflow_has_it() -> None:
    micro = golden("micro")
    parameter = torch.nn.Parameter(torch.from_numpy(micro["rms_p0"]).clone())
    optimizer = TensorFlowRMSProp([parameter], lr=2e-4)
    for step, gradient in enumerate(micro["rms_grads"]):
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
        assert torch.allclose(parameter, torch.from_numpy(micro["rms_p"][step]), atol=1e-7)
        mean_square = optimizer.state[parameter]["mean_square"]
        assert torch.allclose(mean_square, torch.from_numpy(micro["rms_ms"][step]), rtol=1e-6)


def test_compact_learns_to_draw_what_it_was_shown(shapes: Path) -> None:
    config = dataclasses.replace(small("compact"), epochs=20, width=8)
    trainer = Trainer(load_data(shapes, "train"), config, CPU)
    reports = list(trainer)
    assert reports[-1].losses["image_l1"] < 0.75 * reports[0].losses["image_l1"]
    assert reports[-1].losses["edge_l1"] < 0.75 * reports[0].losses["edge_l1"]


def test_a_signal_ends_the_command_after_a_whole_step(shapes: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgegan_widget", "train", str(shapes), "--out", str(tmp_path / "run")]
    options = ["--epochs", "9999", "--batch-size", "4", "--width", "4", "--device", "cpu"]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    state = training.load_state(tmp_path / "run" / "checkpoints" / "last.pt", CPU)
    assert state["step"] >= 1
    load_model(tmp_path / "run")
