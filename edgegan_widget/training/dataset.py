"""Folders of cut-outs or pairs -> uint8 tensors -> batches.

Everything is held in memory as uint8. Batch ``i`` is a pure function of (seed, i), so an exact resume needs no loader
state, and the same run sees the same pictures on any machine.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_atomic
from edgegan_widget.base.layout import SPLITS, class_folders, left_out, nested, pictures_in, split_folder
from edgegan_widget.base.pictures import PICTURE_SUFFIXES, is_picture, open_picture
from edgegan_widget.base.units import U8, to_unit
from edgegan_widget.base.words import listed, sort_out
from edgegan_widget.sketch.contours import filled_mask
from edgegan_widget.sketch.edges import planes, squared
from edgegan_widget.sketch.hands.hand import TRAINED, Hand, sketch_like
from edgegan_widget.sketch.hands.warp import Placement
from edgegan_widget.sketch.pairs import halves
from edgegan_widget.sketch.sets.folders import packed_people
from edgegan_widget.sketch.sources import takes_file
from edgegan_widget.sketch.sources.trained import STYLES, edge_styles
from edgegan_widget.training.data_folder import check_packed, split_root

__all__ = ["Batch", "Members", "PairDataset", "load_data", "pack"]

log = logging.getLogger(__name__)


ALWAYS_DRAWN = tuple(STYLES)
_MOST_NAMED = 5
_PAPER_FROM_U8 = 250


@dataclass(frozen=True)
class Batch:
    """One batch on the device: ``images`` [N, 3 or 4, H, W] and ``edges`` [N, 1, h, w] float32 in [-1, 1], what the
    encoder sees as ``sketches`` [N, 1, h, w], and ``labels`` [N] int64.
    """

    images: Tensor
    edges: Tensor
    sketches: Tensor
    labels: Tensor


class Members:
    """Numbers of things by class: ``labels`` int64 [N]. Drawn evenly by class, whatever each class's number."""

    def __init__(self, labels: Tensor) -> None:
        labels = labels.cpu()
        self.classes, self._counts = torch.unique(labels, return_counts=True)
        self._ordered, self._starts = torch.argsort(labels, stable=True), self._counts.cumsum(0) - self._counts

    def choose(self, random: torch.Generator, count: int) -> Tensor:
        """Numbers of ``count`` things, int64, their classes drawn evenly among those that have any."""
        return self._one_of(torch.randint(len(self.classes), (count,), generator=random), random)

    def of(self, labels: Tensor, random: torch.Generator) -> Tensor:
        """The number of a thing of each of these classes."""
        return self._one_of(torch.searchsorted(self.classes, labels.cpu()), random)

    def _one_of(self, places: Tensor, random: torch.Generator) -> Tensor:
        share = torch.rand(len(places), generator=random, dtype=torch.float64)
        return self._ordered[self._starts[places] + (share * self._counts[places]).long()]


