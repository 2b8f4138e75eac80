"""Reads TensorFlow checkpoints (format V2, "tensor bundle") without TensorFlow.

A checkpoint ``PREFIX`` is an index file, ``PREFIX.index``, and data files, ``PREFIX.data-00000-of-00001``. The index
is a LevelDB table (github.com/google/leveldb, doc/table_format.md) from tensor name to a ``BundleEntryProto``
(tensorflow/core/protobuf/tensor_bundle.proto). TensorFlow would be 600 MB to install for these two small formats.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.files import telling

__all__ = ["TensorFlowCheckpoint"]

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_UNCOMPRESSED = 0
_NUMPY_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # tensorflow/core/framework/types.proto


@dataclass(frozen=True)
class _Entry:
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


class TensorFlowCheckpoint:
    """The tensors of a checkpoint by name, each read from disk when asked for.

    Parameters
    ----------
    prefix
        Path without ``.index`` or ``.data-...``, as TensorFlow's Saver takes it; with ``.index`` is understood too.

    Raises
    ------
    ModelError
        Files are missing, cut short, or of another format.
    """

    def __init__(self, prefix: Path | str) -> None:
        self.prefix = Path(str(prefix).removesuffix(".index"))
        index = Path(f"{self.prefix}.index")
        try:
            table = dict(_table(index.read_bytes()))
            header = _fields(table.pop(b""))
            self._shards = int(header.get(1, [1])[0])
            self._entries = {name.decode(): _entry(value) for name, value in table.items()}
        except FileNotFoundError as error:
            raise ModelError(
                f"{index} does not exist; give the checkpoint's path without its ending, such as checkpoints/model-100."
            ) from error
        except IsADirectoryError as error:
            raise ModelError(f"{index} is a folder; give the path of a checkpoint without its ending.") from error
        except (IndexError, KeyError, ValueError, struct.error) as error:
            raise ModelError(f"{index} is not the index of a TensorFlow checkpoint, or is cut short.") from error

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor by name."""
        return {name: entry.shape for name, entry in self._entries.items()}

    def read(self, name: str) -> npt.NDArray[np.generic]:
        """One tensor, in TensorFlow's layout."""
        if name not in self._entries:
            raise ModelError(f"{self.prefix} has no tensor {name}; it is not a checkpoint of EdgeGAN.")
        entry = self._entries[name]
        data_file = Path(f"{self.prefix}.data-{entry.shard:05}-of-{self._shards:05}")
        if entry.dtype not in _NUMPY_TYPES:
            raise ModelError(f"{name} in {self.prefix} has TensorFlow's type {entry.dtype}; only numbers can be read.")
        dtype = np.dtype(_NUMPY_TYPES[entry.dtype])
        if entry.size != math.prod(entry.shape) * dtype.itemsize:
            raise ModelError(f"{name} in {self.prefix}.index has a size that does not fit its shape; copy it anew.")
        with telling(data_file, "read", "copy it beside the .index file", ModelError), data_file.open("rb") as stream:
            stream.seek(entry.offset)
            raw = stream.read(entry.size)
        if len(raw) != entry.size:
            raise ModelError(f"{data_file} is cut short at {name}; copy it anew.")
        return np.frombuffer(raw, dtype).reshape(entry.shape)


def _table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a LevelDB table."""
    footer = content[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("no table footer")
    _, _, at = _handle(footer, 0)
    index_offset, index_size, _ = _handle(footer, at)
    for _, handle in _block(content, index_offset, index_size):
        offset, size, _ = _handle(handle, 0)
        yield from _block(content, offset, size)


def _block(content: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Entries of one block; each key shares a prefix with the one before."""
    if content[offset + size] != _UNCOMPRESSED:
        raise ValueError("compressed block")
    block = content[offset : offset + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    end = size - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _handle(raw: bytes, at: int) -> tuple[int, int, int]:
    offset, at = _varint(raw, at)
    size, at = _varint(raw, at)
    return offset, size, at


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(message: bytes) -> dict[int, list[int | bytes]]:
    """Fields of a protocol buffer message by number: numbers as int, nested messages as bytes."""
    found: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 2:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif kind in (1, 5):
            width = 8 if kind == 1 else 4
            value, at = message[at : at + width], at + width
        else:
            raise ValueError(f"unknown wire type {kind}")
        found.setdefault(tag >> 3, []).append(value)
    return found


def _entry(message: bytes) -> _Entry:
    fields = _fields(message)
    shape = tuple(_number(_fields(dimension), 1) for dimension in _nested(fields, 2))
    return _Entry(_number(fields, 1), shape, _number(fields, 3), _number(fields, 4), _number(fields, 5))


def _number(fields: dict[int, list[int | bytes]], key: int) -> int:
    value = fields.get(key, [0])[0]  # protocol buffers leave zeros out
    if not isinstance(value, int):
        raise ValueError(f"field {key} is not a number")
    return value


def _nested(fields: dict[int, list[int | bytes]], key: int) -> list[bytes]:
    """The repeated dimensions inside a TensorShapeProto, which is field ``key``."""
    shapes = [value for value in fields.get(key, []) if isinstance(value, bytes)]
    return [value for shape in shapes for value in _fields(shape).get(2, []) if isinstance(value, bytes)]
