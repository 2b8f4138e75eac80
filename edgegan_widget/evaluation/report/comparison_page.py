"""Two models side by side as one self-contained page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgegan_widget.evaluation.comparison import most_different
from edgegan_widget.evaluation.evaluate import Evaluation
from edgegan_widget.evaluation.report.page import differences_table
from edgegan_widget.evaluation.report.parts import document, figure, text, tiles
from edgegan_widget.evaluation.scoring import Scored
from edgegan_widget.evaluation.table import people_line

__all__ = ["comparison_page", "comparison_text"]

Json = dict[str, Any]

SHOWN = 24


def comparison_page(evaluation: Evaluation, compared: Json, blind_name: str) -> str:
    """HTML; ``blind_name`` is the file of the blinded vote beside it."""
    first, second = (text(name) for name in compared["models"])
    body = [
        f"<h1>{first} against {second}</h1>",
        "<p>Both drew the same drawings with the same seeds. Differences are first minus second, with 95 % intervals "
        "from resampling the drawings together; a difference counts where the interval leaves zero out.</p>",
        f'<p>Before you look on: <a href="{text(blind_name)}">vote without knowing which is which</a>.</p>',
    ]
    if people := people_line(compared):
        body.append(f'<p class="soft">{text(people)}</p>')
    for found in compared["sets"]:
        body += _one_set(evaluation, found, compared["models"])
    return document(f"{compared['models'][0]} against {compared['models'][1]}", body)


def comparison_text(compared: Json) -> str:
    """The differences as text."""
    lines = []
    for found in compared["sets"]:
        lines.append(f"{' minus '.join(compared['models'])} · {found['name']} ({found['drawings']} drawings)")
        for name, one in found["differences"].items():
            mark = "" if one["differs"] else "  no difference to be seen"
            lines.append(f"  {name:<18}{one['value']:+.4f} [{one['low']:+.4f}, {one['high']:+.4f}]{mark}")
    return "\n".join(lines)


def _one_set(evaluation: Evaluation, found: Json, models: list[str]) -> Iterator[str]:
    yield f"<h2>{text(found['name'])}: {found['drawings']} drawings</h2>{differences_table(found['differences'])}"
    yield _by_class(found["by_class"], models)
    first, second = (evaluation.scored[name][found["name"]] for name in models)
    yield (
        f"<h3>Where they differ most</h3><p>Drawing | {text(models[0])} | {text(models[1])}. Farthest apart by "
        "features first; F is how well the lines are followed.</p>"
    )
    yield tiles(_side_by_side(first, second, int(one), evaluation) for one in most_different(first, second, SHOWN))


def _by_class(rows: list[Json], models: list[str]) -> str:
    heads = "".join(f"<th>{what}, {text(name)}</th>" for what in ("right", "F") for name in models)
    told = ["<tr><th>class</th><th>drawings</th>" + heads + "<th>right, difference</th><th>F, difference</th></tr>"]
    for row in sorted(rows, key=lambda one: float(one["right"]["value"])):
        right, f_score = row["right"], row["f_score"]
        cells = [f"{right['first']:.0%}", f"{right['second']:.0%}"]
        cells += [f"{f_score['first']:.3f}", f"{f_score['second']:.3f}"]
        cells += [_interval(right, "+.0%"), _interval(f_score, "+.3f")]
        shown = "".join(f"<td>{cell}</td>" for cell in cells)
        told.append(f"<tr><td>{text(row['class'])}</td><td>{row['drawings']}</td>{shown}</tr>")
    return f"<table>{''.join(told)}</table>"


def _interval(one: Json, way: str) -> str:
    told = f'{one["value"]:{way}}<span class="interval">[{one["low"]:{way}}, {one["high"]:{way}}]</span>'
    return f"<b>{told}</b>" if one["differs"] else told


def _side_by_side(first: Scored, second: Scored, drawing: int, evaluation: Evaluation) -> str:
    inputs, classes = first.drawn.inputs, evaluation.train.classes
    one = drawing * first.drawn.variations
    planes = [inputs.sketches_u8[drawing], first.drawn.pictures_u8[one], second.drawn.pictures_u8[one]]
    verdicts = [f"{classes[scored.seen[one]]}, F {scored.f_score[one]:.2f}" for scored in (first, second)]
    return figure(
        planes, f"{classes[inputs.labels[drawing]]}: seen as {' | '.join(verdicts)}; {inputs.sources[drawing]}"
    )
