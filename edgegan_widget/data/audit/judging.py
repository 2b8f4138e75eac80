"""How a data folder is judged and split, kept with it, so that a later audit changes only what it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.settings import from_json, setting, to_json
from edgegan_widget.data.audit.rules import Thresholds
from edgegan_widget.data.journal import FOLDER

__all__ = ["Judging", "load_judging", "save_judging"]

_FILE = "judging.json"


@dataclass(frozen=True)
class Judging:
    """What is refused, the share of sources to validate on, and whether what is refused is trained on."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    val_share: float = setting(0.1, "share of the source pictures, below 1", label="To validate on", metavar="SHARE")
    keep_refused: bool = setting(
        False,
        "train on what the audit refuses too: it is marked and stays; what you refuse is set aside",
        label="Train on what the audit refuses too",
    )


def save_judging(data: Path, judging: Judging) -> None:
    """Keep it with the data folder."""
    write_bytes(data / FOLDER / _FILE, to_json(judging))


def load_judging(data: Path) -> Judging:
    """What the data folder was judged by last, or the defaults."""
    try:
        return from_json(Judging, (data / FOLDER / _FILE).read_text("utf-8"))
    except (OSError, ValueError, ConfigError):
        return Judging()
