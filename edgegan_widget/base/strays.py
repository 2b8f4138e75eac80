"""Pictures that lie where a layout does not take them: told, and where they all do, with the folder to give instead."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from edgegan_widget.base.layout import hold_pictures, is_visible, split_folders, split_named
from edgegan_widget.base.pictures import is_picture

__all__ = ["GENERIC", "advice", "beneath", "is_generic", "strays", "unread_lists", "within_generic"]

GENERIC = ("images", "image", "imgs", "img", "im", "jpegimages", "photos", "photo", "pictures", "pics", "jpg", "png")
_OURS = ("refused", "edges", "photo_masks", "masks", "mask", "samples")  # beside splits, and nothing to learn from
_LIST = re.compile(r"(train|val|valid|validation|test|splits?)([-_].*)?\.(txt|csv|tsv|json|lst|list)")
_MOST_NAMED = 4


def is_generic(folder: Path) -> bool:
    """Whether a folder's name says no more than that pictures are in it."""
    return folder.name.lower() in GENERIC


def within_generic(folder: Path) -> Path:
    """Where a class's pictures are: in its folder, or in the single one within it that is called after pictures."""
    if any(map(is_picture, folder.iterdir())):
        return folder
    inside = [entry for entry in hold_pictures(folder) if entry.name.lower() not in _OURS]
    return inside[0] if len(inside) == 1 and is_generic(inside[0]) else folder


def beneath(folder: Path) -> Path:
    """The folder that splits or classes lie in: the one given, or the only one of pictures below it that has some."""
    while not any(map(is_picture, folder.iterdir())):
        inside = [entry for entry in hold_pictures(folder) if entry.name.lower() not in _OURS]
        if len(inside) != 1 or split_named(inside[0].name) != inside[0].name or split_folders(folder):
            break
        below = hold_pictures(inside[0])
        if any(map(is_picture, inside[0].iterdir())) or not below:
            break
        if not split_folders(inside[0]) and not is_generic(inside[0]) and all(map(is_generic, below)):
            break  # a class with a folder of images
        if any(any(map(is_picture, top.iterdir())) for top in split_folders(inside[0]).values()):
            break  # a class with splits
        folder = inside[0]
    return folder


def strays(data: Path, taken: Iterable[Path]) -> Iterator[str]:
    """A sentence about pictures below ``data`` that are in none of the folders ``taken``, nor below one."""
    known = set(taken)
    found: Counter[str] = Counter()
    for place, folders, files in os.walk(data):
        here = Path(place)
        folders[:] = [name for name in folders if is_visible(here / name) and not _is_left(here / name, known)]
        if here not in known and (count := sum(is_picture(here / name) for name in files)):
            found[os.path.relpath(here, data)] += count
    if found:
        named = ", ".join(f"{count:,} in {place}" for place, count in found.most_common(_MOST_NAMED))
        yield f"{data}: {found.total():,} pictures that lie in no class's folder are left out ({named})"


def _is_left(folder: Path, known: set[Path]) -> bool:
    """Whether what is in it is told elsewhere, or is ours."""
    is_run = (folder / "config.json").is_file()
    return folder in known or folder.name.lower() in _OURS or is_run


def unread_lists(data: Path) -> Iterator[str]:
    """A sentence about files that say which picture is in which split, as ``train.txt`` and ``split.csv`` do."""
    lists = [path.name for path in sorted(data.iterdir()) if _LIST.fullmatch(path.name.lower()) and path.is_file()]
    if lists:
        named = ", ".join(lists[:_MOST_NAMED])
        yield f"{data}: {named} is not read, since splits are folders: lay pictures out as train/<class>, val/<class>"


def advice(data: Path) -> str:
    """Where the pictures of a folder lie that is not laid out as classes, and what to do; empty where it has none."""
    inside = hold_pictures(data)
    if any(map(is_picture, data.iterdir())):
        return f"the pictures in {data} lie in no class's folder; name their class with --class NAME."
    flat = [each for each in inside if any(map(is_picture, each.iterdir()))]
    if not inside:
        return ""
    named = ", ".join(each.name for each in inside[:_MOST_NAMED])
    if len(flat) == len(inside):
        return f"the pictures in {data} lie in {named} and in no class's folder; name their class with --class NAME."
    return f"the pictures in {data} lie deeper than in a class's folder (below {named}); lay them out as <class>/*.png."
