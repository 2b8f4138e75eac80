"""Files: written whole or not at all, opened within limits."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from edgegan_widget.base.errors import DataError

__all__ = [
    "PICTURE_SUFFIXES",
    "SKETCH_SUFFIXES",
    "is_picture",
    "is_sketch",
    "open_picture",
    "picture_rgb_u8",
    "safe_join",
    "sweep",
    "write_atomic",
    "write_bytes",
]

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")  # the one list of them
SKETCH_SUFFIXES = (".json", ".svg", *PICTURE_SUFFIXES)

TEMPORARY_SUFFIX = ".tmp"
MOST_PIXELS = 64_000_000  # a 64-megapixel photo; anything larger is refused before it is decoded


def is_picture(path: Path) -> bool:
    """Whether the file's name says that it is a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def is_sketch(path: Path) -> bool:
    """Whether the file's name says that it may be a sketch: a drawing of the pad, or a picture of one."""
    return path.suffix.lower() in SKETCH_SUFFIXES and not path.name.startswith(".")


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
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


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


def open_picture(
    source: Path | str | BinaryIO, name: str | None = None, *, upright: bool = True, alpha: bool = False
) -> Image.Image:
    """Open and decode a picture (of an animation the first), turned upright; transparent pixels become white paper.

    Parameters
    ----------
    source, name
        File, and what to call it in an error.
    upright
        Turn the picture as its EXIF orientation says.
    alpha
        Keep transparency: a picture that has it comes in mode ``RGBA``.

    Returns
    -------
    Pillow image in mode ``RGB``.

    Raises
    ------
    DataError
        The file is missing, no picture, cut short, or has more than 64 million pixels.
    """
    label = name or str(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and of odd metadata
            with Image.open(source) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                picture.load()
                picture = ImageOps.exif_transpose(picture) if upright else picture
                return picture.convert("RGBA") if alpha and _is_transparent(picture) else _on_white(picture)
    except Image.DecompressionBombError as error:
        raise DataError(f"{label} has more than {MOST_PIXELS:,} pixels, the most allowed; make it smaller.") from error
    except FileNotFoundError as error:
        raise DataError(f"{label} does not exist; give the path of a PNG, JPEG or WebP picture.") from error
    except IsADirectoryError as error:
        raise DataError(f"{label} is a folder; give the path of one picture.") from error
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"{label} cannot be read as a picture ({error}); give a whole PNG, JPEG or WebP.") from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file leads them into
        about = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{label} cannot be read as a picture ({about}); give a whole PNG, JPEG or WebP.") from error


def picture_rgb_u8(source: Path | str | BinaryIO, name: str | None = None) -> npt.NDArray[np.uint8]:
    """Like :func:`open_picture`, as a uint8 array [H, W, 3]."""
    return np.asarray(open_picture(source, name), np.uint8)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I", "I;16", "I;16B", "F"):  # Pillow clips these instead of scaling them
        values = np.asarray(picture, np.float64)
        scale = 255 / 65535 if values.max(initial=0) > 255 else 1.0
        return Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8)).convert("RGB")
    if _is_transparent(picture):
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(paper, picture).convert("RGB")
    return picture.convert("RGB")


def _is_transparent(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "La", "RGBa", "PA") or "transparency" in picture.info
