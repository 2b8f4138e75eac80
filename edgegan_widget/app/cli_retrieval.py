"""The command ``edgegan-widget index``: a folder's pictures made findable by what is drawn."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edgegan_widget.app.progress import bar
from edgegan_widget.base.options import path
from edgegan_widget.sketch.sources import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgegan_widget.retrieval.build import Progress

__all__ = ["add_index"]

_SOURCES = "full,contour"
_MOST_SHOWN = 10


def add_index(command: argparse.ArgumentParser) -> None:
    """Index a folder of pictures."""
    command.set_defaults(run=_index)
    about = "folder <split>/<class>/*.png, or one with a folder of pictures for each class"
    command.add_argument("data", type=path, metavar="DATA", help=about)
    command.add_argument("--out", type=path, metavar="DIR", help="where the index goes (default: DATA/index)")
    text = f"edge maps that drawings are compared with: {told()} (default: {_SOURCES})"
    command.add_argument("--edges", default=_SOURCES, metavar="SOURCES", help=text)
    command.add_argument("--workers", type=int, default=0, metavar="N", help="processes (default: one for each core)")


def _index(options: argparse.Namespace) -> None:
    from edgegan_widget.base.errors import ConfigError
    from edgegan_widget.retrieval.build import build
    from edgegan_widget.retrieval.index import FOLDER, Index

    if options.workers < 0:
        raise ConfigError(f"workers is {options.workers}; give a number of processes, or 0 for one for each core.")
    out = options.data / FOLDER if options.out is None else options.out
    last = _follow(build(options.data, out, options.edges, options.workers))
    for problem in last.problems[:_MOST_SHOWN]:
        print(f"left out: {problem}")
    if len(last.problems) > _MOST_SHOWN:
        print(f"... and {len(last.problems) - _MOST_SHOWN:,} more")
    index = Index.open(out)
    print(
        f"{out}: {len(index):,} pictures of {len(index.classes)} classes, {last.new - len(last.problems):,} of them new"
    )


def _follow(reports: Iterator[Progress]) -> Progress:
    with bar(unit=" pictures", delay=0.5) as shown:
        for progress in reports:
            shown.total = progress.new
            shown.update(progress.done - shown.n)
    return progress
