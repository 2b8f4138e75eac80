"""Plain folders -> sources: pictures that are transparent, on white or near-white, or have masks beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.layout import class_folders, left_out, nested, pictures_in, split_folders, unused_splits
from edgegan_widget.base.settings import setting
from edgegan_widget.data.readers import ReaderKind, path_of, register
from edgegan_widget.data.sources import Region, Source, check_folders, object_id
from edgegan_widget.photo.beside import MASK_FOLDERS, masks_in

__all__ = ["FolderReader"]


class FolderReader:
    """Sources of ``<folder>/<class>/*``, ``<folder>/<split>/<class>/*`` or, with ``label``, of ``<folder>/*``.

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
        self._folder, self._label, self._licence = folder, label, licence
        beside = (folder / name for name in MASK_FOLDERS)
        self._masks = masks or next((each for each in beside if each.is_dir()), None)
        self.problems: list[str] = []
        self._known_masks: dict[Path, dict[str, Path]] = {}
        if next(iter(self), None) is None:
            layout = "*.png" if label else "<class>/*.png"
            raise DataError(f"{folder} holds no picture; lay them out as {folder}/{layout}, or name their class.")

    def __iter__(self) -> Iterator[Source]:
        if self._label:
            self.problems = []
            yield from self._pictures(self._folder, self._label, None)
            return
        splits: dict[str, Path] = split_folders(self._folder)
        self.problems = list(unused_splits(self._folder))
        for split, top in (splits or {"": self._folder}).items():
            classes = [entry for entry in class_folders(top) if entry != self._masks]
            check_folders(entry.name for entry in classes)
            for entry in classes:
                yield from self._pictures(entry, entry.name, split or None)

    def _pictures(self, folder: Path, label: str, split: str | None) -> Iterator[Source]:
        pictures, others = pictures_in(folder)
        self.problems += filter(None, [left_out(folder, others), nested(folder)])
        for path in pictures:
            name = path.relative_to(self._folder).as_posix()
            region = Region(object_id(name), label, self._mask(path))
            yield Source(path, name, (region,), licence=self._licence, split=split)

    def _mask(self, path: Path) -> Path | None:
        if self._masks is None:
            return None
        beside = self._masks / path.relative_to(self._folder)
        if beside.parent not in self._known_masks:
            self._known_masks[beside.parent] = masks_in(beside.parent)
        return self._known_masks[beside.parent].get(path.stem, beside.with_suffix(".png"))


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
