"""Run folders as training leaves them, written without training."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image

from edgegan_widget.base.runs import Status, this_process, write_status
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.runs.jobs import Run

LOSSES = ("discriminator_joint", "discriminator_image", "generator_joint", "generator_image", "image_l1", "kl")


def write_run(
    root: Path, name: str, state: str = "finished", steps: int = 1000, done: int = 600, **changes: object
) -> Run:
    """A run that has come to step ``done``; one that is at work lives in this process."""
    folder = root / name
    for part in ("samples", "checkpoints"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    config = TrainConfig.from_preset("projected", **{"data": "data", "out": str(folder), **changes})
    (folder / "config.json").write_text(json.dumps({"settings": dataclasses.asdict(config), "version": "0"}))
    (folder / "log.txt").write_text(f"training {name}\n16 pictures of 2 classes <ball, box>\n")
    (folder / "metrics.jsonl").write_text("")
    add_metrics(folder, range(25, done + 1, 25), steps)
    for step in range(200, done + 1, 200):
        add_samples(folder, step)
    tell(folder, state, done, steps)
    return Run(folder)


def tell(folder: Path, state: str, step: int, steps: int = 1000, message: str = "") -> None:
    """Write ``status.json``."""
    pid, began = this_process()
    status = Status(
        state, step, steps, epoch=step / 50, images_per_second=35.25, seconds_left=(steps - step) * 0.9, memory_mb=640,
        message=message, pid=pid, process_started=began, told_at=time.time(), device="2 CPU cores",
    )  # fmt: skip
    write_status(folder, status)


def add_metrics(folder: Path, taken: range, steps: int = 1000) -> None:
    """Append reports of these steps, a score every 200."""
    random = np.random.default_rng(len(folder.name))
    with (folder / "metrics.jsonl").open("a") as stream:
        for step in taken:
            fall = math.exp(-step / 300)
            losses = {name: (2 + index) * fall + 0.3 + 0.2 * random.random() for index, name in enumerate(LOSSES)}
            losses["generator_joint"] -= 1.5  # a hinge loss goes below zero
            report = {
                "step": step, "steps": steps, "epoch": step / 50, "losses": losses, "images_per_second": 35.25,
                "seconds_left": (steps - step) * 0.9, "memory_mb": 640.0,
                "score": None if step % 200 else 90 * fall + 20,
            }  # fmt: skip
            stream.write(json.dumps(report) + "\n")


def add_samples(folder: Path, step: int) -> None:
    """Grids whose colour tells the step, and the model of that step's file names."""
    for kind, size in (("latents", (512, 128)), ("sketches", (320, 256))):
        Image.new("RGB", size, sample_colour(step)).save(folder / "samples" / f"{kind}_{step:07}.png")
    for name in ("last.pt", "last.safetensors", "best.safetensors"):
        (folder / "checkpoints" / name).write_bytes(b"")


def sample_colour(step: int) -> tuple[int, int, int]:
    return (step // 10 % 256, 100, 50)


def colour_of(png: bytes) -> tuple[int, ...]:
    pixel = Image.open(io.BytesIO(png)).convert("RGB").getpixel((3, 3))
    assert isinstance(pixel, tuple)
    return pixel


def make_old(run: Run, seconds: float) -> None:
    """As if its status had been written so long ago."""
    then = time.time() - seconds
    os.utime(run.folder / "status.json", (then, then))
