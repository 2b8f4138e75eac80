"""The picture that an annotations file means, wherever it lay when the file was written."""

from __future__ import annotations

import functools
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import safe_join
from edgegan_widget.base.pictures import PICTURE_SUFFIXES, is_picture

__all__ = ["PictureFinder"]

_SUBFOLDERS = ("train2017", "val2017", "train2014", "val2014")
_MOST_FILES = 2_000_000
_MOST_NAMED = 3


class PictureFinder:
    """Finds pictures below a folder by the names that programs give them.

    A name is taken as it is below the folder, in one of COCO's sub-folders, as an absolute path below the folder; else
    by its last part, where just one file below the folder has it, whatever its case or Unicode form; last by that part
    without its suffix, where just one picture is called so.

    Parameters
    ----------
    folder
        Of the pictures, or the one above COCO's ``train2017``, ``val2014`` and so on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: Any) -> Path:
        """The picture's path, always below the folder; that of no file where there is none.

        Raises
        ------
        DataError
            The name is none, or several files below the folder have it.
        """
        if not isinstance(name, str):
            raise DataError(f"its file_name is {name!r}; give a name below {self._folder}.")
        name = name.strip()
        if name.lower().startswith(("http://", "https://")) and "?d=" not in name:
            name = name.partition("?")[0].partition("#")[0]
        parts = _below(self._folder, name)
        try:
            path = safe_join(self._folder, parts)
        except DataError:
            found = self._by_last_part(name)
            if found is None:
                raise
            return found
        near = (each for each in self._candidates(path.relative_to(self._folder)) if os.path.isfile(each))
        return next(near, None) or self._by_last_part(name) or path

    def _candidates(self, named: Path) -> Iterator[Path]:
        """As it is named, or by its name alone in one of COCO's folders; those of 2014 carry its name."""
        alone = named.name
        for top in (self._folder, self._folder / "images"):
            yield top / named
            yield top / alone
            for subfolder in _SUBFOLDERS:
                yield top / subfolder / alone
                yield top / subfolder / f"COCO_{subfolder}_{alone}"

    def _by_last_part(self, name: str) -> Path | None:
        """The one file below the folder that has the name's last part; of several the one whose folders fit best."""
        parts = _parts(name)
        found = (self._known.get(parts[-1], ()) or self._of_stem(parts[-1])) if parts else ()
        if not found:
            return None
        fits = [_common_end(_parts(path.as_posix()), parts) for path in found]
        best = [path for path, fit in zip(found, fits) if fit == max(fits)]
        if len(best) > 1:
            named = ", ".join(str(path.relative_to(self._folder)) for path in best[:_MOST_NAMED])
            raise DataError(f"{name!r} may be any of {len(best)} files ({named}); name it with its folder.")
        return best[0]

    def _of_stem(self, name: str) -> list[Path]:
        """Pictures that are called so but for the suffix, which is another one now, or was none."""
        stem = name.removesuffix(Path(name).suffix) if Path(name).suffix in PICTURE_SUFFIXES else name
        return [path for path in self._stems.get(stem, ()) if is_picture(path)]

    @functools.cached_property
    def _stems(self) -> dict[str, list[Path]]:
        """The same files by their names without suffixes."""
        found: dict[str, list[Path]] = {}
        for name, paths in self._known.items():
            found.setdefault(name.removesuffix(Path(name).suffix), []).extend(paths)
        return found

    @functools.cached_property
    def _known(self) -> dict[str, list[Path]]:
        """Files below the folder by their names as :func:`_plain` has them."""
        known: dict[str, list[Path]] = {}
        count = 0
        for top, folders, files in os.walk(self._folder):
            folders.sort()
            count += len(files)
            if count > _MOST_FILES:
                break
            for file in sorted(files):
                known.setdefault(_plain(file), []).append(Path(top, file))
        return known


def _below(folder: Path, name: str) -> str:
    """An absolute name below the folder as one relative to it; any other as it is."""
    for top in (folder.absolute(), folder.resolve()):
        if name.startswith("/") and Path(name).is_relative_to(top):
            return Path(name).relative_to(top).as_posix()
    return name


def _parts(name: str) -> list[str]:
    """Folders and name, plain; of an address that serves a file (``…?d=folder/name.jpg``) those of the file."""
    name = name.partition("?d=")[2] or name
    parts = unquote(name).replace("\\", "/").split("/")
    return [_plain(part) for part in parts if part not in ("", ".", "..")]


def _plain(name: str) -> str:
    """A name whose case and Unicode form do not count."""
    return unicodedata.normalize("NFC", name).casefold()


def _common_end(some: list[str], others: list[str]) -> int:
    """How many parts are the same, counted from the end."""
    count = 0
    for one, other in zip(reversed(some), reversed(others)):
        if one != other:
            break
        count += 1
    return count
