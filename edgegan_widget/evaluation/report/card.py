"""The numbers of an evaluation in the model's own README, between two marks; everything else in it stays."""

from __future__ import annotations

from pathlib import Path

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.units import Json
from edgegan_widget.base.words import spoken
from edgegan_widget.evaluation.metrics import Metric, at, metrics
from edgegan_widget.evaluation.report.table import by_class, cell, left_out_line, not_measured, people_line, shown
from edgegan_widget.networks.find import find_model

__all__ = ["BEGIN", "END", "section", "write_card"]

BEGIN, END = "<!-- evaluation: begin -->", "<!-- evaluation: end -->"


def write_card(model: str, report: Json, command: str) -> Path:
    """Write, or write anew, the section of numbers; at the end where the card has none yet.

    Parameters
    ----------
    model
        Name of a shipped model, or a model folder.
    report
        JSON of an evaluation of this model alone.
    command
        What makes this section again.

    Raises
    ------
    ModelError
        It is a run or a checkpoint, which has no card, or the marks in the card are not a pair, or it is not text.
    """
    folder = find_model(model)
    if not folder.is_dir():
        raise ModelError(f"{model} has no card; make it a model folder with edgegan-widget export, then evaluate that.")
    path = folder / "README.md"
    try:
        before = path.read_text("utf-8") if path.exists() else f"# {folder.name}\n"
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read ({error}); repair it, or give --out instead of --card.") from error
    begin, end = before.find(BEGIN), before.find(END)
    if (begin < 0) != (end < 0) or end < begin or before.count(BEGIN) > 1 or before.count(END) > 1:
        raise ModelError(f"{path} has {BEGIN} and {END} not once each in this order; mend or remove them.")
    told = f"{BEGIN}\n{section(report, command)}{END}"
    after = f"{before.rstrip()}\n\n{told}\n" if begin < 0 else before[:begin] + told + before[end + len(END) :]
    write_bytes(path, after)
    return path


def section(report: Json, command: str) -> str:
    """The numbers of the first model as Markdown, with what they rest on and the command that makes them again."""
    row = report["models"][0]
    sets = row["sets"]
    lines = [
        "## How good it is",
        f"Made by `{command}` with version {report['version']}; brackets are 95 % intervals over the drawings.",
        "",
        *_rows(["", *(f"{found['name']} ({found['drawings']})" for found in sets)], _numbers(sets)),
        "",
        *_judge(report),
        *_people(report),
        *_realism(sets),
        f"- **Time**: {row['milliseconds']['median']:.1f} ms a picture in the median, "
        f"{row['milliseconds']['p95']:.1f} ms at the 95th percentile, drawn alone on the machine that measured.",
        f"- **Flags**: {', '.join(row['flags']) or 'none'} (of {', '.join(report['flags'])}).",
        *_by_class(report, sets),
    ]
    return "\n".join(lines) + "\n"


def _numbers(sets: list[Json]) -> list[list[str]]:
    return [[metric.title, *(_cell(found, metric) for found in sets)] for metric in shown(sets)]


def _cell(found: Json, metric: Metric) -> str:
    one = cell(found, metric)
    return one.text + (" (unreliable)" if one.unreliable else "")


def _realism(sets: list[Json]) -> list[str]:
    """What the distances and shares rest on that are told of the real pictures too."""
    every = (at(found, metric.path) for found in sets for metric in metrics() if metric.of_sets)
    about = next(filter(None, every), None)
    if about is None:
        return []
    told = f"- **Realism** (distances, precision to coverage): features of the {about['extractor']}"
    return [f"{told}, {about['real']} real held-out pictures or fewer."]


def _judge(report: Json) -> list[str]:
    """What classes are judged by; where there is a single one, what that leaves out."""
    train, val = (sum(report["data"][split].values()) for split in ("train", "val"))
    about = report["reference"].get("real_accuracy")
    if about is None:
        return [f"- **Not measured**: {not_measured(report)}"]
    return [
        f"- **Judge of classes**: a small classifier trained on the {train} real training pictures; right on "
        f"{about['value']:.1%} of {val} real held-out ones."
    ]


def _people(report: Json) -> list[str]:
    """What was asked of people's drawings."""
    heading, _, told = people_line(report).partition(": ")
    missing = [f"- **Left out**: {left_out_line(report)}"] if left_out_line(report) else []
    return [*([f"- **{heading}**: {told}"] if told else []), *missing]


def _by_class(report: Json, sets: list[Json]) -> list[str]:
    """A table a number that is told class by class."""
    tables: dict[Metric, list[dict[str, float]]] = {}
    for found in sets:
        for metric, numbers in by_class(found):
            tables.setdefault(metric, []).append(numbers)
    lines = []
    for metric, every in tables.items():
        body = [
            [spoken(name), *(f"{one[name]:.0%}" if name in one else "" for one in every)] for name in report["classes"]
        ]
        heads = ["class", *(found["name"] for found in sets)]
        lines += ["", f"{metric.heading[:1].upper()}{metric.heading[1:]} by class:", "", *_rows(heads, body)]
    return lines


def _rows(heads: list[str], body: list[list[str]]) -> list[str]:
    every = [heads, ["---"] * len(heads), *body]
    return [f"| {' | '.join(cells)} |" for cells in every]
