"""Two processes over gloo: the same command and the same run as one process with the whole batch."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from edgegan_widget.app.cli import main
from edgegan_widget.networks.store import load_state
from edgegan_widget.training.runs.jobs import Run
from tests.test_training import assert_same

CPU = torch.device("cpu")


def command(data: Path, out: Path, preset: str, *more: str) -> list[str]:
    narrow = ["--size", "64", "--poses", "0", "--edges", "full,outline"] if preset == "projected" else []
    return [
        "-m", "edgegan_widget", "train", str(data), "--out", str(out), "--preset", preset, "--width", "8", *narrow,
        "--batch-size", "8", "--epochs", "1", "--device", "cpu", "--precision", "float32", "--quiet", *more,
    ]  # fmt: skip


def torchrun(words: list[str]) -> subprocess.CompletedProcess[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launch = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", f"--master-port={port}"]
    return subprocess.run([sys.executable, *launch, *words], capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.parametrize("preset", ["paper", "projected"])
def test_two_processes_train_what_one_does(preset: str, shapes: Path, tmp_path: Path) -> None:
    assert main(command(shapes, tmp_path / "one", preset)[2:]) == 0
    ended = torchrun(command(shapes, tmp_path / "two", preset))
    assert ended.returncode == 0, ended.stderr[-2000:]
    one, two = (load_state(tmp_path / name / "checkpoints" / "last.pt", CPU) for name in ("one", "two"))
    assert one["step"] == two["step"] == 2
    weights = [state["recipe"]["networks"] | state["recipe"]["critics"] for state in (one, two)]
    if preset == "projected":
        # Adam's first steps have the length of the rate whatever the gradient, so a rounding turns many of E's around;
        # batch statistics, which are those of the whole batch in both, tell whether the processes belong together.
        weights = [{name: value for name, value in each.items() if "running_" in name} for each in weights]
        assert len(weights[0]) > 20
    # Gradient penalties hold second derivatives, which processors round differently by up to some 1e-3 of a move.
    assert_same(*weights, tolerance=1e-3)
    losses = [Run(tmp_path / name).new_metrics()[-1]["losses"] for name in ("one", "two")]
    assert losses[1] == pytest.approx(losses[0], rel=2e-2, abs=2e-2)


def test_a_batch_that_cannot_be_shared(shapes: Path, tmp_path: Path) -> None:
    words = command(shapes, tmp_path / "odd", "projected")
    words[words.index("--batch-size") + 1] = "7"
    ended = torchrun(words)
    assert ended.returncode != 0
    assert "a batch of 7 cannot be shared by 2 processes; give a multiple of 2" in ended.stderr
