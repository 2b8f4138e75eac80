"""``edgegan-widget evaluate`` and ``edgegan-widget compare``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import check_place, write_bytes
from edgegan_widget.base.needs import device_of
from edgegan_widget.base.options import add_options, chosen, flag, given, path
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.evaluation.metrics import metrics
from edgegan_widget.training.config import DEVICES

if TYPE_CHECKING:
    from edgegan_widget.evaluation.judge import Evaluation

__all__ = ["add_compare", "add_evaluate"]

UNCOMPARED = ("robustness_per_class", "swapped_per_class", "colour_seeds")  # what two models are not compared by


def add_evaluate(command: argparse.ArgumentParser) -> None:
    """Models side by side."""
    command.set_defaults(run=_evaluate)
    command.epilog = f"Numbers: {'; '.join(metric.title for metric in metrics())}."
    command.add_argument("models", nargs="+", metavar="MODEL", help="shipped models by name, model or run folders")
    command.add_argument("--data", required=True, type=path, metavar="DATA", help="folder with train and val")
    command.add_argument("--out", type=path, metavar="REPORT", help="REPORT.json and REPORT.html")
    command.add_argument("--samples", type=path, metavar="FILE.png", help="drawings, edge maps, pictures; not picked")
    command.add_argument("--card", action="store_true", help="write the numbers into the model's own README.md")
    _add_settings(command)


def add_compare(command: argparse.ArgumentParser) -> None:
    """Two models on the same drawings."""
    command.set_defaults(run=_compare)
    command.add_argument("given", nargs="+", metavar="MODEL", help="two models; with --tally, the REPORT.json")
    command.add_argument("--data", type=path, metavar="DATA", help="folder with train and val")
    command.add_argument("--out", type=path, metavar="REPORT", help="REPORT.json, REPORT.html and REPORT-blind.html")
    command.add_argument("--pairs", type=int, default=40, metavar="N", help="most pairs to vote on (default: 40)")
    text = "of the pairs, their order and sides (default: 0)"  # not of the evaluation, whose seed this is not to change
    command.add_argument("--seed", dest="ballot_seed", metavar="SEED", type=int, default=0, help=text)
    command.add_argument("--tally", type=path, metavar="VOTES.json", help="count the votes of the blinded page")
    _add_settings(command, ("seed", *UNCOMPARED))
    command.set_defaults(**dict.fromkeys(UNCOMPARED, 0))


def _add_settings(command: argparse.ArgumentParser, without: tuple[str, ...] = ()) -> None:
    command.add_argument("--sketches", type=path, metavar="DIR", help="people's sketches, in folders named by class")
    command.add_argument(
        "--inception", default="auto", metavar="FILE",
        help="weights for FID; auto takes them from torch's cache if there, download fetches them, none does without",
    )  # fmt: skip
    command.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU where there is one")
    add_options(command, EvaluationConfig, ("inception", *without))


def _evaluate(options: argparse.Namespace) -> None:
    from edgegan_widget.evaluation.report.card import write_card
    from edgegan_widget.evaluation.report.page import page
    from edgegan_widget.evaluation.report.pictures import write_samples
    from edgegan_widget.evaluation.report.table import left_out_line, not_measured, people_line, table

    if options.out is None and options.samples is None and not options.card:
        raise ConfigError("there is nowhere to write to; give --out REPORT, --samples FILE.png or --card.")
    if (options.card or options.samples) and len(options.models) > 1:
        raise ConfigError(
            f"--card and --samples are for one model; {len(options.models)} are given. Take them one by one."
        )
    for place in filter(None, (options.out, options.samples)):
        check_place(place)  # before the minutes of measuring
    found = _evaluated(options.models, options)
    if options.out is not None:
        stem = _stem(options.out)
        _write_json(stem, found.report)
        write_bytes(_beside(stem, ".html"), page(found))
    if options.samples is not None:
        write_samples(options.samples, found)
    if options.card:
        print(f"{write_card(options.models[0], found.report, _command(options))}: the numbers are written")
    told = (line(found.report) for line in (table, not_measured, people_line, left_out_line))
    print("\n".join(filter(None, told)))


def _command(options: argparse.Namespace) -> str:
    """What was asked for, with the folders' names but not where they lie here."""
    words = ["edgegan-widget", "evaluate", Path(options.models[0]).name, "--data", options.data.name]
    if options.sketches:
        words += ["--sketches", options.sketches.name]
    usual = EvaluationConfig()
    for field in dataclasses.fields(usual):
        value = given(options, EvaluationConfig).get(field.name)
        if field.name not in ("inception", "cache") and value not in (None, getattr(usual, field.name)):
            words += [flag(field), *(value if isinstance(value, tuple) else [str(value)])]
    return " ".join([*words, "--card"])


