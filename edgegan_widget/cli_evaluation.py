"""``edgegan-widget evaluate``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.config import DEVICES
from edgegan_widget.files import write_bytes

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

__all__ = ["add_evaluate"]


def add_evaluate(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "evaluate", help="measure models side by side: realism, class, lines, variety, copies"
    )
    command.add_argument("models", nargs="+", metavar="MODEL", help="shipped models by name, model or run folders")
    command.add_argument("--data", required=True, type=Path, metavar="DATA", help="folder with train and val")
    command.add_argument("--sketches", type=Path, metavar="DIR", help="people's sketches, in folders named by class")
    command.add_argument("--out", required=True, type=Path, metavar="REPORT", help="REPORT.json and REPORT.html")
    command.add_argument(
        "--inception", default="auto", metavar="FILE",
        help="weights for FID; auto takes them from torch's cache if there, download fetches them, none does without",
    )  # fmt: skip
    command.add_argument(
        "--per-class", type=int, default=0, metavar="N", help="most drawings of a class (default: all)"
    )
    command.add_argument("--variations", type=int, default=1, metavar="N", help="pictures of each drawing (default: 1)")
    command.add_argument("--robustness", type=int, default=4, metavar="N", help="distorted drawings a class; 0: none")
    command.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU where there is one")
    command.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from edgegan_widget.engine import EdgeGAN
    from edgegan_widget.evaluation import EvaluationConfig, evaluate
    from edgegan_widget.report import page, table

    config = EvaluationConfig(
        options.per_class, options.variations, options.robustness, inception=_inception(options.inception)
    )
    models = [EdgeGAN.from_pretrained(name, options.device) for name in options.models]
    told = ""
    for step in evaluate(models, options.data, options.sketches, config):
        if step.message != told:
            told = step.message
            print(f"{step.fraction:4.0%}  {told}", file=sys.stderr)
        if step.evaluation is not None:
            stem = options.out.with_suffix("") if options.out.suffix in (".html", ".json") else options.out
            write_bytes(stem.with_name(f"{stem.name}.json"), json.dumps(step.evaluation.report, indent=1) + "\n")
            write_bytes(stem.with_name(f"{stem.name}.html"), page(step.evaluation))
            print(table(step.evaluation.report))


def _inception(given: str) -> str:
    from edgegan_widget.metrics.inception import download_weights, find_weights

    if given in ("auto", "download"):
        found = find_weights()
        return str(found or (download_weights() if given == "download" else ""))
    return "" if given == "none" else given
