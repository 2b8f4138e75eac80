"""One source -> its cut-outs on disk, their records, and a sentence for each object that could not be used.

Runs in worker processes. Whatever a file or an annotation holds ends as a record or as a sentence.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edgegan_widget.base.errors import DataError, PreparationError
from edgegan_widget.base.files import telling
from edgegan_widget.base.pictures import encode_png, open_picture
from edgegan_widget.base.units import U8
from edgegan_widget.data.annotations.segments import coco_mask
from edgegan_widget.data.audit.measures import Shape, hashes, measure
from edgegan_widget.data.preparing.cutout import cut_out, paper_mask
from edgegan_widget.data.preparing.splits import split_of
from edgegan_widget.data.sources import AlphaFile, Making, Outcome, Record, Region, Segmentation, Source, class_folder
from edgegan_widget.photo.cut import objection
from edgegan_widget.photo.masks import grey_mask, mask_picture
from edgegan_widget.photo.turns import TURNS, orientation_of
from edgegan_widget.sketch.pairs import halves

__all__ = ["Job", "make"]

_ORDERS = {  # of a pair, the first that fits
    "left half": ("edge-picture",),
    "right half": ("picture-edge",),
    "drawn half, else left half": ("auto", "edge-picture"),
    "drawn half, else right half": ("auto", "picture-edge"),
    "if it is a pair": ("auto",),
}
_MOST_BYTES = 256_000_000
_OPAQUE_FROM_U8 = 128


@dataclass(frozen=True)
class Job:
    """What all sources share: the data folder (None: measure only), how cut-outs are made, the validation share."""

    out: Path | None
    making: Making
    val_share: float


@dataclass(frozen=True)
class _Photo:
    pixels_u8: U8  # [H, W, 3]
    alpha_u8: U8 | None  # [H, W]
    edge_u8: U8 | None  # [H, W], a ready edge map
    sha256: str
    orientation: int = 1  # EXIF's, where the pixels are as stored
    turned_by: int = 1  # EXIF's, where they were turned as it says


def make(job: Job, source: Source) -> Outcome:
    """Cut out every object of a source."""
    try:
        photo = _read(source)
    except DataError as error:
        return Outcome([], [str(error)])
    height, width = photo.pixels_u8.shape[:2]
    others = _others(source.others, width, height)
    problems: list[str] = []
    masks: list[U8 | None] = []
    for region in source.regions:
        try:
            masks.append(_mask(region, photo))
        except DataError as error:
            masks.append(None)
            problems.append(_about(source, region, error))
    turn = TURNS.get(photo.orientation)
    if turn is not None:  # annotations were for the pixels as stored; what is cut out is upright
        photo = dataclasses.replace(photo, pixels_u8=turn(photo.pixels_u8))
        masks = [None if mask is None else turn(mask) for mask in masks]
        others = [Shape(turn(each.mask * np.uint8(255))) for each in others]
    shapes = [None if mask is None else Shape(mask) for mask in masks]
    records = []
    for region, mask, shape in zip(source.regions, masks, shapes):
        if mask is None or shape is None:
            continue
        rest = [each for each in shapes if each is not None and each is not shape] + others
        try:
            records.append(_make_one(job, source, photo, region, (mask, shape), rest))
        except DataError as error:
            problems.append(_about(source, region, error))
    return Outcome(records, problems)


def _about(source: Source, region: Region, error: Exception) -> str:
    text = str(error)
    return text if str(source.path) in text else f"{source.path}, {region.label}: {text}"


def _read(source: Source) -> _Photo:
    """Read the file once: its digest decides the split, its pixels are decoded from the same bytes."""
    try:
        size = os.stat(source.path).st_size
        if not 0 < size <= _MOST_BYTES or not source.path.is_file():
            what = "is empty" if size == 0 else f"is no file of at most {_MOST_BYTES:,} bytes"
            raise DataError(f"{source.path} {what}; replace it or leave it out.")
        content = source.path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{source.path} cannot be read ({reason}); check the folder and the annotations.") from error
    picture = open_picture(
        io.BytesIO(content), str(source.path), upright=source.size_px is None, alpha=source.edge is None
    )
    found = orientation_of(content)
    orientation, turned_by = (1, found) if source.size_px is None else (found, 1)
    if source.size_px is not None and picture.size != source.size_px:
        picture, orientation = _turned(content, source), 1
    edge = None
    if source.edge is not None:
        picture, edge = _with_edge(picture, source)
    pixels = np.asarray(picture, np.uint8)
    alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
    pixels = pixels[..., :3]
    return _Photo(pixels, alpha, edge, hashlib.sha256(content).hexdigest(), orientation, turned_by)


def _turned(content: bytes, source: Source) -> Image.Image:
    """Annotations are for the pixels as stored, as COCO's own tools read them, or else for the upright picture."""
    picture = open_picture(io.BytesIO(content), str(source.path))
    if picture.size != source.size_px:
        given, wanted = ("x".join(map(str, size)) for size in (picture.size, source.size_px or ()))
        raise DataError(
            f"{source.path} is {given} pixels, its annotations are for {wanted}; give the picture they mean."
        )
    return picture


