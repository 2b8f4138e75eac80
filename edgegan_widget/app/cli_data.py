"""The commands of ``edgegan-widget data``: from photos to a folder to train on."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.sketch.sources import told

if TYPE_CHECKING:
    from edgegan_widget.data.audit.judging import Judging
    from edgegan_widget.data.build import Options, Progress
    from edgegan_widget.data.finish import Summary
    from edgegan_widget.data.sources import Source

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

__all__ = ["add_data"]

_MOST_SHOWN = 10  # problems; all of them are in problems.txt


def add_data(commands: Commands) -> None:
    """From photos to a folder to train on."""
    group = commands.add_parser("data", help="turn photos into data worth training on, and see what was refused")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    for add in (_coco, _sketchycoco, _folder, _pairs, _to_pairs, _audit, _sample, _download):
        add(actions)


def _command(
    actions: Commands, name: str, text: str, run: Callable[[argparse.Namespace], None], part: str = ""
) -> argparse.ArgumentParser:
    """A command; with ``part``, one that fills a data folder."""
    command = actions.add_parser(name, help=text)
    command.set_defaults(run=run)
    if part:
        command.add_argument("--out", type=Path, required=True, metavar="DATA", help="data folder; it may hold others")
        command.add_argument("--name", default=part, help=f"what is read is known by it in DATA (default: {part})")
        command.add_argument("--size", type=int, default=128, metavar="PX", help="side of cut-outs (default: 128)")
        command.add_argument("--margin", type=float, default=0.05, metavar="SHARE", help="free on each side")
        _add_where(command)
        _add_judging(command)
    return command


def _add_where(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workers", type=int, default=0, metavar="N", help="processes (default: one for a core)")
    text = "address of a Dask scheduler whose workers see DATA and the sources and do the work instead"
    command.add_argument("--dask", default="", metavar="SCHEDULER", help=text)
    command.add_argument("--edges", default="", metavar="SOURCES", help=f"keep edge maps in DATA/edges: {told()}")


def _add_judging(command: argparse.ArgumentParser) -> None:
    from edgegan_widget.data.audit.rules import Thresholds

    command.add_argument("--val-share", type=float, metavar="SHARE", help="to validate on (default: 0.1)")
    command.add_argument(
        "--keep-refused", action=argparse.BooleanOptionalAction, help="train on what the audit refuses too"
    )
    group = command.add_argument_group("audit: what is refused")
    for each in dataclasses.fields(Thresholds):
        text = f"{each.metadata['meaning'].replace('%', '%%')} (default: {each.default:g})"
        group.add_argument(f"--{each.name.replace('_', '-')}", type=float, metavar="X", help=text)


def _options(options: argparse.Namespace) -> Options:
    from edgegan_widget.data.audit.judging import Judging
    from edgegan_widget.data.build import Options
    from edgegan_widget.data.sources import Making

    making, judging = Making(options.size, options.margin), _judging(options, Judging())
    kept = (judging.val_share, judging.thresholds, judging.keep_refused)
    return Options(making, *kept, options.workers, options.dask, _names(options.edges))


def _judging(options: argparse.Namespace, base: Judging) -> Judging:
    """``base`` with what the command line changes."""
    names = [each.name for each in dataclasses.fields(base.thresholds)]
    changes = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return dataclasses.replace(
        base,
        thresholds=dataclasses.replace(base.thresholds, **changes),
        val_share=base.val_share if options.val_share is None else options.val_share,
        keep_refused=base.keep_refused if options.keep_refused is None else options.keep_refused,
    )


def _coco(actions: Commands) -> None:
    command = _command(actions, "from-coco", "cut out the objects of COCO's instances", _from_coco, "coco")
    command.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of the photos")
    command.add_argument("--annotations", type=Path, required=True, metavar="FILE", help="instances_....json")
    command.add_argument("--classes", default="", metavar="A,B", help="class names, divided by commas (default: all)")


def _from_coco(options: argparse.Namespace) -> None:
    from edgegan_widget.data.readers.coco import CocoReader

    _prepare(options, CocoReader(options.images, options.annotations, _names(options.classes)))


def _sketchycoco(actions: Commands) -> None:
    text = "take SketchyCOCO's object-level data"
    command = _command(actions, "from-sketchycoco", text, _from_sketchycoco, "sketchycoco")
    command.add_argument("root", type=Path, metavar="ROOT", help="folder with GT, Edge and Sketch")
    command.add_argument("--classes", default="", metavar="A,B", help="class names, divided by commas (default: all)")
    command.add_argument("--animals", action="store_true", help="the five animals of the reference retraining")
    command.add_argument("--own-edges", action="store_true", help="pairs with SketchyCOCO's own edge maps")
    text = "also write people's sketches of its validation split, for evaluate --sketches DIR"
    command.add_argument("--sketches", type=Path, metavar="DIR", help=text)


def _from_sketchycoco(options: argparse.Namespace) -> None:
    from edgegan_widget.data.readers.sketchycoco import ANIMALS, SketchyCocoReader

    classes = ANIMALS if options.animals else _names(options.classes)
    reader = SketchyCocoReader(options.root, classes, options.own_edges)
    _prepare(options, reader)
    if options.sketches:
        done = list(reader.write_sketches(options.sketches))
        _show_problems([problem for problem in done if problem], None)
        print(f"{options.sketches}: {done.count('')} sketches; edgegan-widget evaluate takes them as --sketches")


def _folder(actions: Commands) -> None:
    text = "take pictures that are transparent, on white, or have masks"
    command = _command(actions, "from-folder", text, _from_folder, "folder")
    command.add_argument("folder", type=Path, metavar="DIR", help="DIR/<class>/*, or with --class DIR/*")
    command.add_argument("--class", dest="label", default="", metavar="NAME", help="what all pictures show")
    command.add_argument("--masks", type=Path, metavar="DIR", help="masks under the same names (default: DIR/masks)")
    command.add_argument("--licence", default="unknown", metavar="TEXT", help="of all pictures, for the manifest")


def _from_folder(options: argparse.Namespace) -> None:
    from edgegan_widget.data.readers.folder import FolderReader

    _prepare(options, FolderReader(options.folder, options.label, options.masks, options.licence))


def _pairs(actions: Commands) -> None:
    command = _command(actions, "from-pairs", "take the original's [edge | image] files", _from_pairs, "pairs")
    command.add_argument("folder", type=Path, metavar="DIR", help="with train/*.png or train/<class number>/*.png")
    command.add_argument("--classes", default="", metavar="A,B", help="names by number (default: the original's 14)")


def _from_pairs(options: argparse.Namespace) -> None:
    from edgegan_widget.data.readers.pairs import PairReader

    _prepare(options, PairReader(options.folder, _names(options.classes)))


def _to_pairs(actions: Commands) -> None:
    command = _command(actions, "to-pairs", "write a data folder as the original's 64x128 files", _write_pairs)
    command.add_argument("data", type=Path, metavar="DATA", help="folder <split>/<class>/*.png")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets train and test")
    command.add_argument("--single", action="store_true", help="the single-class layout: no numbered folders")


def _write_pairs(options: argparse.Namespace) -> None:
    from edgegan_widget.data.readers.pairs import write_pairs

    done = list(write_pairs(options.data, options.out, options.single))
    _show_problems([problem for problem in done if problem], None)
    print(f"{options.out}: {done.count('')} pairs; train the original with --dataroot and --dataset for this folder")


def _audit(actions: Commands) -> None:
    command = _command(actions, "audit", "judge a data folder; write report and list, delete nothing", _run_audit)
    command.add_argument("data", type=Path, metavar="DATA", help="folder <split>/<class>/*.png, made here or not")
    command.add_argument("--apply", action="store_true", help="move what is refused to DATA/refused, and back")
    _add_where(command)
    _add_judging(command)


def _run_audit(options: argparse.Namespace) -> None:
    from edgegan_widget.data.audit.judging import load_judging
    from edgegan_widget.data.audit_folder import audit

    judging = _judging(options, load_judging(options.data))
    summary = _follow(audit(options.data, judging, options.apply, options.workers, options.dask, _names(options.edges)))
    _show(options.data, summary, [])
    if not options.apply:
        print("Nothing was moved; add --apply to set aside what is refused.")


def _sample(actions: Commands) -> None:
    text = "draw a small data set by code: synthetic pictures to try everything with"
    command = _command(actions, "sample", text, _run_sample, "synthetic")
    command.add_argument("--count", type=int, default=60, metavar="N", help="pictures of each class (default: 60)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="other pictures (default: 0)")
    command.set_defaults(keep_refused=True)  # made to be tried with: what the audit would refuse is marked, and kept


def _run_sample(options: argparse.Namespace) -> None:
    from edgegan_widget.data.readers.synthetic import SyntheticReader, draw_photos

    draw_photos(options.out / ".synthetic", options.count, options.seed)
    _prepare(options, SyntheticReader(options.out / ".synthetic"))


def _download(actions: Commands) -> None:
    command = _command(actions, "download", "fetch a public data set from its official address", _run_download)
    command.add_argument("what", choices=("coco", "sketchycoco", "quickdraw"))
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")
    command.add_argument("--classes", default="", metavar="A,B", help="quickdraw: class names, divided by commas")
    command.add_argument("--part", default="val2017", choices=("val2017", "train2017"), help="coco (default: val2017)")


def _run_download(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from edgegan_widget.data.download import download, files

    for each in files(options.what, _names(options.classes), options.part):
        with tqdm(desc=each.name, unit="B", unit_scale=True, dynamic_ncols=True) as bar:
            for done, total in download(each, options.out):
                bar.total = total
                bar.update(done - bar.n)
    print(f"{options.out}: fetched and checked")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _prepare(options: argparse.Namespace, reader: Iterable[Source]) -> None:
    from edgegan_widget.data.build import build

    summary = _follow(build(options.out, options.name, reader, _options(options)))
    _show(options.out, summary, getattr(reader, "problems", []))


def _follow(reports: Iterator[Progress]) -> Summary:
    from tqdm import tqdm

    with tqdm(unit=" sources", dynamic_ncols=True, delay=0.5) as bar:  # what fails at once shows no bar
        for progress in reports:
            bar.set_postfix_str(_about(progress), refresh=False)
            bar.update(progress.sources - bar.n)
    if progress.summary is None:
        raise RuntimeError("the preparation ended without a summary")
    return progress.summary


def _about(progress: Progress) -> str:
    drawn = f", edge maps of {progress.edge_maps}" if progress.edge_maps else ""
    return f"{progress.objects} objects, {progress.problems} problems{drawn}"


def _show(data: Path, summary: Summary, problems: list[str]) -> None:
    from edgegan_widget.data.audit.rules import REASONS

    for (name, split), count in sorted(summary.pictures.items()):
        print(f"{name:<20} {split:<6} {count:>8,}")
    for reason, count in summary.reasons.most_common():
        print(f"audit: {REASONS.get(reason, reason):<29} {count:>8,}")
    _show_problems(problems, None)
    if summary.problems:
        lines = (data / "problems.txt").read_text("utf-8").splitlines()
        _show_problems(lines, data / "problems.txt")
    for warning in summary.warnings:
        print(f"note: {warning}")
    print(f"{data}: {summary.pictures.total():,} pictures, {summary.outcome}; why: {data / 'audit.html'}")
    print(f"Train with it: edgegan-widget train {data}")


def _show_problems(problems: list[str], path: Path | None) -> None:
    for problem in problems[:_MOST_SHOWN]:
        print(f"left out: {problem}")
    if len(problems) > _MOST_SHOWN:
        print(f"... and {len(problems) - _MOST_SHOWN:,} more" + (f", all in {path}" if path else ""))