@dataclass(frozen=True)
class PairDataset:
    """Pictures with their edge maps, in memory.

    Parameters
    ----------
    images_u8
        uint8 [N, 3, H, W], or [N, 4, H, W] with the objects' coverage (alpha) last.
    edges_u8
        uint8 [N, V, h, w], as large as the pictures or as the sketches: V drawings of the same object, the first of
        them the one that the networks learn to draw.
    labels
        int64 [N], index into ``classes``.
    classes
        Class names.
    sources
        Which edge map each drawing is, see :mod:`edgegan_widget.sketch.edges`; a ready pair has the first alone.
    """

    images_u8: Tensor
    edges_u8: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    sources: tuple[str, ...] = ALWAYS_DRAWN

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def size_px(self) -> int:
        return self.images_u8.shape[-1]

    def counts(self) -> dict[str, int]:
        """Pictures by class name."""
        found = torch.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist()))

    def only(self, classes: Sequence[str]) -> PairDataset:
        """The pictures of these classes, numbered in this order."""
        classes, missing = sort_out(classes, self.classes)
        if missing:
            raise DataError(f"there is no class {', '.join(missing)}; the data has {', '.join(self.classes)}.")
        number = torch.tensor([classes.index(name) if name in classes else -1 for name in self.classes])
        labels = number[self.labels]
        kept = labels >= 0
        return PairDataset(self.images_u8[kept], self.edges_u8[kept], labels[kept], classes, self.sources)

    def to(self, device: torch.device) -> PairDataset:
        images_u8, edges_u8, labels = (tensor.to(device) for tensor in (self.images_u8, self.edges_u8, self.labels))
        return PairDataset(images_u8, edges_u8, labels, self.classes, self.sources)

    @functools.cached_property
    def labels_on_cpu(self) -> Tensor:
        """The labels, to choose by without waiting for a device."""
        return self.labels.cpu()

    def batches_per_epoch(self, batch_size: int) -> int:
        return max(1, len(self) // batch_size)

    def choose(self, seed: int, index: int, batch_size: int, balanced: bool = False) -> Tensor:
        """Numbers of the pictures in batch ``index``, int64 [batch_size] on the CPU.

        In turn (each picture once an epoch, in a new order), or ``balanced``: classes drawn evenly, whatever their
        size.
        """
        if balanced:
            return self._members.choose(stream(seed, index, "balanced"), batch_size)
        epoch, position = divmod(index, self.batches_per_epoch(batch_size))
        order = torch.randperm(len(self), generator=stream(seed, epoch, "order"))
        return order[position * batch_size : (position + 1) * batch_size]

    def choose_of(self, labels: Tensor, random: torch.Generator) -> Tensor:
        """For each of these labels the number of a picture of that class, int64 [len(labels)]; each must have one."""
        return self._members.of(labels, random)

    @functools.cached_property
    def _members(self) -> Members:
        return Members(self.labels_on_cpu)

    def as_sketched(
        self,
        chosen: Tensor,
        random: torch.Generator,
        mirror: bool = True,
        sources: Mapping[str, float] | None = None,
        hand: Hand = TRAINED,
        poses: float = 0.0,
    ) -> Batch:
        """These pictures, moved and mirrored, with a sketch each: one of their edge maps, distorted as a hand does.

        ``sources`` weighs the edge maps by name and sets the strength of ``hand``, see
        :func:`sketch.schedule.scheduled`; None takes those that are always drawn evenly, at full strength.
        ``hand`` says what such a distortion is made of. ``poses`` is how far objects and drawings alike are bent into
        other poses, see :func:`edgegan_widget.sketch.hands.warp.place`.
        """
        style = torch.multinomial(self._weights(sources), len(chosen), replacement=True, generator=random)
        device = self.labels.device
        chosen, style = chosen.to(device, non_blocking=True), style.to(device, non_blocking=True)
        drawn_u8 = torch.cat([self.edges_u8[chosen, :1], self.edges_u8[chosen, style][:, None]], dim=1)
        placement = Placement.draw(random, len(chosen), mirror, poses)
        images, drawn = placement.apply_to_pictures(to_unit(self.images_u8[chosen])), placement.apply(to_unit(drawn_u8))
        strength = 1.0 if sources is None else sources["hand"]
        sketches = sketch_like(drawn[:, 1:], random, strength, hand)
        return Batch(images, drawn[:, :1], sketches, self.labels[chosen])

    def _weights(self, sources: Mapping[str, float] | None) -> Tensor:
        """How often each drawing is taken, float32 [V]."""
        names = self.sources[: self.edges_u8.shape[1]]
        wanted = dict.fromkeys(ALWAYS_DRAWN, 1.0) if sources is None else sources
        weights = [wanted.get(name, 0.0) for name in names]
        weights[0] += sum(wanted.get(name, 0.0) for name in ALWAYS_DRAWN if name not in names)  # of a ready pair: all
        return torch.tensor(weights) if sum(weights) > 0 else torch.ones(len(weights))

    def take(self, chosen: Tensor | Sequence[int], mirror: torch.Generator | None = None) -> Batch:
        """The pictures with these numbers, half of them mirrored if asked; their sketches are their own edge maps."""
        numbers = torch.as_tensor(chosen)
        chosen = numbers.to(self.labels.device, non_blocking=True)
        images, edges = to_unit(self.images_u8[chosen]), to_unit(self.edges_u8[chosen, :1])
        if mirror is not None:
            flip = torch.randint(2, (len(numbers), 1, 1, 1), generator=mirror).bool().to(images.device)
            images, edges = (torch.where(flip, planes.flip(3), planes) for planes in (images, edges))
        return Batch(images, edges, edges, self.labels[chosen])


def load_data(
    data: Path | str,
    split: str,
    size_px: int = 64,
    classes: Sequence[str] | None = None,
    sources: Sequence[str] = (),
    sketch_px: int | None = None,
    alpha: bool = False,
    pair_order: str = "auto",
    partly: bool = False,
) -> PairDataset:
    """Read ``<data>/<split>/<class>/*.png``, or the file that :func:`pack` made of such a folder.

    Edge maps are ``sketch_px`` large; where that is None as large as the pictures, or as they were packed. With
    ``alpha`` pictures have the objects' coverage as a fourth channel: whatever is not white paper.

    A picture twice as wide as high with a drawing in one half is a ready ``[edge | image]`` pair (``pair_order`` says
    which half, see :func:`edgegan_widget.sketch.pairs.halves`); any other is a cut-out on white whose edge maps are
    made here, those that training always has and the ``sources`` named beside them; what is kept of these in the
    folder is taken, see :mod:`sketch.edges`. Classes are the sub-folders in alphabetical order unless
    given; with ``partly`` those of them that have no folder are named in the log, and have no picture. A picture that
    cannot be read is left out and named in the log.

    Raises
    ------
    DataError
        The folder is missing, holds no class, a class holds no readable picture, or a wanted class is absent; or a
        packed file has another size or other edge maps.
    ModelError
        The weights of a source cannot be used.
    """
    if Path(data).is_file():
        packed = _load_packed(Path(data), split, size_px, classes, sources)
        if sketch_px is not None and packed.edges_u8.shape[-1] < sketch_px:
            raise DataError(
                f"{data} was packed with edge maps of {packed.edges_u8.shape[-1]} pixels, {sketch_px} are needed; pack "
                "it anew with a larger --sketch-size, or without."
            )
        return _finished(packed, sketch_px, alpha)
    whole = _load_folder(Path(data), split, size_px, sketch_px or size_px, classes, sources, pair_order, partly)
    return _finished(whole, sketch_px, alpha)


def _load_folder(
    data: Path,
    split: str,
    size_px: int,
    edge_px: int,
    classes: Sequence[str] | None,
    sources: Sequence[str],
    pair_order: str,
    partly: bool,
) -> PairDataset:
    root = split_root(data, split)
    there = [folder.name for folder in class_folders(root)]
    names, missing = sort_out(there if classes is None else classes, there)
    if partly and classes is not None and missing and names:
        log.warning("%s has no pictures of %s", root, listed(missing, _MOST_NAMED))
        missing = []
    if missing or not names:
        loose = "pictures alone, which belong into <class>/" if any(map(is_picture, root.iterdir())) else "nothing"
        raise DataError(
            f"{root} has no folder for {', '.join(missing) or 'any class'}; it holds {', '.join(there) or loose}."
        )
    draw = functools.partial(planes, data, sources=sources)
    known = tuple(classes) if partly and classes is not None else names
    found = []
    for number, name in enumerate(names):
        log.info("reading %s, class %d of %d: %s", split, number + 1, len(names), name)
        label = known.index(name)
        found += [(*read, label) for read in _read_class(root / name, size_px, edge_px, draw, pair_order)]
    images, edges, more, labels = zip(*found)
    most = max(len(edge) for edge in edges)  # a ready pair has one drawing, a cut-out has four
    every = [
        np.concatenate([edge, np.repeat(edge[:1], most - len(edge), 0), drawn]) for edge, drawn in zip(edges, more)
    ]
    return PairDataset(
        torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(np.stack(every)),
        torch.tensor(labels),
        known,
        (*ALWAYS_DRAWN[:most], *sources),
    )


def _finished(data: PairDataset, sketch_px: int | None, alpha: bool) -> PairDataset:
    """With coverage if wanted, and with edge maps of the size wanted: packed ones are as large as the pictures."""
    images_u8, edges_u8 = data.images_u8, data.edges_u8
    if alpha:
        images_u8 = torch.cat([images_u8, _coverage(images_u8)], dim=1)
    if sketch_px is not None and edges_u8.shape[-1] != sketch_px:
        parts = [F.adaptive_avg_pool2d(part.float(), sketch_px).round().to(torch.uint8) for part in edges_u8.split(256)]
        edges_u8 = torch.cat(parts)
    return dataclasses.replace(data, images_u8=images_u8, edges_u8=edges_u8)


def _coverage(images_u8: Tensor) -> Tensor:
    """Alpha uint8 [N, 1, H, W] of cut-outs on white; their silhouettes, small holes filled, with a soft rim."""
    masks = [255 * filled_mask(image) for image in images_u8.permute(0, 2, 3, 1).numpy()]
    return torch.from_numpy(np.stack([cv2.blur(mask, (3, 3)) for mask in masks]))[:, None]


def pack(
    folder: Path | str,
    out: Path | str,
    size_px: int = 64,
    sources: Sequence[str] = (),
    sketch_px: int | None = None,
    sketches: Sequence[str | Path] = (),
) -> dict[str, int]:
    """Write the pictures and edge maps of a folder's splits as one ``.npz`` file, to carry elsewhere or load quickly.

    ``sources`` names edge maps beside those that are always drawn, see :func:`load_data`. Edge maps are ``sketch_px``
    large, or as large as the pictures. ``sketches`` names folders of people's drawings to take along at that size.

    Returns
    -------
    Pictures by split, and the number of ``people's drawings`` where there are any.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    counts = {}
    classes: list[str] = []
    for split in SPLITS:
        if split_folder(Path(folder), split).is_dir():
            pictures = load_data(folder, split, size_px, sources=sources, sketch_px=sketch_px)
            arrays |= {
                f"{split}_images": pictures.images_u8.numpy(),
                f"{split}_edges": pictures.edges_u8.numpy(),
                f"{split}_labels": pictures.labels.numpy(),
                f"{split}_classes": np.array(pictures.classes),
                f"{split}_sources": np.array(pictures.sources),
            }
            counts[split] = len(pictures)
            classes += [name for name in pictures.classes if name not in classes]
    if not counts:
        raise DataError(f"{folder} has neither train nor val; data is laid out as <folder>/<split>/<class>/*.png.")
    if sketches:
        arrays |= packed_people(sketches, classes, sketch_px or size_px)
        counts["people's drawings"] = len(arrays["people_names"])
    with write_atomic(out) as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return counts


def _load_packed(
    path: Path, split: str, size_px: int, classes: Sequence[str] | None, sources: Sequence[str]
) -> PairDataset:
    check_packed(path)
    try:
        with np.load(path, allow_pickle=False) as packed:
            images, edges, labels = (packed[f"{split}_{name}"] for name in ("images", "edges", "labels"))
            found = tuple(str(name) for name in packed[f"{split}_classes"])
            named = packed[f"{split}_sources"] if f"{split}_sources" in packed else ALWAYS_DRAWN[: edges.shape[1]]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} holds no packed {split} pictures ({error}); make it with edgegan-widget pack."
        ) from error
    if images.shape[-1] != size_px:
        raise DataError(f"{path} was packed at {images.shape[-1]} pixels, {size_px} are needed; pack it anew.")
    asked = {_kept_as(source): source for source in sources}
    drawn = tuple(asked.get(_kept_as(str(name)), str(name)) for name in named)
    missing = [source for source in sources if source not in drawn]
    if missing:
        raise DataError(f"{path} was packed without {missing[0]}; pack it anew with --edges {','.join(sources)}.")
    images_u8, edges_u8, numbers = (torch.from_numpy(array) for array in (images, edges, labels))
    whole = PairDataset(images_u8, edges_u8, numbers, found, drawn)
    return whole if classes is None or tuple(classes) == found else whole.only(classes)


def _kept_as(source: str) -> str:
    """A source without its file: weights may lie elsewhere on another machine."""
    kind = source.partition("=")[0]
    return kind if takes_file(kind) else source


def _read_class(
    folder: Path, size_px: int, edge_px: int, draw: Callable[..., U8], pair_order: str
) -> list[tuple[U8, U8, U8]]:
    """Image, edge maps and further edge maps of each picture; at least one."""
    found = []
    pictures, others = pictures_in(folder)
    for sentence in filter(None, (left_out(folder, others), nested(folder))):
        log.warning("left out: %s", sentence)
    for path in pictures:
        try:
            found.append((*_read_picture(path, size_px, edge_px, pair_order), draw(picture=path, size_px=edge_px)))
        except DataError as error:
            log.warning("left out: %s", error)
    if not found and (deeper := nested(folder)):
        raise DataError(f"{deeper}.")
    if not found:
        raise DataError(f"{folder} holds no readable picture ({', '.join(PICTURE_SUFFIXES)}); add some or remove it.")
    if pairs := sum(len(edges) == 1 for _, edges, _ in found):
        log.info("%s: %d of %d are pairs of edge map and picture", folder, pairs, len(found))
    return found


def _read_picture(path: Path, size_px: int, edge_px: int, pair_order: str) -> tuple[U8, U8]:
    """One file as image uint8 [H, W, 3] and edge maps uint8 [V, h, w]."""
    from PIL import Image

    picture = open_picture(path)
    pair = halves(picture, pair_order)
    if pair is not None:
        edge = pair[0].convert("L").resize((edge_px, edge_px), Image.Resampling.BOX)
        return np.asarray(pair[1].resize((size_px, size_px), Image.Resampling.BOX)), np.asarray(edge)[None]
    if np.asarray(picture.convert("RGB")).min() >= _PAPER_FROM_U8:
        raise DataError(f"{path} holds nothing but white paper; replace it or leave it out.")
    large = squared(picture, 2 * edge_px)  # edge maps are made at twice the size: their lines come out anti-aliased
    return squared(picture, size_px), edge_styles(large, edge_px)
