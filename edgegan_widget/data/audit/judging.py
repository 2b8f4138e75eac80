"""How a data folder is judged and split, kept with it, so that a later audit changes only what it is told to."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from edgegan_widget.base.files import write_bytes
from edgegan_widget.data.audit.rules import Thresholds
from edgegan_widget.data.journal import FOLDER

__all__ = ["Judging", "load_judging", "save_judging"]

_FILE = "judging.json"


@dataclass(frozen=True)
class Judging:
    """What is refused, the share of sources to validate on, and whether what is refused is trained on."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    val_share: float = 0.1
    keep_refused: bool = False


def save_judging(data: Path, judging: Judging) -> None:
    """Keep it with the data folder."""
    write_bytes(data / FOLDER / _FILE, json.dumps(dataclasses.asdict(judging), indent=1) + "\n")


def load_judging(data: Path) -> Judging:
    """What the data folder was judged by last, or the defaults."""
    try:
        kept = json.loads((data / FOLDER / _FILE).read_text("utf-8"))
        return Judging(Thresholds(**kept["thresholds"]), float(kept["val_share"]), bool(kept["keep_refused"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Judging()
