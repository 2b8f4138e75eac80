"""How often the picture that a drawing was made of is among the ten nearest, and how long that takes.

``python -m tests.benchmarks.retrieval --data OBJECTS [MORE]`` takes the held-out pictures of data folders as gallery.
Asked for is each of them as another source of edges draws it, or distorted as by a hand. Ways to describe are compared
on the same edge maps; ``--people SKETCHES`` asks people's drawings instead, for pictures of their class, and
``--time N`` measures a search among N random rows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from edgegan_widget.base.pictures import open_picture
from edgegan_widget.base.units import F32, U8
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.store import load_model
from edgegan_widget.retrieval.index import Index
from edgegan_widget.retrieval.lines import RAW_SIZE, SIDE_PX, Basis, describe
from edgegan_widget.retrieval.store import Rows, Stored, read_stored, write_stored
from edgegan_widget.sketch.edges import draw, squared
from edgegan_widget.sketch.hands.hand import distort
from edgegan_widget.sketch.trace import read_sketch

GALLERY = ("full", "contour")
ASKED = ("person", "canny", "full, hand 1", "contour, hand 1", "contour, hand 2")
NEAREST = 10
PICTURED = {"shoe": ("sneaker", "formal_shoe", "heel", "sandal")}  # of a set's folder; any other has its own name
MOST_ASKED = 25  # of each class and set


def main() -> None:
    """Print a line for each way to describe, or the time of a search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", type=Path, default=[], help="folders with val/<class>/*.png")
    parser.add_argument("--model", default="default", help="whose encoder describes")
    parser.add_argument("--people", type=Path, help="folder of sets of people's drawings: set/class/*.png")
    parser.add_argument("--time", type=int, default=0, metavar="N", help="measure a search among N rows instead")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if options.time:
        search(options.time)
    elif options.people:
        ask_people(options.data, options.people)
    else:
        compare(options.data, options.model)


def compare(folders: list[Path], model: str) -> None:
    """Recall at ten of each way: among all pictures, and among those of the class."""
    paths = sorted(path for folder in folders for path in folder.glob("val/*/*.png"))
    labels = np.array([path.parent.name for path in paths])
    pictures = [squared(open_picture(path), 2 * SIDE_PX) for path in paths]
    maps = {name: drawn(pictures, name) for name in (*GALLERY, *ASKED)}
    say(f"{len(paths)} pictures of {len(set(labels))} classes; among all / in the class", "", ASKED)
    lines, encoded = _lines, encoder(model)
    kept = Basis.learned
    for name, describe_all, sources, learned in (
        ("pixels", _pixels, GALLERY[:1], None),
        ("encoder", encoded, GALLERY[:1], None),
        ("encoder, 96 directions", encoded, GALLERY[:1], _directions),
        ("lines", lines, GALLERY[:1], None),
        ("lines, 96 directions", lines, GALLERY[:1], kept),
        ("the same, full and contour", lines, GALLERY, kept),
        ("and the encoder", lambda u8: np.hstack([lines(u8), encoded(u8)]), GALLERY, _directions),
    ):
        gallery = unit(np.mean([describe_all(maps[source]) for source in sources], axis=0))
        asked = [describe_all(maps[one]) for one in ASKED]
        say(name, "", [recall(*_pair(gallery, rows, learned), labels) for rows in asked])


def ask_people(folders: list[Path], sketches: Path) -> None:
    """Of the ten nearest of all, how many are of the class that a person drew; in percent, beside those of chance."""
    paths = sorted(path for folder in folders for path in folder.glob("val/*/*.png"))
    labels = np.array([path.parent.name for path in paths])
    pictures = [squared(open_picture(path), 2 * SIDE_PX) for path in paths]
    maps = [drawn(pictures, source) for source in GALLERY]
    say("drawn by people", "", ("drawings", "pixels", "lines", "kept", "mirrored too", "by chance"))
    for name in sorted(place.name for place in sketches.iterdir() if place.is_dir()):
        asked = [
            (path, PICTURED.get(path.parent.name, (path.parent.name,)))
            for folder in sorted((sketches / name).iterdir())
            for path in sorted(folder.glob("*.png"))[:MOST_ASKED]
        ]
        asked = [(path, wanted) for path, wanted in asked if np.isin(labels, wanted).any()]
        if not asked:
            continue
        right = np.stack([np.isin(labels, wanted) for _, wanted in asked])
        read = np.stack([read_sketch(path, SIDE_PX) for path, _ in asked])
        lines, raw = unit(np.mean([_lines(one) for one in maps], axis=0)), _lines(read)
        shares = [precision(_pixels(read) @ _pixels(maps[0]).T, right), precision(raw @ lines.T, right)]
        gallery, seen = _pair(lines, raw, Basis.learned)
        _, turned = _pair(lines, _lines(read[:, :, ::-1].copy()), Basis.learned)
        shares += [
            precision(seen @ gallery.T, right),
            precision(np.maximum(seen @ gallery.T, turned @ gallery.T), right),
        ]
        cells = [f"{100 * share:.1f}" for share in (*shares, right.mean())]
        say(name, "", [str(len(asked)), *cells])


