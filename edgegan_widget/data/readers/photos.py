"""Plain photos without masks -> sources: the object that stands out in each is found by a network.

Masks are kept in the data folder, as shades of grey: white is object. One that somebody has mended is never made anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from edgegan_widget.base.errors import DataError, PreparationError
from edgegan_widget.base.files import telling, write_atomic
from edgegan_widget.base.settings import setting
from edgegan_widget.base.units import F32, U8
from edgegan_widget.data.readers import ReaderKind, path_of, register
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.sources import AlphaFile, Source
from edgegan_widget.photo.cut import alone, cut_out
from edgegan_widget.photo.finders import describe_finder

__all__ = ["MASKS", "Masked", "PhotoOptions", "PhotoReader", "cut_all", "is_mended", "keep_mended", "photos_with_masks"]

MASKS = "photo_masks"  # in the data folder
_NOTE = "edgegan-widget"  # what a mask was made of, in the file itself: a kill leaves nothing untold


@dataclass(frozen=True)
class PhotoOptions:
    """What :class:`PhotoReader` has to be told."""

    folder: str = setting(
        "", "<folder>/<class>/*: plain photos, one object in each", label="Photos", option="folder", metavar="DIR",
        needed=True, path=True,
    )  # fmt: skip
    label: str = setting(
        "", "where the folder has no sub-folders: what all photos show", label="Class", option="--class", metavar="NAME"
    )
    cutout: str = setting(
        "", "another model that finds the object: a folder of train-cutout, a TorchScript or an ONNX file",
        label="Cut-out model", metavar="FILE", path=True,
    )  # fmt: skip
    licence: str = setting("unknown", "of all photos, for the manifest")


class PhotoReader:
    """Sources of the folder's photos, each with the mask that :func:`cut_all` left in the data folder.

    Raises
    ------
    DataError
        The folder is missing, or holds no picture where it should.
    """

    def __init__(self, options: PhotoOptions, data: Path) -> None:
        self._photos, self._data = _photos(options), data
        self.problems: list[str] = []

    def __iter__(self) -> Iterator[Source]:
        for source in self._photos:
            mask = AlphaFile.of(mask_path(self._data, source))
            yield dataclasses.replace(source, regions=(dataclasses.replace(source.regions[0], mask=mask),))


def _photos(options: PhotoOptions) -> FolderReader:
    return FolderReader(path_of(options.folder), options.label.strip(), None, options.licence)


def mask_path(data: Path, source: Source) -> Path:
    """Where the mask of a photo is kept."""
    return data / MASKS / f"{source.name}.png"


@dataclass(frozen=True)
class Masked:
    """A photo by its name in the folder, and where its mask is, or would be."""

    name: str
    photo: Path
    mask: Path


def photos_with_masks(options: PhotoOptions, data: Path) -> list[Masked]:
    """The folder's photos, in its order.

    Raises
    ------
    DataError
        The folder is missing, or holds no picture where it should.
    """
    return [Masked(source.name, source.path, mask_path(data, source)) for source in _photos(options)]


def keep_mended(mask: Path, alpha: F32) -> None:
    """Write a mask, float32 [H, W] in 0..1, as somebody's own, which is never made anew.

    Raises
    ------
    PreparationError
        It cannot be written.
    """
    with telling(mask, "written", "free space or give another folder", PreparationError), write_atomic(mask) as stream:
        Image.fromarray(np.round(alpha * 255).astype(np.uint8)).save(stream, "PNG")


def is_mended(mask: Path) -> bool:
    """Whether somebody has touched the mask, or it is not from here at all."""
    return mask.is_file() and not _outdated(mask, {"model": ""})


def cut_all(options: PhotoOptions, data: Path) -> Iterator[None]:
    """Make the masks that are missing, or that another photo or model made; yields after each photo.

    A photo that cannot be read gets none; who prepares it says so.

    Raises
    ------
    DataError
        The folder cannot be used.
    ModelError, DependencyError
        The model cannot be used.
    PreparationError
        A mask cannot be written.
    """
    model = path_of(options.cutout) if options.cutout.strip() else None
    by = describe_finder(model)
    for source in _photos(options):
        path = mask_path(data, source)
        try:
            _cut(source.path, path, model, by)
        except DataError:
            path.unlink(missing_ok=True)
        yield


def _cut(photo: Path, mask: Path, model: Path | None, by: str) -> None:
    with telling(photo, "read", "check the folder"):
        made_of = {"photo": hashlib.sha256(photo.read_bytes()).hexdigest(), "model": by}
    if mask.is_file() and not _outdated(mask, made_of):
        return
    alpha_u8 = np.round(alone(cut_out(photo, model=model)) * 255).astype(np.uint8)
    note = PngInfo()
    note.add_text(_NOTE, json.dumps(made_of | {"alpha": _digest(alpha_u8)}))
    with telling(mask, "written", "free space or give another folder", PreparationError), write_atomic(mask) as stream:
        Image.fromarray(alpha_u8).save(stream, "PNG", pnginfo=note)


def _outdated(mask: Path, made_of: dict[str, str]) -> bool:
    """Whether the mask was made here, of another photo or by another model, and nobody has mended it since."""
    try:
        with Image.open(mask) as picture:
            told = json.loads(picture.info.get(_NOTE, "null"))
            untouched = told is not None and told["alpha"] == _digest(np.asarray(picture.convert("L")))
    except (OSError, ValueError, KeyError, TypeError):  # torn, or by somebody else: whoever reads it says so
        return False
    return untouched and any(told[name] != value for name, value in made_of.items())


def _digest(alpha_u8: U8) -> str:
    return hashlib.sha256(repr(alpha_u8.shape).encode() + alpha_u8.tobytes()).hexdigest()


register(
    ReaderKind(
        "photos", "Photos without masks", "from-photos", "cut out what stands out in plain photos, without masks",
        PhotoOptions, PhotoReader, before=cut_all, doing="Finding the object in each photo",
    )
)  # fmt: skip
