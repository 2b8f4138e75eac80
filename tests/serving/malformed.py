"""Messages as nobody should send them."""

from __future__ import annotations

import struct
from typing import Any

import msgpack
import numpy as np
from hypothesis import strategies as st

from edgegan_widget.networks.remote.wire import Kind, Message, encode

__all__ = ["drawn", "framed", "malformed"]

KINDS = st.integers(0, 255)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=20),
        st.binary(max_size=40),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def drawn(**changes: Any) -> dict[str, Any]:
    """The body of a DRAW that is right, but for the changes."""
    sketch = np.full((64, 64), 255, np.uint8)
    return {
        "model": "default", "session": 0, "patience_ms": 5000, "sketch": sketch, "label": 0, "seed": 3, "style": None,
        "variations": 1,
    } | changes  # fmt: skip


def framed(body: bytes, kind: int = Kind.DRAW, number: int = 7, length: int | None = None) -> bytes:
    """A frame of our protocol round any body."""
    return struct.pack(">2sBBII", b"EG", 1, kind, number, len(body) if length is None else length) + body


def _cut(right: bytes, place: int, wrong: int) -> bytes:
    """A right frame with one byte changed, and sometimes cut off there."""
    place %= len(right)
    return right[:place] + bytes([right[place] ^ wrong]) + (right[place + 1 :] if wrong % 2 else b"")


def _with_field(name: str, value: Any) -> bytes:
    plain = msgpack.unpackb(encode(Message(Kind.DRAW, 7, drawn()))[12:])
    return framed(msgpack.packb(plain | {name: value}))


FIELDS = ["model", "session", "patience_ms", "sketch", "label", "seed", "style", "variations", "more"]
SKETCHES = st.fixed_dictionaries({"dtype": st.sampled_from(["uint8", "float32", "object", "O"]), "shape": st.lists(
    st.integers(-2, 2**40), max_size=6), "bytes": st.binary(max_size=64)})  # fmt: skip
malformed: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200),
    st.builds(framed, st.binary(max_size=100), KINDS, st.integers(0, 2**32 - 1), st.none() | st.integers(0, 2**32 - 1)),
    st.builds(lambda body, kind: framed(msgpack.packb(body), kind), PLAIN, KINDS),
    st.builds(_cut, st.just(encode(Message(Kind.DRAW, 7, drawn()))), st.integers(0, 10**6), st.integers(1, 255)),
    st.builds(_with_field, st.sampled_from(FIELDS), PLAIN),
    st.builds(_with_field, st.just("sketch"), SKETCHES),
    st.builds(lambda depth: framed(b"\x91" * depth), st.integers(1, 5000)),
)