def precision(likeness: F32, right: np.ndarray) -> float:
    """Share of the nearest that are right."""
    nearest = np.argsort(-likeness, axis=1)[:, :NEAREST]
    return float(np.take_along_axis(right, nearest, axis=1).mean())


def drawn(pictures: list[U8], name: str) -> U8:
    """Edge maps uint8 [N, 64, 64]; ``name`` may end in a hand's strength."""
    source, _, strength = name.partition(", hand ")
    found = []
    for number, picture in enumerate(pictures):
        small = cv2.resize(draw(picture, source), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        found.append(distort(small, number, float(strength or 0)))
    return np.stack(found)


def unit(rows: F32) -> F32:
    """Each of length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _pixels(maps: U8) -> F32:
    return unit(255 - maps.reshape(len(maps), -1).astype(np.float32))


def _lines(maps: U8) -> F32:
    return np.stack([describe(one) for one in maps])


def encoder(model: str) -> Callable[[U8], F32]:
    """What E reads from sketches that may show any class: its latent without style."""
    networks = load_model(model)
    config = networks.config
    anything = class_condition(torch.arange(len(config.classes)), config).mean(0, keepdim=True)

    @torch.inference_mode()
    def describe_all(maps: U8) -> F32:
        found = []
        for some in torch.from_numpy(maps).split(32):
            sketches = (some[:, None].float() / 127.5 - 1).expand(-1, config.edge_channels, -1, -1)
            noise = torch.zeros(len(some), networks.noise_size)
            found.append(networks.encode(sketches, anything.expand(len(some), -1), noise)[:, : config.shape_size])
        return unit(torch.cat(found).numpy())

    return describe_all


def _directions(rows: F32) -> Callable[[F32], F32]:
    """As :meth:`Basis.learned`, of rows of any size."""
    mean = rows.mean(axis=0)
    _, values, vectors = np.linalg.svd(rows - mean, full_matrices=False)
    directions = vectors[:96].T * values[:96] ** -0.5
    return lambda raw: unit((raw - mean) @ directions)


def _pair(gallery: F32, asked: F32, learned: Callable[[F32], Basis | Callable[[F32], F32]] | None) -> tuple[F32, F32]:
    if learned is None:
        return gallery, asked
    basis = learned(gallery)
    if isinstance(basis, Basis):
        return basis.kept(gallery) * basis.step, basis.seen(asked)
    return basis(gallery), basis(asked)


def recall(gallery: F32, asked: F32, labels: np.ndarray) -> str:
    """Share of the asked whose own picture is among the nearest, of all and of its class."""
    likeness = asked @ gallery.T
    own = likeness.diagonal()[:, None]
    nearer = likeness > own
    same = labels[:, None] == labels[None]
    shares = [100 * (some.sum(axis=1) < NEAREST).mean() for some in (nearer, nearer & same)]
    return " / ".join(f"{share:.1f}" for share in shares)


def say(name: str, between: str, cells: tuple[str, ...] | list[str]) -> None:
    """One line of the table."""
    sys.stdout.write(f"| {name:<28} |{between} {' | '.join(f'{cell:>15}' for cell in cells)} |\n")
    sys.stdout.flush()


def search(count: int) -> None:
    """Median time of a search among rows of chance, in one class of all and among all."""
    random = np.random.default_rng(0)
    raw = unit(np.abs(random.normal(size=(600, RAW_SIZE))).astype(np.float32))
    basis = Basis.learned(raw)
    with tempfile.TemporaryDirectory() as place:
        features = random.integers(-127, 128, (count, len(basis.step)), np.int8)
        paths = np.array([f"train/class/{number:08d}.png".encode() for number in range(count)])
        rows = Rows(features, paths, np.zeros((count, 2), np.int64))
        write_stored(Path(place), Stored(Path(place), "full", ("class",), (0, count), rows, basis))
        stored = read_stored(Path(place))
        index, sketch = Index(stored), distort(np.full((64, 64), 255, np.uint8), 0)
        sketch[20:40, 30:34] = 0
        times = []
        for _ in range(9):
            began = time.perf_counter()
            index.nearest(sketch)
            times.append(time.perf_counter() - began)
        size = sum(path.stat().st_size for path in Path(place).iterdir()) / 1e6
    sys.stdout.write(f"{count:,} rows: first {times[0] * 1e3:.0f} ms, then {np.median(times[1:]) * 1e3:.0f} ms, "
                     f"{size:.0f} MB on disk\n")  # fmt: skip


if __name__ == "__main__":
    main()
