"""The synthetic sample as data, and what is seen on a contact sheet without a browser."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgegan_widget.data.build import Options
from edgegan_widget.data.plan import Plan, follow
from edgegan_widget.data.pool import Where
from edgegan_widget.data.sources import Making
from edgegan_widget.panels.data.contact_sheet import ContactSheet
from edgegan_widget.panels.data.tile import Tile

SMALL = Options(Making(64), where=Where(1))


def prepare_sample(folder: Path) -> Path:
    """Twenty pictures, of which the audit has set some aside."""
    for _ in follow(Plan("synthetic", {"count": 4}, str(folder), SMALL)):
        pass
    return folder


def said(widget: Any) -> str:
    return re.sub("<[^>]+>", " ", widget.value)


def tiles(sheet: ContactSheet) -> list[Tile]:
    return [tile for tile in sheet._tiles if "eg-hidden" not in tile._dom_classes]


def marked(sheet: ContactSheet, mark: str) -> list[int]:
    return [slot for slot, tile in enumerate(tiles(sheet)) if mark in tile._dom_classes]


def lines(sheet: ContactSheet) -> list[bytes]:
    return [bytes(tile._lines.value) for tile in tiles(sheet)]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))
