"""The audit: measures against thresholds -> reasons to refuse a cut-out, each with its score.

The defaults were set on defects planted in every other picture of two real sets, so that of each defect about 95 in 100
are found and as few others as possible accused; ``python3 start.py bench audit --half even`` measures them again.
What a data folder was judged by last is kept with it, so that a later audit changes only what it is told to.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.settings import from_json, setting, to_json
from edgegan_widget.data.sources import OWN_FOLDER, Record

__all__ = ["REASONS", "Findings", "Judging", "Survey", "Thresholds", "judge", "load_judging", "save_judging"]

_FILE = "judging.json"
_LEAST_FOR_MEDIAN = 10  # pictures of a class: with fewer its usual shape is not known

REASONS = {
    "frame": "cut by the frame",
    "small": "too small",
    "dark": "too dark to see",
    "flat": "too flat to see",
    "blurred": "blurred",
    "hidden": "hidden by another object",
    "fragmented": "in pieces",
    "empty": "hardly any lines inside",
    "overfull": "too many lines inside",
    "duplicate": "nearly the same as another",
    "aspect": "strange proportions",
}

Findings = dict[str, float]


@dataclass(frozen=True)
class Thresholds:
    """What is refused."""

    frame: float = setting(0.15, "share of a side of its box that an object may have on the frame")
    small_px: float = setting(40, "fewest pixels along the longest side", label="Small (px)")
    dark: float = setting(31, "least brightness of its lightest parts (95th percentile, 0 to 255)")
    flat: float = setting(21, "least difference between light and dark (5th to 95th percentile, 0 to 255)")
    blurred: float = setting(0.49, "most blur, 0 (sharp) to 1")
    hidden: float = setting(0.03, "share of its hull that objects before it may fill")
    fragmented: float = setting(0.15, "share of its area that may lie outside the largest piece")
    empty: float = setting(0.0005, "least share of ink inside the outline")
    overfull: float = setting(12.1, "most difference between neighbours that follows no line (0 to 255)")
    duplicate_bits: float = setting(14, "bits (of 320) in which two pictures must differ", label="Duplicate (bits)")
    aspect: float = setting(2.2, "how many times wider or higher than its class's median")

    def limit(self, reason: str) -> float:
        """The threshold behind a reason; some are named with their unit."""
        limits = vars(self)
        return float(next((limits[name] for name in (reason, f"{reason}_px", f"{reason}_bits") if name in limits), 0.0))

    def beyond(self, reason: str, score: float) -> float:
        """How far a score is beyond its threshold, as a share of it."""
        limit = self.limit(reason) or 1.0
        return abs(score - limit) / limit


@dataclass(frozen=True)
class Judging:
    """What is refused, the share of sources to validate on, and whether what is refused is trained on."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    val_share: float = setting(0.1, "of each class this share, below 1", label="To validate on", metavar="SHARE")
    keep_refused: bool = setting(
        False,
        "train on what the audit refuses too: it is marked and stays; what you refuse is set aside",
        label="Train on what the audit refuses too",
    )

    def __post_init__(self) -> None:
        if not 0 <= self.val_share < 1:
            raise ConfigError(f"val-share is {self.val_share}; it must be from 0 to below 1.")


def save_judging(data: Path, judging: Judging) -> None:
    """Keep it with the data folder."""
    write_bytes(data / OWN_FOLDER / _FILE, to_json(judging))


def load_judging(data: Path) -> Judging:
    """What the data folder was judged by last, or the defaults."""
    try:
        return from_json(Judging, (data / OWN_FOLDER / _FILE).read_text("utf-8"))
    except (OSError, ValueError, ConfigError):
        return Judging()


@dataclass
class Survey:
    """What must be known of all pictures before one is judged: usual shapes, and which are nearly the same.

    Memory: 56 bytes a picture.
    """

    aspects: dict[str, array[float]] = field(default_factory=lambda: defaultdict(lambda: array("f")))
    hashes: bytearray = field(default_factory=bytearray)
    fine: bytearray = field(default_factory=bytearray)

    def add(self, record: Record) -> None:
        """Take a picture into account."""
        self.aspects[record["class"]].append(record["measures"]["aspect"])
        self.hashes += bytes.fromhex(record["hashes"][0])
        self.fine += bytes.fromhex(record["hashes"][1])

    def medians(self) -> dict[str, float]:
        """The usual aspect (log of width / height) of each class that has enough pictures."""
        return {
            name: float(np.median(values)) for name, values in self.aspects.items() if len(values) >= _LEAST_FOR_MEDIAN
        }


def judge(record: Record, thresholds: Thresholds, medians: dict[str, float], twin_bits: int | None = None) -> Findings:
    """Reasons to refuse a picture, with scores.

    Parameters
    ----------
    record
        With its measures.
    thresholds
        What is refused.
    medians
        Usual aspect by class.
    twin_bits
        Bits in which it differs from the earlier picture that is nearest to it, if any is near.
    """
    measures, found = record["measures"], {}
    above = {"frame": "frame", "blurred": "blur", "hidden": "hidden", "fragmented": "pieces", "overfull": "disorder"}
    below = {"small_px": "size_px", "dark": "brightness", "flat": "contrast", "empty": "ink"}
    for name, measured in above.items():
        if measures[measured] > getattr(thresholds, name):
            found[name] = measures[measured]
    for name, measured in below.items():
        if measures[measured] < getattr(thresholds, name):
            found[name.removesuffix("_px")] = measures[measured]
    times = math.exp(abs(measures["aspect"] - medians.get(record["class"], 0.0)))
    if times > (thresholds.aspect if record["class"] in medians else 2 * thresholds.aspect):
        found["aspect"] = round(times, 3)
    if twin_bits is not None and twin_bits < thresholds.duplicate_bits:
        found["duplicate"] = float(twin_bits)
    return {name: found[name] for name in REASONS if name in found}
