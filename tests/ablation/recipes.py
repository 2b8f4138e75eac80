"""The package's own recipes at the ablation's scale, judged as it judges the paper's step and the earlier port.

``python -m tests.ablation.recipes DATA --out DIR`` after :mod:`tests.ablation.run` has filled DIR: trains ``compact``
and ``modern`` with the same pictures, width, batch size, number of steps and seed, and draws ``recipes.png`` (curves
beside those of the paper and of the port) and ``recipes_samples.png``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from edgegan_widget.networks.paper import class_condition
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import PairDataset, load_data
from edgegan_widget.training.trainer import Trainer
from tests.ablation import run
from tests.ablation.faults import Setting

RECIPES = ("compact", "modern")
SHOWN = {"none": "paper", "all": "earlier port", "compact": "compact", "modern": "modern"}
SCORES = {
    "frechet_128": "from random latents",
    "sketch_frechet_128": "from held-out edge maps",
    "sketch_right": "right class, from held-out edge maps",
}
SCORED_EVERY = 100


class Drawn:
    """A recipe of the package behind what the judge asks of a training."""

    def __init__(self, trainer: Trainer, setting: Setting) -> None:
        self.trainer, self.setting = trainer, setting

    @torch.no_grad()
    def draw(self, latent: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        networks = self.trainer.recipe.drawing_networks().eval()
        edges, images = networks.decode(latent, class_condition(labels, networks.config))
        return edges.expand(-1, 3, -1, -1), images

    @torch.no_grad()
    def encode(self, sketches: Tensor, noise: Tensor, labels: Tensor) -> Tensor:
        """The mean latent; the port's scalar noise has no place here."""
        networks = self.trainer.recipe.drawing_networks().eval()
        condition = class_condition(labels, networks.config)
        return networks.encode(sketches[:, :1], condition, torch.zeros(len(sketches), networks.noise_size))


def score(drawn: Drawn, judge: run.Judge) -> run.Record:
    """The judge's scores of pictures from random latents and from held-out edge maps."""
    images = drawn.draw(judge.latent, judge.labels)[1]
    of_sketches = drawn.draw(drawn.encode(judge.sketches, judge.noise, judge.labels), judge.labels)[1]
    return judge.compare(images) | {
        "sketch_frechet_128": run.frechet(judge.real_features, judge.features(of_sketches)),
        "sketch_right": judge.right(of_sketches),
    }


def sheet(drawn: Drawn, judge: run.Judge) -> run.Image.Image:
    """As :func:`tests.ablation.run.sheet`, with an encoder that knows the class."""
    classes = len(drawn.setting.classes)
    labels = torch.arange(classes).repeat(run.LATENT_ROWS)
    edges, images = drawn.draw(judge.latent[: run.LATENT_ROWS].repeat_interleave(classes, dim=0), labels)
    members = run.sketch_members(judge, classes)
    chosen = judge.labels[members]
    pictures = drawn.draw(drawn.encode(judge.sketches[members], judge.noise[members], chosen), chosen)[1]
    return run.tiles(torch.cat([images, edges[:classes], pictures]), classes)


def train_recipe(name: str, told: run.Record, data: PairDataset, setting: Setting, judge: run.Judge, out: Path) -> None:
    """Train one recipe for as many steps as the ablation did."""
    # As in the ablation, the rate grows as the width shrinks, here from the compact preset's 2e-4 at 32 channels.
    rate = 2e-4 * 32 / setting.width
    epochs = -(-told["steps"] * told["batch_size"] // len(data))
    config = TrainConfig.from_preset(
        name, width=setting.width, batch_size=told["batch_size"], lr_generator=rate, lr_discriminator=2 * rate,
        epochs=epochs, ema_decay=0.99, seed=setting.seed, device="cpu", precision="float32",
    )  # fmt: skip
    trainer = Trainer(data, config, torch.device("cpu"))
    trainer.steps = told["steps"]
    drawn = Drawn(trainer, setting)
    with (out / f"{name}.jsonl").open("w") as file:
        while trainer.step < trainer.steps:
            for _ in range(SCORED_EVERY):
                losses = trainer.stepper(trainer.recipe.inputs(trainer.data, trainer.step), trainer.step, 1.0)
                trainer.step += 1
            record = {"step": trainer.step, "losses": {key: float(value) for key, value in losses.items()}}
            file.write(json.dumps(run.rounded(record | score(drawn, judge))) + "\n")
            file.flush()
    sheet(drawn, judge).save(out / f"{name}_end.png")
    (out / f"{name}.json").write_text(json.dumps({"steps": trainer.steps, "note": ""}) + "\n")


def figure(out: Path) -> Figure:
    """The scores of all four over the steps."""
    made = Figure(figsize=(11, 3.4), layout="constrained")
    for axis, (name, label) in zip(made.subplots(1, len(SCORES)), SCORES.items()):
        for variant, spoken in SHOWN.items():
            axis.plot(*run.points(out, variant, name), marker=".", label=spoken)
        axis.set_title(label, fontsize=10)
        axis.set_xlabel("step")
        if name.endswith("frechet_128"):
            axis.set_yscale("log")
            axis.set_ylabel("Frechet distance, 128 features")
        axis.grid(alpha=0.3)
    axis.legend()
    return made


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    told = json.loads((options.out / "settings.json").read_text())
    known = {field.name for field in dataclasses.fields(Setting)}
    setting = Setting(**{key: value for key, value in told["setting"].items() if key in known})
    data = load_data(options.data, "train", classes=setting.classes)
    held_out = load_data(options.data, "val", classes=setting.classes)
    judge = run.Judge(data, held_out, setting, options.out / "classifier.pt")
    for name in RECIPES:
        if not (options.out / f"{name}.json").exists():
            train_recipe(name, told, data, setting, judge, options.out)
    figure(options.out).savefig(options.out / "recipes.png", dpi=110)
    run.contact_sheet(list(SHOWN), options.out, len(setting.classes)).save(options.out / "recipes_samples.png")


if __name__ == "__main__":
    main(sys.argv[1:])
