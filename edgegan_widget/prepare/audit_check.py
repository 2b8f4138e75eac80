"""How well the audit finds planted defects: precision and recall of each reason, on real photos.

For each defect every photo is planted once and held against the same photos as they are. A finding counts as false
when the picture is as it was, or was given another defect that does not bring this one with it. What the untouched
photos themselves have is what a person would see in them: nothing was removed from them to make the figures better.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgegan_widget.errors import DataError
from edgegan_widget.files import picture_rgb_u8
from edgegan_widget.prepare.audit import REASONS, Survey, Thresholds, judge
from edgegan_widget.prepare.coco import CocoReader
from edgegan_widget.prepare.cutout import cut_out
from edgegan_widget.prepare.defects import DEFECTS, IMPLIED, Planted, in_front
from edgegan_widget.prepare.duplicates import twins
from edgegan_widget.prepare.masks import coco_mask
from edgegan_widget.prepare.measures import Shape, hashes, measure
from edgegan_widget.prepare.work import Making, Record

__all__ = ["Score", "check", "planted_records", "scores", "table"]

CLEAN = "clean"
_MAKING = Making()


@dataclass(frozen=True)
class Score:
    """One reason: planted pictures, how many were found, and how many others were accused, of how many."""

    reason: str
    planted: int
    found: int
    accused: int
    others: int

    @property
    def recall(self) -> float:
        return self.found / max(1, self.planted)

    @property
    def precision(self) -> float:
        """Of a collection in which half of the pictures have the defect; in rates, as others are more in number."""
        accused = self.accused / max(1, self.others)
        return self.recall / (self.recall + accused) if self.found else 0.0


def check(images: Path, annotations: Path, thresholds: Thresholds, seed: int = 0) -> list[Score]:
    """Plant every defect in every photo and count what the audit finds.

    Raises
    ------
    DataError
        There are fewer than two usable photos.
    """
    return scores(planted_records(images, annotations, seed), thresholds)


def planted_records(images: Path, annotations: Path, seed: int = 0) -> dict[str, list[Record]]:
    """Measures of every photo as it is (``clean``) and with each defect."""
    photos = _photos(images, annotations)
    if len(photos) < 2:
        raise DataError(f"{annotations} has fewer than two usable objects; give more photos to plant defects in.")
    records: dict[str, list[Record]] = {CLEAN: [_record(photo, label) for label, photo in photos]}
    for number, (defect, plant) in enumerate((DEFECTS | {"in front": in_front}).items()):
        random = np.random.default_rng([seed, number])
        records[defect] = []
        for at, (label, photo) in enumerate(photos):
            other = photos[(at + 1 + int(random.integers(len(photos) - 1))) % len(photos)][1]
            with contextlib.suppress(DataError):  # two objects of which neither fits before the other
                records[defect].append(_record(plant(photo, random, other), label))
    return records


def _photos(images: Path, annotations: Path) -> list[tuple[str, Planted]]:
    """The photos' objects that can be cut out, with their classes."""
    found = []
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
                found.append((region.label, Planted(pixels, masks[number], np.asarray(others, np.uint8))))
    return found


def _record(planted: Planted, label: str) -> Record:
    image, mask = cut_out(planted.photo_u8, planted.mask_u8, _MAKING.size_px, _MAKING.margin)
    measures = measure(image, mask, Shape(planted.mask_u8), [Shape(planted.others_u8)])
    return {"class": label, "measures": measures, "hashes": list(hashes(image))}


def scores(records: dict[str, list[Record]], thresholds: Thresholds) -> list[Score]:
    """Count what the thresholds find; usual shapes are those of the clean photos, as bad ones are few in a set."""
    survey = Survey()
    for record in records[CLEAN]:
        survey.add(record)
    medians = survey.medians()
    found = {kind: [set(judge(record, thresholds, medians)) for record in members] for kind, members in records.items()}
    result = []
    for reason in REASONS:
        if reason == "duplicate":
            result.append(_duplicates(records, thresholds))
            continue
        hits = sum(reason in each for each in found[reason])
        others = [
            each for kind in found if kind != reason and reason not in IMPLIED.get(kind, ()) for each in found[kind]
        ]
        accused = sum(reason in each for each in others)
        result.append(Score(reason, len(found[reason]), hits, accused, len(others)))
    return result


def _duplicates(records: dict[str, list[Record]], thresholds: Thresholds) -> Score:
    """Each copy must lead to its own photo, or to one that the photo itself is a copy of; no clean one to another."""
    clean, copies = records[CLEAN], records["duplicate"]
    found = _twins([*clean, *copies], thresholds)
    hits = sum(len(clean) + number in found for number in range(len(copies)))
    return Score("duplicate", len(copies), hits, sum(number in found for number in range(len(clean))), len(clean))


def _twins(records: Sequence[Record], thresholds: Thresholds) -> dict[int, tuple[int, int]]:
    survey = Survey()
    for record in records:
        survey.add(record)
    return twins(bytes(survey.hashes), bytes(survey.fine), int(thresholds.duplicate_bits) - 1)


def table(found: Sequence[Score]) -> str:
    """The scores as text."""
    lines = [f"{'defect':<26} {'planted':>7} {'found':>6} {'recall':>7} {'accused':>8} {'of':>6} {'precision':>10}"]
    lines += [
        f"{REASONS[each.reason]:<26} {each.planted:>7} {each.found:>6} {each.recall:>7.3f} {each.accused:>8} "
        f"{each.others:>6} {each.precision:>10.3f}"
        for each in found
    ]
    return "\n".join(lines)
