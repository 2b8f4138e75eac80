"""How well the audit finds planted defects: precision and recall of each reason, on real pictures.

For each defect every picture is planted once and held against the same pictures as they are, and with the other
defects. A finding is false when the picture was not given that defect, nor another one that brings it along. A picture
that is accused as it is counts once, not again with each of its other plants, which say nothing new about the audit.
What the untouched pictures themselves have is what a person would see in them: none was removed to make the figures
better, and whoever tunes thresholds has the halves to tune on one and report on the other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.data.annotations.segments import coco_mask
from edgegan_widget.data.audit.measures import Shape, hashes, measure, twins
from edgegan_widget.data.audit.rules import REASONS, Survey, Thresholds, judge
from edgegan_widget.data.preparing.cutout import cut_out, paper_mask
from edgegan_widget.data.readers.coco import CocoReader
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.sources import Making, Record
from tests.benchmarks.defects import DEFECTS, IMPLIED, Planted, in_front

__all__ = ["HALVES", "Score", "check", "coco_photos", "cut_outs", "half", "planted_records", "scores", "table"]

CLEAN = "clean"
IN_FRONT = "in front"
HALVES = ("odd", "even")
_MAKING = Making()
_NOT_OF_CUT_OUTS = {"hidden", IN_FRONT}  # there is no room before an object that fills its picture

Photos = list[tuple[str, Planted]]


@dataclass(frozen=True)
class Score:
    """One reason: planted pictures, how many were found; others, how many were accused, of these as they are."""

    reason: str
    planted: int
    found: int
    accused: int
    others: int
    as_they_are: int = 0

    @property
    def recall(self) -> float:
        return self.found / max(1, self.planted)

    @property
    def precision(self) -> float:
        """Of all that were accused, the share that was planted, by plain counts."""
        return self.found / max(1, self.found + self.accused)

    @property
    def balanced(self) -> float:
        """Precision in a collection of which half has the defect: by rates, as others are more in number."""
        accused = self.accused / max(1, self.others)
        return self.recall / (self.recall + accused) if self.found else 0.0


def check(photos: Photos, thresholds: Thresholds, seed: int = 0, rounds: int = 1, alone: bool = False) -> list[Score]:
    """Plant every defect in every picture ``rounds`` times, each time otherwise, and count what the audit finds.

    Parameters
    ----------
    photos
        See :func:`coco_photos`, :func:`cut_outs` and :func:`half`.
    thresholds
        What is refused.
    seed, rounds
        Plants are drawn with ``seed``, ``seed + 1`` and so on.
    alone
        The pictures show nothing but the object, so that nothing can stand before it.
    """
    found = [scores(planted_records(photos, seed + number, alone), thresholds) for number in range(rounds)]
    return [functools.reduce(_added, same) for same in zip(*found)]


def _added(one: Score, other: Score) -> Score:
    counts = zip(dataclasses.astuple(one)[1:], dataclasses.astuple(other)[1:])
    return Score(one.reason, *map(sum, counts))


def coco_photos(images: Path, annotations: Path) -> Photos:
    """The photos' objects that can be cut out, with their classes.

    Raises
    ------
    DataError
        There are fewer than two.
    """
    return _enough(list(_from_coco(images, annotations)), annotations)


def cut_outs(data: Path) -> Photos:
    """Cut-outs on white of a folder ``<split>/<class>/*``; raises as :func:`coco_photos`."""
    found = []
    for source in FolderReader(data):
        with contextlib.suppress(DataError):
            pixels = picture_rgb_u8(source.path)
            mask = paper_mask(pixels)
            found.append((source.regions[0].label, Planted(pixels, mask, np.zeros_like(mask))))
    return _enough(found, data)


def half(photos: Photos, which: str, most: int = 0) -> Photos:
    """Every other picture (``odd`` or ``even``; else all), of these at most ``most``, spread evenly."""
    chosen = photos[1::2] if which == "odd" else photos[::2] if which == "even" else photos
    if not most or len(chosen) <= most:
        return chosen
    return [chosen[number * len(chosen) // most] for number in range(most)]


def _enough(photos: Photos, where: Path) -> Photos:
    if len(photos) < 4:
        raise DataError(f"{where} has fewer than four usable objects; give more pictures to plant defects in.")
    return photos


def planted_records(photos: Photos, seed: int = 0, alone: bool = False) -> dict[str, list[Record | None]]:
    """Measures of every picture as it is (``clean``) and with each defect, None where it could not be planted."""
    records: dict[str, list[Record | None]] = {CLEAN: [_record(photo, label) for label, photo in photos]}
    for number, (defect, plant) in enumerate((DEFECTS | {IN_FRONT: in_front}).items()):
        if alone and defect in _NOT_OF_CUT_OUTS:
            continue
        random = np.random.default_rng([seed, number])
        records[defect] = []
        for at, (label, photo) in enumerate(photos):
            other = photos[(at + 1 + int(random.integers(len(photos) - 1))) % len(photos)][1]
            record = None
            with contextlib.suppress(DataError):  # two objects of which neither fits before the other
                record = _record(plant(photo, random, other), label)
            records[defect].append(record)
    return records


def _from_coco(images: Path, annotations: Path) -> Iterator[tuple[str, Planted]]:
    for source in CocoReader(images, annotations):
        try:
            pixels = picture_rgb_u8(source.path)
            masks = [coco_mask(region.mask, pixels.shape[1], pixels.shape[0]) for region in source.regions]
        except DataError:
            continue
        for number, region in enumerate(source.regions):
            rest = [mask for other, mask in enumerate(masks) if other != number]
            others = np.maximum.reduce(rest) if rest else np.zeros_like(masks[number])
            if masks[number].any():
                yield region.label, Planted(pixels, masks[number], np.asarray(others, np.uint8))


def _record(planted: Planted, label: str) -> Record:
    image, mask = cut_out(planted.photo_u8, planted.mask_u8, _MAKING.size_px, _MAKING.margin)
    measures = measure(image, mask, Shape(planted.mask_u8), [Shape(planted.others_u8)])
    return {"class": label, "measures": measures, "hashes": list(hashes(image))}


def scores(records: dict[str, list[Record | None]], thresholds: Thresholds) -> list[Score]:
    """Count what the thresholds find; usual shapes are those of the clean pictures, as bad ones are few in a set."""
    survey = Survey()
    for record in _present(records[CLEAN]):
        survey.add(record)
    medians = survey.medians()
    found = {
        kind: [None if record is None else set(judge(record, thresholds, medians)) for record in members]
        for kind, members in records.items()
    }
    return [
        _duplicates(records, thresholds) if reason == "duplicate" else _score(reason, found)
        for reason in REASONS
        if reason in records
    ]


def _score(reason: str, found: dict[str, list[set[str] | None]]) -> Score:
    planted = [each for each in found[reason] if each is not None]
    before = [each is not None and reason in each for each in found[CLEAN]]
    others = [
        each
        for kind, members in found.items()
        if kind not in (CLEAN, reason) and reason not in IMPLIED.get(kind, ())
        for each, accused_before in zip(members, before)
        if each is not None and not accused_before
    ]
    accused = sum(reason in each for each in others)
    hits = sum(reason in each for each in planted)
    return Score(reason, len(planted), hits, accused + sum(before), len(others) + len(before), sum(before))


def _present(records: Sequence[Record | None]) -> list[Record]:
    return [record for record in records if record is not None]


def _duplicates(records: dict[str, list[Record | None]], thresholds: Thresholds) -> Score:
    """Each copy must lead to its own photo, or to one that the photo itself is a copy of; no clean one to another."""
    clean, copies = _present(records[CLEAN]), _present(records["duplicate"])
    found = _twins([*clean, *copies], thresholds)
    hits = sum(len(clean) + number in found for number in range(len(copies)))
    accused = sum(number in found for number in range(len(clean)))
    return Score("duplicate", len(copies), hits, accused, len(clean), accused)


def _twins(records: Sequence[Record], thresholds: Thresholds) -> dict[int, tuple[int, int]]:
    survey = Survey()
    for record in records:
        survey.add(record)
    return twins(bytes(survey.hashes), bytes(survey.fine), int(thresholds.duplicate_bits) - 1)


def table(found: Sequence[Score]) -> str:
    """The scores as text; ``as is`` are those of the accused that nothing was done to."""
    heads = ("planted", "found", "recall", "accused", "as is", "of", "precision", "balanced")
    lines = [f"{'defect':<26}" + "".join(f" {head:>9}" for head in heads)]
    for each in found:
        counts = f" {each.planted:>9} {each.found:>9} {each.recall:>9.3f} {each.accused:>9} {each.as_they_are:>9}"
        lines.append(
            f"{REASONS[each.reason]:<26}{counts} {each.others:>9} {each.precision:>9.3f} {each.balanced:>9.3f}"
        )
    return "\n".join(lines)
