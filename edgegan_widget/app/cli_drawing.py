"""The commands that draw: ``dashboard``, ``generate`` and ``edges``."""

from __future__ import annotations

import argparse
import os

from edgegan_widget.app.dashboard.address import EVERYWHERE, LOOPBACK, Address
from edgegan_widget.app.dashboard.handed import ENGINE_TOKEN, Handed
from edgegan_widget.app.dashboard.sharing import Sharing
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.options import add_options, given, path
from edgegan_widget.base.pictures import check_form, picture_rgb_u8, save_picture
from edgegan_widget.base.words import known_class, spoken
from edgegan_widget.networks.runners import AUTO, names

__all__ = ["add_dashboard", "add_edges", "add_generate"]


def add_dashboard(command: argparse.ArgumentParser) -> None:
    """The page."""
    command.set_defaults(run=_dashboard)
    _add_model(command)
    command.add_argument("--host", help="address to listen on (default: this machine only, or all with --public)")
    command.add_argument("--port", type=int, default=8866, help="port (default: 8866, or the next free one)")
    text = "path below which the page lies, as a reverse proxy hands it on (default: /)"
    command.add_argument("--base-url", default="/", metavar="PATH", help=text)
    command.add_argument("--token", help="secret in the page's address (default: a fresh one)")
    command.add_argument("--no-token", action="store_true", help="no secret; only for this machine's own use")
    command.add_argument("--no-browser", action="store_true", help="do not open a browser; print the address")
    command.add_argument("--no-preheat", action="store_true", help="keep no kernel waiting: less memory, slower page")
    command.add_argument("--runs", default="runs", metavar="DIR", help="folder of the training runs (default: runs)")
    text = "address of a server that draws instead of the page's own process: see edgegan-widget serve"
    command.add_argument("--engine", default="", metavar="URL", help=text)
    text = f"that server's token (default: that of its address, or ${ENGINE_TOKEN}, which other users cannot see)"
    command.add_argument("--engine-token", default=os.environ.get(ENGINE_TOKEN, ""), metavar="T", help=text)
    add_options(command.add_argument_group("for many people, see docs/scale.md"), Sharing)


def _dashboard(options: argparse.Namespace) -> None:
    from edgegan_widget.app.dashboard.server import serve

    sharing = Sharing(**given(options, Sharing))
    host = options.host if options.host is not None else EVERYWHERE if sharing.public else LOOPBACK[0]
    address = Address(host, options.port, options.base_url, "" if options.no_token else options.token)
    page = Handed(
        options.model, options.device, options.runner, options.runs,
        engine=options.engine, engine_token=options.engine_token,
    )  # fmt: skip
    serve(page, address, sharing, open_browser=not options.no_browser, preheat=not options.no_preheat)


def add_generate(command: argparse.ArgumentParser) -> None:
    """One picture from one sketch."""
    command.set_defaults(run=_generate)
    text = "picture of a sketch (photo, scan, export), or a drawing saved as SVG or JSON: docs/sketches.md"
    command.add_argument("sketch", type=path, metavar="SKETCH.png", help=text)
    text = "what it shows: a class of the model by its name, or by its number"
    command.add_argument("--class", dest="label", required=True, metavar="NAME", help=text)
    command.add_argument("--out", type=path, required=True, metavar="IMAGE.png", help="where the picture goes")
    command.add_argument("--edge", type=path, metavar="EDGE.png", help="where the network's own edge map goes")
    command.add_argument("--seed", type=int, help="another look of the same sketch (default: the most likely one)")
    text = "a style of the class by its number, or a colour (with a model that has styles)"
    command.add_argument("--style", type=_style, metavar="N|#RRGGBB", help=text)
    text = "without the white paper (with a model that draws alpha)"
    command.add_argument("--transparent", action="store_true", help=text)
    _add_model(command)


def _style(text: str) -> int | str:
    """A style as :meth:`EdgeGAN.generate` takes it."""
    return int(text) if text.isdecimal() else text


def _generate(options: argparse.Namespace) -> None:
    from PIL import Image

    from edgegan_widget.networks.engine import EdgeGAN
    from edgegan_widget.sketch.trace import read_sketch

    check_form(options.out, options.transparent)
    if options.edge:
        check_form(options.edge)
    model = EdgeGAN.from_pretrained(options.model, options.device, options.runner)
    sketch = read_sketch(options.sketch, model.sketch_px)
    result = model.generate(sketch, options.label, seed=options.seed, style=options.style)
    save_picture(result.to_pil(transparent=options.transparent), options.out)
    if options.edge:
        save_picture(Image.fromarray(result.edge), options.edge)
    drawn = spoken(known_class(options.label, model.classes))
    print(f"{options.out}: {drawn} in {result.milliseconds:.0f} ms on {model.device_name}")


def add_edges(command: argparse.ArgumentParser) -> None:
    """A sheet of edge maps."""
    from edgegan_widget.sketch.sources import told

    command.set_defaults(run=_edges)
    command.add_argument("pictures", nargs="+", type=path, metavar="PICTURE", help="best a cut-out on white")
    default = "full,xdog,canny,contour"
    text = f"how edge maps are drawn, several with commas between: {told()} (default: {default})"
    command.add_argument("--edges", default=default, metavar="SOURCES", help=text)
    command.add_argument("--detail", type=float, default=1.0, help="0 to 4: fewer or more inner lines (default: 1)")
    text = "how far each is distorted, 0 to 4: a row a source, a column a strength (default: 0,0.5,1,1.5)"
    command.add_argument("--strengths", default="0,0.5,1,1.5", metavar="S,S,...", help=text)
    command.add_argument("--seed", type=int, default=0, help="of the distortions (default: 0)")
    command.add_argument("--tile", type=int, default=192, help="side of each picture on the sheet (default: 192)")
    command.add_argument("--out", type=path, required=True, metavar="SHEET.png", help="where the sheet goes")


def _edges(options: argparse.Namespace) -> None:
    import numpy as np
    from PIL import Image

    from edgegan_widget.sketch.edges import draw, parse_sources
    from edgegan_widget.sketch.hands.hand import distortion_grid

    check_form(options.out)
    sources = parse_sources(options.edges)
    strengths = _strengths(options.strengths)
    if not 16 <= options.tile <= 1024:
        raise ConfigError(f"--tile is {options.tile}; give 16 to 1024 pixels.")
    sheets = []
    for picture_path in options.pictures:
        picture = picture_rgb_u8(picture_path)
        sketches = [draw(picture, source, detail=options.detail) for source in sources]
        shown = [picture] * len(sources)
        sheets.append(distortion_grid(sketches, strengths, options.seed, pictures_u8=shown, tile_px=options.tile))
    save_picture(Image.fromarray(np.concatenate(sheets)), options.out)
    print(f"{options.out}: {len(options.pictures)} pictures, {', '.join(sources)}")


def _strengths(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"--strengths is {text!r}; give numbers from 0 to 4 with commas between.") from error


def _add_model(command: argparse.ArgumentParser) -> None:
    from edgegan_widget.training.config import DEVICES

    command.add_argument("--model", default="default", help="name of a shipped model, or a model or run folder")
    command.add_argument("--device", choices=DEVICES, default="auto", help="default: a GPU where there is one")
    command.add_argument("--runner", choices=names(), default=AUTO, help="how networks are run (default: as fits)")
