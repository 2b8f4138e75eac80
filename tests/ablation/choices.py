"""Train with the choices of the ``projected`` recipe undone one at a time, each for the same processor time.

``python -m tests.ablation.choices DATA --sketches DIR ... --out DIR --minutes 10`` (DATA: a folder of train and val).
A choice that is finished is not trained again, so a run that was broken off goes on with the same command. It leaves in
DIR ``<choice>.json`` (scores by processor time), ``<choice>.npy`` (pictures of people's drawings), ``choices.png``
(curves of all) and ``sheet.png`` (the same drawings by all). Drawings are those that training leaves out.

Processor time counts training alone: not reading the data, not the judge.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.base.units import to_u8, to_unit
from edgegan_widget.evaluation.features import train_classifier
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.config import SKETCH_PX
from edgegan_widget.networks.store import Networks
from edgegan_widget.sketch.sets.folders import is_kept_for_testing, sketch_folders
from edgegan_widget.sketch.trace import read_sketch
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import PairDataset, load_data
from edgegan_widget.training.runs.samples import usual_noise
from edgegan_widget.training.trainer import Trainer
from tests.ablation.run import frechet

U8 = npt.NDArray[np.uint8]

CHOICES: dict[str, tuple[str, dict[str, Any]]] = {
    "projected": ("projected", {}),
    "vector latent": ("projected", {"latent": "vector"}),
    "no people's drawings": ("projected", {"sketches": ()}),
    "no perceptual loss": ("projected", {"weight_perceptual": 0.0}),
    "two depths": ("projected", {"depths": 2}),
    "no swapped classes": ("projected", {"swapped_share": 0.0}),
    "no colour loss": ("projected", {"weight_colour": 0.0}),
    "paper": ("paper", {"batch_size": 16}),
}
SHOWN_PER_CLASS = 1
SCORED_EVERY = 6  # times a training is scored
TILE_PX = 96


@dataclass(frozen=True)
class People:
    """Drawings that no training sees: sketches uint8 [N, 64, 64] and labels [N]."""

    sketches_u8: U8
    labels: npt.NDArray[np.int64]

    @classmethod
    def load(cls, folders: Sequence[str], classes: Sequence[str]) -> People:
        sketches, labels = [], []
        for folder in folders:
            for found in sketch_folders(folder, classes):
                kept = [path for path in found.paths if is_kept_for_testing(path)]
                sketches += [read_sketch(path, SKETCH_PX) for path in kept]
                labels += [list(classes).index(found.asked)] * len(kept)
        return cls(np.stack(sketches), np.array(labels))

    def shown(self) -> list[int]:
        """Some of each class, not picked by eye."""
        rows = [np.nonzero(self.labels == label)[0][:SHOWN_PER_CLASS] for label in np.unique(self.labels)]
        return [int(row) for row in np.concatenate(rows)]


class Judge:
    """A classifier of the real pictures at 64 pixels, and its features, as for all models."""

    def __init__(self, data: str, file: Path) -> None:
        train, held_out = (load_data(data, split, SKETCH_PX) for split in ("train", "val"))
        self.classes = train.classes
        self.classifier = _cached(train, file)
        self.real = to_unit(held_out.images_u8)

    @torch.no_grad()
    def score(self, pictures: Tensor, labels: npt.NDArray[np.int64]) -> dict[str, float]:
        """Right class, mean over classes, and Frechet distance to held-out photos of the same classes' pictures."""
        right = self.classifier(pictures).argmax(dim=1).numpy() == labels
        by_class = [float(right[labels == label].mean()) for label in np.unique(labels)]
        real, found = self.classifier[:-2](self.real), self.classifier[:-2](pictures)
        return {"right": float(np.mean(by_class)), "frechet": frechet(real, found)}


def _cached(train: PairDataset, file: Path) -> nn.Sequential:
    if file.is_file():
        whole: nn.Sequential = train_classifier(train, steps=1)
        whole.load_state_dict(torch.load(file, weights_only=True))
        return whole.eval()
    whole = train_classifier(train)
    torch.save(whole.state_dict(), file)
    return whole


