"""Edge maps of a data folder's pictures, drawn on all cores and kept where training finds them.

What is there already is left; a source that is named anew is drawn alone. See :mod:`edgegan_widget.sketch.edges`.
"""

from __future__ import annotations

import functools
import json
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from edgegan_widget.base.errors import PreparationError
from edgegan_widget.base.files import telling
from edgegan_widget.data.preparing.finish import MANIFEST, REFUSED
from edgegan_widget.data.preparing.pool import HERE, Where, in_order
from edgegan_widget.sketch.edges import FOLDER, edge_folder, edge_map, edge_path
from edgegan_widget.sketch.sources import takes_file

__all__ = ["keep_edges"]

_DIGITS = 16  # of a digest, to tell pictures apart: eight bytes each in memory


def keep_edges(data: Path, sources: Sequence[str], side_px: int, where: Where = HERE) -> Iterator[int]:
    """Draw what is missing for the pictures of the manifest, and remove what belongs to none of them.

    Parameters
    ----------
    data
        Data folder with its manifest; pictures that were set aside get none.
    sources
        See :func:`edgegan_widget.sketch.edges.parse_sources`.
    side_px
        Side that edge maps are drawn at; training at half of it takes them.
    where
        Which processes draw.

    Yields
    ------
    Pictures drawn so far.

    Raises
    ------
    ModelError
        The weights of a source cannot be used.
    PreparationError
        The disk is full, or a worker was lost.
    """
    _sweep(data)
    whole = [_absolute(source) for source in sources]
    folders = {source: edge_folder(data.resolve(), source, side_px) for source in whole}
    work = functools.partial(_draw, folders, side_px)
    done = 0
    for missing, _ in in_order(work, _missing(data, list(folders.values())), where.workers, where.dask, data):
        done += missing
        if missing:
            yield done


def _missing(data: Path, folders: Sequence[Path]) -> Iterator[tuple[bool, Path | None]]:
    """Each picture in place, or None where all its edge maps are there."""
    for file, sha256 in _pictures(data):
        if not file.startswith(f"{REFUSED}/"):
            whole = all(edge_path(folder, sha256).is_file() for folder in folders)
            yield not whole, None if whole else data.resolve() / file


def _pictures(data: Path) -> Iterator[tuple[str, str]]:
    with (data / MANIFEST).open(encoding="utf-8") as stream:
        for text in stream:
            line = json.loads(text)
            yield line["file"], line["sha256"]


def _draw(folders: dict[str, Path], side_px: int, picture: Path) -> None:
    with telling(f"edge maps of {picture}", "written", "free space and run again to go on", PreparationError):
        for source, folder in folders.items():
            edge_map(picture, source, folder, side_px)


def _absolute(source: str) -> str:
    """A source's file by a name that other processes find too."""
    kind, _, weights = source.partition("=")
    return f"{kind}={Path(weights).resolve()}" if takes_file(kind) else source


def _sweep(data: Path) -> None:
    """Remove edge maps of pictures that are no more; those of pictures that were set aside stay."""
    found = sorted((data / FOLDER).glob("*/*/*.png"))
    if found:
        known = array("Q", (int(sha256[:_DIGITS], 16) for _, sha256 in _pictures(data)))
        kept = np.array([int(path.stem[:_DIGITS], 16) for path in found], np.uint64)
        for number in np.flatnonzero(~np.isin(kept, np.frombuffer(known, np.uint64))):
            found[number].unlink()
