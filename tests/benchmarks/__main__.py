"""Figures of this machine: ``python3 start.py bench [PART] [options]``, or ``python -m tests.benchmarks`` by hand."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import ConfigError, EdgeGANError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.data.audit.rules import Judging
from edgegan_widget.training.config import DEVICES
from tests.benchmarks import audit, crowd, data, drawing, edges, evaluate, many, photo, serving, train

Figures = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Measure one part; 1 after an error that is the user's to mend."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except EdgeGANError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="start.py bench", description=__doc__)
    parts = parser.add_subparsers(required=True, metavar="PART")
    _add(parts, "draw", "raster and engine", lambda o: drawing.run(o.model, o.device))
    _add(parts, "page", "the same, and the page in a real Chromium", lambda o: drawing.run(o.model, o.device, True))
    part = _add(parts, "train", "steps, stops and kills", lambda o: train.run(o.device, o.browser, o.kills))
    part.add_argument("--browser", action="store_true", help="also drawing on the page beside a run")
    part.add_argument("--kills", type=int, default=10, help="how often to kill a run (default: 10)")
    part = _add(parts, "data", "photos to cut-outs", lambda o: data.run(o.workers))
    part.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    _add(parts, "edges", "pictures a second of each source", lambda o: _of_one_core(edges.rows()))
    _add(parts, "evaluate", "an evaluation's parts", lambda o: evaluate.run(o.model, o.device))
    text = "a page's kernel with and without torch, and many people with one engine"
    part = _add(parts, "many", text, lambda o: many.run(o.model, o.rounds, o.people))
    part.add_argument("--rounds", type=int, default=3, help="how often to open the page with each (default: 3)")
    part.add_argument("--people", type=int, default=crowd.PEOPLE, help="how many draw at once; 0: none (default: 20)")
    part = _add(parts, "serve", "a server for many", lambda o: serving.run(o.model, o.replicas, o.seconds, o.kills))
    part.add_argument("--replicas", type=int, default=1, metavar="N", help="engines (default: 1)")
    part.add_argument("--seconds", type=float, default=15.0, metavar="S", help="of each measurement (default: 15)")
    part.add_argument("--kills", type=int, default=3, metavar="N", help="how often to kill an engine (default: 3)")
    _add_photo(parts)
    _add_audit(parts)
    return parser


def _add(parts: Any, name: str, text: str, run: Callable[[argparse.Namespace], Figures]) -> argparse.ArgumentParser:
    part: argparse.ArgumentParser = parts.add_parser(name, help=text)
    part.add_argument("--model", default="default", help="name of a shipped model, or a model or run folder")
    part.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU where there is one")
    part.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    part.set_defaults(run=lambda options: _show(run(options), options.json))
    return part


def _show(figures: Figures, path: Path | None) -> None:
    print(drawing.table(figures))
    if path is not None:
        write_bytes(path, json.dumps(figures, indent=1) + "\n")


def _of_one_core(rows: list[Figures]) -> Figures:
    return {"machine": drawing.machine("CPU, one core"), "rows": rows}


def _add_photo(parts: Any) -> None:
    part = parts.add_parser("photo", help="objects cut out of photos and taken away, and masks mended")
    part.add_argument("--pairs", type=Path, metavar="DIR", help="photos NAME.jpg, each with its mask NAME.png")
    part.add_argument("--most", type=int, default=photo.KEPT, metavar="N", help="at most so many of those kept")
    part.add_argument("--cutout", metavar="FILE", help="another model than the shipped one")
    part.add_argument("--images", type=Path, metavar="DIR", help="photos of COCO, to take something away from")
    part.add_argument("--annotations", type=Path, metavar="FILE", help="their instances_....json")
    part.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    part.set_defaults(run=lambda o: _show(photo.run(o.pairs, o.most, o.cutout, o.images, o.annotations), o.json))


def _add_audit(parts: Any) -> None:
    part = parts.add_parser("audit", help="plant defects in real pictures, count what the audit finds")
    part.add_argument("--images", type=Path, metavar="DIR", help="photos of COCO")
    part.add_argument("--annotations", type=Path, metavar="FILE", help="their instances_....json")
    part.add_argument("--data", type=Path, metavar="DATA", help="or: a folder of cut-outs, <split>/<class>/*.png")
    part.add_argument("--half", choices=("odd", "even"), help="every other picture: one half to tune on, one to report")
    part.add_argument("--most", type=int, default=0, metavar="N", help="at most so many pictures, spread evenly")
    part.add_argument("--seed", type=int, default=0, metavar="N", help="of the plants (default: 0)")
    part.add_argument("--rounds", type=int, default=1, metavar="N", help="how often to plant (default: 1)")
    part.set_defaults(run=_audit)


def _audit(options: argparse.Namespace) -> None:
    if (options.data is None) == (options.images is None or options.annotations is None):
        raise ConfigError("defects are planted in photos or in cut-outs; give --images and --annotations, or --data.")
    if options.rounds < 1:
        raise ConfigError(f"rounds is {options.rounds}; it must be 1 or more.")
    found = audit.cut_outs(options.data) if options.data else audit.coco_photos(options.images, options.annotations)
    chosen, alone = audit.half(found, options.half or "", options.most), options.data is not None
    print(audit.table(audit.check(chosen, Judging().thresholds, options.seed, options.rounds, alone=alone)))


if __name__ == "__main__":
    sys.exit(main())
