"""Writes a checkpoint in TensorFlow's bundle format (an uncompressed LevelDB table), as its Saver does."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

_TYPES = {np.dtype("float32"): 1, np.dtype("float64"): 2, np.dtype("int64"): 9, np.dtype("float16"): 19}
_MAGIC = 0xDB4775248B80FB57


def _varint(number: int) -> bytes:
    out = b""
    while True:
        low = number & 0x7F
        number >>= 7
        if not number:
            return out + bytes([low])
        out += bytes([low | 0x80])


def _field(key: int, wire: int, value: bytes) -> bytes:
    return _varint(key << 3 | wire) + value


def _message(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _entry(array: np.ndarray, offset: int) -> bytes:
    sides = b"".join(_field(2, 2, _message(_field(1, 0, _varint(side)))) for side in array.shape)
    shape = _field(2, 2, _message(sides))
    place = _field(4, 0, _varint(offset)) + _field(5, 0, _varint(array.nbytes))
    return _field(1, 0, _varint(_TYPES[array.dtype])) + shape + place


def _block(items: list[tuple[bytes, bytes]]) -> bytes:
    whole = b"".join(_varint(0) + _varint(len(key)) + _varint(len(value)) + key + value for key, value in items)
    return whole + struct.pack("<II", 0, 1)


def write_bundle(prefix: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write ``prefix.index`` and ``prefix.data-00000-of-00001``; returns ``prefix``."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    items, data = [(b"", _field(1, 0, _varint(1)))], b""
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        items.append((name.encode(), _entry(array, len(data))))
        data += array.tobytes()
    blocks = [_block(items), _block([])]
    table = b"".join(block + b"\0" * 5 for block in blocks)
    place = _varint(0) + _varint(len(blocks[0]))
    index = _block([(items[-1][0] + b"\xff", place)])
    footer = _varint(len(blocks[0]) + 5) + _varint(len(blocks[1])) + _varint(len(table)) + _varint(len(index))
    table += index + b"\0" * 5 + footer.ljust(40, b"\0") + struct.pack("<Q", _MAGIC)
    prefix.with_name(prefix.name + ".index").write_bytes(table)
    prefix.with_name(prefix.name + ".data-00000-of-00001").write_bytes(data)
    return prefix
