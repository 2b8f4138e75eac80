"""Pictures that are nearly the same, among hundreds of thousands, without comparing all with all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["twins"]

U8 = npt.NDArray[np.uint8]

_COARSE_BYTES, _FINE_BYTES = 8, 40
_BANDS = 5  # of the 64-bit hash: near pictures agree in all bits of at least one
_CHUNK_PAIRS = 1_000_000
_BIT_COUNT = np.array([bin(value).count("1") for value in range(256)], np.uint8)


def twins(coarse: bytes, fine: bytes, most_bits: int) -> dict[int, tuple[int, int]]:
    """Find, for each picture, the earlier one that is nearest to it.

    Parameters
    ----------
    coarse, fine
        The pictures' hashes one after the other, 8 and 40 bytes each.
    most_bits
        How many of the 320 bits may differ.

    Returns
    -------
    Number of a picture -> number of its earlier twin and the bits in which they differ.
    """
    keys = np.frombuffer(coarse, np.uint8).reshape(-1, _COARSE_BYTES)
    shades = np.frombuffer(fine, np.uint8).reshape(-1, _FINE_BYTES)
    bits = np.unpackbits(keys, axis=1)
    found: dict[int, tuple[int, int]] = {}
    for band in np.array_split(np.arange(bits.shape[1]), _BANDS):
        values = bits[:, band].astype(np.int64) @ (1 << np.arange(len(band), dtype=np.int64))
        order = np.argsort(values, kind="stable")
        starts = np.flatnonzero(np.diff(values[order], prepend=-1))
        for bucket in np.split(order, starts[1:]):
            _compare(bucket, shades, most_bits, found)
    return found


def _compare(bucket: npt.NDArray[np.int64], shades: U8, most_bits: int, found: dict[int, tuple[int, int]]) -> None:
    """All pictures of a bucket with each other, a block of rows at a time."""
    rows = max(1, _CHUNK_PAIRS // max(1, len(bucket)))
    for start in range(1, len(bucket), rows):
        later = bucket[start : start + rows]
        earlier = bucket[: start + len(later) - 1]
        differ = _BIT_COUNT[shades[later][:, None] ^ shades[earlier][None]].sum(axis=2, dtype=np.uint16)
        differ[np.arange(len(earlier))[None] >= start + np.arange(len(later))[:, None]] = 999
        nearest = differ.argmin(axis=1)
        least = differ[np.arange(len(later)), nearest]
        for row in np.flatnonzero(least <= most_bits):
            pair = (int(least[row]), int(earlier[nearest[row]]))
            known = found.get(int(later[row]))
            if known is None or pair < known[::-1]:
                found[int(later[row])] = pair[::-1]
