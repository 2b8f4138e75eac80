"""What crosses the wire between a client and the server that draws: frames of bytes, never pickles.

A frame is a header of 12 bytes (``EG``, version, kind, number of the request, length of the body; big-endian) and a
body in msgpack: a map of plain values, with arrays as ``{"dtype", "shape", "bytes"}``. Each kind of message has its
fields, each field its range; what differs in anything is a :class:`~edgegan_widget.base.errors.MessageError`.

A request bears a number that its answers repeat, so that one connection serves many callers.
"""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgpack
import numpy as np

from edgegan_widget.base.errors import EdgeGANError, MessageError

__all__ = [
    "IN_SESSION", "LONGEST_SECONDS", "MOST_ANSWER_BYTES", "MOST_REQUEST_BYTES", "MOST_SESSIONS", "PATH", "REQUESTS",
    "Kind", "Message", "decode", "encode", "error_frame", "kind_of", "number_of",
    "numbered",
]  # fmt: skip

PATH = "/v1/draw"  # of the WebSocket; the digit is the version's
MOST_REQUEST_BYTES = 4_000_000  # the largest: the latents of 64 variations, which are to come closer to the lines
MOST_ANSWER_BYTES = 96_000_000  # the largest: a morph of 240 frames of 256 pixels
MOST_SESSIONS = 2**31 - 1
LONGEST_SECONDS = 600
_MAGIC, _VERSION = b"EG", 1
_HEADER = struct.Struct(">2sBBII")
_MOST_SIDE_PX, _MOST_PICTURES, _MOST_LATENT, _MOST_CLASSES, _MOST_STYLES = 1024, 256, 65_536, 10_000, 4096
_MOST_NAME, _MOST_TEXT, _MOST_INDEX = 1000, 10_000, 2**31


class Kind(enum.IntEnum):
    """Kinds of messages: below 64 what a client asks, from 64 on what it is answered."""

    ABOUT = 1  # what is the model?
    DRAW = 2
    GUESS = 3  # what does the sketch show?
    APPROACH = 4  # move pictures closer to the lines
    INTERPOLATE = 5
    CANCEL = 6  # nobody waits for the request of this number any more
    MODEL = 64  # answers ABOUT
    PICTURES = 65  # answers DRAW and INTERPOLATE
    SHARES = 66  # answers GUESS
    STEP = 67  # of APPROACH: one of several, more follow
    END = 68  # of APPROACH: no more follow
    ERROR = 69


IN_SESSION: Final = (Kind.DRAW, Kind.APPROACH, Kind.INTERPOLATE)  # a newer one overtakes older ones
REQUESTS: Final = (Kind.ABOUT, Kind.DRAW, Kind.GUESS, Kind.APPROACH, Kind.INTERPOLATE)  # those that are answered


@dataclass(frozen=True, eq=False)
class Message:
    """One message.

    Attributes
    ----------
    kind
        What it says.
    number
        Of the request, from 0 to 2^32 - 1.
    body
        Values by field: None, bool, int, float, str, lists of these, and arrays.
    """

    kind: Kind
    number: int
    body: Mapping[str, Any]


def encode(message: Message) -> bytes:
    """A message as the bytes of one frame.

    Raises
    ------
    MessageError
        A field is missing, is not known, or is out of its range.
    """
    checked = _checked(message.kind, message.body)
    body: bytes = msgpack.packb({name: _plain(value) for name, value in checked.items()})
    return _HEADER.pack(_MAGIC, _VERSION, message.kind, message.number, len(body)) + body


def decode(frame: bytes | str, most_bytes: int = MOST_REQUEST_BYTES) -> Message:
    """The message of one frame.

    Raises
    ------
    MessageError
        It is malformed, too long, of another version, or a field is missing, not known or out of its range. Where the
        header could be read, the error's ``number`` is that of the request, and 0 otherwise.
    """
    if isinstance(frame, str):
        raise _refused("a message is text; send binary frames")
    if len(frame) > most_bytes + _HEADER.size:
        raise _refused(f"a message has {len(frame):,} bytes; at most {most_bytes:,} are allowed")
    if len(frame) < _HEADER.size:
        raise _refused(f"a message has {len(frame)} bytes; its header alone has {_HEADER.size}")
    magic, version, kind, number, length = _HEADER.unpack_from(frame)
    if magic != _MAGIC or version != _VERSION:
        raise _refused(f"a message is not of this protocol's version {_VERSION}; use the same release at both ends")
    try:
        return Message(Kind(kind), number, _checked(Kind(kind), _unpacked(frame, length)))
    except MessageError as error:
        raise MessageError(str(error), number) from error
    except ValueError as error:  # Kind's
        raise _refused(f"a message is of kind {kind}, which is not known", number) from error


