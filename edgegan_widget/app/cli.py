"""The command line: ``edgegan-widget COMMAND``."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget import __version__
from edgegan_widget.app.cli_data import add_data
from edgegan_widget.app.cli_edges import add_edges
from edgegan_widget.app.cli_evaluation import add_compare, add_evaluate
from edgegan_widget.app.cli_training import add_export, add_study, add_train
from edgegan_widget.base.errors import DataError, EdgeGANError
from edgegan_widget.base.files import write_atomic
from edgegan_widget.networks.config import SIZES_PX
from edgegan_widget.networks.runners import AUTO, names
from edgegan_widget.sketch.sources import always_drawn, told
from edgegan_widget.training.config import DEVICES, TrainConfig
from edgegan_widget.training.kinds import presets

if TYPE_CHECKING:
    from PIL import Image

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 after an error that is the user's to mend, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    shown = logging.StreamHandler()
    shown.setLevel(logging.INFO if options.verbose else logging.WARNING)  # a run's own log.txt gets more
    logging.basicConfig(format="%(message)s", handlers=[shown])
    try:
        options.run(options)
    except EdgeGANError as error:
        print(f"edgegan-widget: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edgegan-widget", description="Draw a few lines and see the object appear.")
    parser.add_argument("--version", action="version", version=f"edgegan-widget {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="say more about what is done")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_dashboard, _add_generate, add_data, add_train, add_study, add_export, add_edges, _add_pack,
        add_evaluate, add_compare,
        _add_import,
    ):  # fmt: skip
        add(commands)
    return parser


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", default="default", help="name of a shipped model, or a model or run folder")
    command.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU where there is one")
    command.add_argument("--runner", choices=names(), default=AUTO, help="how networks are run (default: as fits)")


def _add_dashboard(commands: Commands) -> None:
    command = commands.add_parser("dashboard", help="open the drawing page in the browser")
    _add_model(command)
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    command.add_argument("--port", type=int, default=8866, help="port (default: 8866, or the next free one)")
    command.add_argument("--token", help="secret in the page's address (default: a fresh one)")
    command.add_argument("--no-token", action="store_true", help="no secret; only for this machine's own use")
    command.add_argument("--no-browser", action="store_true", help="do not open a browser; print the address")
    command.add_argument("--no-preheat", action="store_true", help="keep no kernel waiting: less memory, slower page")
    command.add_argument("--runs", default="runs", metavar="DIR", help="folder of the training runs (default: runs)")
    command.set_defaults(run=_dashboard)


def _dashboard(options: argparse.Namespace) -> None:
    from edgegan_widget.app.dashboard import serve

    token = "" if options.no_token else options.token
    serve(
        options.model, options.device, options.host, options.port, token, runner=options.runner,
        open_browser=not options.no_browser, preheat=not options.no_preheat, runs=options.runs,
    )  # fmt: skip


def _add_generate(commands: Commands) -> None:
    command = commands.add_parser("generate", help="turn the picture of a sketch into a picture of the object")
    command.add_argument(
        "sketch", type=Path, metavar="SKETCH.png", help="sketch of any size, or a .json or .svg drawing"
    )
    command.add_argument("--class", dest="label", required=True, metavar="NAME", help="what it shows")
    command.add_argument("--out", type=Path, required=True, metavar="IMAGE.png", help="where the picture goes")
    command.add_argument("--edge", type=Path, metavar="EDGE.png", help="where the network's own edge map goes")
    command.add_argument("--seed", type=int, help="another look of the same sketch (default: the most likely one)")
    command.add_argument(
        "--style",
        type=_style,
        metavar="N|#RRGGBB",
        help="a style of the class by its number, or a colour (with a model that has styles)",
    )
    command.add_argument(
        "--transparent", action="store_true", help="without the white paper (with a model that draws alpha)"
    )
    _add_model(command)
    command.set_defaults(run=_generate)


def _style(text: str) -> int | str:
    """A style as :meth:`EdgeGAN.generate` takes it."""
    return int(text) if text.isdecimal() else text


def _generate(options: argparse.Namespace) -> None:
    from PIL import Image

    from edgegan_widget.networks.engine import EdgeGAN
    from edgegan_widget.sketch.trace import read_sketch

    model = EdgeGAN.from_pretrained(options.model, options.device, options.runner)
    sketch = read_sketch(options.sketch, model.sketch_px)
    result = model.generate(sketch, options.label, seed=options.seed, style=options.style)
    _save_png(result.to_pil(transparent=options.transparent), options.out)
    if options.edge:
        _save_png(Image.fromarray(result.edge), options.edge)
    print(f"{options.out}: {options.label} in {result.milliseconds:.0f} ms on {model.device_name}")


def _save_png(picture: Image.Image, path: Path) -> None:
    try:
        with write_atomic(path) as stream:
            picture.save(stream, "PNG")
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def _add_pack(commands: Commands) -> None:
    command = commands.add_parser("pack", help="put a folder of pictures into one file, to carry or load quickly")
    command.add_argument("data", type=Path, metavar="DATA", help="folder <split>/<class>/*.png")
    command.add_argument("--out", type=Path, required=True, metavar="FILE.npz", help="file to write")
    text = "with the sizes and edge maps that this preset trains on; options beside it change them"
    command.add_argument("--for", dest="preset", choices=sorted(presets()), help=text)
    command.add_argument("--size", type=int, choices=SIZES_PX, help="side in pixels (default: 64)")
    text = "side of the edge maps, where it differs: 64 for the projected recipe (default: that of the pictures)"
    command.add_argument("--sketch-size", type=int, choices=SIZES_PX, help=text)
    command.add_argument("--edges", default="", metavar="SOURCES", help=f"beside those always drawn: {told()}")
    text = "folders of people's drawings to take along; train takes FILE.npz as --sketches then"
    command.add_argument("--sketches", nargs="+", default=[], metavar="DIR", help=text)
    command.set_defaults(run=_pack)


def _pack(options: argparse.Namespace) -> None:
    from edgegan_widget.sketch.edges import parse_sources
    from edgegan_widget.training.dataset import pack

    wanted = TrainConfig.from_preset(options.preset) if options.preset else TrainConfig()
    wanted = dataclasses.replace(wanted, size_px=options.size or wanted.size_px)
    more: tuple[str, ...] = wanted.edge_sources
    if options.edges:
        more = tuple(source for source in parse_sources(options.edges) if source not in always_drawn())
    sketch_px = options.sketch_size or wanted.sketch_px
    counts = pack(options.data, options.out, wanted.size_px, more, sketch_px, options.sketches)
    print(f"{options.out}: {', '.join(f'{count} {split}' for split, count in counts.items())}")


def _add_import(commands: Commands) -> None:
    command = commands.add_parser("import-tf", help="turn a TensorFlow checkpoint of the original into a model folder")
    command.add_argument("checkpoint", metavar="CHECKPOINT_PREFIX", help="path without .index or .data-...")
    command.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="model folder to write")
    command.add_argument("--classes", nargs="+", metavar="NAME", help="class names in the model's order")
    command.set_defaults(run=_import)


def _import(options: argparse.Namespace) -> None:
    from edgegan_widget.networks.store import save_model
    from edgegan_widget.networks.tensorflow.convert import import_tensorflow

    networks, critics = import_tensorflow(options.checkpoint, options.classes)
    save_model(options.out, networks, half=False, critics=None if critics is None else critics.state_dict())
    held = "with" if critics is not None else "without"
    print(f"{options.out}: {len(networks.config.classes)} classes, {held} discriminators")


if __name__ == "__main__":
    sys.exit(main())
