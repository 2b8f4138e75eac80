"""What readers hand to the preparation: source pictures with their objects, and how cut-outs are to be made."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.settings import check_settings, setting

__all__ = [
    "OWN_FOLDER", "AlphaFile", "Making", "Outcome", "Region", "Source", "check_folders", "class_folder", "object_id",
]  # fmt: skip

OWN_FOLDER = ".prepare"  # in a data folder: what preparing it keeps for itself
Segmentation = Any  # COCO's: a list of polygons, or a dict with size and counts
Record = dict[str, Any]

_SMALLEST_PX, _LARGEST_PX = 16, 2048
_MOST_MARGIN = 0.4


@dataclass(frozen=True)
class AlphaFile:
    """A mask of one object found in a photo: a grey picture whose shades are how much of each pixel is object.

    Parameters
    ----------
    path
        Of the file.
    version
        Changes with the file, so that its cut-out is made anew; empty where there is none.
    """

    path: Path
    version: str

    @classmethod
    def of(cls, path: Path) -> AlphaFile:
        """The file as it is now."""
        try:
            facts = path.stat()
        except OSError:
            return cls(path, "")
        return cls(path, f"{facts.st_size} {facts.st_mtime_ns}")


@dataclass(frozen=True)
class Region:
    """One object in a source picture.

    Parameters
    ----------
    id
        Unique in the data folder, fit for a file name; see :func:`object_id`.
    label
        Class name.
    mask
        COCO segmentation; path of a mask picture; a found mask; or None: the object is what is not transparent and not
        paper.
    """

    id: str
    label: str
    mask: Segmentation | Path | AlphaFile | None = None


@dataclass(frozen=True)
class Source:
    """One picture file and the objects in it.

    Parameters
    ----------
    path
        Where it is now.
    name
        What the manifest calls it: its path in the folder it was read from.
    regions
        Its objects.
    others
        Segmentations of everything else in the picture, which may hide the objects.
    size_px
        Width and height that the annotations are made for, if they say.
    licence
        As far as known.
    split
        The split it has to be in, or None: chosen by hash.
    edge
        A ready edge map of the whole picture: a file, or ``"left half"`` or ``"right half"`` of the picture itself;
        with ``"drawn half, else left half"`` (or right) the one that is a drawing, where one is; with ``"if it is a
        pair"`` a picture that is none has none.
    """

    path: Path
    name: str
    regions: tuple[Region, ...]
    others: tuple[Segmentation, ...] = ()
    size_px: tuple[int, int] | None = None
    licence: str = "unknown"
    split: str | None = None
    edge: Path | str | None = None


@dataclass(frozen=True)
class Making:
    """How cut-outs are made: square, ``size_px`` wide, the object's longest side leaving ``margin`` (a share) free."""

    size_px: int = setting(
        128, "side of the cut-outs; another makes them anew", label="Size (px)", option="--size", metavar="PX",
        least=_SMALLEST_PX, most=_LARGEST_PX,
    )  # fmt: skip
    margin: float = setting(0.05, "share of the side that stays free", metavar="SHARE", least=0, most=_MOST_MARGIN)

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Outcome:
    """What became of one source: a record for each cut-out, a sentence for each object that could not be used."""

    records: list[Record]
    problems: list[str]


def object_id(name: str, number: object = 0) -> str:
    """An id for object ``number`` of the source ``name``: readable, fit for a file name, unique by its hash."""
    digest = hashlib.sha256(f"{name}\0{number}".encode(errors="surrogatepass")).hexdigest()[:10]
    stem = re.sub(r"[^A-Za-z0-9]+", "_", Path(name).stem)[:40].strip("_")
    return f"{stem or 'picture'}-{digest}"


def class_folder(label: str) -> str:
    """The class name as a folder name: no separators, no leading dot."""
    cleaned = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]+', "_", label).strip(" .")
    return cleaned[:80] or "unnamed"


def check_folders(labels: Iterable[str]) -> None:
    """Raise a :class:`DataError` where two classes would share a folder, on systems too that know no capitals."""
    taken: dict[str, str] = {}
    for label in sorted(labels):
        folder = unicodedata.normalize("NFC", class_folder(label)).casefold()
        other = taken.setdefault(folder, label)
        if other != label:
            raise DataError(
                f"the classes {other!r} and {label!r} would share the folder {class_folder(label)}; rename one, "
                "or take only one of them."
            )
