"""An evaluation as one self-contained page: failures first, then tables, curves and galleries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from edgegan_widget.evaluation.evaluate import Evaluation
from edgegan_widget.evaluation.report.curves import curves
from edgegan_widget.evaluation.report.parts import document, text
from edgegan_widget.evaluation.report.pictures import copies, failures, galleries, nearly_the_same
from edgegan_widget.evaluation.scoring import FLAGS
from edgegan_widget.evaluation.table import COLUMNS, Column, at, people_line, table

__all__ = ["differences_table", "page", "table"]

Json = dict[str, Any]

# The table by which EdgeGAN is known: who measured it, and what cannot be held against a number of ours.
PUBLISHED = (
    ("EdgeGAN, original weights", 143.66),
    ("EdgeGAN, retrained on sketch-like edges, rate 2e-4", 147.73),
    ("EdgeGAN, the same, rate 1e-3", 156.16),
    ("EdgeGAN, fine-tuned 20 epochs, rate 1e-5", 144.51),
)
PUBLISHED_ABOUT = (
    "FID on five animal classes of SketchyCOCO, as published in the report of the retraining (2022). Another data set, "
    "other classes, Inception features: these rows cannot be compared with the others, only with each other."
)
_NAMES = {
    "right": "right class", "f_score": "F-score of lines", "chamfer": "chamfer", "fid": "FID",
    "frechet_distance": "Fréchet distance", "kid": "KID",
}  # fmt: skip


def page(evaluation: Evaluation) -> str:
    """HTML with everything in it: no file beside it, nothing fetched, no script."""
    report = evaluation.report
    return document(
        "Evaluation",
        [
            "<h1>What the models are worth</h1>",
            _summary(report),
            *_flag_lines(report),
            *failures(evaluation),
            *_tables(report),
            *_differences(report),
            *curves(report),
            *nearly_the_same(evaluation),
            *copies(evaluation),
            *galleries(evaluation),
        ],
    )


def differences_table(found: Json) -> str:
    """Paired differences of two models, with what can be concluded from them."""
    rows = []
    for name, told in _NAMES.items():
        if name in found:
            one = found[name]
            ends = f"{one['value']:+.4f} [{one['low']:+.4f}, {one['high']:+.4f}]"
            verdict = "differ" if one["differs"] else "no difference to be seen"
            rows.append(f"<tr><td>{told}</td><td>{ends}</td><td>{verdict}{_mark(one)}</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def _summary(report: Json) -> str:
    real = report["reference"]["real_accuracy"]
    counts = {split: sum(by_class.values()) for split, by_class in report["data"].items()}
    people = people_line(report)
    return (
        f"<p>{len(report['classes'])} classes; {counts['train']} training and {counts['val']} held-out pictures. The "
        f"classifier, which never saw a drawn picture, is right on {real['value']:.1%} of held-out real ones. Numbers "
        f"in brackets are 95 % intervals; hover over a number for what it rests on. {text(people)}</p>"
    )


def _flag_lines(report: Json) -> Iterator[str]:
    for row in report["models"]:
        for flag in row["flags"]:
            where = [found["name"] for found in row["sets"] if flag in found["flags"]]
            yield (f'<p class="flag">{text(row["name"])}: {flag}: {text(FLAGS[flag])} ({text("; ".join(where))}).</p>')


def _tables(report: Json) -> Iterator[str]:
    for place, given in enumerate(report["sets"]):
        rows = [(row["name"], row["sets"][place]) for row in report["models"]]
        shown = [column for column in COLUMNS if any(at(found, column[2]) for _, found in rows)]
        yield f"<h2>{text(given['name'])}: {given['drawings']} drawings</h2>"
        yield _models_table(rows, shown, published=place == 0)
        if place == 0:
            yield f'<p class="soft">{text(PUBLISHED_ABOUT)}</p>'
        yield _classes_table(rows)


def _models_table(rows: Sequence[tuple[str, Json]], shown: Sequence[Column], published: bool) -> str:
    """The reference work's rows, where they belong, then ours; its one column is the FID."""
    columns = list(shown)
    if published and columns[0][2] != ("realism", "fid"):
        columns.insert(0, COLUMNS[0])
    heads = "".join(f"<th>{text(heading)}</th>" for heading, _, _ in columns)
    empty = "<td></td>" * len(columns)  # the rest of the columns, and the time
    theirs = [f'<tr class="published"><td>{text(name)}</td><td>{fid:.2f}</td>{empty}</tr>' for name, fid in PUBLISHED]
    ours = [
        f"<tr><td>{text(name)}</td>{''.join(_cell(found, way, path) for _, way, path in columns)}"
        f"<td>{found['milliseconds']['median']:.1f}</td></tr>"
        for name, found in rows
    ]
    body = "".join([*(theirs if published else []), *ours])
    return f"<table><thead><tr><th>model</th>{heads}<th>ms a picture</th></tr></thead>{body}</table>"


def _classes_table(rows: Sequence[tuple[str, Json]]) -> str:
    """Right class by class, the first model's worst first."""
    first = rows[0][1]["right_class"]["by_class"]
    ordered = sorted(first, key=lambda name: float(first[name]))
    heads = "".join(f"<th>{text(name)}</th>" for name in ordered)
    body = "".join(
        f"<tr><td>{text(name)}</td>"
        + "".join(f"<td>{found['right_class']['by_class'][one]:.0%}</td>" for one in ordered)
        + "</tr>"
        for name, found in rows
    )
    return f"<table><thead><tr><th>right class</th>{heads}</tr></thead>{body}</table>"


def _cell(found: Json, way: str, path: tuple[str, ...]) -> str:
    about = at(found, path)
    if not about or about["value"] is None:
        return "<td>-</td>"
    hover = "; ".join(f"{key}: {value}" for key, value in about.items() if key not in ("value", "low", "high"))
    ends = [about.get("low"), about.get("high")]
    told = "" if None in ends else f'<span class="interval">[{ends[0]:{way}}, {ends[1]:{way}}]</span>'
    told += f'<span class="interval">{text(about["class_name"])}</span>' if "class_name" in about else ""
    return f'<td title="{text(hover)}">{about["value"]:{way}}{told}{_mark(about)}</td>'


def _mark(about: Json) -> str:
    return f' <span class="mark" title="{text(about["unreliable"])}">unreliable</span>' if "unreliable" in about else ""


def _differences(report: Json) -> Iterator[str]:
    for pair in report["differences"]:
        yield f"<h2>{text(pair['first'])} minus {text(pair['second'])}: {text(pair['set'])}</h2>"
        yield differences_table(pair)
