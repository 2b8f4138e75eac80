"""Sources -> outcomes, in order: what the journal knows is taken from it, the rest is made, here or on a cluster."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.settings import setting
from edgegan_widget.data.finish import locate
from edgegan_widget.data.journal import Journal, source_key
from edgegan_widget.data.making import Job, make
from edgegan_widget.data.pool import in_order
from edgegan_widget.data.sources import Outcome, Source

__all__ = ["HERE", "Where", "run"]


@dataclass(frozen=True)
class Where:
    """Where work is done: in ``workers`` processes (0: one for each core), or by the Dask scheduler at ``dask``."""

    workers: int = setting(0, "processes; 0 takes one for each core")
    dask: str = setting(
        "", "address of a Dask scheduler whose workers see DATA and the sources and do the work", metavar="SCHEDULER"
    )

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ConfigError(f"workers is {self.workers}; it must be 1 or more, or 0 for one a core.")
        if self.workers and self.dask:
            raise ConfigError("workers are of this machine, and dask names others; give one of the two.")


HERE = Where()


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
