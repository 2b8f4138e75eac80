"""What to prepare from, and how, written down: one form for every reader, kept in the data folder to go on from.

``follow`` drives the same readers and the same ``build`` as the command line does.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.data.audit.judging import Judging
from edgegan_widget.data.audit_folder import audit
from edgegan_widget.data.build import Options, Progress, build
from edgegan_widget.data.finish import PROBLEMS
from edgegan_widget.data.journal import FOLDER
from edgegan_widget.data.sources import Source
from edgegan_widget.data.ways import WAYS, Answer

__all__ = ["Plan", "Step", "follow", "follow_audit", "load_plan"]

_FILE = "plan.json"
_JUDGING = "Judging and writing the list"
_MOST_TOLD = 200  # problems; all of them are in problems.txt
_WORTH_PROCESSES = 200  # sources; with fewer the start of processes takes longer than the work
_LOOK_EVERY = 1000  # sources that are counted between two steps
_DRAWN_AT_ONCE = 10  # pictures of each synthetic class


@dataclass(frozen=True)
class Plan:
    """What to prepare, and how.

    Parameters
    ----------
    way
        One of :data:`WAYS`.
    answers
        To the way's questions; what is missing has its default.
    out
        Data folder to fill.
    options
        As for :func:`edgegan_widget.data.build.build`.
    """

    way: str
    answers: dict[str, Answer]
    out: str
    options: Options = field(default_factory=Options)

    def answer(self, name: str) -> Answer:
        """The answer to a question, or its default.

        Raises
        ------
        ConfigError
            The question needs an answer and has none.
        """
        question = WAYS[self.way].questions[name]
        given = self.answers.get(name, question.default)
        if question.needed and not str(given).strip():
            raise ConfigError(f"{question.label} of {WAYS[self.way].title} is empty; name the {question.meaning}.")
        return given

    def check(self) -> None:
        """See that all that is needed is there.

        Raises
        ------
        ConfigError
            An answer or the data folder is missing.
        """
        if not self.out.strip():
            raise ConfigError("no data folder is named; name a new folder, or one that was prepared before.")
        for name in WAYS[self.way].questions:
            self.answer(name)


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
    yield from _draw(plan, out)
    reader = _reader(plan, out)
    total = 0
    for total, _ in enumerate(reader, 1):
        if total % _LOOK_EVERY == 0:
            yield Step("Counting pictures", total)
    problems: list[str] = getattr(reader, "problems", [])
    problems.clear()  # reading again tells them again
    _save(out, plan)
    options = plan.options
    if total < _WORTH_PROCESSES and not options.workers:
        options = dataclasses.replace(options, workers=1)
    for progress in build(out, WAYS[plan.way].part, reader, options):
        if progress.summary is not None:  # before the last step: who has that need not ask on
            (out / FOLDER / _FILE).unlink(missing_ok=True)
            yield Step("Done", total, progress, (*problems, *_problems(out)))
        else:
            yield Step(_JUDGING if progress.sources >= total else "Cutting out", total, progress)


def follow_audit(data: Path, judging: Judging, move: bool) -> Iterator[Step]:
    """Audit a data folder, step by step, as :func:`edgegan_widget.data.audit_folder.audit` does."""
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
        if kept["way"] not in WAYS or not isinstance(kept["answers"], dict):
            return None
        return Plan(kept["way"], kept["answers"], str(out), _options(kept["options"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _save(out: Path, plan: Plan) -> None:
    questions = WAYS[plan.way].questions
    answers = {  # paths whole: the next page may be opened elsewhere
        name: str(_path(plan, name)) if questions[name].is_path and str(given).strip() else given
        for name, given in plan.answers.items()
    }
    kept = {"way": plan.way, "answers": answers, "options": dataclasses.asdict(plan.options)}
    write_bytes(out / FOLDER / _FILE, json.dumps(kept, indent=1) + "\n")


def _options(kept: dict[str, object]) -> Options:
    from edgegan_widget.data.audit.rules import Thresholds
    from edgegan_widget.data.sources import Making

    making, thresholds = Making(**kept.pop("making")), Thresholds(**kept.pop("thresholds"))  # type: ignore[arg-type]
    others = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}  # JSON's lists
    return Options(making=making, thresholds=thresholds, **others)  # type: ignore[arg-type]


def _draw(plan: Plan, out: Path) -> Iterator[Step]:
    """Draw the synthetic photos, some at a time."""
    if plan.way != "synthetic":
        return
    from edgegan_widget.data.readers.synthetic import draw_photos

    count = int(plan.answer("count"))
    for upto in [*range(_DRAWN_AT_ONCE, count, _DRAWN_AT_ONCE), count]:
        yield Step("Drawing the sample")
        draw_photos(_drawn(out), upto, int(plan.answer("seed")))


def _drawn(out: Path) -> Path:
    return out / ".synthetic"


def _reader(plan: Plan, out: Path) -> Iterable[Source]:
    """The reader that the plan asks for."""
    from edgegan_widget.data.readers.coco import CocoReader
    from edgegan_widget.data.readers.folder import FolderReader
    from edgegan_widget.data.readers.pairs import PairReader
    from edgegan_widget.data.readers.sketchycoco import SketchyCocoReader
    from edgegan_widget.data.readers.synthetic import SyntheticReader

    if plan.way == "synthetic":
        return SyntheticReader(_drawn(out))
    if plan.way == "coco":
        return CocoReader(_path(plan, "images"), _path(plan, "annotations"), _names(plan))
    folder = _path(plan, "folder")
    if plan.way == "sketchycoco":
        return SketchyCocoReader(folder, _names(plan), bool(plan.answer("own_edges")))
    if plan.way == "pairs":
        return PairReader(folder, _names(plan))
    masks = _path(plan, "masks") if str(plan.answer("masks")).strip() else None
    return FolderReader(folder, str(plan.answer("label")).strip(), masks, str(plan.answer("licence")))


def _path(plan: Plan, name: str) -> Path:
    return Path(str(plan.answer(name)).strip()).expanduser().resolve()


def _names(plan: Plan) -> tuple[str, ...]:
    return tuple(name.strip() for name in str(plan.answer("classes")).split(",") if name.strip())
