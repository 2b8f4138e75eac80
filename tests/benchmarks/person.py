"""How well a small network tells made drawings from people's; 50 % is what it gets by guessing.

``python -m tests.benchmarks.person --data OBJECTS [MORE] --sketches SKETCHES`` prints an accuracy for each way of
drawing, against doodles (Quick, Draw!) and careful drawings (PACS, QMUL) apart. Both sides have equally many of each
class. Both are traced and drawn anew by the product's own reader, since otherwise the width of a line would tell them
apart.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.sketch.edges import draw
from edgegan_widget.sketch.hands.person import draw_as_person
from edgegan_widget.sketch.trace import read_sketch, sketch_from_picture

SIDE_PX = 64
AGAINST = {"doodles": ("quickdraw", "quickdraw_more", "spg"), "careful": ("pacs", "qmul")}
PICTURED = {"shoe": ("sneaker", "formal_shoe", "heel", "sandal")}  # folders of cut-outs; any other has its own name
WAYS = ("full", "contour", "person 0", "person 0.5", "person 1", "person 1.5", "person 2", "person 0.5-2")
FOLDS = 3


def main() -> None:
    """Print a line for each way of drawing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="folders of cut-outs: [split/]class/*.png")
    parser.add_argument("--sketches", type=Path, required=True, help="folder of sets: set/class/*.png")
    parser.add_argument("--ways", nargs="+", default=WAYS, help="sources of edges, or 'person STRENGTH[-STRENGTH]'")
    parser.add_argument("--most", type=int, default=110, help="drawings of a class")
    parser.add_argument("--untraced", action="store_true", help="made drawings as training sees them, not traced")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    people = {name: read_people(options.sketches, sets, options.most) for name, sets in AGAINST.items()}
    pictures = read_pictures(options.data, {name for group in people.values() for name in group}, options.most)
    for way in options.ways:
        shown = []
        for name, group in people.items():
            made, theirs, kinds = both_sides(group, pictures, way, options.untraced, options.seed)
            shares = accuracies(made, theirs, kinds, options.epochs, options.seed)
            deviation = 100 * np.sqrt(np.mean(shares) * (1 - np.mean(shares)) / (2 * len(made)))
            shown.append(f"{name} {100 * np.mean(shares):5.1f} % (+-{deviation:.1f}, {len(made)} a side)")
        sys.stdout.write(f"{way:14} {'  '.join(shown)}\n")
        sys.stdout.flush()


def read_people(root: Path, sets: tuple[str, ...], most: int) -> dict[str, list[np.ndarray]]:
    """People's drawings by class, as the product reads them."""
    found: dict[str, list[Path]] = {}
    for folder in sorted(path for name in sets for path in (root / name).iterdir()):
        found.setdefault(folder.name, []).extend(sorted(folder.glob("*.png")))
    order = np.random.default_rng(0)
    return {
        name: [read_sketch(path, SIDE_PX) for path in order.permutation(np.array(paths, object))[:most]]
        for name, paths in found.items()
    }


def read_pictures(roots: list[Path], names: set[str], most: int) -> dict[str, list[np.ndarray]]:
    """Cut-outs by the class of the drawings that they are held against; classes without any are left out."""
    order, found = np.random.default_rng(0), {}
    for name in sorted(names):
        wanted = PICTURED.get(name, (name,))
        paths = sorted(path for root in roots for path in root.rglob("*.png") if path.parent.name in wanted)
        if paths:
            found[name] = [picture_rgb_u8(path) for path in order.permutation(np.array(paths, object))[:most]]
    return found


def both_sides(
    people: dict[str, list[np.ndarray]], pictures: dict[str, list[np.ndarray]], way: str, untraced: bool, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Made drawings and people's, equally many of each class, each [N, 64, 64], and which class each pair is of."""
    made, theirs, kinds = [], [], []
    for number, name in enumerate(name for name in people if name in pictures):
        for picture, sketch in zip(pictures[name], people[name]):
            made.append(made_drawing(picture, way, untraced, seed))
            theirs.append(sketch)
            kinds.append(number)
    return np.stack(made), np.stack(theirs), np.array(kinds)


def made_drawing(picture: np.ndarray, way: str, untraced: bool, seed: int) -> np.ndarray:
    drawn = drawer(way, picture, seed)(SIDE_PX if untraced else 2 * SIDE_PX)
    return drawn if untraced else sketch_from_picture(drawn, SIDE_PX)


def drawer(way: str, picture: np.ndarray, seed: int) -> Callable[[int], np.ndarray]:
    kind, _, strength = way.partition(" ")
    if kind != "person" or not strength:
        return lambda size_px: draw(picture, way, size_px)
    low, _, high = strength.partition("-")
    share = (zlib.crc32(picture.tobytes()) + seed) % 1000 / 1000
    chosen = float(low) + share * (float(high or low) - float(low))
    return lambda size_px: draw_as_person(picture, seed, size_px, chosen)


def accuracies(made: np.ndarray, theirs: np.ndarray, kinds: np.ndarray, epochs: int, seed: int) -> list[float]:
    """Share that is told rightly of each held-out part; the network has seen neither its drawings nor its pictures."""
    order = np.random.default_rng(seed).permutation(len(made))
    order = order[np.argsort(kinds[order], kind="stable")]  # every part has each class
    fold = np.empty(len(made), int)
    fold[order] = np.arange(len(made)) % FOLDS
    drawings = torch.from_numpy(1 - np.concatenate([made, theirs])[:, None] / np.float32(255))
    truth = torch.cat([torch.zeros(len(made)), torch.ones(len(theirs))])
    shares = []
    for part in range(FOLDS):
        held = torch.from_numpy(np.tile(fold == part, 2))
        network = trained(drawings[~held], truth[~held], epochs, seed + part)
        with torch.inference_mode():
            both_ways = network(drawings[held]) + network(drawings[held].flip(3))
        shares.append(float(((both_ways[:, 0] > 0) == (truth[held] > 0.5)).float().mean()))
    return shares


def trained(drawings: torch.Tensor, truth: torch.Tensor, epochs: int, seed: int) -> nn.Module:
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for before, after, side in ((1, 16, 5), (16, 32, 3), (32, 64, 3), (64, 64, 3)):
            layers += [nn.Conv2d(before, after, side, 2, side // 2), nn.BatchNorm2d(after), nn.ReLU()]
        network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 1))
    steps = -(-len(truth) // 64) * epochs
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    network.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(truth), generator=random).split(64):
            seen = moved(drawings[batch], random)
            loss = F.binary_cross_entropy_with_logits(network(seen)[:, 0], truth[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def moved(drawings: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Mirrored by chance, since photos of shoes all point one way, and a few pixels aside."""
    if torch.rand(1, generator=random) < 0.5:
        drawings = drawings.flip(3)
    right, down = torch.randint(-3, 4, (2,), generator=random).tolist()
    return drawings.roll((down, right), (2, 3))


if __name__ == "__main__":
    main()
