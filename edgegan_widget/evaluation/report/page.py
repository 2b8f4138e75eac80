"""An evaluation as one self-contained page, failures first; and two models side by side as another."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from edgegan_widget.base.units import U8, Json
from edgegan_widget.base.words import spoken
from edgegan_widget.evaluation.comparison import most_different
from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.evaluation.judge import Evaluation, Scored
from edgegan_widget.evaluation.metrics import compared, leading, metrics, questions
from edgegan_widget.evaluation.report import table
from edgegan_widget.evaluation.report.pictures import (
    Figure,
    caption,
    ends_of_classes,
    figure,
    pictures_of,
    planes,
    render,
    worst_first,
)
from edgegan_widget.evaluation.robustness import curved

__all__ = ["comparison_page", "comparison_text", "page"]

Tile = tuple[Sequence[U8], str]  # planes, and what is said below them

WORST = 12
MOST_DIFFERENT = 24
_LINES = ("Solid", ""), ("Dashed", "3 2"), ("Dotted", "1 2"), ("Dashed and dotted", "4 2 1 2")
_COLOURS = ("#2f86c9", "#d9534f", "#3a9d4a", "#9467bd", "#e08214", "#17a2b8")  # told apart on light and dark


def page(evaluation: Evaluation) -> str:
    """HTML with everything in it: no file beside it, nothing fetched, no script."""
    report, classes = evaluation.report, evaluation.train.classes
    drawn = [(f"{name}, {scored.drawn.inputs.name}", scored, pictures_of(scored, evaluation, beside=False))
             for name, sets in evaluation.scored.items() for scored in sets.values()]  # fmt: skip
    return render(
        "report.html",
        report=report,
        table=table,
        counts={split: sum(by_class.values()) for split, by_class in report["data"].items()},
        failures=_figures((title, _failures(pictures, classes)) for title, _, pictures in drawn),
        grids=table.grids(report),
        others=[metric for metric in metrics() if metric.published[0]],  # numbers that are not ours stand apart
        curves=_curves(report),
        sections=[
            (section, _figures((title, section.tiles(scored, evaluation.train, WORST)) for title, scored, _ in drawn))
            for section in (question.section for question in questions())
            if section is not None
        ],
        leading=leading(),
        galleries=[(title, _gallery(pictures, classes)) for title, _, pictures in drawn],
    )


def comparison_page(evaluation: Evaluation, found: Json, blind_name: str) -> str:
    """HTML; ``blind_name`` is the file of the blinded vote beside it."""
    sets = []
    for given in found["sets"]:
        first, second = (evaluation.scored[name][given["name"]] for name in found["models"])
        apart = most_different(first, second, MOST_DIFFERENT).tolist()
        sets.append((given, [_side_by_side(first, second, one, evaluation.train.classes) for one in apart]))
    told = {name for given in found["sets"] for row in given["by_class"] for name in row}
    named = [metric for metric in compared() if metric.short and metric.difference in told]
    return render(
        "comparison.html", compared=found, table=table, blind=blind_name, sets=sets, named=named, leading=leading()
    )


def comparison_text(found: Json) -> str:
    """The differences as text."""
    lines = [table.not_measured(found)] if table.not_measured(found) else []
    for given in found["sets"]:
        lines.append(f"{' minus '.join(found['models'])} · {given['name']} ({given['drawings']} drawings)")
        for name, one in given["differences"].items():
            mark = "" if one["differs"] else "  no difference to be seen"
            lines.append(f"  {name:<18}{table.with_ends(one, '+.4f')}{mark}")
    return "\n".join(lines)


def _figures(sets: Iterable[tuple[str, Iterable[Tile]]]) -> list[tuple[str, list[Figure]]]:
    """The sets that have something to show."""
    every = [(title, [figure(*tile) for tile in tiles]) for title, tiles in sets]
    return [(title, figures) for title, figures in every if figures]


def _failures(pictures: Pictures, classes: Sequence[str]) -> Iterator[Tile]:
    """What is seen as another class first, and of these what is worst by the leading number."""
    order = worst_first(pictures, pictures.seen == pictures.labels)[:WORST]
    return (_tile(pictures, int(one), classes) for one in order)


def _gallery(pictures: Pictures, classes: Sequence[str]) -> list[tuple[str, dict[str, list[Figure]]]]:
    return [
        (name, {end: [figure(*_tile(pictures, int(one), classes)) for one in chosen] for end, chosen in ends.items()})
        for name, ends in ends_of_classes(pictures, classes)
    ]


def _tile(pictures: Pictures, one: int, classes: Sequence[str]) -> Tile:
    """Drawing, the model's own edge map and picture ``one`` of a set, with what was seen in it."""
    return planes(pictures, one), "; ".join(caption(pictures, one, leading(), classes))


def _side_by_side(first: Scored, second: Scored, drawing: int, classes: Sequence[str]) -> Figure:
    inputs, lead, one = first.drawn.inputs, leading(), drawing * first.drawn.variations
    verdicts = [
        f"{spoken(classes[scored.seen[one]])}, {lead.caption.format(scored.values[lead.per_picture][one])}"
        for scored in (first, second)
    ]
    return figure(
        [inputs.sketches_u8[drawing], first.drawn.pictures_u8[one], second.drawn.pictures_u8[one]],
        f"{spoken(classes[inputs.labels[drawing]])}: seen as {' | '.join(verdicts)}; {inputs.sources[drawing]}",
    )


def _curves(report: Json) -> Json:
    """What falls as drawings are distorted: its words, and lines from 0 to 100 across and 0 to 60 down."""
    rows = [row for row in report["models"] if "robustness" in row]
    numbers = list(zip(curved(len(report["classes"])), itertools.cycle(_LINES)))
    models = [(row["name"], _COLOURS[place % len(_COLOURS)]) for place, row in enumerate(rows)]
    plots = [
        (name, curve, [
            (_points(found["strengths"], found[metric.path[-1]]), colour, dashes)
            for found, (_, colour) in zip((row["robustness"][name] for row in rows), models)
            for metric, (_, dashes) in numbers
            if metric.path[-1] in found
        ])
        for name, curve in (rows[0]["robustness"].items() if rows else ())
    ]  # fmt: skip
    words = " ".join(f"{line}: {metric.heading}." for metric, (line, _) in numbers)
    return {"plots": plots, "models": models, "words": words}


def _points(across: list[float], up: list[float]) -> str:
    return " ".join(f"{100 * x:.1f},{60 * (1 - y):.1f}" for x, y in zip(across, up))
