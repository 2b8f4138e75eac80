"""What to prepare from, and how, written down: one form for every reader, kept in the data folder to go on from.

``follow`` drives the same readers and the same ``build`` as the command line does.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.settings import about, check_needed, from_record
from edgegan_widget.data.audit.rules import Judging
from edgegan_widget.data.build import Options, Progress, audit, build
from edgegan_widget.data.finish import PROBLEMS
from edgegan_widget.data.journal import FOLDER
from edgegan_widget.data.pool import HERE, Where
from edgegan_widget.data.readers import LEFT_OUT, ReaderKind, kind_of, path_of

__all__ = ["Plan", "Step", "follow", "follow_audit", "load_plan"]

_FILE = "plan.json"
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
        As for :func:`edgegan_widget.data.build.build`.
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
        return from_record(self.kind.options, self.whole())

    def whole(self) -> dict[str, Any]:
        """The answers, paths whole: who reads them may be somewhere else."""
        paths = {field.name for field in dataclasses.fields(self.kind.options) if about(field, "path")}
        return {
            name: str(path_of(str(given)).resolve()) if name in paths and str(given).strip() else given
            for name, given in self.answers.items()
        }

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
class Step:
    """Where the preparation is: what is done now, how many sources there are (0: not known), and its progress.

    ``problems`` come with the last one: a sentence for each object that could not be used, the first of them.
    """

    doing: str
    total: int = 0
    progress: Progress | None = None
    problems: tuple[str, ...] = ()


def follow(plan: Plan) -> Iterator[Step]:
    """Prepare, step by step; to stop is not to ask for the next, and the same plan goes on from there.

    Raises
    ------
    ConfigError, DataError
        Something is missing or is laid out otherwise.
    PreparationError
        The disk is full, or a worker was killed.
    """
    plan.check()
    out = Path(plan.out).expanduser().resolve()
    yield Step("Reading the list of pictures")
    kind, told = plan.kind, plan.told()
    for _ in kind.before(told, out) if kind.before is not None else ():
        yield Step("Drawing the sample")
    reader = kind.read(told, out)
    total = 0
    for total, _ in enumerate(reader, 1):
        if total % _LOOK_EVERY == 0:
            yield Step("Counting pictures", total)
    problems: list[str] = getattr(reader, "problems", [])
    problems.clear()  # reading again tells them again
    _save(out, plan)
    options = plan.options
    if total < _WORTH_PROCESSES and options.where == HERE:
        options = dataclasses.replace(options, where=Where(1))
    for progress in build(out, plan.way, reader, options):
        if progress.summary is not None:  # before the last step: who has that need not ask on
            (out / FOLDER / _FILE).unlink(missing_ok=True)
            lines = kind.after(told, reader) if kind.after is not None else ()
            problems += [line.removeprefix(LEFT_OUT) for line in lines if line.startswith(LEFT_OUT)]
            yield Step("Done", total, progress, (*problems, *_problems(out)))
        else:
            yield Step(_JUDGING if progress.sources >= total else "Cutting out", total, progress)


def follow_audit(data: Path, judging: Judging, move: bool) -> Iterator[Step]:
    """Audit a data folder, step by step, as :func:`edgegan_widget.data.build.audit` does."""
    yield Step(_JUDGING)
    for progress in audit(data, judging, move):
        done = progress.summary is not None
        yield Step("Done" if done else "Measuring pictures", 0, progress, tuple(_problems(data)) if done else ())


def _problems(out: Path) -> Iterator[str]:
    with (out / PROBLEMS).open(encoding="utf-8", errors="replace") as stream:
        yield from (line.strip() for line in islice(stream, _MOST_TOLD))


def load_plan(out: Path) -> Plan | None:
    """The plan that was begun in this data folder and is not done, if any."""
    try:
        kept = json.loads((out / FOLDER / _FILE).read_text("utf-8"))
        plan = Plan(kept["way"], kept["answers"], str(out), from_record(Options, kept["options"]))
        plan.told()
        return plan
    except (OSError, ValueError, KeyError, TypeError, ConfigError):
        return None


def _save(out: Path, plan: Plan) -> None:
    kept = {"way": plan.way, "answers": plan.whole(), "options": dataclasses.asdict(plan.options)}
    write_bytes(out / FOLDER / _FILE, json.dumps(kept, indent=1) + "\n")
