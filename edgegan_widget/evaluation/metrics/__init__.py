"""Metrics: one file a question, registered by what it declares: its numbers, what is told of them, what computes them.

Tables, pages, cards, galleries, differences and help texts know a number by its :class:`Metric` alone. To add one is to
add a file here that calls :func:`register`; a declaration needs no torch, so that a page has it too. Computations are
pure and work in float64 on features [N, D] or on uint8 pictures; where features come from is the business of
:mod:`~edgegan_widget.evaluation.features` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64
from edgegan_widget.base.registry import Registry
from edgegan_widget.base.units import U8, Json

if TYPE_CHECKING:
    from edgegan_widget.evaluation.config import EvaluationConfig
    from edgegan_widget.evaluation.drawn import Drawn, InputSet
    from edgegan_widget.evaluation.judge import Judge, Look, Scored
    from edgegan_widget.evaluation.metrics.intervals import Interval

__all__ = ["Asked", "Measured", "Metric", "Question", "Section", "answerable", "at", "compared", "flags", "leading",
           "metrics", "more_to_draw", "number", "question_of", "questions", "register", "unanswerable"]  # fmt: skip


SET, PICTURES, CLASSES = "set", "pictures", "classes"
ONE_CLASS = "only one class was measured, and these need two or more"


@dataclass(frozen=True)
class Metric:
    """One number of a set of pictures; what each field means stands beside it."""

    path: tuple[str, ...]  # where it is in the set's JSON; its question's name comes first
    heading: str
    format: str
    better: str  # ↑ or ↓ where more or less is better
    meaning: str  # in a sentence
    per_picture: str = ""  # name of the values [M] that single pictures have of it, as its question computes them
    caption: str = ""  # how such a value is written below a picture
    leads: bool = False  # pictures are ordered by it, and told with it, where nothing else is asked for
    paired: bool = False  # two models are compared by its means over drawings, resampled together
    # The same for what is no mean: features of real pictures and two models' -> first less second; None: too few.
    of_sets: Callable[[F64, F64, F64], Interval | None] | None = None
    short: str = ""  # its name where two models are compared class by class; without it, it is not
    by_class: bool = False  # told class by class in pages and cards, from ``by_class`` beside it
    # How it falls as drawings are distorted: what was drawn, the drawings that were meant uint8 [N, S, S] -> its value.
    curve: Callable[[Drawn, U8, Judge], float] | None = None
    # What others have published: who and how much, and why it cannot be held against a number of ours.
    published: tuple[Sequence[tuple[str, float]], str] = ((), "")

    @property
    def name(self) -> str:
        """The heading without what follows a comma."""
        return self.heading.partition(",")[0]

    @property
    def title(self) -> str:
        """The heading with its arrow."""
        return f"{self.heading} {self.better}".strip()

    @property
    def difference(self) -> str:
        """What a difference of two models is called in JSON; empty where there is none."""
        return self.per_picture if self.paired else self.path[-1] if self.of_sets else ""

    def quality(self, values: npt.ArrayLike) -> F64:
        """Values of pictures, so that more is better; what is unknown is not."""
        given = np.asarray(values, np.float64)
        return np.nan_to_num(given if self.better == "↑" else -given, nan=-np.inf, posinf=np.inf, neginf=-np.inf)


@dataclass(frozen=True, eq=False)
class Measured:
    """What a question found: its part of the JSON, and what pages need beside it."""

    part: Json
    values: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)  # of single pictures [M], by name
    # Numbers [M] of training pictures that belong beside the pictures, by name.
    beside: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    flags: Sequence[str] = ()  # those that are raised
    details: Any = None  # what only the question's own section of the page needs


@dataclass(frozen=True, eq=False)
class Asked:
    """What has to be drawn for a question besides the sets themselves; ``about`` is handed on to its computation."""

    inputs: InputSet
    variations: int = 1
    seed: int | None = None
    about: Any = None

    @property
    def pictures(self) -> int:
        """How many pictures that makes."""
        return len(self.inputs) * self.variations


@dataclass(frozen=True)
class Section:
    """Pictures of a question on the page: what a set has to show, at most so many, each as planes and a caption."""

    title: str
    about: str
    tiles: Callable[[Scored, Any, int], Iterator[tuple[Sequence[U8], str]]]


@dataclass(frozen=True, eq=False)
class Question:
    """Numbers that are computed together; what each field means stands beside it."""

    name: str  # of its part in a set's JSON
    numbers: tuple[Metric, ...]  # as they stand in tables
    compute: Callable[[Look], Measured]
    behind: str  # what is said of the pictures behind its numbers
    shown: str = SET  # which these are: a sample of the set, best and worst pictures, or best and worst classes
    ends: tuple[str, str, str, str] = ("best", "in the middle", "worst", "from best to worst")  # the last: of few
    beside: tuple[str, str] = ("", "")  # training pictures in place of the models' own edge maps: name, what they are
    # What has to be drawn besides the first set, of so many classes; without it, every set is looked at.
    asks: Callable[[InputSet, int, EvaluationConfig], Asked | None] | None = None
    flags: Mapping[str, str] = field(default_factory=dict)  # faults that it can find, with what they mean
    reference: Callable[[Judge], Json] | None = None  # what is told of the real pictures
    section: Section | None = None  # its own pictures on the page
    several: bool = False  # it asks which of several classes is seen, so a single one has no answer
    place: int = 100  # its order in tables


REGISTRY: Registry[Question] = Registry(__name__)
register = REGISTRY.register


def questions() -> tuple[Question, ...]:
    """All questions, as they stand in tables."""
    return tuple(sorted(REGISTRY.known().values(), key=lambda one: one.place))


def metrics() -> tuple[Metric, ...]:
    """All numbers, as they stand in tables."""
    return tuple(one for question in questions() for one in question.numbers)


def answerable(classes: int) -> tuple[Question, ...]:
    """The questions that can be asked of pictures of so many classes, as they stand in tables."""
    return tuple(one for one in questions() if classes > 1 or not one.several)


def unanswerable(classes: int) -> list[Json]:
    """The numbers that so many classes have none of, by heading, and why; for the report."""
    left_out = [one for one in questions() if one not in answerable(classes)]
    return [{"numbers": [each.heading for one in left_out for each in one.numbers], "why": ONE_CLASS}] * bool(left_out)


def more_to_draw(inputs: InputSet, classes: int, config: EvaluationConfig) -> list[tuple[Question, Asked]]:
    """What questions want drawn besides a set: what only other labels and other seeds show."""
    found = [(one, one.asks(inputs, classes, config)) for one in answerable(classes) if one.asks is not None]
    return [(question, asked) for question, asked in found if asked is not None]


def question_of(metric: Metric) -> Question:
    """The question that a number belongs to."""
    return next(one for one in questions() if one.name == metric.path[0])


def leading() -> Metric:
    """The number that pictures are ordered by where nothing else is asked for."""
    return next(one for one in metrics() if one.leads)


def compared() -> list[Metric]:
    """The numbers by which two models are compared: means over drawings, then distances of sets."""
    return sorted((one for one in metrics() if one.difference), key=lambda one: not one.paired)


def flags() -> dict[str, str]:
    """Faults with what they mean; what stands last in tables is the gravest and comes first."""
    return {name: told for question in reversed(questions()) for name, told in question.flags.items()}


def at(found: Json, path: Sequence[str]) -> Json | None:
    """A number of a set with what it rests on; None where it was not measured."""
    part: Any = found
    for name in path:
        part = part.get(name)
        if part is None:
            return None
    return dict(part)


def number(value: float, low: float | None = None, high: float | None = None, **about: object) -> Json:
    """One number as JSON: what is not known is left out, and what is no number becomes null."""
    found: Json = {"value": _plain(value)}
    if low is not None and high is not None:
        found |= {"low": _plain(low), "high": _plain(high)}
    return found | {name: given for name, given in about.items() if given is not None}


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
