"""Files: written whole or not at all, read with errors in a sentence, and named within a folder."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from edgegan_widget.base.errors import DataError, EdgeGANError

__all__ = [
    "check_place",
    "expanded",
    "safe_join",
    "sweep",
    "telling",
    "write_atomic",
    "write_bytes",
]

TEMPORARY_SUFFIX = ".tmp"
_PROBE_BYTES = 4096  # a block of most disks


@contextlib.contextmanager
def write_atomic(path: Path | str) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path``, sync it and rename it there when the block ends without an error.

    Where the system can (Linux), the file has no name until it is whole, so that a process killed at any moment leaves
    none behind; :func:`sweep` removes what other systems leave.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
    handle = _nameless_file(target.parent)
    nameless = handle is not None
    if handle is None:
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fchmod(stream.fileno(), 0o644) if hasattr(os, "fchmod") else None
            os.fsync(stream.fileno())
            if nameless:
                _give_name(stream.fileno(), temporary)
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename is None and error.errno is not None:
            error.filename = str(target)  # the system's word on a full disk names no file
        raise


def check_place(path: Path | str) -> None:
    """Refuse a place where nothing can be written, before the work whose result is to go there.

    Raises
    ------
    DataError
        The folder is read-only, or its disk is full.
    """
    folder = Path(path).expanduser().absolute().parent
    while not folder.exists():
        folder = folder.parent
    with telling(path, "written", "choose another place, or make room"), tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(_PROBE_BYTES))
        probe.flush()


def sweep(folder: Path | str) -> None:
    """Remove temporary files that writers killed in this folder left behind."""
    for stray in Path(folder).glob(f".*{TEMPORARY_SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):
            stray.unlink()


def _nameless_file(folder: Path) -> int | None:
    """A file without a name in ``folder``, or None where the system or its file system has no such thing."""
    if not hasattr(os, "O_TMPFILE") or not os.path.exists("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o644)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
            return None
        raise


def _give_name(handle: int, path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # only with a folder's descriptor does Python ask the system to follow the link in /proc
        os.link(f"/proc/self/fd/{handle}", path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def write_bytes(path: Path | str, content: bytes | str) -> None:
    """Write ``content`` (text as UTF-8) to ``path`` in one atomic step."""
    with write_atomic(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def telling(path: Path | str, done: str, advice: str, kind: type[EdgeGANError] = DataError) -> Iterator[None]:
    """The system's refusal to read or write as an error of ours: ``path cannot be <done> (why); <advice>.``"""
    try:
        yield
    except OSError as error:
        raise kind(f"{path} cannot be {done} ({error.strerror}); {advice}.") from error


def expanded(path: Any) -> Any:
    """Paths as text, or several of them, with ``~`` as a shell takes it."""
    if isinstance(path, tuple):
        return tuple(map(expanded, path))
    return os.path.expanduser(path) if isinstance(path, str) else path


def safe_join(root: Path | str, name: str) -> Path:
    """``name``, a path that somebody else wrote down, below ``root``; links inside ``root`` are its owner's and stay.

    Raises
    ------
    DataError
        The name is empty, absolute or climbs out of ``root``.
    """
    parts = name.replace("\\", "/").split("/")
    climbs = ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) is not None
    if climbs or not name.strip("./\\ ") or not name.isprintable():
        raise DataError(f"{name!r} is no path below {root}; name files relative to that folder, without '..'.")
    return Path(root, *parts)
