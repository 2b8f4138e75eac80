"""Train the paper's step with each fault of the earlier port in turn, and compare what comes out.

``python -m tests.ablation.run DATA --out DIR`` (DATA: a folder or packed file of train and val). Every variant has the
same initial weights, pictures, chance and latents. A variant that is finished is not trained again, so a run that was
broken off goes on with the same command. It leaves in DIR

- ``<variant>.jsonl``: losses every 25 steps, scores every 100; ``<variant>.json``: how it ended;
- ``<variant>_half.png``, ``<variant>_end.png``: pictures of four latents, edge maps, pictures from held-out edge maps;
- ``summary.json``, ``convergence_<score>.png`` and ``samples.png`` over all variants.

``real.png`` shows pictures of the data and is for the eye only: their licences may forbid passing them on.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn

from edgegan_widget.base.chance import stream
from edgegan_widget.base.units import to_u8, to_unit
from edgegan_widget.evaluation.features import fresh_classifier, train_classifier
from edgegan_widget.training.dataset import PairDataset, load_data
from edgegan_widget.training.recipes.swd import sliced_wasserstein
from tests.ablation.faults import VARIANTS, Inputs, Setting, Training, draw_inputs

FIGURES = {  # score: file and what its axis says
    "swd": ("convergence.png", "sliced Wasserstein distance"),
    "frechet_128": ("convergence_frechet.png", "Frechet distance, 128 features"),
    "right": ("convergence_right.png", "right class"),
    "own_classifier": ("convergence_classifier.png", "C right on real pictures"),
    "latent_error": ("convergence_encoder.png", "E: mean |z - E(G_E(z))|"),
}
JUDGED = 256
LATENT_ROWS = 4
EDGE_ROWS = 2
LABEL_PX = 190

Record = dict[str, Any]


# --- scores


def frechet(real: Tensor, fake: Tensor) -> float:
    """Frechet distance of two sets of features [N, D], N well above D, as normal distributions in float64."""
    means, deviations = [], []
    for features in (real.double(), fake.double()):
        means.append(features.mean(dim=0))
        deviations.append(torch.cov(features.T))
    root = _root(deviations[0])
    both = torch.linalg.eigvalsh(root @ deviations[1] @ root).clamp_min(0).sqrt().sum()
    return float((means[0] - means[1]).square().sum() + deviations[0].trace() + deviations[1].trace() - 2 * both)


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


class Judge:
    """Scores pictures against held-out real ones; the same latents, labels, edge maps and noise for every variant."""

    def __init__(self, train: PairDataset, held_out: PairDataset, setting: Setting, file: Path) -> None:
        self.classifier = _cached_classifier(train, setting.seed, file)
        random = stream(setting.seed, 0, "judge")
        chosen = torch.randperm(len(held_out), generator=random)[:JUDGED]
        self.real, self.labels = to_unit(held_out.images_u8[chosen]), held_out.labels[chosen]
        self.sketches = to_unit(held_out.edges_u8[chosen, :1]).expand(-1, 3, -1, -1)
        self.latent = torch.randn(len(chosen), setting.latent_size, generator=random)
        self.noise = torch.randn(len(chosen), 1, generator=random)
        self.real_features = self.features(self.real)

    @torch.no_grad()
    def features(self, pictures: Tensor) -> Tensor:
        """The classifier's last maps, averaged over space, [N, 128]: fewer numbers than pictures."""
        maps = nn.Sequential(*list(self.classifier.children())[:-4])
        return torch.cat([maps(part).mean(dim=(2, 3)) for part in pictures.split(128)])

    @torch.no_grad()
    def right(self, pictures: Tensor) -> float:
        """Share of pictures in which the classifier sees the class that was asked for."""
        seen = torch.cat([self.classifier(part).argmax(dim=1) for part in pictures.split(128)])
        return float((seen == self.labels[: len(pictures)]).float().mean())

    def compare(self, pictures: Tensor) -> Record:
        """The three scores of a set of pictures of the classes asked for."""
        return {
            "swd": sliced_wasserstein(self.real[: len(pictures)], pictures),
            "frechet_128": frechet(self.real_features, self.features(pictures)),
            "right": self.right(pictures),
        }

    @torch.no_grad()
    def score(self, training: Training) -> Record:
        """Scores of pictures from random latents; and, with ``sketch_`` before the name, from held-out edge maps.

        ``own_classifier`` and ``latent_error`` look at C and E alone: how often C is right on real held-out pictures,
        and mean |z - E(G_E(z))|, which is 0.8 for an E that always answers zero.
        """
        edges, images = training.draw(self.latent, self.labels)
        drawn = training.draw(training.encode(self.sketches, self.noise), self.labels)[1]
        of_sketches = frechet(self.real_features, self.features(drawn))
        seen = training.networks["classifier"](self.real).argmax(dim=1)
        return {
            **self.compare(images),
            "sketch_frechet_128": of_sketches,
            "sketch_right": self.right(drawn),
            "own_classifier": float((seen == self.labels).float().mean()),
            "latent_error": float((self.latent - training.encode(edges, self.noise)).abs().mean()),
        }


