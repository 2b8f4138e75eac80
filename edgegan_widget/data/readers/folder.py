"""Plain folders -> sources: pictures that are transparent, on white or near-white, or have masks beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.layout import (
    class_folders,
    left_out,
    nested,
    pictures_in,
    spare_splits,
    split_folders,
    unused_splits,
)
from edgegan_widget.base.pictures import is_picture
from edgegan_widget.base.settings import setting
from edgegan_widget.base.strays import GENERIC, advice, beneath, is_generic, strays, unread_lists, within_generic
from edgegan_widget.data.readers import ReaderKind, path_of, register
from edgegan_widget.data.sources import Region, Source, check_folders, object_id
from edgegan_widget.photo.beside import MASK_FOLDERS, masks_in

__all__ = ["FolderReader"]


class FolderReader:
    """Sources of ``<folder>/<class>/*``, ``<folder>/<split>/<class>/*`` or, with ``label``, of ``<folder>/*``.

    Classes with their own splits (``<class>/<split>/*``), pictures in a folder ``images`` of their class, and one
    folder around all are taken too; pictures that lie elsewhere are told in ``problems``.

    Parameters
    ----------
    folder
        Folder of pictures.
    label
        The class of all of them; without, sub-folders are classes.
    masks
        Folder with a mask for each picture, under the same path but for the suffix; ``masks`` in the folder is found
        without being named.
    licence
        Of all pictures.

    Raises
    ------
    DataError
        The folder is missing, or holds no picture where it should.
    """

    def __init__(self, folder: Path, label: str = "", masks: Path | None = None, licence: str = "unknown") -> None:
        for each in (folder, masks or folder):
            if not each.is_dir():
                raise DataError(f"{each} is not a folder; give the folder of the pictures or of their masks.")
        self._label, self._licence = label, licence
        given, folder = folder, folder if label else beneath(folder)
        self._folder = folder
        around = (folder,) if folder == given else (folder, folder.parent)
        beside = (place / name for place in around for name in MASK_FOLDERS)
        self._masks = masks or next((each for each in beside if each.is_dir()), None)
        self.problems: list[str] = []
        self._known_masks: dict[Path, dict[str, Path]] = {}
        if next(iter(self), None) is None:
            layout = "*.png" if label else "<class>/*.png"
            told = "" if label else advice(folder)
            raise DataError(
                told or f"{folder} holds no picture; lay them out as {folder}/{layout}, or name their class."
            )

    def __iter__(self) -> Iterator[Source]:
        self.problems = [*unused_splits(self._folder), *unread_lists(self._folder)]
        taken = []
        for split, folder, label in self._classes():
            taken.append(folder)
            yield from self._pictures(folder, label, split)
        self.problems += strays(self._folder, [*taken, *spare_splits(self._folder)])

    def _classes(self) -> Iterator[tuple[str | None, Path, str]]:
        """Split, folder and name of each class."""
        splits: dict[str, Path] = split_folders(self._folder)
        if not splits and not self._label and (parted := _parted(self._folder)):
            yield from parted
            return
        for split, top in (splits or {"": self._folder}).items():
            if self._label:
                yield split or None, within_generic(top), self._label
                continue
            top = beneath(top)
            classes = [entry for entry in class_folders(top) if not self._is_of_masks(entry)]
            check_folders(entry.name for entry in classes)
            if len(classes) == 1 and is_generic(classes[0]):
                continue  # a folder of pictures of no class
            for entry in classes:
                yield split or None, within_generic(entry), entry.name

    def _is_of_masks(self, folder: Path) -> bool:
        return folder == self._masks or folder.name.lower() in MASK_FOLDERS

    def _pictures(self, folder: Path, label: str, split: str | None) -> Iterator[Source]:
        pictures, others = pictures_in(folder)
        masks = [folder / name for name in MASK_FOLDERS]
        told = [left_out(folder, others), nested(folder, masks)]
        self.problems += filter(None, told)
        if not pictures and not any(told):
            self.problems.append(f"{folder}: no picture is in it, so its class {label!r} is left out")
        for path in pictures:
            name = path.relative_to(self._folder).as_posix()
            region = Region(object_id(name), label, self._mask(path))
            yield Source(path, name, (region,), licence=self._licence, split=split)

    def _mask(self, path: Path) -> Path | None:
        """The mask of a photo: under its path in the folder of masks, or in one beside its folder of pictures."""
        places = list(self._mask_folders(path.parent))
        for place in places:
            if place not in self._known_masks:
                self._known_masks[place] = masks_in(place)
            if path.stem in self._known_masks[place]:
                return self._known_masks[place][path.stem]
        return places[0] / f"{path.stem}.png" if places else None

    def _mask_folders(self, photos: Path) -> Iterator[Path]:
        within = photos.relative_to(self._folder)
        if self._masks is not None:
            yield self._masks / within
        for number, part in enumerate(within.parts):
            if part.lower() in GENERIC:
                above = self._folder.joinpath(*within.parts[:number])
                below = within.parts[number + 1 :]
                every = (above / name for name in MASK_FOLDERS)
                yield from (each.joinpath(*below) for each in every if each.is_dir())
        if self._masks is None:
            return
        yield self._masks.joinpath(self._folder.name, *within.parts)  # masks/images/a
        yield self._masks.joinpath(*(part for part in within.parts if part.lower() not in GENERIC))


def _parted(folder: Path) -> list[tuple[str | None, Path, str]]:
    """Classes that hold their own splits, ``<class>/<split>/*``: split, folder and name of each."""
    found: list[tuple[str | None, Path, str]] = []
    for entry in class_folders(folder):
        if any(map(is_picture, entry.iterdir())):
            return []
        found += [(split, within_generic(top), entry.name) for split, top in split_folders(entry).items()]
    return sorted(found, key=lambda each: (each[0] or "", each[2]))


@dataclass(frozen=True)
class FolderOptions:
    """What :class:`FolderReader` has to be told."""

    folder: str = setting(
        "", "<folder>/<class>/*: transparent, on white, or with masks", label="Photos", option="folder", metavar="DIR",
        needed=True, path=True,
    )  # fmt: skip
    label: str = setting(
        "", "where the folder has no sub-folders: what all photos show", label="Class", option="--class", metavar="NAME"
    )
    masks: str = setting("", "folder of masks; empty: a sub-folder masks, if there is one", metavar="DIR", path=True)
    licence: str = setting("unknown", "of all photos, for the manifest")


def _read(options: FolderOptions, _data: Path) -> FolderReader:
    masks = path_of(options.masks) if options.masks.strip() else None
    return FolderReader(path_of(options.folder), options.label.strip(), masks, options.licence)


register(
    ReaderKind(
        "folder", "Folder of photos", "from-folder", "take pictures that are transparent, on white, or have masks",
        FolderOptions, _read,
    )
)  # fmt: skip
