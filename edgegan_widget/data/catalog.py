"""A data folder to leaf through: which pictures there are, what the audit says of each, and what a person decides.

Only where each picture stands and what was found is held (some 20 bytes each); the rest is read for the page that is
shown, so that a folder of any size opens. Folders that were not made here, without a manifest, are listed as they are.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import safe_join
from edgegan_widget.base.layout import SPLITS, split_folders, split_named
from edgegan_widget.base.pictures import is_picture
from edgegan_widget.base.units import U8
from edgegan_widget.data.audit.advice import ClassCount
from edgegan_widget.data.audit.decisions import DECISIONS, read_decisions, write_changes
from edgegan_widget.data.audit.rules import REASONS, Thresholds, load_judging
from edgegan_widget.data.preparing.build import FOUND
from edgegan_widget.data.preparing.finish import LIST, MANIFEST, REFUSED
from edgegan_widget.data.preparing.journal import parts
from edgegan_widget.data.sources import Record, object_id

__all__ = ["Catalog", "Found", "Listed", "Picture", "SHOWS", "Wanted"]

Numbers = npt.NDArray[np.int64]

SHOWS = {  # what can be asked for beside the audit's reasons
    "all": "all pictures",
    "used": "to train and validate on",
    "refused": "refused",
    "open": "refused, undecided",
    "accept": "accepted by hand",
    "refuse": "refused by hand",
}
_CODES = ("", *DECISIONS)  # decisions as small numbers
_BITS = {name: 1 << number for number, name in enumerate(REASONS)}


@dataclass(frozen=True)
class Picture:
    """One picture: where it is now, and what was found and decided.

    ``refused`` is the verdict with today's decision; ``kept`` tells that it stays all the same, as the folder keeps
    what the audit refuses. ``reasons`` has scores, ``limits`` what they were held against. Files move when decisions
    are applied.
    """

    number: int
    id: str
    label: str
    split: str
    path: Path
    refused: bool
    kept: bool
    reasons: dict[str, float]
    limits: dict[str, float]
    decision: str


@dataclass(frozen=True)
class Wanted:
    """Which pictures to show: one of :data:`SHOWS` or of the audit's reasons, and a class and a split, or all."""

    show: str = "all"
    label: str = ""
    split: str = ""


class Catalog:
    """The pictures of a data folder, opened to leaf through and to decide about.

    Parameters
    ----------
    data
        Folder ``<split>/<class>/*.png``, prepared here or not.

    Raises
    ------
    DataError
        It is no such folder, or its manifest or its list of decisions cannot be read.
    """

    def __init__(self, data: Path) -> None:
        if not data.is_dir():
            raise DataError(f"there is no folder {str(data)!r}; name one laid out as <folder>/<split>/<class>/*.png.")
        self.data, self.audited = data, (data / MANIFEST).is_file()
        self._listing = Listed(data / MANIFEST) if self.audited else Found(data)
        self.labels: list[str] = []
        self._undo: list[tuple[Numbers, U8]] = []
        self._judging = load_judging(data)
        self._index(read_decisions(data / LIST))
        if not len(self):
            raise DataError(f"{data} holds no picture; lay pictures out as <folder>/<split>/<class>/*.png.")

    def __len__(self) -> int:
        return len(self._label)

    @property
    def can_undo(self) -> bool:
        """Whether something was decided since the folder was opened."""
        return bool(self._undo)

    @property
    def moves(self) -> int:
        """How many files lie elsewhere than the audit and the decisions say; of a folder not audited, the decisions."""
        keeps = self._judging.keep_refused or not self.audited
        refused = self._decided == _CODES.index("refuse") if keeps else self._refused()
        return int(np.count_nonzero(self._aside != refused))

    def counts(self) -> list[ClassCount]:
        """Pictures of each class as they lie now, classes in alphabetical order."""
        places = np.where(self._aside, len(SPLITS), self._split)
        table = np.zeros((len(self.labels), len(SPLITS) + 1), np.int64)
        np.add.at(table, (self._label, places), 1)
        return [ClassCount(self.labels[at], *map(int, table[at])) for at in np.argsort(self.labels)]

    def found(self) -> dict[str, int]:
        """How many pictures have each of the audit's reasons, and how many each of :data:`SHOWS` would show."""
        return {name: len(self.find(Wanted(name))) for name in (*SHOWS, *REASONS)}

    def find(self, wanted: Wanted) -> Numbers:
        """Numbers of the wanted pictures: in order, or of refused ones those nearest to a threshold first."""
        chosen = self._shown(wanted.show)
        if wanted.label:
            chosen = chosen & (self._label == self.labels.index(wanted.label) if wanted.label in self.labels else False)
        if wanted.split:
            chosen = chosen & (self._split == SPLITS.index(wanted.split))
        numbers = np.flatnonzero(chosen)
        if wanted.show in ("refused", "open", *REASONS):
            numbers = numbers[np.argsort(self._doubt[numbers], kind="stable")]
        return np.asarray(numbers, np.int64)

    def pictures(self, numbers: Sequence[int] | Numbers) -> list[Picture]:
        """These pictures, read from the folder's list."""
        return [self._picture(int(number)) for number in numbers]

    def decide(self, numbers: Sequence[int] | Numbers, decision: str) -> None:
        """Accept or refuse pictures, or with an empty text leave them to the audit; written to the list at once.

        Raises
        ------
        PreparationError
            The list cannot be written; nothing is decided then.
        """
        chosen = np.asarray(numbers, np.int64)
        before = self._decided[chosen]
        self._write(chosen, np.full(len(chosen), _CODES.index(decision), np.uint8))
        self._undo.append((chosen, before))

    def undo(self) -> list[int]:
        """Take the last decision back; numbers of the pictures that it was about."""
        if not self._undo:
            return []
        chosen, before = self._undo[-1]
        self._write(chosen, before)
        self._undo.pop()
        return [int(number) for number in chosen]

    def _write(self, numbers: Numbers, codes: U8) -> None:
        members = self.pictures(numbers)
        write_changes(self.data / LIST, {each.id: (each.label, _CODES[code]) for each, code in zip(members, codes)})
        self._decided[numbers] = codes

    def _shown(self, show: str) -> npt.NDArray[np.bool_]:
        if show in _BITS:
            return np.asarray(self._reasons & _BITS[show], bool)
        if show in DECISIONS:
            return np.asarray(self._decided == _CODES.index(show))
        if show == "used":
            return ~self._aside
        if show == "all":
            return np.ones(len(self), bool)
        refused = self._refused()
        return refused if show == "refused" else refused & (self._decided == 0)

    def _refused(self) -> npt.NDArray[np.bool_]:
        found = self._reasons > 0
        return np.asarray((self._decided == _CODES.index("refuse")) | (found & (self._decided == 0)))

    def _picture(self, number: int) -> Picture:
        record = self._listing.record(number)
        decision = _CODES[self._decided[number]]
        reasons = {name: float(score) for name, score in record["audit"]["reasons"].items()}
        refused = decision == "refuse" or bool(reasons and decision != "accept")
        kept = refused and self._judging.keep_refused and decision != "refuse"
        path = safe_join(self.data, record["file"])
        limits = {name: self._judging.thresholds.limit(name) for name in reasons}
        known = (record["id"], record["class"], record["split"])
        return Picture(number, *known, path, refused, kept, reasons, limits, decision)

    def _index(self, decisions: dict[str, str]) -> None:
        """Read everything once and keep what pictures are chosen by."""
        label, split, reasons, doubt = array("i"), array("B"), array("H"), array("f")
        decided, aside = array("B"), array("B")
        known: dict[str, int] = {}
        for record in self._listing.read():
            audit = record["audit"]
            label.append(known.setdefault(record["class"], len(known)))
            split.append(SPLITS.index(record["split"]) if record["split"] in SPLITS else 0)
            reasons.append(sum(_BITS.get(name, 0) for name in audit["reasons"]))
            doubt.append(_doubt(audit["reasons"], self._judging.thresholds))
            decided.append(_CODES.index(decisions.get(record["id"], "")))
            aside.append(record["file"].startswith(f"{REFUSED}/"))
        self.labels = list(known)
        self._label, self._split = np.array(label, np.int32), np.array(split, np.uint8)
        self._reasons, self._doubt = np.array(reasons, np.uint16), np.array(doubt, np.float32)
        self._decided, self._aside = np.array(decided, np.uint8), np.array(aside, bool)


