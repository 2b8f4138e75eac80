"""How folders of pictures are laid out: ``<split>/<class>/*``, under the names that people give to splits."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import is_picture

__all__ = [
    "SPLITS", "class_folders", "left_out", "nested", "pictures_in", "split_folder", "split_folders", "split_named",
    "unused_splits",
]  # fmt: skip

SPLITS = ("train", "val")
_NAMES = {  # of each split, the first that is there
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "validate", "dev", "holdout", "eval", "evaluation", "test", "testing"),
}
_BEHIND = re.compile(r"[-_ ]?(\d{4}|sets?|data|images|split)$")  # a split's name: val2017, training_set
_NO_PICTURES = {  # what lies beside pictures and is nothing to learn from
    "", ".txt", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".md", ".html", ".yaml", ".yml", ".ini", ".db", ".npz",
    ".npy", ".log", ".py", ".sh",
}  # fmt: skip
_NO_CLASSES = ("__macosx", "@eadir", "$recycle.bin", "system volume information")  # what systems leave in folders
_MOST_NAMED = 4


def split_folder(data: Path, split: str) -> Path:
    """The folder that serves as ``train`` or ``val``: ``valid``, ``validation`` and ``test`` are validated on too.

    Returns
    -------
    Its path; ``data / split`` where there is none.
    """
    return split_folders(data).get(split, data / split)


def split_folders(data: Path) -> dict[str, Path]:
    """The folders that serve as ``train`` and ``val``, of those that are there."""
    there = _by_name(data)
    found = {split: next((there[name] for name in names if name in there), None) for split, names in _NAMES.items()}
    return {split: folder for split, folder in found.items() if folder is not None}


def split_named(name: str) -> str:
    """What a folder of this name serves as; the name itself where that is none of :data:`SPLITS`."""
    return next((split for split, names in _NAMES.items() if _plain(name) in names), name)


def unused_splits(data: Path) -> Iterator[str]:
    """A sentence for each folder with a split's name that is not taken, since another one is."""
    used = split_folders(data)
    for folder in _folders(data):
        split = split_named(folder.name)
        if split in SPLITS and folder != used[split]:
            count = sum(map(is_picture, folder.rglob("*")))
            taken = used[split].name
            yield f"{folder}: {count:,} pictures are left out, since {taken} is there and is taken for {split}"


def class_folders(root: Path) -> list[Path]:
    """The sub-folders that are classes, by name.

    Raises
    ------
    DataError
        Two names are one to a system that knows no capitals.
    """
    entries = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    folders = [entry for entry in entries if entry.name.lower() not in _NO_CLASSES]
    taken: dict[str, str] = {}
    for name in (folder.name for folder in folders):
        other = taken.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise DataError(f"{root} has two folders for a class, {other!r} and {name!r}; put their pictures into one.")
    return folders


def nested(folder: Path) -> str:
    """A sentence about pictures in folders within a class's, which are not taken; empty where there are none."""
    within = Counter(path.parent for path in folder.glob("*/**/*") if is_picture(path))
    if not within:
        return ""
    named = ", ".join(str(each.relative_to(folder)) for each, _ in within.most_common(_MOST_NAMED))
    return f"{folder}: {within.total():,} pictures in folders within it ({named}) are left out; put them into it"


def pictures_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures in a folder, by name, and files that are none but are not known to be something else."""
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    pictures = [path for path in files if is_picture(path)]
    others = [path for path in files if not is_picture(path) and path.suffix.lower() not in _NO_PICTURES]
    return pictures, [path for path in others if path.is_file() and path.name != "Thumbs.db"]


def left_out(folder: Path, files: Iterable[Path]) -> str:
    """A sentence about files whose names are not those of pictures; empty where there are none."""
    kinds = Counter(path.suffix.lower() for path in files)
    if not kinds:
        return ""
    named = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_MOST_NAMED))
    return f"{folder}: {kinds.total()} files are left out, since their names are not those of pictures ({named})"


def _plain(name: str) -> str:
    """A folder's name in lower case, without a year or what says that it is a set."""
    low = name.strip().lower()
    return _BEHIND.sub("", low) or low


def _by_name(data: Path) -> dict[str, Path]:
    """Sub-folders by their plain names; of several of one name that which has no more."""
    return {_plain(entry.name): entry for entry in sorted(_folders(data), key=lambda entry: -len(entry.name))}


def _folders(data: Path) -> list[Path]:
    return sorted(entry for entry in data.iterdir() if entry.is_dir()) if data.is_dir() else []
