"""What to prepare from, and how, written down: one form for every reader, kept in the data folder to go on from.

``follow`` drives the same readers and the same ``build`` and ``audit`` as the command line does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.settings import about, check_needed, from_record, to_json
from edgegan_widget.data.audit.rules import Judging
from edgegan_widget.data.preparing.build import Options, Progress, audit, build
from edgegan_widget.data.preparing.finish import PROBLEMS
from edgegan_widget.data.preparing.pool import HERE, Where
from edgegan_widget.data.readers import LEFT_OUT, ReaderKind, kind_of, path_of
from edgegan_widget.data.sources import OWN_FOLDER

__all__ = ["Audit", "Plan", "Step", "follow", "keep_plan", "load_plan", "prepared_by"]

_FILE, _DONE = "plan.json", "prepared.json"
_JUDGING = "Judging and writing the list"
_MOST_TOLD = 200  # problems; all of them are in problems.txt
_WORTH_PROCESSES = 200  # sources; with fewer the start of processes takes longer than the work
_LOOK_EVERY = 1000  # sources that are counted between two steps


@dataclass(frozen=True)
class Plan:
    """What to prepare, and how.

    Parameters
    ----------
    way
        A reader by name, see :mod:`edgegan_widget.data.readers`.
    answers
        What the reader is told; what is missing has its default.
    out
        Data folder to fill.
    options
        As for :func:`edgegan_widget.data.preparing.build.build`.
    """

    way: str
    answers: Mapping[str, Any]
    out: str
    options: Options = field(default_factory=Options)

    @property
    def kind(self) -> ReaderKind:
        """The reader."""
        return kind_of(self.way)

    def told(self) -> Any:
        """What the reader is told: its options with these answers.

        Raises
        ------
        ConfigError
            One of them is no option of the reader.
        """
        return from_record(self.kind.options, self._whole_answers())

    def whole(self) -> Plan:
        """The same with whole paths: who reads them may be somewhere else."""
        return dataclasses.replace(self, answers=self._whole_answers(), out=_whole(self.out))

    def _whole_answers(self) -> dict[str, Any]:
        paths = {field.name for field in dataclasses.fields(self.kind.options) if about(field, "path")}
        return {name: _whole(str(given)) if name in paths else given for name, given in self.answers.items()}

    def check(self) -> None:
        """See that all that is needed is there.

        Raises
        ------
        ConfigError
            An answer or the data folder is missing.
        """
        if not self.out.strip():
            raise ConfigError("no data folder is named; name a new folder, or one that was prepared before.")
        check_needed(self.told(), self.kind.title)


@dataclass(frozen=True)
class Audit:
    """Which data folder to judge anew.

    Parameters
    ----------
    data
        Data folder, prepared here or not.
    judging
        What is refused, and the share to validate on.
    move
        Put files where they belong; without, only what was found is written.
    """

    data: str
    judging: Judging = field(default_factory=Judging)
    move: bool = False

    def whole(self) -> Audit:
        """The same with a whole path: who reads it may be somewhere else."""
        return dataclasses.replace(self, data=_whole(self.data))


def _whole(path: str) -> str:
    return str(path_of(path).resolve()) if path.strip() else path


@dataclass(frozen=True)
class Step:
    """Where the preparation is: what is done now, how many sources there are (0: not known), and its progress.

    ``problems`` come with the last one: a sentence for each object that could not be used, the first of them.
    """

    doing: str
    total: int = 0
    progress: Progress | None = None
    problems: tuple[str, ...] = ()


def follow(work: Plan | Audit) -> Generator[Step, None, None]:
    """Prepare or judge, step by step; to stop is not to ask for the next, and the same plan goes on from there.

    Raises
    ------
    ConfigError, DataError
        Something is missing or is laid out otherwise.
    PreparationError
        The disk is full, a worker was killed, or another run is preparing the folder.
    """
    return _audit(work) if isinstance(work, Audit) else _prepare(work)


def _prepare(plan: Plan) -> Generator[Step, None, None]:
    plan.check()
    out = Path(plan.out).expanduser().resolve()
    yield Step("Reading the list of pictures")
    kind, told = plan.kind, plan.told()
    for _ in kind.before(told, out) if kind.before is not None else ():
        yield Step(kind.doing)
    reader = kind.read(told, out)
    total = 0
    for total, _ in enumerate(reader, 1):
        if total % _LOOK_EVERY == 0:
            yield Step("Counting pictures", total)
    _save(out, plan)
    options = plan.options
    if total < _WORTH_PROCESSES and options.where == HERE:
        options = dataclasses.replace(options, where=Where(1))
    for progress in build(out, plan.way, reader, options):
        if progress.summary is not None:  # before the last step: who has that need not ask on
            with contextlib.suppress(FileNotFoundError):
                (out / OWN_FOLDER / _FILE).replace(out / OWN_FOLDER / _DONE)
            lines = kind.after(told, reader) if kind.after is not None else ()
            more = (line.removeprefix(LEFT_OUT) for line in lines if line.startswith(LEFT_OUT))
            yield Step("Done", total, progress, (*more, *_problems(out)))
            progress.summary.check(out)
        else:
            yield Step(_JUDGING if progress.sources >= total else "Cutting out", total, progress)


def _audit(work: Audit) -> Generator[Step, None, None]:
    data = Path(work.data)
    yield Step(_JUDGING)
    for progress in audit(data, work.judging, work.move):
        done = progress.summary is not None
        yield Step("Done" if done else "Measuring pictures", 0, progress, tuple(_problems(data)) if done else ())


def _problems(out: Path) -> Iterator[str]:
    with (out / PROBLEMS).open(encoding="utf-8", errors="replace") as stream:
        yield from (line.strip() for line in islice(stream, _MOST_TOLD))


def load_plan(out: Path) -> Plan | None:
    """The plan that was begun in this data folder and is not done, if any."""
    return _load(out, _FILE)


def prepared_by(out: Path) -> Plan | None:
    """The plan by which this data folder was prepared at last, whether it is done or not, if any."""
    return load_plan(out) or _load(out, _DONE)


def keep_plan(plan: Plan) -> None:
    """Write down by which plan a data folder was prepared, for :func:`prepared_by`."""
    write_bytes(Path(plan.out) / OWN_FOLDER / _DONE, to_json(plan.whole()))


def _load(out: Path, name: str) -> Plan | None:
    try:
        kept = json.loads((out / OWN_FOLDER / name).read_text("utf-8"))
        plan = from_record(Plan, kept | {"out": str(out)})  # the folder may have been moved
        plan.told()
        return plan
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _save(out: Path, plan: Plan) -> None:
    write_bytes(out / OWN_FOLDER / _FILE, to_json(plan.whole()))