def _doubt(reasons: dict[str, float], thresholds: Thresholds) -> float:
    """How far the picture's plainest defect is beyond its threshold, as a share of it."""
    return max((thresholds.beyond(name, score) for name, score in reasons.items()), default=0.0)


class Listed:
    """Records of a manifest, found again by where their lines start."""

    def __init__(self, path: Path) -> None:
        self._path, self._starts = path, array("q")

    def read(self) -> Iterator[Record]:
        """All of them; has to be done once before any is asked for."""
        start = 0
        with self._path.open("rb") as stream:
            for raw in stream:
                self._starts.append(start)
                start += len(raw)
                yield self._parsed(raw)

    def record(self, number: int) -> Record:
        """Record ``number``, in the order in which they are read."""
        with self._path.open("rb") as stream:
            stream.seek(self._starts[number])
            return self._parsed(stream.readline())

    def _parsed(self, raw: bytes) -> Record:
        try:
            line: Record = json.loads(raw)
            names = (line["id"], line["class"], line["split"], line["file"])
            if not all(isinstance(name, str) for name in names) or not isinstance(line["audit"]["reasons"], dict):
                raise TypeError("a field is of another kind")
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self._path} has a line that is none of a manifest ({error}); prepare or audit the folder again."
            ) from error
        return line


class Found:
    """Records of pictures that no manifest tells of, under the ids that the audit will give them."""

    def __init__(self, data: Path) -> None:
        self._data, self._files = data, list[str]()
        self._made_here = parts(data) not in ([], [FOUND])  # begun and not done: files are named by their ids

    def read(self) -> Iterator[Record]:
        """All of them; has to be done once before any is asked for."""
        for top in (self._data, self._data / REFUSED):
            for root in split_folders(top).values():
                for folder in _folders(root):
                    files = (path.relative_to(self._data).as_posix() for path in folder.iterdir() if is_picture(path))
                    for file in sorted(files):
                        self._files.append(file)
                        yield self.record(len(self._files) - 1)

    def record(self, number: int) -> Record:
        """Record ``number``, in the order in which they are read."""
        file = self._files[number]
        place = file.removeprefix(f"{REFUSED}/")
        split, label, own = place.split("/")
        name = Path(own).stem if self._made_here else object_id(place)
        return {"id": name, "class": label, "split": split_named(split), "file": file, "audit": {"reasons": {}}}


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
