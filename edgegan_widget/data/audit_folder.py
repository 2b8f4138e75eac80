"""Audit a data folder: one that was prepared here, or any ``<split>/<class>/*.png``."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterator
from pathlib import Path

from edgegan_widget.base.errors import DataError
from edgegan_widget.data.audit.judging import Judging, save_judging
from edgegan_widget.data.build import Progress
from edgegan_widget.data.edging import keep_edges
from edgegan_widget.data.finish import REFUSED, finish
from edgegan_widget.data.journal import Journal, locked, parts
from edgegan_widget.data.making import Job
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.running import Where, run
from edgegan_widget.data.sources import SPLITS, Making, Source

__all__ = ["audit"]

FOUND = "found"  # part of a folder that was not made here


def audit(
    data: Path, judging: Judging, move: bool, workers: int = 0, dask: str = "", edges: tuple[str, ...] = ()
) -> Iterator[Progress]:
    """Judge a data folder and write its list, report and manifest; the last progress has the summary.

    Pictures that were prepared here are not opened again: their measures are known. Of others all that one picture
    tells is measured; whether another object hides it, or how large it was in its photo, it does not tell.
    Edge maps of the sources in ``edges`` are drawn and kept for training.

    Raises
    ------
    DataError
        The folder is missing or is laid out otherwise.
    PreparationError
        Another run is preparing the folder, or the cluster at ``dask`` cannot be used.
    """
    where = Where(workers, dask)
    if not data.is_dir():
        raise DataError(f"{data} is not a folder; give one laid out as <folder>/<split>/<class>/*.png.")
    found_here = parts(data) in ([], [FOUND])
    if found_here and not any((data / split).is_dir() for split in SPLITS):
        raise DataError(f"{data} has neither train nor val; data is laid out as <folder>/<split>/<class>/*.png.")
    with locked(data):
        progress = Progress(0, 0, 0, 0)
        for progress in _measure(data, where) if found_here else ():
            yield progress
        save_judging(data, judging)
        summary = finish(data, judging.thresholds, judging.val_share, judging.keep_refused, move)
        for drawn in keep_edges(data, edges, Making().size_px, where):
            progress = dataclasses.replace(progress, edge_maps=drawn)
            yield progress
        yield dataclasses.replace(progress, summary=summary)


def _measure(data: Path, where: Where) -> Iterator[Progress]:
    journal = Journal(data, FOUND)
    done = objects = problems = 0
    try:
        for _, outcome in run(data, Job(None, Making(), 0.0), _sources(data), journal, where):
            done, objects, problems = done + 1, objects + len(outcome.records), problems + len(outcome.problems)
            yield Progress(done, 0, objects, problems)
        list(journal.finish())
    finally:
        journal.close()


def _sources(data: Path) -> Iterator[Source]:
    """Pictures in place and those set aside earlier, known by the name they have in place."""
    folders = [each for each in (data, data / REFUSED) if any((each / split).is_dir() for split in SPLITS)]
    for source in heapq.merge(*map(FolderReader, folders), key=lambda source: Path(source.name).parts):
        yield dataclasses.replace(source, edge="left half if twice as wide")