def _with_edge(picture: Image.Image, source: Source) -> tuple[Image.Image, U8 | None]:
    """The picture and its ready edge map, of the same size."""
    if isinstance(source.edge, Path):
        edge = open_picture(source.edge).convert("L")
        if edge.size != picture.size:
            edge = edge.resize(picture.size, Image.Resampling.LANCZOS)
        return picture.convert("RGB"), np.asarray(edge, np.uint8)
    found = (halves(picture, order) for order in _ORDERS[source.edge or ""])
    pair = next(filter(None, found), None)
    if pair is not None:
        return pair[1].convert("RGB"), np.asarray(pair[0].convert("L"), np.uint8)
    if source.edge != "if it is a pair":
        raise DataError(
            f"{source.path} is {picture.width}x{picture.height} pixels; a pair is two squares, the drawing and the "
            "picture, side by side; cut it so."
        )
    return picture, None


def _mask(region: Region, photo: _Photo) -> U8:
    height, width = photo.pixels_u8.shape[:2]
    if isinstance(region.mask, AlphaFile):
        return _found_mask(region.mask.path, width, height)
    if region.mask is not None:
        file = isinstance(region.mask, Path)
        mask = (
            mask_picture(region.mask, width, height, photo.turned_by) if file else coco_mask(region.mask, width, height)
        )
        return mask if photo.alpha_u8 is None else np.minimum(mask, photo.alpha_u8)
    if photo.alpha_u8 is not None and photo.alpha_u8.min() < _OPAQUE_FROM_U8:
        return photo.alpha_u8
    try:
        return paper_mask(photo.pixels_u8)
    except DataError as error:
        if photo.edge_u8 is None:
            raise
        raise DataError(
            "its picture is not on white paper; edgegan-widget train takes pairs with a background as they are, "
            "laid out as train/<class>/*.png."
        ) from error


def _found_mask(path: Path, width: int, height: int) -> U8:
    """A mask that a network found and maybe a person has mended; refused where it is not that of one object."""
    alpha_u8 = grey_mask(path, width, height)
    reason = objection(np.asarray(alpha_u8 / 255, np.float32))
    if reason:
        raise DataError(f"{reason}; mend its mask, {path}, or leave the photo out.")
    return alpha_u8


def _others(segmentations: tuple[Segmentation, ...], width: int, height: int) -> list[Shape]:
    """Masks of what may hide the objects; broken ones hide nothing."""
    masks = []
    for segmentation in segmentations:
        try:
            masks.append(Shape(coco_mask(segmentation, width, height)))
        except DataError:
            continue
    return masks


def _make_one(
    job: Job, source: Source, photo: _Photo, region: Region, mask: tuple[U8, Shape], others: list[Shape]
) -> Record:
    image, small_mask = cut_out(photo.pixels_u8, mask[0], job.making.size_px, job.making.margin)
    coarse, fine = hashes(image)
    split = source.split or split_of(photo.sha256, job.val_share)
    record: Record = {
        "id": region.id,
        "class": region.label,
        "source": source.name,
        "source_sha256": photo.sha256,
        "licence": source.licence,
        "given_split": source.split,
        "measures": measure(image, small_mask, mask[1], others),
        "hashes": [coarse, fine],
    }
    if job.out is None:
        return record | {"file": source.name, "sha256": photo.sha256}
    content = encode_png(image if photo.edge_u8 is None else _pair(photo))
    path = job.out / split / class_folder(region.label) / f"{region.id}.png"
    _write(path, content)
    return record | {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _pair(photo: _Photo) -> U8:
    """[edge | image] as the original reads it; the picture stays as it is."""
    edge = np.repeat(photo.edge_u8[..., None], 3, axis=2) if photo.edge_u8 is not None else photo.pixels_u8
    return np.concatenate([edge, photo.pixels_u8], axis=1)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, without waiting for the disk: a run that goes on checks each file's size."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")  # two machines may make the same
    with telling(path, "written", "free space or give another folder, then run again", PreparationError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            os.replace(temporary, path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
