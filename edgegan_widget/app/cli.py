"""The command line: ``edgegan-widget COMMAND``; each command's options stand in one of the ``cli_`` files."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import os
import sys
import tempfile
import traceback

from edgegan_widget import __version__
from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.base.needs import without_torch

_NO_ROOM = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS") if hasattr(errno, name)}
COMMANDS = {  # what each is for, and what adds its options; that is loaded for the command that is asked for alone
    "dashboard": ("open the drawing page in the browser", "cli_drawing.add_dashboard"),
    "generate": ("turn the picture of a sketch into a picture of the object", "cli_drawing.add_generate"),
    "serve": ("let models draw for many people, on Ray", "cli_serving.add_serve"),
    "data": ("turn photos into data worth training on, and see what was refused", "cli_data.add_data"),
    "train": ("train a model on a folder of cut-outs or pairs", "cli_training.add_train"),
    "study": ("train a grid of settings; one table and one figure", "cli_training.add_study"),
    "train-guess": (
        "train the small classifier that names what is drawn, and put it into a model's folder",
        "cli_training.add_train_guess",
    ),
    "export": ("write a run's checkpoint as a model folder, to keep or to share", "cli_training.add_export"),
    "edges": ("show pictures with their edge maps, and these distorted as by a hand", "cli_drawing.add_edges"),
    "pack": ("put a folder of pictures into one file, to carry or load quickly", "cli_training.add_pack"),
    "evaluate": ("measure models side by side: realism, class, lines, variety, copies", "cli_evaluation.add_evaluate"),
    "compare": (
        "two models on the same drawings: differences with intervals, and a blinded vote",
        "cli_evaluation.add_compare",
    ),
    "index": (
        "make the pictures of a folder findable by what is drawn; run again, it adds what is new",
        "cli_retrieval.add_index",
    ),
    "cut-out": ("cut what stands out of photos: an RGBA PNG of the photo's size for each", "cli_photo.add_cut_out"),
    "train-cutout": (
        "train the network that cuts objects out, on photos with masks",
        "cli_photo.add_train_cutout",
    ),
    "erase": ("take away from a photo what a mask marks", "cli_photo.add_erase"),
    "replace": ("take an object out of a photo and put a drawn one in", "cli_photo.add_replace"),
    "compose": ("draw a saved scene at its photo's own size", "cli_photo.add_compose"),
    "import-tf": ("turn a TensorFlow checkpoint of the original into a model folder", "cli_training.add_import"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 after an error that is the user's to mend, 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(arguments).parse_args(arguments)
    shown = logging.StreamHandler()
    shown.setLevel(logging.INFO if options.verbose else logging.WARNING)  # a run's own log.txt gets more
    logging.basicConfig(format="%(message)s", handlers=[shown])
    logging.raiseExceptions = False  # a log that cannot be written tells no traceback
    try:
        options.run(options)
    except (EdgeGANError, ModuleNotFoundError) as error:
        told = str(error) if isinstance(error, EdgeGANError) else without_torch(error)
        if told is None:
            raise
        print(f"edgegan-widget: {told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who reads what is told has closed it, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        print(f"edgegan-widget: {_unforeseen(error)}", file=sys.stderr)
        return 1
    return 0


def _unforeseen(error: Exception) -> str:
    """A sentence about an error that nobody foresaw, and where the rest of it stands."""
    about = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and (error.filename is not None or error.errno in _NO_ROOM):
        place = "what was asked for" if error.filename is None else str(error.filename)
        return f"{place} cannot be written or read ({error.strerror or about}); choose another place, or make room."
    try:
        with tempfile.NamedTemporaryFile("w", prefix="edgegan-widget-", suffix=".log", delete=False) as file:
            file.write(f"edgegan-widget {' '.join(sys.argv[1:])}\n\n{traceback.format_exc()}")
    except OSError:
        return f"this should not happen: {about} ({type(error).__name__})."
    return f"this should not happen: {about} ({type(error).__name__}); {file.name} tells more, please report it."


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    about = "Draw a few lines and see the object appear."
    parser = argparse.ArgumentParser(prog="edgegan-widget", description=about)
    parser.add_argument("--version", action="version", version=f"edgegan-widget {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="say more about what is done")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = next((word for word in arguments if not word.startswith("-")), None)
    for name, (text, where) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name == asked:
            file, _, function = where.partition(".")
            getattr(importlib.import_module(f"edgegan_widget.app.{file}"), function)(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
