"""A preparation from outside: a job (:mod:`edgegan_widget.base.runs`), which outlives the page and the kernel.

===========================  ==========================================================================================
file                         content
===========================  ==========================================================================================
``plan.json``                what is prepared, a :class:`~edgegan_widget.data.preparing.plan.Plan`; or
``audit.json``               what is judged anew, an :class:`~edgegan_widget.data.preparing.plan.Audit`
``status.json``              state, process, sources that are done, and as its message what is being done or came of it
``figures.json``             :class:`Figures` so far, at the end with what was left out
``log.txt``                  what was said
===========================  ==========================================================================================

The data folder keeps what was made; a job that was stopped, or whose process was killed, is gone on with from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.runs import JobFolder, find_jobs, new_folder, start_job
from edgegan_widget.data.preparing.finish import MANIFEST
from edgegan_widget.data.preparing.plan import Audit, Plan

__all__ = [
    "Figures",
    "PreparationFolder",
    "find_preparations",
    "latest_preparation",
    "start_preparation",
]

FIGURES = "figures.json"
_KINDS: dict[str, type[Plan] | type[Audit]] = {"plan.json": Plan, "audit.json": Audit}


@dataclass(frozen=True)
class Figures:
    """What a preparation has come to: sources taken from an earlier run, objects, and how many were left out and why.

    ``problems`` counts them; the sentences, the first of them, come with the last word.
    """

    reused: int = 0
    objects: int = 0
    problems: int = 0
    left_out: tuple[str, ...] = ()


@dataclass
class PreparationFolder(JobFolder):
    """A preparation's folder, read while it is being written."""

    gone: ClassVar = "Its process is gone; what was made stays, and it goes on from there."

    def work(self) -> Plan | Audit | None:
        """What is to be done; None where that cannot be read."""
        for name, kind in _KINDS.items():
            try:
                work = settings.from_json(kind, (self.folder / name).read_text("utf-8"))
                return work.whole()  # refused where the way is one that is gone
            except (OSError, ValueError, AttributeError):
                continue
        return None

    @property
    def data(self) -> Path | None:
        """The data folder; None where that cannot be read."""
        work = self.work()
        return None if work is None else Path(work.out if isinstance(work, Plan) else work.data)

    def told_of(self, folder: Path) -> bool:
        """Whether it tells how this data folder stands: it is about it, and nothing has judged it again since."""
        if self.data != folder.resolve():
            return False
        try:
            judged_at = (folder / MANIFEST).stat().st_mtime
        except OSError:
            return True
        return judged_at <= self.status().told_at

    def figures(self) -> Figures:
        """What it has come to by now."""
        try:
            return settings.from_json(Figures, (self.folder / FIGURES).read_text("utf-8"))
        except (OSError, ValueError):
            return Figures()

    def tell(self, figures: Figures) -> None:
        """Replace the figures; called by the preparation's own process."""
        write_bytes(self.folder / FIGURES, settings.to_json(figures))


def start_preparation(work: Plan | Audit, root: Path) -> PreparationFolder:
    """Prepare or judge in a process of its own, which goes on when the page or the kernel ends.

    Parameters
    ----------
    work
        What to do; its paths are written down whole.
    root
        Folder of the preparations; the job gets a new folder below it.

    Raises
    ------
    ConfigError
        Another preparation is at work.
    DataError
        The folder cannot be written.
    """
    busy = next((each for each in find_preparations(root) if each.status().active), None)
    if busy is not None:
        raise ConfigError("something is being prepared already; wait for it, or stop it.")
    folder = new_folder(root, "preparation")
    name = next(name for name, kind in _KINDS.items() if isinstance(work, kind))
    words = ["edgegan_widget.data.preparing.worker", str(folder)]
    try:
        return PreparationFolder(folder, start_job(folder, name, settings.to_json(work.whole()), words))
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}); choose another folder.") from error


def find_preparations(root: Path) -> list[PreparationFolder]:
    """Preparations in the folders below ``root``, the latest first."""
    found = find_jobs(root, ("*/status.json",))
    return [PreparationFolder(place) for place in found if any((place / name).is_file() for name in _KINDS)]


def latest_preparation(root: Path) -> PreparationFolder | None:
    """The one that is at work, or else the latest; None where there is none."""
    found = find_preparations(root)
    return next((one for one in found if one.status().active), None) or next(iter(found), None)