def _compare(options: argparse.Namespace) -> None:
    if options.tally is not None:
        _tally(options)
        return
    missing = [name for name in ("data", "out") if getattr(options, name) is None]
    if len(options.given) != 2 or missing:
        raise ConfigError(
            "to compare, give two models, --data DATA and --out REPORT; to count votes, --tally VOTES.json. Given "
            f"{'is 1 model' if len(options.given) == 1 else f'are {len(options.given)} models'}"
            f"{''.join(f', no --{name}' for name in missing)}."
        )
    if options.pairs < 1 or options.ballot_seed < 0:
        raise ConfigError(
            f"--pairs is {options.pairs} and --seed {options.ballot_seed}; they must be at least 1 and 0."
        )
    from edgegan_widget.evaluation.comparison import compare
    from edgegan_widget.evaluation.report.page import comparison_page, comparison_text
    from edgegan_widget.evaluation.report.vote import blind_page, choose_ballots, vote_json

    check_place(options.out)
    found = _evaluated(options.given, options)
    ballots = choose_ballots(found, options.pairs, options.ballot_seed)
    compared = compare(found)
    compared["vote"] = vote_json(ballots, compared["models"], options.ballot_seed)
    stem = _stem(options.out)
    blind = _beside(stem, "-blind.html")
    _write_json(stem, compared)
    write_bytes(_beside(stem, ".html"), comparison_page(found, compared, blind.name))
    write_bytes(blind, blind_page(found, ballots, compared["vote"]))
    print(comparison_text(compared))
    print(f"vote without knowing which is which: {blind}")


def _tally(options: argparse.Namespace) -> None:
    from edgegan_widget.evaluation.report.vote import tally_file

    if len(options.given) != 1:
        raise ConfigError("to count votes, give one file: compare --tally VOTES.json REPORT.json")
    try:
        votes, report = options.tally.read_bytes(), Path(options.given[0]).read_bytes()
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}); name a file that is there.") from error
    found, (first, second) = tally_file(votes, report)
    print(f"{first} {found.first}, {second} {found.second}, neither {found.equal}")
    if found.first + found.second:
        print(f"{first} was preferred in {found.share:.1%} of the decided pairs [{found.low:.1%}, {found.high:.1%}]; "
              f"sign test p = {found.p_value:.4f}")  # fmt: skip


def _evaluated(names: list[str], options: argparse.Namespace) -> Evaluation:
    """The evaluation, its progress told on the way."""
    from edgegan_widget.evaluation.evaluate import evaluate
    from edgegan_widget.networks.engine import EdgeGAN
    from edgegan_widget.networks.runners import ON_TORCH

    config = chosen(options, EvaluationConfig())
    config = dataclasses.replace(config, inception=_inception(options.inception))
    runner = ON_TORCH[device_of(options.device)]  # which draws many at once on all cores
    models = [EdgeGAN.from_pretrained(name, options.device, runner) for name in names]
    told = ""
    for step in evaluate(models, options.data, options.sketches, config):
        if step.message != told:
            told = step.message
            print(f"{step.fraction:4.0%}  {told}", file=sys.stderr)
        if step.evaluation is not None:
            return step.evaluation
    raise RuntimeError("the evaluation ended without a result")


def _stem(out: Path) -> Path:
    return out.with_suffix("") if out.suffix in (".html", ".json") else out


def _beside(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def _write_json(stem: Path, report: dict[str, Any]) -> None:
    write_bytes(_beside(stem, ".json"), json.dumps(report, indent=1) + "\n")


def _inception(given: str) -> str:
    from edgegan_widget.evaluation.inception import download_weights, find_weights

    if given in ("auto", "download"):
        found = find_weights()
        return str(found or (download_weights() if given == "download" else ""))
    return "" if given == "none" else given
