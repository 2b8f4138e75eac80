from __future__ import annotations

from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgegan_widget.base.errors import MessageError
from edgegan_widget.networks.remote.wire import Kind, Message, decode, encode
from tests.serving.malformed import drawn, framed, malformed


def test_a_message_is_the_same_behind_the_wire() -> None:
    body = drawn(sketch=np.arange(64 * 64, dtype=np.uint8).reshape(64, 64), style="#2060c0", seed=2**63 - 1)
    there = decode(encode(Message(Kind.DRAW, 2**32 - 1, body)))
    assert (there.kind, there.number) == (Kind.DRAW, 2**32 - 1)
    np.testing.assert_array_equal(there.body["sketch"], body["sketch"])
    assert there.body["sketch"].flags.writeable
    assert {**there.body, "sketch": 0} == {**body, "sketch": 0}


@given(st.integers(1, 4), st.integers(1, 70), st.booleans())
def test_pictures_are_the_same_behind_the_wire(count: int, side: int, transparent: bool) -> None:
    random = np.random.default_rng(count * side)
    body = {
        "images": random.integers(0, 256, (count, side, side, 3), np.uint8),
        "edges": random.integers(0, 256, (count, side, side), np.uint8),
        "latents": random.standard_normal((count, 100), np.float32),
        "alpha": random.integers(0, 256, (count, side, side), np.uint8) if transparent else None,
        "milliseconds": 3.5,
    }
    there = decode(encode(Message(Kind.PICTURES, 1, body))).body
    for name, value in body.items():
        np.testing.assert_array_equal(there[name], value)


@settings(max_examples=1000)
@given(malformed)
def test_what_is_malformed_is_one_named_error(frame: bytes) -> None:
    """Or, where a byte was changed that may be any, a message like others."""
    try:
        message = decode(frame)
    except MessageError as error:
        told = error
    else:
        assert decode(encode(message)).kind == message.kind
        return
    assert str(told).endswith(".")
    assert 0 <= told.number < 2**32


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"variations": 65}, "a whole number from 1 to 64"),
        ({"variations": True}, "a whole number from 1 to 64"),
        ({"seed": -1}, "a whole number from 0"),
        ({"label": None}, "a whole number"),
        ({"sketch": np.zeros((64, 64), np.float32)}, "an array of uint8"),
        ({"sketch": np.zeros((4096, 64), np.uint8)}, "its sides from 1 to"),
        ({"session": 2**31}, "a whole number from 0"),
        ({"more": 1}, "DRAW has the fields model, "),
    ],
)
def test_what_is_out_of_its_range_is_not_sent(change: dict[str, Any], told: str) -> None:
    with pytest.raises(MessageError, match=told):
        encode(Message(Kind.DRAW, 1, drawn(**change)))


def test_a_message_is_not_longer_than_allowed() -> None:
    frame = encode(Message(Kind.DRAW, 1, drawn()))
    with pytest.raises(MessageError, match="at most 1,000 are allowed"):
        decode(frame, 1000)
    with pytest.raises(MessageError, match="text"):
        decode("hello")


def test_no_number_is_made_of_bytes_that_are_none() -> None:
    sketch = {"dtype": "uint8", "shape": [1, 1], "bytes": b"a"}
    body = {
        "model": "default", "session": 0, "patience_ms": 1, "sketch": sketch, "label": 0, "closeness": 0.5,
        "latents": {"dtype": "float32", "shape": [1, 1], "bytes": b"\0\0\xc0\x7f"},
    }  # fmt: skip
    with pytest.raises(MessageError, match="finite"):
        decode(framed(msgpack.packb(body), Kind.APPROACH))
