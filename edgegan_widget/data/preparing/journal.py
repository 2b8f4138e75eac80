"""What has been made already: one line a source, so that a killed run goes on and a changed source is made anew.

A line's key is a digest of everything that its cut-outs depend on: the file, its annotations and how cut-outs are
made. Thresholds and split shares are not in it: they are applied when the manifest is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from array import array
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from edgegan_widget.base.errors import PreparationError
from edgegan_widget.base.files import write_atomic
from edgegan_widget.data.sources import OWN_FOLDER, Making, Outcome, Record, Source

__all__ = ["Journal", "locked", "outcomes", "parts", "source_key"]

_VERSION = 2  # raised when the same source would give other cut-outs or measures


def source_key(source: Source, making: Making) -> str:
    """Digest of everything that the source's cut-outs depend on."""
    try:
        facts = os.stat(source.path)
        state = [facts.st_size, facts.st_mtime_ns]
    except (OSError, ValueError):
        state = []
    parts = [_VERSION, source.name, state, asdict(making), source.split, source.licence, source.size_px]
    parts += [str(source.path), str(source.edge), source.others, [vars(region) for region in source.regions]]
    return hashlib.sha256(json.dumps(parts, default=str).encode(errors="surrogatepass")).hexdigest()[:32]


class Journal:
    """The journal of one part of a data folder (what one reader made), opened to go on.

    Parameters
    ----------
    out
        Data folder.
    part
        Name of the part.
    """

    def __init__(self, out: Path, part: str) -> None:
        self.path = out / OWN_FOLDER / f"{part}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._known = {key: start for start, key, _ in _lines(self.path)}
        self._order = array("q")  # where the current run's lines start, in its order
        self._stream = self.path.open("r+b" if self.path.exists() else "w+b")
        self._end = _end_of_whole_lines(self.path)
        self._stream.truncate(self._end)

    def find(self, key: str) -> Outcome | None:
        """What was made of the source before."""
        start = self._known.get(key)
        if start is None:
            return None
        self._stream.seek(start)
        line = json.loads(self._stream.readline())
        return Outcome(line["records"], line["problems"])

    def keep(self, key: str) -> Outcome:
        """Take what was made of the source before into the current run."""
        outcome = self.find(key)
        if outcome is None:
            raise KeyError(key)
        self._order.append(self._known[key])
        return outcome

    def add(self, key: str, outcome: Outcome) -> None:
        """Write down what was made of a source."""
        line = json.dumps({"key": key, "records": outcome.records, "problems": outcome.problems}) + "\n"
        self._stream.seek(self._end)
        self._stream.write(line.encode())
        self._stream.flush()
        self._known[key] = self._end
        self._order.append(self._end)
        self._end += len(line)  # json.dumps writes ASCII

    def close(self) -> None:
        """Leave the journal as it is, to go on later."""
        self._stream.close()

    def finish(self) -> Iterator[Record]:
        """Keep the current run's lines only, in its order; yields the records that are no longer part of the data."""
        wanted = set(self._order)
        if list(self._order) != sorted(wanted) or any(start not in wanted for start, _, _ in _lines(self.path)):
            for start, _, line in _lines(self.path):
                if start not in wanted:
                    yield from line["records"]
            with write_atomic(self.path) as stream:
                for start in self._order:
                    self._stream.seek(start)
                    stream.write(self._stream.readline())
        self.close()


def _lines(path: Path) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Start, key and content of each whole line; a line that a kill tore is passed over."""
    if not path.exists():
        return
    start = 0
    with path.open("rb") as stream:
        for raw in stream:
            try:
                line = json.loads(raw) if raw.endswith(b"\n") else None
            except ValueError:
                line = None
            if isinstance(line, dict) and {"key", "records", "problems"} <= line.keys():
                yield start, line["key"], line
            start += len(raw)


def _end_of_whole_lines(path: Path) -> int:
    end = 0
    with path.open("rb") as stream:
        for raw in stream:
            end += len(raw) if raw.endswith(b"\n") else 0
    return end


def parts(out: Path) -> list[str]:
    """Names of the parts that a data folder has been made of."""
    return sorted(path.stem for path in (out / OWN_FOLDER).glob("*.jsonl"))


def outcomes(out: Path) -> Iterator[Outcome]:
    """Everything that was made, part by part, in the order it was read."""
    for part in parts(out):
        for _, _, line in _lines(out / OWN_FOLDER / f"{part}.jsonl"):
            yield Outcome(line["records"], line["problems"])


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data folder; the system lets go of it when this process ends, however it ends.

    Raises
    ------
    PreparationError
        Another run holds it, or it cannot be written.
    """
    # Not bound to a thread: a generator may be closed by another one.
    lock = FileLock(data / OWN_FOLDER / "lock", timeout=0, thread_local=False)
    try:
        (data / OWN_FOLDER).mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise PreparationError(
            f"another run is preparing {data}; wait until it has ended, or give another data folder."
        ) from error
    except OSError as error:
        raise PreparationError(
            f"{lock.lock_file} cannot be written ({error.strerror}); give another data folder."
        ) from error
    try:
        yield
    finally:
        lock.release()
