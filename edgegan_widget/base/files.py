"""Files: written whole or not at all, opened within limits."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from edgegan_widget.base.errors import DataError, EdgeGANError
from edgegan_widget.base.units import U8

__all__ = [
    "check_form",
    "check_place",
    "PICTURE_SUFFIXES",
    "SKETCH_SUFFIXES",
    "encode_png",
    "expanded",
    "is_picture",
    "is_sketch",
    "open_picture",
    "picture_rgb_u8",
    "safe_join",
    "save_picture",
    "sweep",
    "telling",
    "write_atomic",
    "write_bytes",
]

PICTURE_SUFFIXES = (  # the one list of them
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".webp", ".avif", ".heic", ".heif", ".bmp", ".dib",
    ".gif", ".tif", ".tiff", ".jp2", ".j2k", ".jpx", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".pcx", ".ico",
)  # fmt: skip
_FORMS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP",
}  # fmt: skip
_HEIF_SUFFIXES = (".heic", ".heif")
_SAVED = (".json", ".svg", ".svgz", ".ndjson", ".bin", ".excalidraw", ".excalidrawlib", ".tldr")
SKETCH_SUFFIXES = (*_SAVED, *PICTURE_SUFFIXES)

TEMPORARY_SUFFIX = ".tmp"
_PROBE_BYTES = 4096  # a block of most disks
MOST_PIXELS = 64_000_000  # a 64-megapixel photo; anything larger is refused before it is decoded


def is_picture(path: Path) -> bool:
    """Whether the file's name says that it is a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def is_sketch(path: Path) -> bool:
    """Whether the file's name says that it may be a sketch: a drawing that a program saved, or a picture of one."""
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


def encode_png(image_u8: U8) -> bytes:
    """Uint8 [H, W, 3] or [H, W] as PNG, fast rather than small; the same bytes for the same picture.

    Raises
    ------
    DataError
        It could not be encoded.
    """
    import cv2  # not loaded by all that read or write a file

    ordered = image_u8[..., ::-1] if image_u8.ndim > 2 else image_u8
    done, content = cv2.imencode(".png", np.ascontiguousarray(ordered))  # its default is fast, a tenth larger than best
    if not done:
        raise DataError("the picture could not be encoded as PNG; free some memory and run again.")
    return bytes(content)


def check_form(path: Path, transparent: bool = False) -> str:
    """The form in which :func:`save_picture` writes, by the file's suffix.

    Raises
    ------
    DataError
        No picture is written under such a name, or that form has no transparency where that is wanted.
    """
    form = _FORMS.get(path.suffix.lower())
    if form is None:
        raise DataError(f"{path} says nothing of its form; name it with one of {', '.join(_FORMS)}.")
    if transparent and form in ("JPEG", "BMP"):
        raise DataError(f"{path} cannot be transparent, as {form} has no alpha; name it .png or .webp.")
    return form


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a picture in the form that its name says.

    Raises
    ------
    DataError
        It cannot be written there, or so.
    """
    form = check_form(path, "A" in picture.mode)
    best = {"quality": 95} if form in ("JPEG", "WEBP") else {}
    with telling(path, "written", "choose another place"), write_atomic(path) as stream:
        picture.save(stream, form, **best)


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


def open_picture(
    source: Path | str | BinaryIO,
    name: str | None = None,
    *,
    upright: bool = True,
    alpha: bool = False,
    converted: bool = True,
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
    converted
        If False, leave the values as the file has them, palette and all.

    Returns
    -------
    Pillow image in mode ``RGB``.

    Raises
    ------
    DataError
        The file is missing, no picture, cut short, or has more than 64 million pixels.
    """
    label = name or str(source)
    has_heif = _reads_heif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and of odd metadata
            with Image.open(source) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                picture.load()
                picture = ImageOps.exif_transpose(picture) if upright else picture
                if not converted:
                    return picture.copy()
                return picture.convert("RGBA") if alpha and _is_transparent(picture) else _on_white(picture)
    except Image.DecompressionBombError as error:
        raise DataError(f"{label} has more than {MOST_PIXELS:,} pixels, the most allowed; make it smaller.") from error
    except FileNotFoundError as error:
        raise DataError(f"{label} does not exist; give the path of a PNG, JPEG or WebP picture.") from error
    except IsADirectoryError as error:
        raise DataError(f"{label} is a folder; give the path of one picture.") from error
    except (UnidentifiedImageError, OSError) as error:
        if label.lower().endswith(_HEIF_SUFFIXES) and not has_heif:
            raise DataError(f"{label} needs pillow-heif to be read; install it: pip install pillow-heif") from error
        about = str(error).partition(" <_io")[0]  # Pillow names what is no file by its address
        raise DataError(f"{label} cannot be read as a picture ({about}); give a whole PNG, JPEG or WebP.") from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file leads them into
        about = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{label} cannot be read as a picture ({about}); give a whole PNG, JPEG or WebP.") from error


@functools.cache
def _reads_heif() -> bool:
    """Whether phones' HEIC photos can be read; Pillow does so once ``pillow-heif`` is there."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def picture_rgb_u8(source: Path | str | BinaryIO, name: str | None = None) -> U8:
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