@torch.no_grad()
def drawn(networks: Networks, people: People, rows: Sequence[int] | None = None) -> Tensor:
    """Pictures float [N, 3, 64, 64] of the drawings, each in its class's most usual style."""
    config, found = networks.config, []
    networks.eval()
    chosen = np.arange(len(people.labels)) if rows is None else np.array(rows)
    for part in np.array_split(chosen, max(1, len(chosen) // 32)):
        labels = torch.from_numpy(people.labels[part])
        sketches = to_unit(torch.from_numpy(people.sketches_u8[part])[:, None]).expand(-1, config.edge_channels, -1, -1)
        condition = class_condition(labels, config)
        _, images = networks.decode(networks.encode(sketches, condition, usual_noise(networks, labels)), condition)
        found.append(F.adaptive_avg_pool2d(images[:, :3].float(), SKETCH_PX))
    return torch.cat(found).clamp(-1, 1)


def train_choice(
    name: str, data: dict[str, PairDataset], options: argparse.Namespace, judge: Judge, people: People
) -> None:
    """Train one choice for its processor time, scoring it as it goes."""
    preset, changes = CHOICES[name]
    common = {"data": options.data, "out": str(options.out / "run"), "decay_fraction": 0.0, "device": "cpu"}
    if preset == "projected":
        common |= {"sketches": tuple(options.sketches)}
    config = TrainConfig.from_preset(preset, **{**common, **changes})
    trainer = Trainer(data[preset if preset == "projected" else "small"], config, torch.device("cpu"))
    spent, scores, limit = 0.0, [], 60 * options.minutes
    while spent < limit:
        began = time.process_time()
        trainer.stop_requested = lambda began=began: time.process_time() - began > limit / SCORED_EVERY
        for _ in trainer:
            pass
        spent += time.process_time() - began
        trainer.recipe.before_saving(trainer.data)
        networks = trainer.recipe.drawing_networks()
        scores.append(
            {"minutes": spent / 60, "steps": trainer.step} | judge.score(drawn(networks, people), people.labels)
        )
    pictures = to_u8(drawn(networks, people, people.shown())).permute(0, 2, 3, 1).numpy()
    np.save(options.out / f"{name}.npy", pictures)
    (options.out / f"{name}.json").write_text(json.dumps(scores, indent=1) + "\n", "utf-8")


def curves(out: Path, done: dict[str, list[dict[str, float]]]) -> None:
    """Both scores of all choices by processor time."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    for axes, (key, title) in zip(figure.subplots(1, 2), (("right", "right class"), ("frechet", "Frechet distance"))):
        for name, scores in done.items():
            axes.plot([s["minutes"] for s in scores], [s[key] for s in scores], marker="o", markersize=3, label=name)
        axes.set(xlabel="processor minutes", title=f"{title}, people's drawings")
    axes.legend(fontsize="small")
    figure.savefig(out / "choices.png", dpi=90)


def sheet(out: Path, names: Sequence[str], people: People) -> None:
    """A row a choice, a column a drawing; the drawings above."""
    sketches = np.repeat(people.sketches_u8[people.shown()][..., None], 3, axis=3)
    rows = [("drawing", sketches)] + [(name, np.load(out / f"{name}.npy")) for name in names]
    canvas = Image.new("RGB", (150 + TILE_PX * len(sketches), TILE_PX * len(rows)), "white")
    pen = ImageDraw.Draw(canvas)
    for row, (name, tiles) in enumerate(rows):
        pen.text((4, TILE_PX * row + TILE_PX // 2), name, "black")
        for column, tile in enumerate(tiles):
            large = Image.fromarray(tile).resize((TILE_PX, TILE_PX), Image.Resampling.BICUBIC)
            canvas.paste(large, (150 + TILE_PX * column, TILE_PX * row))
    canvas.quantize(128).save(out / "sheet.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--sketches", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0, help="processor time of each choice")
    parser.add_argument("--only", nargs="+", choices=sorted(CHOICES), default=list(CHOICES))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    judge = Judge(options.data, options.out / "judge.pt")
    people = People.load(options.sketches, judge.classes)
    config = TrainConfig.from_preset("projected")
    load = {
        "projected": lambda: load_data(
            options.data, "train", config.size_px, None, config.edge_sources, sketch_px=SKETCH_PX, alpha=True
        ),
        "small": lambda: load_data(options.data, "train", SKETCH_PX),
    }
    data: dict[str, PairDataset] = {}
    for name in options.only:
        if not (options.out / f"{name}.json").is_file():
            kind = "projected" if CHOICES[name][0] == "projected" else "small"
            data.setdefault(kind, load[kind]()) if kind in data else data.update({kind: load[kind]()})
            train_choice(name, data, options, judge, people)
            shutil.rmtree(options.out / "run", ignore_errors=True)
    done = {name: json.loads((options.out / f"{name}.json").read_text("utf-8")) for name in options.only}
    curves(options.out, done)
    sheet(options.out, list(done), people)


if __name__ == "__main__":
    torch.manual_seed(0)
    stream(0, 0, "choices")
    main()
