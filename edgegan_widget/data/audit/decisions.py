"""Decisions about single pictures, put into the audit's list, from which ``data audit --apply`` takes them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgegan_widget.base.errors import DataError, PreparationError
from edgegan_widget.data.audit.rules import COLUMNS, write_decisions

__all__ = ["write_changes"]

Row = tuple[str, str, str, str, str]


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
    try:
        write_decisions(path, _changed(path, dict(changes)))
    except OSError as error:
        raise PreparationError(
            f"{path} cannot be written ({error.strerror}); free space or allow writing there, then decide again."
        ) from error


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
                cells = [row.get(column) or "" for column in COLUMNS]
                if cells[0]:
                    yield cells[0], cells[1], cells[2], cells[3], cells[4]
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a list of decisions ({error}); delete it to start anew.") from error