def kind_of(frame: bytes) -> int:
    """The kind of a frame that is right."""
    return frame[3]


def number_of(frame: bytes) -> int:
    """Its number."""
    return int.from_bytes(frame[4:8], "big")


def numbered(frame: bytes, number: int) -> bytes:
    """The same for another request."""
    return frame[:4] + number.to_bytes(4, "big") + frame[8:]


def error_frame(number: int, error: EdgeGANError) -> bytes:
    """An error of ours as the answer to a request."""
    body = {"error": type(error).__name__, "text": str(error)[:_MOST_TEXT]}
    return encode(Message(Kind.ERROR, number, body))


def _refused(text: str, number: int = 0) -> MessageError:
    return MessageError(f"{text}.", number)


def _unpacked(frame: bytes, length: int) -> object:
    body = memoryview(frame)[_HEADER.size :]
    if len(body) != length:
        raise _refused(f"a message's body has {len(body):,} bytes; its header says {length:,}")
    most = len(body)
    try:
        return msgpack.unpackb(
            body, raw=False, strict_map_key=True, max_str_len=_MOST_TEXT, max_bin_len=most, max_array_len=most,
            max_map_len=64, max_ext_len=0,
        )  # fmt: skip
    except Exception as error:  # msgpack raises many kinds of its own, and those of what it is written in
        raise _refused("a message's body is not msgpack, or is nested or long beyond measure") from error


def _checked(kind: Kind, body: object) -> dict[str, Any]:
    """The body's values, with arrays as such."""
    if not isinstance(body, Mapping):
        raise _refused(f"the body of {kind.name} is no map")
    fields = _FIELDS[kind]
    if body.keys() != fields.keys():
        raise _refused(f"{kind.name} has the fields {', '.join(fields) or 'none'}; others were given")
    try:
        return {name: read(body[name]) for name, read in fields.items()}
    except (ValueError, TypeError, OverflowError) as error:
        raise _refused(f"{kind.name} has a field out of its range: {error}") from error


Read = Callable[[Any], Any]


def _whole(least: int, most: int) -> Read:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most} was expected")
        return int(value)

    return read


def _number(least: float, most: float) -> Read:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError("a number was expected")
        if not math.isfinite(value) or not least <= value <= most:
            raise ValueError(f"a number from {least} to {most} was expected")
        return float(value)

    return read


def _text(most: int) -> Read:
    def read(value: object) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise ValueError(f"text of at most {most} letters was expected")
        return value

    return read


