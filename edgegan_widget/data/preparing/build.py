"""Prepare a data folder: make what is missing, on all cores or a cluster, then judge, split and write the manifest.

``audit`` judges one again that was prepared here, or any ``<split>/<class>/*.png``.

``build`` is a generator, as training is: one ``for`` loop serves the command line and a panel, and to stop is not to
ask for the next. What was made stays, and the same call goes on from there.
"""

from __future__ import annotations

import dataclasses
import functools
import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import sweep
from edgegan_widget.base.layout import split_folders
from edgegan_widget.data.audit.rules import Judging, save_judging
from edgegan_widget.data.preparing.edging import keep_edges
from edgegan_widget.data.preparing.finish import REFUSED, Summary, finish, keep_left_out, locate, places
from edgegan_widget.data.preparing.journal import Journal, locked, outcomes, parts, source_key
from edgegan_widget.data.preparing.making import Job, make
from edgegan_widget.data.preparing.pool import HERE, Where, in_order
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.sources import Making, Outcome, Record, Source
from edgegan_widget.sketch.edges import parse_sources

__all__ = ["FOUND", "Options", "Progress", "audit", "build", "run"]

FOUND = "found"  # part of a folder that was not made here


@dataclass(frozen=True)
class Options:
    """How a data folder is prepared.

    Parameters
    ----------
    making
        How cut-outs are made; a change makes all anew.
    judging
        What the audit refuses and who is validated on; a change only judges anew and moves files.
    where
        Which processes do it; see :mod:`data.preparing.pool` for what those of a cluster need.
    edges
        Sources of edge maps to keep for training, see :mod:`sketch.edges`; a change draws those that are new.
    """

    making: Making = field(default_factory=Making)
    judging: Judging = field(default_factory=Judging)
    where: Where = HERE
    edges: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.edges:
            parse_sources(",".join(self.edges))


@dataclass(frozen=True)
class Progress:
    """Where the preparation is: sources done (of them taken from an earlier run), objects, problems, and pictures whose
    edge maps were drawn.

    ``summary`` comes with the last one.
    """

    sources: int
    reused: int
    objects: int
    problems: int
    summary: Summary | None = None
    edge_maps: int = 0


def build(out: Path, part: str, sources: Iterable[Source], options: Options | None = None) -> Iterator[Progress]:
    """Make the cut-outs of ``sources`` in the data folder ``out`` and write its manifest.

    Parameters
    ----------
    out
        Data folder; what other readers made in it stays.
    part
        Name of what is read here; sources that were read under this name before and are no more are removed.
    sources
        Read one by one, in an order that is always the same.
    options
        See :class:`Options`.

    Raises
    ------
    ConfigError
        The part's name is no file name.
    PreparationError
        The disk is full, a worker was killed, the cluster cannot be used, or another run is preparing ``out``.
    DependencyError
        Dask is asked for and not installed.
    """
    options = options or Options()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", part):
        raise ConfigError(f"name is {part!r}; use letters, digits, - and _.")
    with locked(out):
        yield from _build(out, part, sources, options)


def _build(out: Path, part: str, sources: Iterable[Source], options: Options) -> Iterator[Progress]:
    journal, job = Journal(out, part), Job(out, options.making, options.judging.val_share)
    done = reused = objects = problems = 0
    try:
        for again, outcome in run(out, job, sources, journal, options.where):
            done, reused = done + 1, reused + again
            objects, problems = objects + len(outcome.records), problems + len(outcome.problems)
            yield Progress(done, reused, objects, problems)
        _remove(out, list(journal.finish()))
    finally:
        journal.close()
    keep_left_out(out, part, getattr(sources, "problems", ()))
    save_judging(out, options.judging)
    for folder in out.glob("*/*/"):  # what a killed worker had begun to write
        sweep(folder)
    summary = finish(out, options.judging)
    drawn = 0
    for drawn in keep_edges(out, options.edges, options.making.size_px, options.where):
        yield Progress(done, reused, objects, problems, edge_maps=drawn)
    yield Progress(done, reused, objects, problems, summary, drawn)


def _remove(out: Path, stale: list[Record]) -> None:
    """Delete the cut-outs of sources that are read no more; all of them were made here."""
    if not stale:
        return
    current = {(record["id"], record["class"]) for outcome in outcomes(out) for record in outcome.records}
    for record in stale:
        if (record["id"], record["class"]) not in current:
            for path in places(out, record):
                path.unlink(missing_ok=True)


def audit(
    data: Path, judging: Judging, move: bool, where: Where = HERE, edges: tuple[str, ...] = ()
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
        Another run is preparing the folder, or the cluster cannot be used.
    """
    if not data.is_dir():
        raise DataError(f"{data} is not a folder; give one laid out as <folder>/<split>/<class>/*.png.")
    found_here = parts(data) in ([], [FOUND])
    if found_here and not split_folders(data):
        raise DataError(f"{data} has neither train nor val; data is laid out as <folder>/<split>/<class>/*.png.")
    with locked(data):
        progress = Progress(0, 0, 0, 0)
        for progress in _measure(data, where) if found_here else ():
            yield progress
        save_judging(data, judging)
        summary = finish(data, judging, move)
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
    folders = [each for each in (data, data / REFUSED) if split_folders(each)]
    for source in heapq.merge(*map(FolderReader, folders), key=lambda source: Path(source.name).parts):
        yield dataclasses.replace(source, edge="if it is a pair")


def run(
    data: Path, job: Job, sources: Iterable[Source], journal: Journal, where: Where = HERE
) -> Iterator[tuple[bool, Outcome]]:
    """What was made of each source, in order, and whether that was in an earlier run.

    Parameters
    ----------
    data
        Data folder; a source whose cut-outs are missing in it is made anew.
    job, sources
        What is made, and of what.
    journal
        Where it is written down.
    where
        Which processes do it.
    """
    if where.dask and job.out is not None:
        job = dataclasses.replace(job, out=job.out.resolve())

    def missing() -> Iterator[tuple[str, Source | None]]:
        for source in sources:
            key = source_key(source, job.making)
            known = journal.find(key)
            whole = known is not None and (job.out is None or all(locate(data, record) for record in known.records))
            yield key, None if whole else _absolute(source) if where.dask else source

    for key, outcome in in_order(functools.partial(make, job), missing(), where.workers, where.dask, data):
        if outcome is None:
            yield True, journal.keep(key)
        else:
            journal.add(key, outcome)
            yield False, outcome


def _absolute(source: Source) -> Source:
    """The same for a process that works in another folder."""
    regions = tuple(
        dataclasses.replace(region, mask=region.mask.resolve()) if isinstance(region.mask, Path) else region
        for region in source.regions
    )
    edge = source.edge.resolve() if isinstance(source.edge, Path) else source.edge
    return dataclasses.replace(source, path=source.path.resolve(), regions=regions, edge=edge)
