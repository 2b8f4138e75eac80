"""Figures of training on this machine: steps, memory, stopping, kills, and a pad beside a run. Ratios in one run."""

from __future__ import annotations

import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

from edgegan_widget.base.files import write_atomic
from edgegan_widget.networks.devices import choose_device, describe_device
from edgegan_widget.sketch.sources.trained import STYLES
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import PairDataset
from edgegan_widget.training.runs.jobs import Run
from edgegan_widget.training.trainer import Trainer

__all__ = ["run"]

Figures = dict[str, Any]

CLASSES = 14
ORIGINAL_SECONDS = 46.0  # the original graph's updates at batch 64 on two free cores
ORIGINAL_MEMORY_MB = 5400.0
ORIGINAL_TFLOP = 5.9  # of its updates, counted
CUDA_STEPS = 200


def run(device: str = "auto", browser: bool = False, kills: int = 10) -> Figures:
    """Measure and return figures as :func:`tests.benchmarks.drawing.run` does."""
    place = choose_device(device)
    threads = torch.get_num_threads()
    rows = _step_rows(place)
    with tempfile.TemporaryDirectory() as folder:
        data = _drawn_data(Path(folder) / "data")
        rows += _stop_rows(data, Path(folder) / "runs" / "stopped")
        rows.append(_row(f"{kills} kills: checkpoints lost or stray files", _kills(data, Path(folder), kills), "", 0))
        if browser:
            rows += _beside_rows(data, Path(folder) / "beside")
    machine = {
        "device": describe_device(place), "cores": os.cpu_count(), "threads": threads, "platform": platform.platform(),
        "load": os.getloadavg()[0],
    }  # fmt: skip
    return {"machine": machine, "rows": rows}


def _row(name: str, value: float, unit: str, bar: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "bar": bar}


def _step_rows(device: torch.device) -> list[dict[str, Any]]:
    if device.type == "cuda":
        return [row for precision in ("float32", "tf32", "bfloat16") for row in _cuda_rows(device, precision)]
    projected = _seconds_a_step("projected", device, 4)
    attainable = _attainable_tflops()
    paper = _seconds_a_step("paper", device, 2)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return [
        _row("projected: one step at batch 16", projected, "s", 1.2),
        _row("paper: one step at batch 64", paper, "s", ORIGINAL_SECONDS),
        _row("paper: original's updates over ours", ORIGINAL_SECONDS / paper, "times", 1.0),
        _row("paper: original's whole step over ours", 95 / paper, "times", 2.0),
        _row("paper: most memory", memory_mb, "MB", ORIGINAL_MEMORY_MB),
        _row("convolution alone reaches, on this machine now", attainable, "TFLOP/s"),
        _row("paper: the original's work at that rate, over ours", ORIGINAL_TFLOP / attainable / paper, "times"),
    ]


def _seconds_a_step(preset: str, device: torch.device, steps: int) -> float:
    """The fastest of a few steps, in seconds; the first, which prepares, does not count."""
    trainer = _trainer(preset, device)
    seconds = []
    for index in range(steps):
        began = time.perf_counter()
        trainer.stepper(trainer.recipe.inputs(trainer.data, index), index, 1.0)
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])


def _cuda_rows(device: torch.device, precision: str) -> list[dict[str, Any]]:
    """Steps a second, the share of time in which the device waits, and memory."""
    torch.cuda.reset_peak_memory_stats(device)
    trainer = _trainer("paper", device, precision=precision)
    for index in range(5):
        trainer.stepper(trainer.recipe.inputs(trainer.data, index), index, 1.0)
    fixed = trainer.recipe.inputs(trainer.data, 0)
    seconds = []
    for fresh in (True, False):
        torch.cuda.synchronize(device)
        began = time.perf_counter()
        for index in range(CUDA_STEPS):
            trainer.stepper(trainer.recipe.inputs(trainer.data, index) if fresh else fixed, index, 1.0)
        torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - began)
    lost = 1 - seconds[1] / seconds[0]  # against the same steps without a new batch each
    return [
        _row(f"paper, {precision}: steps a second at batch 64", CUDA_STEPS / seconds[0], "/s",
             40 if precision == "bfloat16" else None),
        _row(f"paper, {precision}: time lost between steps", 100 * lost, "%", 3),
        _row(f"paper, {precision}: most memory", torch.cuda.max_memory_allocated(device) / 1e6, "MB"),
    ]  # fmt: skip


