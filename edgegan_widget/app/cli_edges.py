"""The command ``edgegan-widget edges``: edge maps and distorted sketches of pictures on one sheet, to choose by eye."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import picture_rgb_u8, write_atomic
from edgegan_widget.sketch.sources import told

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

__all__ = ["add_edges"]


def add_edges(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("edges", help="show pictures with their edge maps, and these distorted as by a hand")
    command.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="best a cut-out on white")
    default = "full,xdog,canny,contour"
    command.add_argument(
        "--edges",
        default=default,
        metavar="SOURCES",
        help=f"how edge maps are drawn, several with commas between: {told()} (default: {default})",
    )
    command.add_argument("--detail", type=float, default=1.0, help="0 to 4: fewer or more inner lines (default: 1)")
    command.add_argument(
        "--strengths", default="0,0.5,1,1.5", metavar="S,S,...",
        help="how far each is distorted, 0 to 4: a row a source, a column a strength (default: 0,0.5,1,1.5)",
    )  # fmt: skip
    command.add_argument("--seed", type=int, default=0, help="of the distortions (default: 0)")
    command.add_argument("--tile", type=int, default=192, help="side of each picture on the sheet (default: 192)")
    command.add_argument("--out", type=Path, required=True, metavar="SHEET.png", help="where the sheet goes")
    command.set_defaults(run=_edges)


def _edges(options: argparse.Namespace) -> None:
    import numpy as np
    from PIL import Image

    from edgegan_widget.sketch.edges import draw, parse_sources
    from edgegan_widget.sketch.hand import distortion_grid

    sources = parse_sources(options.edges)
    strengths = _strengths(options.strengths)
    if not 16 <= options.tile <= 1024:
        raise ConfigError(f"--tile is {options.tile}; give 16 to 1024 pixels.")
    sheets = []
    for path in options.pictures:
        picture = picture_rgb_u8(path)
        sketches = [draw(picture, source, detail=options.detail) for source in sources]
        shown = [picture] * len(sources)
        sheets.append(distortion_grid(sketches, strengths, options.seed, pictures_u8=shown, tile_px=options.tile))
    sheet = Image.fromarray(np.concatenate(sheets))
    try:
        with write_atomic(options.out) as stream:
            sheet.save(stream, "PNG")
    except OSError as error:
        raise DataError(f"{options.out} cannot be written ({error.strerror}); choose another place.") from error
    print(f"{options.out}: {len(options.pictures)} pictures, {', '.join(sources)}")


def _strengths(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"--strengths is {text!r}; give numbers from 0 to 4 with commas between.") from error
