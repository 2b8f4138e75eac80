"""One run at a time in a data folder: a lock of the system, which a killed run cannot leave behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from edgegan_widget.base.errors import PreparationError
from edgegan_widget.data.journal import FOLDER

__all__ = ["locked"]


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data folder; the system lets go of it when this process ends, however it ends.

    Raises
    ------
    PreparationError
        Another run holds it, or it cannot be written.
    """
    path = data / FOLDER / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise PreparationError(f"{path} cannot be written ({error.strerror}); give another data folder.") from error
    try:
        try:
            _take(handle)
        except OSError as error:
            raise PreparationError(
                f"another run is preparing {data}; wait until it has ended, or give another data folder."
            ) from error
        yield
    finally:
        os.close(handle)


def _take(handle: int) -> None:
    """Lock at once or raise OSError."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