def _trainer(preset: str, device: torch.device, **changes: Any) -> Trainer:
    chance = torch.Generator().manual_seed(0)
    count = 256
    config = TrainConfig.from_preset(preset, **changes)
    channels = 4 if preset == "projected" else 3
    sources = (*STYLES, *config.edge_sources)
    images = torch.randint(256, (count, channels, *[config.size_px] * 2), generator=chance, dtype=torch.uint8)
    edges = torch.randint(256, (count, len(sources), *[config.sketch_px] * 2), generator=chance, dtype=torch.uint8)
    names = tuple(f"class_{number}" for number in range(CLASSES))
    data = PairDataset(images, edges, torch.arange(count) % CLASSES, names, sources)
    return Trainer(data, config, device)


def _attainable_tflops() -> float:
    """What one of the discriminators' large convolutions reaches when nothing else is done."""
    picture, weight = torch.randn(64, 128, 32, 32), torch.randn(256, 128, 4, 4)
    work = 2 * 64 * 256 * 16 * 16 * 128 * 16
    seconds = []
    for _ in range(6):
        began = time.perf_counter()
        F.conv2d(picture, weight, stride=2, padding=1)
        seconds.append(time.perf_counter() - began)
    return work / min(seconds) / 1e12


def _drawn_data(folder: Path) -> Path:
    """A few drawn pictures, enough to train on while something else is measured."""
    chance = np.random.default_rng(0)
    for name, kind in (("ball", "ellipse"), ("box", "rectangle")):
        for split in ("train", "val"):
            for number in range(8):
                picture = Image.new("RGB", (128, 128), "white")
                left, top = chance.integers(8, 40, 2).tolist()
                colour = tuple(chance.integers(20, 200, 3).tolist())
                getattr(ImageDraw.Draw(picture), kind)((left, top, 128 - left, 128 - top), fill=colour, outline="black")
                with write_atomic(folder / split / name / f"{number}.png") as stream:
                    picture.save(stream, "PNG")
    return folder


def _train(data: Path, out: Path, resume: bool, *more: str) -> subprocess.Popen[bytes]:
    words = [
        sys.executable, "-m", "edgegan_widget", "train", str(data), "--out", str(out), "--epochs", "100000",
        "--batch-size", "4", "--width", "4", "--device", "cpu", "--quiet", *more, *(["--resume"] if resume else []),
    ]  # fmt: skip
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _until_step(run: Run, step: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while run.status().step < step:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the run ended or hung before step {step}: {run.status().message or run.log()}")
        time.sleep(0.05)


def _stop_rows(data: Path, out: Path) -> list[dict[str, Any]]:
    """From the signal until the process is gone, less one step."""
    process, run = _train(data, out, False), Run(out)
    _until_step(run, 25, process)
    watching = _watching_share(run, seconds=10)
    step_seconds = 4 / run.status().images_per_second
    began = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    process.wait()
    return [
        _row("a panel that follows a run, of the machine's time", 100 * watching, "%", 1.0),
        _row("stopping, less one step", time.perf_counter() - began - step_seconds, "s", 1.0),
    ]


def _watching_share(run: Run, seconds: float) -> float:
    """Share of all cores that a panel takes while it follows a run."""
    from edgegan_widget.panels.training.run_view import RunView

    view = RunView(run.folder.parent, run)
    time.sleep(2)  # its first pictures
    before, began = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    used = time.process_time() - before
    view.close()
    return used / (time.perf_counter() - began) / (os.cpu_count() or 1)


def _kills(data: Path, folder: Path, count: int) -> int:
    """Kill a run that saves all the time, at random moments; how often something was lost or left over."""
    run, failures, reached = Run(folder / "killed"), 0, 0
    chance = random.Random(0)
    for _ in range(count):
        process = _train(data, run.folder, run.can_resume, "--save-every-seconds", "0")
        _until_step(run, reached + 1, process)
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
        process.wait()
        stray = [path for path in run.folder.rglob("*") if path.name.startswith(".")]
        try:
            state = torch.load(run.folder / "checkpoints" / "last.pt", weights_only=True)
            lost = int(state["step"]) < reached
            reached = int(state["step"])
        except Exception:  # whatever is wrong with it, it is lost
            lost = True
        failures += bool(stray or lost)
    return failures


def _beside_rows(data: Path, out: Path) -> list[dict[str, Any]]:
    """The pad's latency on the page with and without a training run beside it, started as the panel starts it."""
    from edgegan_widget.training.runs.jobs import start_run
    from tests.benchmarks.page import latencies_ms

    idle = latencies_ms()
    started = start_run(TrainConfig.from_preset("projected", data=str(data), out=str(out), epochs=10**5))
    try:
        busy = latencies_ms()
    finally:
        started.stop()
        started.wait(60)
    rows = [
        _row(f"stroke to picture, 95th percentile, {name}", float(np.percentile(values, 95)), "ms")
        for name, values in (("alone", idle), ("beside a run", busy))
    ]
    return [*rows, _row("beside a run over alone", rows[1]["value"] / rows[0]["value"], "times", 2.0)]
