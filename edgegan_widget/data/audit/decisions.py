"""The audit's list: what was found, and what a person decided, which ``data audit --apply`` takes from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from edgegan_widget.base.errors import DataError, PreparationError
from edgegan_widget.base.files import telling, write_atomic

__all__ = ["DECISIONS", "read_decisions", "write_changes", "write_decisions"]

DECISIONS = ("accept", "refuse")
_COLUMNS = ("id", "class", "verdict", "reasons", "decision")

Row = tuple[str, str, str, str, str]


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


def write_decisions(path: Path, rows: Iterable[Row]) -> None:
    """Write the list of findings, whose last column is for a person to fill in: accept or refuse."""
    with write_atomic(path) as stream:
        for line in _csv_lines(rows):
            stream.write(line.encode())


def _csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def write_changes(path: Path, changes: Mapping[str, tuple[str, str]]) -> None:
    """Change decisions in the list; what else it says stays, rows that are edited by hand meanwhile included.

    Parameters
    ----------
    path
        The audit's list; made where there is none.
    changes
        Class and decision by the pictures' ids; an empty decision leaves the picture to the audit.

    Raises
    ------
    PreparationError
        The list cannot be written; it is as it was.
    DataError
        The list cannot be read.
    """
    with telling(path, "written", "free space or allow writing there, then decide again", PreparationError):
        write_decisions(path, _changed(path, dict(changes)))


def _changed(path: Path, changes: dict[str, tuple[str, str]]) -> Iterator[Row]:
    """The list's rows, then those of pictures that it did not name."""
    for name, label, verdict, reasons, decision in _rows(path):
        wanted = changes.pop(name, (label, decision))[1]
        if verdict or reasons or wanted:  # a row that only held a decision goes with it
            yield name, label, verdict, reasons, wanted
    for name, (label, decision) in changes.items():
        if decision:
            yield name, label, "", "", decision


def _rows(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.DictReader(stream):
                cells = [row.get(column) or "" for column in _COLUMNS]
                if cells[0]:
                    yield cells[0], cells[1], cells[2], cells[3], cells[4]
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a list of decisions ({error}); delete it to start anew.") from error
