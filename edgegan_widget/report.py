"""An evaluation as one self-contained page: failures first, then tables, curves and galleries."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.evaluation import Evaluation
from edgegan_widget.report_table import COLUMNS, at, table, written
from edgegan_widget.scoring import FLAGS, Scored

__all__ = ["page", "table"]

Json = dict[str, Any]
U8 = npt.NDArray[np.uint8]

SHOWN = 4  # tiles at each end of a class's gallery
FAILURES = 12


def page(evaluation: Evaluation) -> str:
    """HTML with everything in it: no file beside it, nothing fetched, no script."""
    report = evaluation.report
    body = [
        "<h1>What the models are worth</h1>",
        _summary(report),
        *_flag_lines(report),
        *_tables(report),
        *_failures(evaluation),
        *_differences(report),
        *_curves(report),
        *_galleries(evaluation),
        *_copies(evaluation),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Evaluation</title><style>{_STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:.5rem 0;display:block;overflow-x:auto}"
    "th,td{border:1px solid #ccc;padding:.2rem .5rem;text-align:right}th:first-child,td:first-child{text-align:left}"
    ".flag{color:#a00;font-weight:600}.mark{color:#a60}.tiles{display:flex;flex-wrap:wrap;gap:.6rem}"
    "figure{margin:0;width:12rem}figure img{width:100%;image-rendering:pixelated;border:1px solid #ddd}"
    "figcaption{font-size:12px;color:#555}svg{max-width:24rem}summary{cursor:pointer}"
)


def _summary(report: Json) -> str:
    real = report["reference"]["real_accuracy"]
    counts = {split: sum(by_class.values()) for split, by_class in report["data"].items()}
    return (
        f"<p>{len(report['classes'])} classes; {counts['train']} training and {counts['val']} held-out pictures. The "
        f"classifier, which never saw a drawn picture, is right on {real['value']:.1%} of held-out real ones. Numbers "
        "in brackets are 95 % intervals; hover over a number for what it rests on.</p>"
    )


def _flag_lines(report: Json) -> Iterator[str]:
    for row in report["models"]:
        for flag in row["flags"]:
            where = [found["name"] for found in row["sets"] if flag in found["flags"]]
            yield (
                f'<p class="flag">{_text(row["name"])}: {flag}: {_text(FLAGS[flag])} ({_text("; ".join(where))}).</p>'
            )


def _tables(report: Json) -> Iterator[str]:
    for place, given in enumerate(report["sets"]):
        rows = [(row["name"], row["sets"][place], row["milliseconds"]["median"]) for row in report["models"]]
        shown = [column for column in COLUMNS if any(at(found, column[2]) for _, found, _ in rows)]
        yield f"<h2>{_text(given['name'])}: {given['drawings']} drawings</h2>"
        heads = "".join(f"<th>{_text(heading)}</th>" for heading, _, _ in shown)
        yield f"<table><tr><th>model</th>{heads}<th>ms a drawing</th></tr>"
        for name, found, milliseconds in rows:
            cells = "".join(_cell(found, way, path) for _, way, path in shown)
            yield f"<tr><td>{_text(name)}</td>{cells}<td>{milliseconds:.1f}</td></tr>"
        yield "</table>"
        for name, found, _ in rows:
            by_class = found["right_class"]["by_class"]
            ordered = sorted(by_class, key=lambda one: float(by_class[one]))
            told = ", ".join(f"{_text(one)} {by_class[one]:.0%}" for one in ordered)
            yield f"<p>{_text(name)}, right class, worst first: {told}.</p>"


def _cell(found: Json, way: str, path: tuple[str, ...]) -> str:
    about = at(found, path) or {}
    hover = "; ".join(f"{key}: {value}" for key, value in about.items() if key not in ("value", "low", "high"))
    mark = ' <span class="mark">unreliable</span>' if "unreliable" in about else ""
    return f'<td title="{_text(hover)}">{written(found, way, path)}{mark}</td>'


def _failures(evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>Failures first</h2><p>Drawing | the model's own edge map | picture.</p>"
    for name, sets in evaluation.scored.items():
        for scored in sets.values():
            order = np.lexsort((scored.f_score, scored.right))[:FAILURES]
            yield f"<h3>{_text(name)}, {_text(scored.drawn.inputs.name)}</h3>{_tiles(scored, order, evaluation)}"


def _galleries(evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>By class: worst, median and best by F-score of the lines</h2>"
    for name, sets in evaluation.scored.items():
        for scored in sets.values():
            yield f"<details><summary>{_text(name)}, {_text(scored.drawn.inputs.name)}</summary>"
            for number in np.unique(scored.drawn.labels):
                members = np.nonzero(scored.drawn.labels == number)[0]
                order = members[np.argsort(scored.f_score[members], kind="stable")]
                middle = max(0, len(order) // 2 - SHOWN // 2)
                parts = {"worst": order[:SHOWN], "median": order[middle : middle + SHOWN], "best": order[::-1][:SHOWN]}
                yield f"<h4>{_text(evaluation.train.classes[number])}</h4>"
                for part, chosen in parts.items():
                    yield f"<p>{part}</p>{_tiles(scored, chosen, evaluation)}"
            yield "</details>"


def _copies(evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>Nearest training pictures</h2><p>Picture | the training picture nearest by pixels, closest first.</p>"
    for name, sets in evaluation.scored.items():
        for scored in sets.values():
            order = np.argsort(np.nan_to_num(scored.relative, nan=np.inf), kind="stable")[:FAILURES]
            theirs = evaluation.train.images_u8[scored.neighbour[order]].permute(0, 2, 3, 1).numpy()
            tiles = [
                _figure(
                    [scored.drawn.pictures_u8[one], other],
                    f"{scored.relative[one]:.2f} of a held-out picture's distance",
                )
                for one, other in zip(order, theirs)
            ]
            yield f"<h3>{_text(name)}, {_text(scored.drawn.inputs.name)}</h3><div class='tiles'>{''.join(tiles)}</div>"


def _tiles(scored: Scored, chosen: Sequence[int] | npt.NDArray[np.int64], evaluation: Evaluation) -> str:
    drawn, classes = scored.drawn, evaluation.train.classes
    figures = []
    for one in chosen:
        number = int(drawn.number[one])
        asked, seen = classes[drawn.labels[one]], classes[scored.seen[one]]
        verdict = asked if asked == seen else f"{asked}, seen as {seen}"
        about = f"{verdict}; F {scored.f_score[one]:.2f}; {drawn.inputs.sources[number]}"
        figures.append(_figure([drawn.inputs.sketches_u8[number], drawn.edges_u8[one], drawn.pictures_u8[one]], about))
    return f"<div class='tiles'>{''.join(figures)}</div>"


def _figure(planes: Sequence[U8], about: str) -> str:
    strip = [np.repeat(plane[..., None], 3, axis=2) if plane.ndim == 2 else plane for plane in planes]
    stream = io.BytesIO()
    Image.fromarray(np.concatenate(strip, axis=1)).save(stream, "PNG")
    source = base64.b64encode(stream.getvalue()).decode()
    return f'<figure><img alt="" src="data:image/png;base64,{source}"><figcaption>{_text(about)}</figcaption></figure>'


def _differences(report: Json) -> Iterator[str]:
    for pair in report["differences"]:
        yield f"<h2>{_text(pair['first'])} minus {_text(pair['second'])}: {_text(pair['set'])}</h2><table>"
        for name in ("right", "f_score", "chamfer"):
            one = pair[name]
            told = "differ" if one["differs"] else "no difference to be seen"
            ends = f"[{one['low']:.4f}, {one['high']:.4f}]"
            yield f"<tr><td>{name}</td><td>{one['value']:.4f} {ends}</td><td>{told}</td></tr>"
        yield "</table>"


def _curves(report: Json) -> Iterator[str]:
    rows = [row for row in report["models"] if "robustness" in row]
    if rows:
        yield "<h2>Distorted drawings</h2><p>Solid: right class. Dashed: F-score of the lines. Both from 0 to 1.</p>"
        yield "<div class='tiles'>"
        for name, curve in rows[0]["robustness"].items():
            lines = "".join(_curve(row["robustness"][name], place) for place, row in enumerate(rows))
            yield (
                f'<figure style="width:16rem"><svg viewBox="-4 -4 108 68" role="img" aria-label="{name}">'
                f'<rect width="100" height="60" fill="none" stroke="#bbb"/>{lines}</svg>'
                f"<figcaption>{name}: {_text(curve['meaning'])}; "
                f"against {_text(curve['against'])}</figcaption></figure>"
            )
        names = ", ".join(
            f'<span style="color:{_COLOURS[k % 6]}">{_text(row["name"])}</span>' for k, row in enumerate(rows)
        )
        yield f"</div><p>{names}</p>"


_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")


def _curve(curve: Json, place: int) -> str:
    drawn = []
    for key, dashes in (("accuracy", ""), ("f_score", ' stroke-dasharray="3 2"')):
        points = " ".join(f"{100 * x:.1f},{60 * (1 - y):.1f}" for x, y in zip(curve["strengths"], curve[key]))
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{_COLOURS[place % 6]}"{dashes}/>')
    return "".join(drawn)


def _text(value: str) -> str:
    return html.escape(str(value))