def _yes(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("yes or no was expected")
    return value


def _none_or(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _number_or_name(value: object) -> int | str:
    either: int | str = _text(_MOST_NAME)(value) if isinstance(value, str) else _whole(-_MOST_INDEX, _MOST_INDEX)(value)
    return either


def _names(value: object) -> list[str]:
    if not isinstance(value, (list, tuple)) or len(value) > _MOST_CLASSES:
        raise ValueError(f"a list of at most {_MOST_CLASSES} names was expected")
    return [_text(_MOST_NAME)(name) for name in value]


def _array(dtype: str, *most: int) -> Read:
    """An array of this type, each side from 1 to so much; as an array, or as it crosses the wire."""

    def read(value: object) -> np.ndarray[Any, Any]:
        given = value if isinstance(value, np.ndarray) else _from_plain(value, dtype)
        if given.dtype != dtype or given.ndim != len(most) or not all(1 <= n <= m for n, m in zip(given.shape, most)):
            raise ValueError(f"an array of {dtype} was expected, its sides from 1 to {list(most)}")
        if given.dtype.kind == "f" and not np.isfinite(given).all():
            raise ValueError("an array of finite numbers was expected")
        return given

    return read


def _from_plain(value: object, dtype: str) -> np.ndarray[Any, Any]:
    if not isinstance(value, Mapping) or value.keys() != {"dtype", "shape", "bytes"} or value["dtype"] != dtype:
        raise ValueError(f"an array of {dtype} was expected")
    shape, data = value["shape"], value["bytes"]
    if not isinstance(shape, list) or len(shape) > 4 or not isinstance(data, bytes):
        raise ValueError("an array has a shape of at most four sides, and bytes")
    sides = [_whole(1, _MOST_LATENT)(side) for side in shape]
    if math.prod(sides) * np.dtype(dtype).itemsize != len(data):
        raise ValueError("an array has another number of bytes than its shape says")
    return np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(sides)


def _plain(value: object) -> object:
    """As msgpack takes it."""
    if not isinstance(value, np.ndarray):
        return value
    little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    return {"dtype": value.dtype.name, "shape": list(value.shape), "bytes": little.tobytes()}


_SKETCH = _array("uint8", _MOST_SIDE_PX, _MOST_SIDE_PX)
_MODEL, _PATIENCE = _text(_MOST_NAME), _whole(1, LONGEST_SECONDS * 1000)
_SEED, _STYLE = _none_or(_whole(0, 2**63 - 1)), _none_or(_number_or_name)
_ASKED: dict[str, Read] = {
    "model": _MODEL,
    "session": _whole(0, MOST_SESSIONS),  # a newer DRAW, APPROACH or INTERPOLATE overtakes the others of its session
    "patience_ms": _PATIENCE,  # how long somebody waits for the answer
}
_DRAWN: dict[str, Read] = {
    "images": _array("uint8", _MOST_PICTURES, _MOST_SIDE_PX, _MOST_SIDE_PX, 3),
    "edges": _array("uint8", _MOST_PICTURES, _MOST_SIDE_PX, _MOST_SIDE_PX),
    "latents": _array("float32", _MOST_PICTURES, _MOST_LATENT),
    "alpha": _none_or(_array("uint8", _MOST_PICTURES, _MOST_SIDE_PX, _MOST_SIDE_PX)),
    "milliseconds": _number(0, 1e9),  # that the server took
}
_FIELDS: Mapping[Kind, Mapping[str, Read]] = {
    Kind.ABOUT: {"model": _MODEL, "patience_ms": _PATIENCE},
    Kind.DRAW: _ASKED
    | {"sketch": _SKETCH, "label": _number_or_name, "seed": _SEED, "style": _STYLE, "variations": _whole(1, 64)},
    Kind.GUESS: {"model": _MODEL, "patience_ms": _PATIENCE, "sketch": _SKETCH},
    Kind.APPROACH: _ASKED
    | {
        "sketch": _SKETCH,
        "label": _number_or_name,
        "latents": _array("float32", 64, _MOST_LATENT),
        "closeness": _number(0, 1),
    },
    Kind.INTERPOLATE: _ASKED
    | {f"{end}_{name}": read for end in ("start", "end") for name, read in (
        ("sketch", _SKETCH), ("label", _number_or_name), ("seed", _SEED), ("style", _STYLE))}
    | {"frames": _whole(2, 240)},
    Kind.CANCEL: {},
    Kind.MODEL: {
        "model": _MODEL,
        "models": _names,  # all that are served
        "classes": _names,
        "size_px": _whole(1, _MOST_SIDE_PX),
        "sketch_px": _whole(1, _MOST_SIDE_PX),
        "alpha": _yes,
        "can_guess": _yes,
        "device_name": _text(_MOST_NAME),
        "mode": _text(_MOST_NAME),
        "advice": _text(_MOST_NAME),
        "styles": _none_or(_array("float32", _MOST_CLASSES, _MOST_STYLES, 4096)),  # the bank, by class
    },
    Kind.PICTURES: _DRAWN,
    Kind.SHARES: {"names": _names, "shares": _none_or(_array("float32", _MOST_CLASSES))},
    Kind.STEP: _DRAWN,
    Kind.END: {},
    Kind.ERROR: {"error": _text(100), "text": _text(_MOST_TEXT)},  # the error's class, and its sentence
}  # fmt: skip
