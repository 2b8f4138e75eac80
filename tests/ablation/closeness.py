"""What "closer to my lines" is worth: lines and class by closeness, on people's drawings that no training saw.

``python -m tests.ablation.closeness DATA --sketches DIR ... --out DIR`` (DATA: a folder of train and val). It leaves
``closeness.json`` and ``closeness.png`` in DIR. Drawings are taken evenly from the sets, not picked by eye.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from edgegan_widget.base.units import to_unit
from edgegan_widget.evaluation.metrics.lines import fits
from edgegan_widget.networks.config import SKETCH_PX
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.sketch.edges import scaled
from tests.ablation.choices import Judge, People

CLOSENESS = (0.0, 0.25, 0.5, 0.75, 1.0)


def measured(model: EdgeGAN, people: People, judge: Judge, closeness: float) -> dict[str, Any]:
    """F-score of lines, the share of right classes, and seconds a picture."""
    began, pictures = time.perf_counter(), []
    for sketch, label in zip(people.sketches_u8, people.labels):
        pictures.append(model.generate(sketch, int(label), closeness=closeness).image)
    seconds = (time.perf_counter() - began) / len(pictures)
    drawn = np.stack(pictures)
    small = torch.from_numpy(np.stack([scaled(picture, SKETCH_PX) for picture in drawn])).permute(0, 3, 1, 2)
    with torch.no_grad():
        right = judge.classifier(to_unit(small)).argmax(dim=1).numpy() == people.labels
    f_score = float(np.mean([one.f_score for one in fits(people.sketches_u8, drawn)]))
    return {"closeness": closeness, "f_score": f_score, "right": float(right.mean()), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description="Lines and class by closeness.")
    parser.add_argument("data")
    parser.add_argument("--sketches", nargs="+", required=True)
    parser.add_argument("--model", default="default")
    parser.add_argument("--most", type=int, default=400, help="drawings (default: 400)")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    model = EdgeGAN.from_pretrained(options.model, device="cpu")
    every = People.load(options.sketches, model.classes)
    chosen = np.random.default_rng(0).permutation(len(every.labels))[: options.most]
    people = People(every.sketches_u8[chosen], every.labels[chosen])
    judge = Judge(options.data, options.out / "judge.pt")
    rows = []
    for closeness in CLOSENESS:
        rows.append(measured(model, people, judge, closeness))
        print(rows[-1], flush=True)
    (options.out / "closeness.json").write_text(json.dumps(rows, indent=1))
    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, words in (("f_score", "F-score of lines"), ("right", "right class")):
        axes.plot([row["closeness"] for row in rows], [row[name] for row in rows], marker="o", label=words)
    axes.set(xlabel="closeness", ylim=(0.5, 1))
    axes.legend()
    figure.savefig(options.out / "closeness.png", dpi=110)


if __name__ == "__main__":
    main()