def _cached_classifier(train: PairDataset, seed: int, file: Path) -> nn.Module:
    """The classifier, trained once a folder; its weights are kept, not the object, so that no code is read back."""
    if not file.exists():
        torch.save(train_classifier(train, seed).state_dict(), file)
    classifier = fresh_classifier(len(train.classes))
    classifier.load_state_dict(torch.load(file, weights_only=True))
    return classifier.eval()


# --- one variant


@dataclass(frozen=True)
class Length:
    """How long a variant is trained, and how often it is looked at."""

    steps: int
    losses_every: int = 25
    scores_every: int = 100


def batch(data: PairDataset, setting: Setting, size: int, index: int) -> Inputs:
    """Step ``index``'s pairs, every picture once an epoch, and its chance; the same for every variant."""
    epoch, position = divmod(index, len(data) // size)
    order = torch.randperm(len(data), generator=stream(setting.seed, epoch, "order"))
    chosen = order[position * size : (position + 1) * size]
    edges = to_unit(data.edges_u8[chosen, :1]).expand(-1, 3, -1, -1)
    random = stream(setting.seed, index, "step")
    return draw_inputs(edges, to_unit(data.images_u8[chosen]), data.labels[chosen], setting.latent_size, random)


def train_variant(
    name: str, setting: Setting, inputs: Callable[[int], Inputs], judge: Judge, length: Length, out: Path
) -> Record:
    """Train one variant; a loss that is no longer finite ends it, which is a result and not an error."""
    training = Training(setting, VARIANTS[name])
    started = time.monotonic()
    with (out / f"{name}.jsonl").open("w") as file:
        for step in range(1, length.steps + 1):
            losses = {key: float(value) for key, value in training.step(inputs(step - 1)).items()}
            lost = [key for key, value in losses.items() if not math.isfinite(value)]
            if lost:
                return {"steps": step, "note": f"the loss {', '.join(lost)} is no longer finite at step {step}"}
            if step % length.losses_every == 0:
                scores = judge.score(training) if step % length.scores_every == 0 else {}
                record = {"step": step, "seconds": round(time.monotonic() - started, 1), "losses": losses} | scores
                file.write(json.dumps(rounded(record)) + "\n")
                file.flush()
            if step in (length.steps // 2, length.steps):
                sheet(training, judge).save(out / f"{name}_{'end' if step == length.steps else 'half'}.png")
    return {"steps": length.steps, "note": ""}


def rounded(value: Any) -> Any:
    """Numbers to five digits; what is not finite becomes null, which JSON has."""
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


# --- pictures


@torch.no_grad()
def sheet(training: Training, judge: Judge) -> Image.Image:
    """A column a class. Rows: pictures of four latents, the first one's edge maps, pictures from held-out edge maps."""
    classes = len(training.setting.classes)
    labels = torch.arange(classes).repeat(LATENT_ROWS)
    latent = judge.latent[:LATENT_ROWS].repeat_interleave(classes, dim=0)
    edges, images = training.draw(latent, labels)
    members = sketch_members(judge, classes)
    drawn = training.draw(training.encode(judge.sketches[members], judge.noise[members]), judge.labels[members])[1]
    return tiles(torch.cat([images, edges[:classes], drawn]), classes)


def sketch_members(judge: Judge, classes: int) -> Tensor:
    """The first pictures of each class among those judged, row by row."""
    found = [torch.nonzero(judge.labels == label)[:, 0] for label in range(classes)]
    return torch.tensor(
        [int(found[label][row % len(found[label])]) for row in range(EDGE_ROWS) for label in range(classes)]
    )


def tiles(pictures: Tensor, columns: int) -> Image.Image:
    """Pictures [N, 3, S, S] in rows."""
    side = pictures.shape[-1]
    grid = to_u8(pictures.nan_to_num()).view(-1, columns, 3, side, side).permute(0, 3, 1, 4, 2)
    return Image.fromarray(grid.reshape(-1, columns * side, 3).contiguous().numpy())


def contact_sheet(names: Sequence[str], out: Path, classes: int, real: Image.Image | None = None) -> Image.Image:
    """Two rows a variant: pictures of each class from random latents, and from one held-out edge map of each class."""
    font = ImageFont.load_default(size=15)
    strips = [] if real is None else [("real", real)]
    strips += [(name, strip(Image.open(out / f"{name}_end.png"), classes)) for name in names]
    canvas = Image.new("RGB", (LABEL_PX + strips[0][1].width, sum(each.height + 4 for _, each in strips)), "white")
    pen, top = ImageDraw.Draw(canvas), 0
    for name, each in strips:
        pen.text((6, top + each.height // 2 - 18), name.replace("_", "\n", 1), fill="black", font=font)
        canvas.paste(each, (LABEL_PX, top))
        top += each.height + 4
    return canvas


def strip(whole: Image.Image, classes: int) -> Image.Image:
    """Two rows of a variant's :func:`sheet`: its latents in turn, and the first row from edge maps."""
    side = whole.width // classes
    rows = Image.new("RGB", (whole.width, 2 * side))
    for column in range(classes):
        for top, row in enumerate((column % LATENT_ROWS, LATENT_ROWS + 1)):
            left = column * side
            rows.paste(whole.crop((left, row * side, left + side, (row + 1) * side)), (left, top * side))
    return rows


def curves(out: Path, names: Sequence[str], score: str, label: str, real: float | None) -> Figure:
    """One panel a fault: its score over the steps before the paper's own in grey; dashed, what real pictures score."""
    shown = [name for name in names if name != "none"]
    columns = 4
    rows = max(1, math.ceil(len(shown) / columns))
    figure = Figure(figsize=(11, 1 + 2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis, name in zip(axes.flat, shown):
        axis.plot(*points(out, "none", score), color="0.7", linewidth=4, label="no fault")
        axis.plot(*points(out, name, score), color="tab:red", linewidth=1.5, label="this fault")
        if real is not None:
            axis.axhline(real, color="0.3", linestyle="--", linewidth=0.8, label="real pictures")
        axis.set_title(name.replace("_", " "), fontsize=9)
        axis.tick_params(labelsize=8)
        if score in ("swd", "frechet_128"):
            axis.set_yscale("log")
    for axis in axes.flat[len(shown) :]:
        axis.axis("off")
    if shown:
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize=9)
    figure.supxlabel("step", fontsize=9)
    figure.supylabel(label, fontsize=9)
    return figure


def points(out: Path, name: str, score: str) -> tuple[list[int], list[float]]:
    """Steps and scores of a variant."""
    found = [(line["step"], line[score]) for line in history(out, name) if line.get(score) is not None]
    return [step for step, _ in found], [value for _, value in found]


def history(out: Path, name: str) -> list[Record]:
    """All lines that a variant wrote."""
    file = out / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


# --- everything


def summarise(out: Path, train: PairDataset, judge: Judge) -> Record:
    """Last scores of all finished variants, what real pictures score, and the figures."""
    names = [name for name in VARIANTS if (out / f"{name}.json").exists()]
    chosen = torch.cat(
        [
            torch.nonzero(train.labels == label)[: int((judge.labels == label).sum()), 0]
            for label in range(len(train.classes))
        ]
    )
    order = torch.argsort(torch.argsort(judge.labels, stable=True))
    real = judge.compare(to_unit(train.images_u8[chosen])[order]) | {"right": judge.right(judge.real)}
    told = {name: json.loads((out / f"{name}.json").read_text()) | final(history(out, name)) for name in names}
    summary = json.loads((out / "settings.json").read_text()) | {"real": real, "variants": told}
    (out / "summary.json").write_text(json.dumps(rounded(summary), indent=1) + "\n")
    for score, (file, label) in FIGURES.items():
        curves(out, names, score, label, real.get(score)).savefig(out / file, dpi=110)
    drawn = [name for name in names if (out / f"{name}_end.png").exists()]
    classes = len(train.classes)
    contact_sheet(drawn, out, classes).save(out / "samples.png")
    shown = judge.real[sketch_members(judge, classes)[:classes]]
    edges = judge.sketches[sketch_members(judge, classes)[:classes]]
    contact_sheet(drawn, out, classes, tiles(torch.cat([shown, edges]), classes)).save(out / "real.png")
    return summary


def final(lines: Sequence[Record]) -> Record:
    """The last scores, and the best that the pictures reached on the way."""
    scored = [line for line in lines if line.get("swd") is not None]
    if not scored:
        return {}
    last = {key: value for key, value in scored[-1].items() if key not in ("step", "losses")}
    return last | {"best_swd": min(line["swd"] for line in scored)}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--faults", nargs="+", choices=list(VARIANTS), default=list(VARIANTS), metavar="FAULT", help=", ".join(VARIANTS)
    )
    parser.add_argument("--classes", nargs="+", help="default: all")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--classifier-width", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1.6e-3, help="2e-4 * 64 / width, see Setting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--losses-every", type=int, default=25)
    parser.add_argument("--scores-every", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(arguments)


def begin(options: argparse.Namespace, classes: tuple[str, ...]) -> Setting:
    """Note what the folder is for; another setting in the same folder is refused."""
    setting = Setting(classes, options.width, options.classifier_width, rate=options.rate, seed=options.seed)
    told = {"setting": dataclasses.asdict(setting), "batch_size": options.batch_size, "steps": options.steps}
    text = json.dumps(told, indent=1) + "\n"
    file = options.out / "settings.json"
    options.out.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.read_text() != text:
        raise SystemExit(f"{options.out} holds another setting; choose another folder.")
    file.write_text(text)
    return setting


def main(arguments: Sequence[str]) -> None:
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    train = load_data(options.data, "train", classes=options.classes)
    held_out = load_data(options.data, "val", classes=train.classes)
    setting = begin(options, train.classes)
    judge = Judge(train, held_out, setting, options.out / "classifier.pt")
    length = Length(options.steps, options.losses_every, options.scores_every)
    for name in options.faults:
        if (options.out / f"{name}.json").exists():
            continue
        inputs = functools.partial(batch, train, setting, options.batch_size)
        end = train_variant(name, setting, inputs, judge, length, options.out)
        (options.out / f"{name}.json").write_text(json.dumps(end) + "\n")
        sys.stdout.write(f"{name} {rounded(end | final(history(options.out, name)))}\n")
        sys.stdout.flush()
    summarise(options.out, train, judge)


if __name__ == "__main__":
    main(sys.argv[1:])
