"""The report of an evaluation as rows and cells, whatever shows them, and as text; needs no torch, as pages do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.metrics import Metric, at, compared, metrics

__all__ = ["FORMAT", "Cell", "Grid", "best_rows", "by_class", "cell", "differences", "grids", "judged", "left_out",
           "left_out_line", "not_measured",
           "people_line", "raised_flags", "read_report", "shown", "table", "with_ends"]  # fmt: skip


FORMAT = 1  # reports from before a number was added are shown without it
_MOST_LEFT_OUT = 3  # that are named in a line; pages and the JSON name all
_REST = ("value", "low", "high", "unreliable", "class_name")


@dataclass(frozen=True)
class Cell:
    """A number as it is written.

    Attributes
    ----------
    value, interval
        A dash where there is none; both ends of the interval, or nothing.
    of_class
        The class that it is of, where it is of one.
    unreliable
        Why it is not to be trusted, or nothing.
    rests_on
        What else is known of it.
    """

    value: str
    interval: str
    of_class: str
    unreliable: str
    rests_on: Json

    @property
    def text(self) -> str:
        """In one line."""
        return f"{self.value}{f' [{self.interval}]' * bool(self.interval)}{f' ({self.of_class})' * bool(self.of_class)}"


@dataclass(frozen=True)
class Grid:
    """A set of drawings: models as rows, the numbers that any of them has as columns.

    Attributes
    ----------
    rows
        Place and name of each model, with what was found of it.
    best
        Places in ``rows`` of the best, by column.
    """

    given: Json
    columns: tuple[Metric, ...]
    rows: tuple[tuple[int, str, Json], ...]
    best: dict[Metric, set[int]]


def grids(report: Json) -> list[Grid]:
    """One a set, with the models that were measured on it so far."""
    made = []
    for place, given in enumerate(report["sets"]):
        rows = [(model, row["name"], row["sets"][place])
                for model, row in enumerate(report["models"]) if len(row["sets"]) > place]  # fmt: skip
        every = [found for _, _, found in rows]
        columns = shown(every)
        made.append(Grid(given, columns, tuple(rows), {metric: best_rows(metric, every) for metric in columns}))
    return made


def cell(found: Json, metric: Metric) -> Cell:
    """A number of a set."""
    about = at(found, metric.path) or {}
    if about.get("value") is None:
        return Cell("-", "", "", "", {})
    ends = [about.get(name) for name in ("low", "high")]
    return Cell(
        f"{about['value']:{metric.format}}",
        "" if None in ends else ", ".join(f"{end:{metric.format}}" for end in ends),
        about.get("class_name", ""),
        about.get("unreliable", ""),
        {key: value for key, value in about.items() if key not in _REST},
    )


def by_class(found: Json) -> Iterator[tuple[Metric, dict[str, float]]]:
    """The numbers that are told class by class, by the classes' names."""
    for metric in metrics():
        if metric.by_class and (numbers := at(found, (*metric.path[:-1], "by_class"))):
            yield metric, numbers


def differences(found: Json) -> list[tuple[Metric, Json]]:
    """What two models are compared by, as far as it was measured."""
    return [(metric, found[metric.difference]) for metric in compared() if metric.difference in found]


def with_ends(one: Json, way: str) -> str:
    """A difference with its interval."""
    return f"{one['value']:{way}} [{one['low']:{way}}, {one['high']:{way}}]"


def raised_flags(report: Json) -> Iterator[str]:
    """Each model's faults, with what they mean and on which sets."""
    for row in report["models"]:
        for flag, meaning in report["flags"].items():
            if where := [found["name"] for found in row["sets"] if flag in found["flags"]]:
                yield f"{row['name']}: {flag}: {meaning} ({'; '.join(where)})."


def not_measured(report: Json) -> str:
    """Which numbers there are none of, and why, in sentences; empty where all were measured."""
    said = (f"{', '.join(one['numbers'])}: not measured, as {one['why']}." for one in report.get("not_measured", ()))
    return " ".join(text[:1].upper() + text[1:] for text in said)


def judged(report: Json) -> str:
    """What the classifier is worth, in a sentence; empty where it was not asked for classes."""
    real = report["reference"].get("real_accuracy", {}).get("value")
    if real is None:
        return ""
    return f"Classes are judged by a classifier that never saw a drawn picture; it is right on {real:.1%} of real ones."


def left_out(report: Json) -> list[str]:
    """A sentence for each of people's drawings that could not be used."""
    return list((report.get("people") or {}).get("left_out", ()))


def left_out_line(report: Json) -> str:
    """How many of people's drawings could not be used, and the first of them; empty where all could be."""
    problems = left_out(report)
    more = f" And {len(problems) - _MOST_LEFT_OUT:,} more." if len(problems) > _MOST_LEFT_OUT else ""
    count = f"{len(problems):,} drawing{'s' * (len(problems) != 1)} could not be used: "
    return f"{count}{' '.join(problems[:_MOST_LEFT_OUT])}{more}" if problems else ""


def table(report: Json) -> str:
    """The table of models as text, one line a model and set."""
    lines = []
    for row in report["models"]:
        for found in row["sets"]:
            cells = [f"{metric.title} {cell(found, metric).text}" for metric in shown([found])]
            flags = f"  [{', '.join(found['flags'])}]" if found["flags"] else ""
            lines.append(f"{row['name']} · {found['name']}{flags}\n  " + "; ".join(cells))
    return "\n".join(lines)


def people_line(report: Json) -> str:
    """How many people's drawings were asked for, of how many, and why; empty where there were none."""
    people = report.get("people")
    if not people:
        return ""
    counts = ", ".join(f"{one['name']} {one['used']} of {one['of']}" for one in people["sets"])
    why = {
        "held_out": "the others may have been trained on, as two in three are with --sketches",
        "all": "two in three of them are known to a model that was trained on these with --sketches",
    }[people["asked_for"]]
    most = report["settings"]["per_class"]
    return f"People's drawings: {counts}; {why}.{f' At most {most} of a class were taken.' if most else ''}"


def best_rows(metric: Metric, rows: Sequence[Json]) -> set[int]:
    """Which of these sets (one a model) have the best number, as it is written; none where no way is better.

    With one model, or where all are written alike, nothing is best.
    """
    numbers = {place: about["value"] for place, found in enumerate(rows) if (about := at(found, metric.path))}
    known = {place: value for place, value in numbers.items() if value is not None}
    if len(known) < 2 or not metric.better:
        return set()
    best = (max if metric.better == "↑" else min)(known.values())
    chosen = {place for place, value in known.items() if f"{value:{metric.format}}" == f"{best:{metric.format}}"}
    return chosen if len(chosen) < len(known) else set()


def read_report(text: str | bytes) -> Json:
    """A saved report.

    Raises
    ------
    DataError
        It is none that this version can show.
    """
    try:
        report = json.loads(text)
        if report["format"] != FORMAT:
            raise DataError(f"this report has format {report['format']}; {FORMAT} can be shown; evaluate anew.")
        table(report)
        for row in report["models"]:
            float(row["milliseconds"]["median"])
        for part in ("sets", "classes", "flags", "data", "reference", "differences"):
            report[part]
        return dict(report)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            "this file is no report of an evaluation; choose a .json that Save report or edgegan-widget evaluate wrote."
        ) from error


def shown(sets: Iterable[Json]) -> tuple[Metric, ...]:
    """The numbers that any of these sets has."""
    every = list(sets)
    return tuple(metric for metric in metrics() if any(at(found, metric.path) for found in every))
