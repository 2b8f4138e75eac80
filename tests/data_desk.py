"""The synthetic sample as data, and what is seen on a contact sheet without a browser."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgegan_widget.data.preparing.build import Options
from edgegan_widget.data.preparing.plan import Plan, follow
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.sources import Making
from edgegan_widget.panels.data.contact_sheet import ContactSheet
from edgegan_widget.panels.data.tile import Tile

SMALL = Options(Making(64), where=Where(1))


def prepare_sample(folder: Path) -> Path:
    """Twenty pictures, of which the audit has set some aside."""
    for _ in follow(Plan("synthetic", {"count": 4}, str(folder), SMALL)):
        pass
    return folder


def long_plan(folder: Path) -> Plan:
    """So much that it is at work until it is stopped."""
    return Plan("synthetic", {"count": 1000, "seed": 7}, str(folder), SMALL)


def said(widget: Any) -> str:
    return re.sub("<[^>]+>", " ", widget.value)


def wears(widget: Any, css_class: str) -> bool:
    return css_class in widget._dom_classes


def tiles(sheet: ContactSheet) -> list[Tile]:
    return [tile for tile in sheet.tiles if not wears(tile, "eg-hidden")]


def marked(sheet: ContactSheet, mark: str) -> list[int]:
    return [slot for slot, tile in enumerate(tiles(sheet)) if wears(tile, mark)]


def lines(sheet: ContactSheet) -> list[bytes]:
    return [bytes(tile.lines.value) for tile in tiles(sheet)]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))
