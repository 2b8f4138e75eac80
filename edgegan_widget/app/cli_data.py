"""The commands of ``edgegan-widget data``: from photos to a folder to train on."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgegan_widget.app.progress import bar
from edgegan_widget.base.options import add_command, add_options, chosen, path
from edgegan_widget.data.audit.rules import Judging
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.readers import ReaderKind, kinds, split_names
from edgegan_widget.data.sources import Making
from edgegan_widget.sketch.sources import told

if TYPE_CHECKING:
    from edgegan_widget.data.preparing.build import Progress
    from edgegan_widget.data.preparing.finish import Summary

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

__all__ = ["add_data"]

_MOST_SHOWN = 10  # problems; all of them are in problems.txt


def add_data(command: argparse.ArgumentParser) -> None:
    """From photos to a folder to train on."""
    actions = command.add_subparsers(required=True, metavar="ACTION")
    for kind in kinds().values():
        _add_reader(actions, kind)
    for add in (_to_pairs, _audit, _download):
        add(actions)


def _add_reader(actions: Commands, kind: ReaderKind) -> None:
    """The command that prepares a data folder from a kind of source; its options are those that the reader declares."""
    command = add_command(actions, kind.command, kind.about, lambda options: _prepare(kind, options))
    add_options(command, kind.options)
    command.add_argument("--out", type=path, required=True, metavar="DATA", help="data folder; it may hold others")
    command.add_argument(
        "--name", default=kind.name, help=f"what is read is known by it in DATA (default: {kind.name})"
    )
    add_options(command, Making)
    _add_where(command)
    add_options(command, Judging)
    if kind.keeps_refused:
        command.set_defaults(keep_refused=True)


def _add_where(command: argparse.ArgumentParser) -> None:
    add_options(command, Where)
    command.add_argument("--edges", default="", metavar="SOURCES", help=f"keep edge maps in DATA/edges: {told()}")


def _prepare(kind: ReaderKind, options: argparse.Namespace) -> None:
    from edgegan_widget.data.preparing.build import Options, build
    from edgegan_widget.data.preparing.plan import Plan, keep_plan

    made = Options(chosen(options, Making()), chosen(options, Judging()), *_where(options))
    asked, out = chosen(options, kind.options()), options.out
    _wait_for(kind, asked, out)
    reader = kind.read(asked, out)
    summary = _follow(build(out, options.name, reader, made))
    _show(out, summary)
    keep_plan(Plan(options.name, dataclasses.asdict(asked), str(out), made))
    for line in kind.after(asked, reader) if kind.after is not None else ():
        print(line)
    summary.check(out)
    print(f"Train with it: edgegan-widget train {out}")


def _wait_for(kind: ReaderKind, asked: Any, out: Path) -> None:
    parts = kind.before(asked, out) if kind.before is not None else ()
    for _ in bar(iterable=parts, desc=kind.doing, unit=" pictures", delay=0.5):
        pass


def _where(options: argparse.Namespace) -> tuple[Where, tuple[str, ...]]:
    """Which processes work, and which edge maps they are to draw."""
    return chosen(options, Where()), split_names(options.edges)


def _to_pairs(actions: Commands) -> None:
    command = add_command(actions, "to-pairs", "write a data folder as the original's 64x128 files", _write_pairs)
    command.add_argument("data", type=path, metavar="DATA", help="folder <split>/<class>/*.png")
    command.add_argument("--out", type=path, required=True, metavar="DIR", help="gets train and test")
    command.add_argument("--single", action="store_true", help="the single-class layout: no numbered folders")


def _write_pairs(options: argparse.Namespace) -> None:
    from edgegan_widget.data.readers.pairs import write_pairs

    done = list(write_pairs(options.data, options.out, options.single))
    _show_problems([problem for problem in done if problem], None)
    print(f"{options.out}: {done.count('')} pairs; train the original with --dataroot and --dataset for this folder")


def _audit(actions: Commands) -> None:
    command = add_command(actions, "audit", "judge a data folder; write report and list, delete nothing", _run_audit)
    command.add_argument("data", type=path, metavar="DATA", help="folder <split>/<class>/*.png, made here or not")
    command.add_argument("--apply", action="store_true", help="move what is refused to DATA/refused, and back")
    _add_where(command)
    add_options(command, Judging)


def _run_audit(options: argparse.Namespace) -> None:
    from edgegan_widget.data.audit.rules import load_judging
    from edgegan_widget.data.preparing.build import audit

    judging = chosen(options, load_judging(options.data))
    summary = _follow(audit(options.data, judging, options.apply, *_where(options)))
    _show(options.data, summary)
    if not options.apply:
        print("Nothing was moved; add --apply to set aside what is refused.")


def _download(actions: Commands) -> None:
    command = add_command(actions, "download", "fetch a public data set from its official address", _run_download)
    command.add_argument("what", choices=("coco", "sketchycoco", "quickdraw"))
    command.add_argument("--out", type=path, required=True, metavar="DIR", help="where the files go")
    command.add_argument("--classes", default="", metavar="A,B", help="quickdraw: class names, divided by commas")
    command.add_argument("--part", default="val2017", choices=("val2017", "train2017"), help="coco (default: val2017)")


def _run_download(options: argparse.Namespace) -> None:
    from edgegan_widget.data.download import download, files

    for each in files(options.what, split_names(options.classes), options.part):
        with bar(desc=each.name, unit="B", unit_scale=True) as shown:
            for done, total in download(each, options.out):
                shown.total = total
                shown.update(done - shown.n)
    print(f"{options.out}: fetched and checked")


def _follow(reports: Iterator[Progress]) -> Summary:
    with bar(unit=" sources", delay=0.5) as shown:  # what fails at once shows no bar
        for progress in reports:
            shown.set_postfix_str(_about(progress), refresh=False)
            shown.update(progress.sources - shown.n)
    if progress.summary is None:
        raise RuntimeError("the preparation ended without a summary")
    return progress.summary


def _about(progress: Progress) -> str:
    drawn = f", edge maps of {progress.edge_maps}" if progress.edge_maps else ""
    return f"{progress.objects} objects, {progress.problems} problems{drawn}"


def _show(data: Path, summary: Summary) -> None:
    from edgegan_widget.data.audit.rules import REASONS

    for (name, split), count in sorted(summary.pictures.items()):
        print(f"{name:<20} {split:<6} {count:>8,}")
    for reason, count in summary.reasons.most_common():
        print(f"audit: {REASONS.get(reason, reason):<29} {count:>8,}")
    if summary.problems:
        lines = (data / "problems.txt").read_text("utf-8").splitlines()
        _show_problems(lines, data / "problems.txt")
    for warning in summary.warnings:
        print(f"note: {warning}")
    print(f"{data}: {summary.pictures.total():,} pictures, {summary.outcome}; why: {data / 'audit.html'}")


def _show_problems(problems: list[str], path: Path | None) -> None:
    for problem in problems[:_MOST_SHOWN]:
        print(f"left out: {problem}")
    if len(problems) > _MOST_SHOWN:
        print(f"... and {len(problems) - _MOST_SHOWN:,} more" + (f", all in {path}" if path else ""))
