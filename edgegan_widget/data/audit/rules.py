"""The audit: measures against thresholds -> reasons to refuse a cut-out, each with its score.

The defaults were set on defects planted in every other picture of two real sets, so that of each defect about 95 in 100
are found and as few others as possible accused; ``python3 start.py bench audit --half even`` measures them again.
"""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_atomic
from edgegan_widget.base.settings import setting
from edgegan_widget.data.sources import Record

__all__ = ["DECISIONS", "REASONS", "Findings", "Survey", "Thresholds", "judge", "read_decisions", "write_decisions"]

DECISIONS = ("accept", "refuse")
COLUMNS = ("id", "class", "verdict", "reasons", "decision")
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


def read_decisions(path: Path) -> dict[str, str]:
    """What a person decided against or beside the audit, by id, from the list that :func:`write_decisions` made.

    Raises
    ------
    DataError
        The list cannot be read, or holds another word than accept or refuse.
    """
    if not path.exists():
        return {}
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a list of decisions ({error}); delete it to start anew.") from error
    decisions = {}
    for row in rows:
        name, decision = row.get("id"), (row.get("decision") or "").strip().lower()
        if decision and (decision not in DECISIONS or not name):
            raise DataError(f"{path} has the decision {decision!r} for {name}; write accept, refuse or nothing.")
        if decision and name:
            decisions[name] = decision
    return decisions


def write_decisions(path: Path, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
    """Write the list of findings, whose last column is for a person to fill in: accept or refuse."""
    with write_atomic(path) as stream:
        for line in _csv_lines(rows):
            stream.write(line.encode())


def _csv_lines(rows: Iterable[tuple[str, str, str, str, str]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()
