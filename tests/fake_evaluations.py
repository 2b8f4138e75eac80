"""Evaluations as their process leaves them, written without measuring; and small models to measure for real."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgegan_widget.base.runs import Status, this_process, write_status
from edgegan_widget.evaluation.folder import EvaluationFolder, Pictures
from edgegan_widget.evaluation.report.table import FORMAT
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.store import build_networks, save_model

CLASSES = ("ball", "box")
SETS = (("edge maps of held-out pictures", 24), ("people's sketches: ours", 4))


def write_model(folder: Path, seed: int, classes: tuple[str, ...] = CLASSES, size_px: int = 64) -> Path:
    """A model that has learned nothing: other numbers for another seed."""
    torch.manual_seed(seed)
    config = ModelConfig(classes, "compact", size_px=size_px, style_size=16, width=4, edge_channels=1)
    save_model(folder, build_networks(config))
    return folder


def fake_report(names: tuple[str, ...] = ("first", "second"), **accuracies: float) -> dict[str, Any]:
    """A report with these models; each is better at something."""
    rows = []
    for place, name in enumerate(names):
        accuracy = accuracies.get(name, 0.5 + 0.25 * place)
        sets = [_found(given, count, accuracy, 0.8 - 0.1 * place) for given, count in SETS]
        rows.append({"name": name, "classes": 2, "size_px": 64, "sets": sets, "flags": sorted(sets[1]["flags"])})
        rows[-1]["milliseconds"] = {"median": 12.0, "p95": 15.0}
    return {
        "format": FORMAT,
        "classes": list(CLASSES),
        "data": {"train": {"ball": 8, "box": 8}, "val": {"ball": 12, "box": 12}},
        "settings": {"per_class": 0},
        "people": {"asked_for": "held_out", "sets": [{"name": "ours", "used": 4, "of": 11}]},
        "sets": [{"name": given, "split": "val", "drawings": count} for given, count in SETS],
        "flags": {"wrong class": "the classifier sees another class too often"},
        "reference": {"real_accuracy": {"value": 0.9}},
        "models": rows,
        "differences": [
            {
                "first": names[0], "second": names[1], "set": SETS[0][0],
                "right": _number(-0.25, -0.4, -0.1, differs=True), "f_score": _number(0.1, -0.1, 0.3, differs=False),
                "chamfer": _number(0.0, -0.1, 0.1, differs=False),
            }
        ],
    }  # fmt: skip


def _number(value: float, low: float | None = None, high: float | None = None, **about: object) -> dict[str, Any]:
    ends = {} if low is None else {"low": low, "high": high}
    return {"value": value, **ends, **about}


def _found(name: str, drawings: int, accuracy: float, f_score: float) -> dict[str, Any]:
    right = round(accuracy * 12)
    return {
        "name": name,
        "drawings": drawings,
        "realism": {"kid": _number(0.01, 0.0, 0.02), "frechet_distance": _number(3.0, unreliable="24 pictures")},
        "right_class": {
            "accuracy": _number(accuracy, accuracy - 0.1, accuracy + 0.1, drawings=drawings, extractor="<ours>"),
            "balanced_accuracy": _number(accuracy), "worst_class": _number(accuracy / 2, class_name="box"),
            "classes": list(CLASSES), "confusion": [[right, 12 - right], [12 - right, right]],
        },
        "faithful": {"f_score": _number(f_score, drawings=drawings), "chamfer": _number(0.02)},
        "diversity": {
            "ratio": _number(0.5), "same_share": _number(0.0),
            "by_class": {name: {"ratio": 0.3 + 0.4 * k, "same_share": 0.1 * k} for k, name in enumerate(CLASSES)},
        },
        "swapped": {"right": _number(0.4, 0.3, 0.5), "by_class": {"ball": {"right": 0.6}, "box": {"right": 0.2}}},
        "colours": {"ratio": _number(0.5), "by_class": {"ball": {"ratio": 0.8}, "box": {"ratio": 0.2}}},
        "memorisation": {"pixels": {"copied_share": _number(0.04)}},
        "flags": ["wrong class"] if accuracy < 0.6 else [],
    }  # fmt: skip


def fake_pictures(drawings: int, variations: int = 1, grey: int = 0) -> Pictures:
    """Picture m is of grey level ``grey + m``; its F-score and distance grow with m, and every third is right."""
    count = drawings * variations
    levels = (grey + np.arange(count)).astype(np.uint8)
    labels = np.repeat(np.arange(drawings) % 2, variations)
    right = np.arange(count) % 3 == 0
    return Pictures(
        sketches=np.full((drawings, 64, 64), 255, np.uint8),
        pictures=np.broadcast_to(levels[:, None, None, None], (count, 64, 64, 3)).copy(),
        edges=np.zeros((count, 64, 64), np.uint8),
        labels=labels,
        seen=np.where(right, labels, 1 - labels),
        sources=np.array([f"val/{CLASSES[k % 2]} {k}" for k in range(drawings)]),
        values={
            "nearest": np.full((count, 64, 64, 3), 200, np.uint8),
            "right": right,
            "f_score": np.arange(count) / count,
            "chamfer": np.arange(count) / count,
            "relative": 1 + np.arange(count) / count,
        },
    )


def write_evaluation(
    folder: Path, report: dict[str, Any], state: str = "running", share: float = 0.5
) -> EvaluationFolder:
    """A folder as its process would have left it; one at work lives in this process."""
    folder.mkdir(parents=True, exist_ok=True)
    for model, row in enumerate(report["models"]):
        for place, found in enumerate(row["sets"]):
            fake_pictures(found["drawings"], grey=50 * model).save(folder / "pictures", model, place)
    (folder / "report.json").write_text(json.dumps(report))
    pid, began = this_process()
    told = Status(state, round(1000 * share), 1000, message="first draws", pid=pid, process_started=began)
    write_status(folder, told)
    if state != "running":
        (folder / "report.html").write_text("<!doctype html>")
    time.sleep(0.01)  # so that a report that is written next has another time
    return EvaluationFolder(folder)
