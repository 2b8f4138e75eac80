"""Prepare a data folder: make what is missing, on all cores, then judge, split and write the manifest.

``build`` is a generator, as training is: one ``for`` loop serves the command line and a panel, and to stop is not to
ask for the next. What was made stays, and the same call goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import sweep
from edgegan_widget.data.audit.judging import Judging, save_judging
from edgegan_widget.data.audit.rules import Thresholds
from edgegan_widget.data.edging import keep_edges
from edgegan_widget.data.finish import Summary, finish, places
from edgegan_widget.data.journal import Journal, locked, outcomes
from edgegan_widget.data.making import Job
from edgegan_widget.data.running import Where, run
from edgegan_widget.data.sources import Making, Record, Source
from edgegan_widget.sketch.edges import parse_sources

__all__ = ["Options", "Progress", "build"]


@dataclass(frozen=True)
class Options:
    """How a data folder is prepared.

    Parameters
    ----------
    making
        How cut-outs are made; a change makes all anew.
    val_share
        Share of source pictures to validate on; a change only moves files.
    thresholds
        What the audit refuses; a change only judges anew.
    keep_refused
        Leave refused pictures among those to train on; they are marked in the manifest only.
    workers
        Processes; 0 means one for each core.
    edges
        Sources of edge maps to keep for training, see :mod:`sketch.edges`; a change draws those that are new.
    dask
        Address of a Dask scheduler whose workers do the work instead; see :mod:`data.pool` for what they need.
    """

    making: Making = field(default_factory=Making)
    val_share: float = 0.1
    thresholds: Thresholds = field(default_factory=Thresholds)
    keep_refused: bool = False
    workers: int = 0
    dask: str = ""
    edges: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.val_share < 1:
            raise ConfigError(f"val-share is {self.val_share}; it must be from 0 to below 1.")
        Where(self.workers, self.dask)  # raises where they do not fit
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
    journal, job = Journal(out, part), Job(out, options.making, options.val_share)
    where = Where(options.workers, options.dask)
    done = reused = objects = problems = 0
    try:
        for again, outcome in run(out, job, sources, journal, where):
            done, reused = done + 1, reused + again
            objects, problems = objects + len(outcome.records), problems + len(outcome.problems)
            yield Progress(done, reused, objects, problems)
        _remove(out, list(journal.finish()))
    finally:
        journal.close()
    save_judging(out, Judging(options.thresholds, options.val_share, options.keep_refused))
    for folder in out.glob("*/*/"):  # what a killed worker had begun to write
        sweep(folder)
    summary = finish(out, options.thresholds, options.val_share, options.keep_refused)
    drawn = 0
    for drawn in keep_edges(out, options.edges, options.making.size_px, where):
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
