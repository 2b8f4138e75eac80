"""What a data folder holds, seen without loading it: classes and how many pictures each has."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import telling
from edgegan_widget.base.layout import class_folders, split_folder
from edgegan_widget.base.pictures import is_picture
from edgegan_widget.base.strays import beneath

__all__ = ["PACKED_SUFFIX", "check_packed", "class_counts", "split_root"]

PACKED_SUFFIX = ".npz"


def class_counts(data: Path | str, split: str = "train") -> dict[str, int]:
    """Pictures by class, classes in alphabetical order, as training will number them.

    Parameters
    ----------
    data
        Folder ``<split>/<class>/*.png``, or the file that ``edgegan-widget pack`` made of one.
    split
        ``train`` or ``val``.

    Raises
    ------
    DataError
        There is no such folder or file, it is not laid out so, or it holds no picture.
    """
    place = Path(data).expanduser()
    if not str(data).strip():
        raise DataError(f"no data is named; give a folder with {split}/<class>/*.png, or a packed file.")
    if not place.exists():
        raise DataError(
            f"there is no data at {str(data)!r}; name a folder with {split}/<class>/*.png, or a packed file."
        )
    counts = _packed_counts(place, split) if place.is_file() else _folder_counts(split_root(place, split))
    if not any(counts.values()):
        raise DataError(f"{place} holds no picture to {split}; put pictures into {split}/<class>/.")
    return counts


def split_root(data: Path, split: str) -> Path:
    """The folder of a split's classes.

    Raises
    ------
    DataError
        There is none.
    """
    root = split_folder(data, split)
    if root.is_dir():
        return root
    told = f"{root} is not a folder; data is laid out as <folder>/{split}/<class>/*.png"
    within = [each for each in sorted(data.glob("*")) if each.is_dir() and split_folder(each, split).is_dir()]
    if len(within) == 1:
        raise DataError(f"{root} is not a folder, but {split_folder(within[0], split)} is; give {within[0]}.")
    if within:
        told += f", and here each class holds its own {split}; put the classes into {root}"
    deeper = beneath(data) if data.is_dir() else data
    if deeper != data and split_folder(deeper, split).is_dir():
        raise DataError(f"{root} is not a folder, but {split_folder(deeper, split)} is; give {deeper}.")
    if split == "train" and data.is_dir() and (within or any(map(is_picture, data.glob("*/*")))):
        told += f". Classes without splits are parted by: edgegan-widget data from-folder {data} --out DATA"
    raise DataError(f"{told}.")


def check_packed(path: Path) -> None:
    """Raise a :class:`DataError` where a file is none that ``edgegan-widget pack`` makes."""
    if path.suffix.lower() != PACKED_SUFFIX:
        raise DataError(
            f"{path} is a file; give a folder with train/<class>/*.png, or the {PACKED_SUFFIX} that edgegan-widget "
            "pack made of one."
        )


def _folder_counts(root: Path) -> dict[str, int]:
    with telling(root, "read", "choose another folder"):
        return {folder.name: sum(map(is_picture, folder.iterdir())) for folder in class_folders(root)}


def _packed_counts(path: Path, split: str) -> dict[str, int]:
    check_packed(path)
    try:
        with np.load(path, allow_pickle=False) as packed:  # reads only the two small arrays
            names = [str(name) for name in packed[f"{split}_classes"]]
            found = np.bincount(packed[f"{split}_labels"], minlength=len(names))
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} holds no packed {split} pictures ({error}); make it with edgegan-widget pack."
        ) from error
    return dict(zip(names, found.tolist()))
