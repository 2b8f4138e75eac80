"""An index on disk: arrays that are mapped and not read, and one small file that says which of them count.

``index.json`` names a generation; ``<generation>.<array>.npy`` are its arrays, a row a picture, ordered by class. A new
generation is written beside the old one, and counts from the moment ``index.json`` is replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_atomic, write_bytes
from edgegan_widget.retrieval.lines import I8, RAW_SIZE, Basis

__all__ = ["NAME", "Rows", "Stored", "read_basis", "read_rows", "read_stored", "write_basis", "write_rows",
           "write_stored"]  # fmt: skip

Text = npt.NDArray[np.bytes_]
I64 = npt.NDArray[np.int64]

NAME = "index.json"
_VERSION = 1  # raised when the same picture would be described otherwise


@dataclass(frozen=True)
class Rows:
    """Pictures of an index, a row each.

    Attributes
    ----------
    features
        int8 [N, D], see :class:`~edgegan_widget.retrieval.lines.Basis`.
    paths
        bytes [N], below the folder that is indexed, UTF-8 with ``/`` between.
    stamps
        int64 [N, 2]: size and time of change of the files.
    """

    features: I8
    paths: Text
    stamps: I64

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class Stored:
    """A whole index.

    Attributes
    ----------
    root
        The folder whose pictures these are.
    source
        How their edge maps are drawn.
    classes, starts
        Class names in the order of the rows; class c has the rows from ``starts[c]`` to ``starts[c + 1]``.
    """

    root: Path
    source: str
    classes: tuple[str, ...]
    starts: tuple[int, ...]
    rows: Rows
    basis: Basis


def read_stored(folder: Path) -> Stored:
    """Map an index.

    Raises
    ------
    DataError
        The folder holds none, or one that is not whole.
    """
    about = folder / NAME
    if not about.is_file():
        raise DataError(f"{folder} holds no index of pictures; make one: edgegan-widget index DATA --out {folder}.")
    try:
        noted = json.loads(about.read_text("utf-8"))
        if noted["version"] != _VERSION:
            raise ValueError(f"it is of version {noted['version']}, not {_VERSION}")
        rows, basis = _read_generation(folder, int(noted["generation"]))
        starts = tuple(map(int, noted["starts"]))
        if starts[-1] != len(rows) or len(starts) != len(noted["classes"]) + 1:
            raise ValueError("its parts do not fit each other")
        root = (folder.resolve() / noted["root"]).resolve()
        return Stored(root, str(noted["source"]), tuple(map(str, noted["classes"])), starts, rows, basis)
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"the index in {folder} cannot be read ({error}); make it anew: edgegan-widget index DATA --out {folder}."
        ) from error


def _read_generation(folder: Path, generation: int) -> tuple[Rows, Basis]:
    features, paths, stamps = (
        np.load(_array(folder, generation, name), mmap_mode="r") for name in ("features", "paths", "stamps")
    )
    basis = read_basis(folder / f"{generation}.basis.npz")
    if features.shape != (len(paths), len(basis.step)) or features.dtype != np.int8 or stamps.shape != (len(paths), 2):
        raise ValueError("its arrays do not fit each other")
    return Rows(features, paths, stamps), basis


def _array(folder: Path, generation: int, name: str) -> Path:
    return folder / f"{generation}.{name}.npy"


def write_stored(folder: Path, stored: Stored) -> None:
    """Write an index; one that is there counts until the new one is whole, and goes then."""
    generation = _generation(folder) + 1
    rows = stored.rows
    for name, array in (("features", rows.features), ("paths", rows.paths), ("stamps", rows.stamps)):
        with write_atomic(_array(folder, generation, name)) as stream:
            np.save(stream, array)
    write_basis(folder / f"{generation}.basis.npz", stored.basis)
    noted: dict[str, Any] = {
        "version": _VERSION, "generation": generation, "root": _spoken_root(folder, stored.root),
        "source": stored.source, "classes": stored.classes, "starts": stored.starts,
    }  # fmt: skip
    write_bytes(folder / NAME, json.dumps(noted, indent=1) + "\n")
    _remove_others(folder, generation)


def _generation(folder: Path) -> int:
    """The number of the newest files there, whether they count or were left by a run that was killed."""
    return max((number for number, _ in _generations(folder)), default=0)


def _generations(folder: Path) -> Iterator[tuple[int, Path]]:
    for path in folder.glob("*.np[yz]"):
        found = re.fullmatch(r"(\d+)\.\w+\.np[yz]", path.name)
        if found:
            yield int(found[1]), path


def _remove_others(folder: Path, generation: int) -> None:
    for number, path in list(_generations(folder)):
        if number != generation:
            with contextlib.suppress(OSError):  # Windows keeps what somebody has mapped; it goes the next time
                path.unlink()


def _spoken_root(folder: Path, root: Path) -> str:
    """Relative where the index lies inside the folder, so that both can be moved together."""
    folder, root = folder.resolve(), root.resolve()
    return os.path.relpath(root, folder).replace(os.sep, "/") if folder.is_relative_to(root) else str(root)


def write_basis(path: Path, basis: Basis) -> None:
    """Write a basis in one atomic step."""
    with write_atomic(path) as stream:
        np.savez(stream, mean=basis.mean, directions=basis.directions, step=basis.step)


def read_basis(path: Path) -> Basis:
    """Read what :func:`write_basis` wrote; an OSError, ValueError or KeyError where that cannot be."""
    basis = Basis(*_arrays(path, "mean", "directions", "step"))
    if basis.mean.shape != (RAW_SIZE,) or basis.directions.shape != (RAW_SIZE, len(basis.step)):
        raise ValueError("its basis is another one's")
    return basis


def write_rows(path: Path, rows: Rows) -> None:
    """Write some rows as one file in one atomic step."""
    with write_atomic(path) as stream:
        np.savez(stream, features=rows.features, paths=rows.paths, stamps=rows.stamps)


def read_rows(path: Path) -> Rows:
    """Read what :func:`write_rows` wrote; raises as :func:`read_basis`."""
    return Rows(*_arrays(path, "features", "paths", "stamps"))


def _arrays(path: Path, *names: str) -> list[npt.NDArray[Any]]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return [kept[name] for name in names]
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path.name} is not whole") from error
