"""Pictures: opened within limits, whatever program wrote them, and saved in the form that a name says."""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import telling, write_atomic
from edgegan_widget.base.units import U8

__all__ = [
    "MOST_PIXELS",
    "PICTURE_SUFFIXES",
    "SKETCH_SUFFIXES",
    "check_form",
    "encode_png",
    "is_picture",
    "is_sketch",
    "open_picture",
    "picture_rgb_u8",
    "save_picture",
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
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_WHITES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # fractions, and 8 to 16 bits
_HEAD_BYTES = 512
_NO_PICTURES = {  # how files begin that people take for pictures, in lower case
    b"version https://git-lfs": "it is a pointer of Git LFS, to be fetched by git lfs pull",
    b"<!doctype html": "it is an HTML page",
    b"<html": "it is an HTML page",
    b"<?xml": "it is an XML file, maybe an SVG drawing",
    b"<svg": "it is an SVG drawing",
    b"{": "it is JSON",
    b"%pdf": "it is a PDF",
    b"gimp xcf": "it is a project of GIMP, to be exported as PNG",
    b"8bps": "it is a broken project of Photoshop, to be exported as PNG",
    b"pk\x03\x04": "it is a ZIP archive",
    b"\x93numpy": "it is an array of NumPy",
    b"riff": "it is a broken WebP, or a film",
}
MOST_PIXELS = 64_000_000  # a 64-megapixel photo; anything larger is refused before it is decoded


def is_picture(path: Path) -> bool:
    """Whether the file's name says that it is a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def is_sketch(path: Path) -> bool:
    """Whether the file's name says that it may be a sketch: a drawing that a program saved, or a picture of one."""
    return path.suffix.lower() in SKETCH_SUFFIXES and not path.name.startswith(".")


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
                deep = _deep_colours(source, picture) if converted and picture.format in ("PNG", "TIFF") else None
                if deep is not None:
                    return deep
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
        about = _what_it_is(source) or str(error).partition(" <_io")[0]  # Pillow names what is no file by its address
        raise DataError(f"{label} cannot be read as a picture ({about}); give a whole PNG, JPEG or WebP.") from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file leads them into
        about = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{label} cannot be read as a picture ({about}); give a whole PNG, JPEG or WebP.") from error


def _what_it_is(source: Path | str | BinaryIO) -> str:
    """What a file that is no picture holds, by its first bytes; empty where it is nothing known."""
    try:
        if isinstance(source, (str, Path)):
            with open(source, "rb") as stream:
                head = stream.read(_HEAD_BYTES)
        else:
            source.seek(0)
            head = source.read(_HEAD_BYTES)
    except OSError:
        return ""
    if not head.strip(b"\0"):
        return "it holds nothing but zeros" if head else "it is empty"
    low = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    return next((what for start, what in _NO_PICTURES.items() if low.startswith(start)), "")


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
    if picture.mode in _DEEP:  # Pillow clips these instead of scaling them
        values = np.nan_to_num(np.asarray(picture, np.float64))
        return Image.fromarray(np.clip(values * (255 / _white_of(values)), 0, 255).astype(np.uint8)).convert("RGB")
    if _is_transparent(picture):
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(paper, picture).convert("RGB")
    return picture.convert("RGB")


def _white_of(values: npt.NDArray[np.floating[Any]]) -> float:
    """The value of white: cameras and microscopes keep 10, 12 or 14 bits in 16, and some programs fractions of 1."""
    most = float(values.max(initial=0))
    return next((white for white in _WHITES if most <= white), most)


def _deep_colours(source: Path | str | BinaryIO, picture: Image.Image) -> Image.Image | None:
    """Colours of 10 to 14 bits in 16, of which Pillow keeps the upper 8; None for any other picture."""
    if picture.mode != "RGB":
        return None
    if np.asarray(picture).max() >= _WHITES[-2] // 256:
        return None  # of 8 bits, or of all 16
    import cv2  # no other picture needs it here

    content = Path(source).read_bytes() if isinstance(source, (str, Path)) else _whole(source)
    values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        return None
    colours = values[..., 2::-1].astype(np.float64)
    return Image.fromarray(np.clip(colours * (255 / _white_of(colours)), 0, 255).astype(np.uint8))


def _whole(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read()


def _is_transparent(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "La", "RGBa", "PA") or "transparency" in picture.info
