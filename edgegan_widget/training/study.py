"""A study: the same data under a grid of settings, one run after the other, one table and one figure at the end.

The reference grid is that of the retraining by which EdgeGAN is known: rates of 1e-3, 2e-4 and 1e-5 from scratch, and
20 epochs at 1e-5 from a given model. A study that was stopped goes on where it was; what is finished stays.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from edgegan_widget.base.errors import ConfigError, EdgeGANError
from edgegan_widget.base.files import write_atomic, write_bytes
from edgegan_widget.base.settings import KINDS
from edgegan_widget.training.config import TrainConfig, finetune_config
from edgegan_widget.training.loop import Progress, train
from edgegan_widget.training.runs.jobs import Run

__all__ = ["grid", "reference_grid", "study", "write_report"]

log = logging.getLogger(__name__)

REFERENCE_RATES = (1e-3, 2e-4, 1e-5)


def reference_grid(base: TrainConfig, start_from: str | None) -> dict[str, TrainConfig]:
    """The reference grid by name; without a model to start from, its three runs from scratch."""
    runs = grid(base, {"lr": [str(rate) for rate in REFERENCE_RATES]})
    if start_from:
        kept = {"seed": base.seed, "device": base.device, "batch_size": base.batch_size, "classes": base.classes}
        runs["finetuned-1e-05"] = finetune_config(start_from, base.data, "", **kept)
    return runs


def grid(base: TrainConfig, options: Mapping[str, Sequence[str]]) -> dict[str, TrainConfig]:
    """Every combination of options around ``base``, by a name that says which.

    Parameters
    ----------
    base
        The settings that all runs share.
    options
        Fields of :class:`TrainConfig` with the values to try, as text; ``lr`` stands for both rates, which keep their
        ratio.

    Raises
    ------
    ConfigError
        A field is unknown, or a value is not of its type or out of its range.
    """
    names = list(options)
    runs = {}
    for values in itertools.product(*options.values()):
        changes: dict[str, Any] = {}
        for name, text in zip(names, values):
            changes |= _change(base, name, text)
        runs["_".join(f"{name}-{text}" for name, text in zip(names, values)) or base.preset] = dataclasses.replace(
            base, **changes
        )
    return runs


def study(configs: Mapping[str, TrainConfig], out: Path | str) -> Iterator[tuple[str, Progress]]:
    """Train or resume each run below ``out``, then write ``study.csv``, ``study.json`` and ``study.png``.

    A run that fails is noted, and the next one begins.
    """
    folder = Path(out)
    for name, config in configs.items():
        config = dataclasses.replace(config, out=str(folder / name))
        run = Run(folder / name)
        status = run.status()
        if status.state == "finished" and status.epoch >= config.epochs:
            continue
        try:
            for progress in train(config, resume=run.can_resume):
                yield name, progress
        except EdgeGANError as error:
            log.warning("%s: %s", name, error)
        write_report(configs, folder)
    write_report(configs, folder)


def write_report(configs: Mapping[str, TrainConfig], folder: Path) -> list[dict[str, Any]]:
    """One table and one figure of all runs that have begun; the table's rows."""
    reports = {name: Run(folder / name).new_metrics() for name in configs}
    rows = [_row(name, config, Run(folder / name), reports[name]) for name, config in configs.items()]
    write_bytes(folder / "study.json", json.dumps(rows, indent=1) + "\n")
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_bytes(folder / "study.csv", text.getvalue())
    with write_atomic(folder / "study.png") as stream:
        _figure(reports).savefig(stream, format="png", dpi=150)
    return rows


def _row(name: str, config: TrainConfig, run: Run, reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    scores = [(float(line["score"]), float(line["epoch"])) for line in reports if line.get("score") is not None]
    best, at = min(scores, default=(None, None))
    status = run.status()
    return {
        "run": name,
        "preset": config.preset,
        "lr": config.lr_generator,
        "start_from": config.start_from,
        "epochs": round(status.epoch, 2),
        "state": status.state,
        "best_score": best,
        "best_epoch": at,
        "last_score": scores[-1][0] if scores else None,
        "message": status.message,
    }


def _figure(reports: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Score by epoch, a line a run."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, lines in reports.items():
        points = [(line["epoch"], line["score"]) for line in lines if line.get("score") is not None]
        if points:
            axes.plot(*zip(*points), marker=".", label=name)
    axes.set(xlabel="epoch", ylabel="sliced Wasserstein distance (lower is better)")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()
    return figure


def _change(base: TrainConfig, name: str, text: str) -> dict[str, Any]:
    if name == "lr":
        rate = float(_value("float", name, text))
        return {"lr_generator": rate, "lr_discriminator": rate * base.lr_discriminator / base.lr_generator}
    kinds = {field.name: str(field.type) for field in dataclasses.fields(TrainConfig)}
    if name not in kinds or name in ("out", "data"):
        raise ConfigError(f"a grid cannot vary {name!r}; allowed are lr, {', '.join(set(kinds) - {'out', 'data'})}.")
    return {name: _value(kinds[name], name, text)}


def _value(kind: str, name: str, text: str) -> Any:
    read = {"true": True, "false": False}.__getitem__ if kind == "bool" else KINDS[kind].reads.get("type", str)
    try:
        return tuple(text.split(",")) if tuple in KINDS[kind].types else read(text)
    except (ValueError, KeyError) as error:
        raise ConfigError(f"{name} is {text!r} in the grid; it must be of type {kind}.") from error
