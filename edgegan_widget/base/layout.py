"""How folders of pictures are laid out: ``<split>/<class>/*``, under the names that people give to splits."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import is_picture

__all__ = [
    "SPLITS", "class_folders", "hold_pictures", "is_visible", "left_out", "nested", "pictures_in", "spare_splits",
    "split_folder", "split_folders", "split_named", "unused_splits",
]  # fmt: skip

SPLITS = ("train", "val")
_NAMES = {  # of each split, the first that is there
    "train": ("train", "training", "trainval", "trn"),
    "val": ("val", "valid", "validation", "validate", "dev", "holdout", "eval", "evaluation", "test", "testing", "tst"),
}
_BEHIND = re.compile(r"[-_ ]?(v?\d+%?|\(\d+\)|copy|sets?|data|images|imgs|split)$")  # val2017, training_set, train_80
_WORD = re.compile(  # seg_train, trainA, test_photo
    rf"(?P<before>.*[-_. ])?(?P<word>{'|'.join(itertools.chain(*_NAMES.values()))})(?P<after>[-_. ].*|[ab])?$"
)
_SIDES = re.compile(r"[-_. ]*(a|b|sketch(es)?|edges?|draw(ings?)?|photos?|images?|labels?|input|output|target)$")
_NO_PICTURES = {  # what lies beside pictures and is nothing to learn from
    "", ".txt", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".md", ".html", ".yaml", ".yml", ".ini", ".db", ".npz",
    ".npy", ".log", ".py", ".sh",
}  # fmt: skip
_BESIDE = ("masks", "mask", "edges", "refused", "images", "samples", "annotations", "labels")  # beside splits
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
    """The folders that serve as ``train`` and ``val``, of those that are there.

    Names that all have the same before or behind them (``seg_train``, ``seg_test``) are splits too where there are no
    others; a class that is called so (a *train* among ``car`` and ``bus``) is none.

    Raises
    ------
    DataError
        Folders are the sides of pairs, as ``trainA`` and ``trainB``.
    """
    there = _by_name(data)
    found = {split: next((there[name] for name in names if name in there), None) for split, names in _NAMES.items()}
    splits = {split: folder for split, folder in found.items() if folder is not None}
    if not splits:
        return _with_affix(data)
    return {} if _are_classes(data, list(splits.values())) else splits


def split_named(name: str) -> str:
    """What a folder of this name serves as; the name itself where that is none of :data:`SPLITS`."""
    return next((split for split, names in _NAMES.items() if _plain(name) in names), name)


def unused_splits(data: Path) -> Iterator[str]:
    """A sentence for each folder with a split's name that is not taken, since another one is."""
    used = split_folders(data)
    for folder in spare_splits(data):
        split = split_named(folder.name)
        count = sum(map(is_picture, folder.rglob("*")))
        yield f"{folder}: {count:,} pictures are left out, since {used[split].name} is there and is taken for {split}"


def spare_splits(data: Path) -> list[Path]:
    """Folders with a split's name beside the one that is taken."""
    used = split_folders(data)
    return [each for each in _folders(data) if used.get(split_named(each.name), each) != each]


def class_folders(root: Path) -> list[Path]:
    """The sub-folders that are classes, by name.

    Raises
    ------
    DataError
        Two names are one to a system that knows no capitals, or no blank at an end.
    """
    folders = sorted(entry for entry in root.iterdir() if entry.is_dir() and is_visible(entry))
    taken: dict[str, str] = {}
    for name in (folder.name for folder in folders):
        other = taken.setdefault(unicodedata.normalize("NFC", name).casefold().strip(), name)
        if other != name:
            raise DataError(f"{root} has two folders for a class, {other!r} and {name!r}; put their pictures into one.")
    return folders


def is_visible(folder: Path) -> bool:
    """Whether it is no folder that a system or a notebook leaves behind."""
    return not folder.name.startswith(".") and folder.name.lower() not in _NO_CLASSES


def hold_pictures(folder: Path) -> list[Path]:
    """The sub-folders in which, however deep, pictures lie."""
    inside = sorted(entry for entry in folder.iterdir() if entry.is_dir() and is_visible(entry))
    return [entry for entry in inside if any(map(is_picture, entry.rglob("*")))]


def nested(folder: Path, without: Container[Path] = ()) -> str:
    """A sentence about pictures in folders within a class's, which are not taken; empty where there are none."""
    paths = (path for path in folder.glob("*/**/*") if is_picture(path) and path.parent not in without)
    within = Counter(path.parent for path in paths if is_visible(path.parent))
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
    while (shorter := _BEHIND.sub("", low).strip("-_ ")) and shorter != low:
        low = shorter
    return low


def _with_affix(data: Path) -> dict[str, Path]:
    """Splits by names that have all the same before and behind them."""
    sides: dict[tuple[str, str], dict[str, Path]] = {}
    for folder in _folders(data):
        match = _WORD.match(folder.name.strip().lower())
        split = split_named(match["word"]) if match else ""
        if match and split in SPLITS:
            sides.setdefault((match["before"] or "", match["after"] or ""), {}).setdefault(split, folder)
    whole = [each for each in sides.values() if len(each) > 1]
    of_pairs = sum(bool(_SIDES.match(after)) for _, after in sides)
    if len(whole) > 1 or of_pairs > 1:
        named = ", ".join(folder.name for each in sides.values() for folder in each.values())
        raise DataError(
            f"{data} holds {named}, which are parts of splits and no classes; put the pictures into train/<class> and "
            "val/<class>, or join drawings and photos as [edge | image] files for data from-pairs."
        )
    return whole[0] if whole else {}


def _are_classes(data: Path, splits: list[Path]) -> bool:
    """Whether folders with splits' names are classes among others: they hold pictures themselves, as those do."""
    others = [entry for entry in _folders(data) if is_visible(entry) and split_named(entry.name) not in SPLITS]
    beside = [entry for entry in others if entry.name.lower() not in _BESIDE and _is_flat(entry)]
    return bool(beside) and all(map(_is_flat, splits))


def _is_flat(folder: Path) -> bool:
    """Whether pictures lie in the folder itself, and none below it."""
    return any(map(is_picture, folder.iterdir())) and not any(map(is_picture, folder.glob("*/**/*")))


def _by_name(data: Path) -> dict[str, Path]:
    """Sub-folders by their plain names; of several of one name that which has no more."""
    return {_plain(entry.name): entry for entry in sorted(_folders(data), key=lambda entry: -len(entry.name))}


def _folders(data: Path) -> list[Path]:
    return sorted(entry for entry in data.iterdir() if entry.is_dir()) if data.is_dir() else []
