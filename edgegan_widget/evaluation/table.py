"""The report of an evaluation as a table: columns, cells, text. Needs no torch, so that a page has it too."""

from __future__ import annotations

import json
from typing import Any

from edgegan_widget.base.errors import DataError
from edgegan_widget.evaluation.metrics.colours import COLOURS
from edgegan_widget.evaluation.metrics.rightness import MEAN_OVER_CLASSES, WORST_CLASS
from edgegan_widget.evaluation.metrics.swapped import SWAPPED
from edgegan_widget.evaluation.metrics.told import Column

__all__ = ["COLUMNS", "FORMAT", "TOLD", "Column", "at", "best_rows", "people_line", "read_report", "table", "written"]

Json = dict[str, Any]

FORMAT = 1  # reports from before a number was added are shown without it

TOLD = (MEAN_OVER_CLASSES, WORST_CLASS, SWAPPED, COLOURS)  # numbers that say themselves what they are
# Heading, how it is written, where the number is; an arrow tells which way is better.
COLUMNS: tuple[Column, ...] = (
    ("FID ↓", ".2f", ("realism", "fid")),
    ("Fréchet distance ↓", ".2f", ("realism", "frechet_distance")),
    ("KID ↓", ".4f", ("realism", "kid")),
    ("precision ↑", ".2f", ("realism", "precision")),
    ("recall ↑", ".2f", ("realism", "recall")),
    ("density ↑", ".2f", ("realism", "density")),
    ("coverage ↑", ".2f", ("realism", "coverage")),
    ("right class ↑", ".1%", ("right_class", "accuracy")),
    MEAN_OVER_CLASSES.column,
    WORST_CLASS.column,
    SWAPPED.column,
    ("F-score of lines ↑", ".3f", ("faithful", "f_score")),
    ("chamfer ↓", ".4f", ("faithful", "chamfer")),
    ("variety, 1 is real", ".2f", ("diversity", "ratio")),
    ("nearly the same ↓", ".1%", ("diversity", "same_share")),
    COLOURS.column,
    ("near copies, 5 % expected", ".1%", ("memorisation", "pixels", "copied_share")),
)


def table(report: Json) -> str:
    """The table of models as text, one line a model and set."""
    lines = []
    for row in report["models"]:
        for found in row["sets"]:
            cells = [f"{heading} {written(found, way, place)}" for heading, way, place in COLUMNS if at(found, place)]
            flags = f"  [{', '.join(found['flags'])}]" if found["flags"] else ""
            lines.append(f"{row['name']} · {found['name']}{flags}\n  " + "; ".join(cells))
    return "\n".join(lines)


def written(found: Json, way: str, path: tuple[str, ...]) -> str:
    """A number of a set with its interval, or with the class it is of; a dash where there is none."""
    about = at(found, path)
    if not about or about["value"] is None:
        return "-"
    ends = [about.get("low"), about.get("high")]
    told = f" [{ends[0]:{way}}, {ends[1]:{way}}]" if None not in ends else ""
    told += f" ({about['class_name']})" if "class_name" in about else ""
    return f"{about['value']:{way}}{told}"


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


def at(found: Json, path: tuple[str, ...]) -> Json | None:
    """A number of a set with what it rests on; None where it was not measured."""
    part: Any = found
    for name in path:
        part = part.get(name)
        if part is None:
            return None
    return dict(part)


def best_rows(column: Column, rows: list[Json]) -> set[int]:
    """Which of these sets (one a model) have the best number, as it is written; none where no way is better.

    With one model, or where all are written alike, nothing is best.
    """
    heading, way, path = column
    numbers = {place: about["value"] for place, found in enumerate(rows) if (about := at(found, path))}
    known = {place: value for place, value in numbers.items() if value is not None}
    if len(known) < 2 or heading[-1] not in "↑↓":
        return set()
    best = (max if heading.endswith("↑") else min)(known.values())
    chosen = {place for place, value in known.items() if f"{value:{way}}" == f"{best:{way}}"}
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
            for found in row["sets"]:
                found["right_class"]["confusion"]
        for part in ("sets", "classes", "flags", "data", "reference", "differences"):
            report[part]
        return dict(report)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            "this file is no report of an evaluation; choose a .json that Save report or edgegan-widget evaluate wrote."
        ) from error
