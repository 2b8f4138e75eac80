"""Photos and their masks: found in a folder, kept small in one file that is mapped, and cut into batches."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgegan_widget.base.chance import stream
from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_atomic
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.beside import photos_with_masks
from edgegan_widget.photo.masks import is_around, mask_shades
from edgegan_widget.photo.turns import orientation_of

__all__ = ["Pair", "Pairs", "find_pairs", "keep_small"]

_ROOM = 1.2  # small pictures are so much larger than what the network sees: room for crops
_LEAST_CROP = 0.72  # share of the side
_LIGHTER = 0.25  # how far light and contrast are moved at the most
_GREY = 0.05  # share of photos shown without colour
_MOST_NAMED = 5
_HALF_U8 = 127

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pair:
    """A photo and the mask of what stands out in it."""

    photo: Path
    mask: Path

    def read(self) -> tuple[U8, U8]:
        """The photo uint8 [H, W, 3] and its mask uint8 [H, W], 255 is object.

        Raises
        ------
        DataError
            One of them cannot be read, or they differ in size.
        """
        photo_u8 = picture_rgb_u8(self.photo)
        height, width = photo_u8.shape[:2]
        return photo_u8, mask_shades(self.mask, width, height, orientation_of(self.photo.read_bytes()))


def find_pairs(folder: Path, kept: int) -> tuple[list[Pair], list[Pair]]:
    """The pairs of a folder to learn from, and the last ``kept`` by name to be tested on.

    Raises
    ------
    DataError
        The folder is missing, or holds too few pairs.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give one of photos NAME.jpg, each with a mask NAME.png.")
    found, alone = photos_with_masks(folder)
    pairs = [Pair(photo, mask) for photo, mask in found.items()]
    if alone:
        named = ", ".join(each.name for each in alone[:_MOST_NAMED])
        log.warning("%s: %s pictures without a partner are left out (%s)", folder, f"{len(alone):,}", named)
    if len(pairs) < kept + 2:
        raise DataError(
            f"{folder} holds {len(pairs)} photos with masks, of which {kept} are to be kept; give more photos "
            "NAME.jpg, each with its mask NAME.png or NAME_mask.png, or in a folder masks, or keep fewer."
        )
    return pairs[:-kept], pairs[-kept:]


def keep_small(pairs: Sequence[Pair], size_px: int, file: Path) -> Iterator[int]:
    """Write the pairs, squeezed into squares with room for crops, into one file; yields how many are in it.

    Nothing is done where the file holds the same pairs already.
    """
    side, about = round(size_px * _ROOM), file.with_suffix(".json")
    wanted = json.dumps({"pairs": _digest(pairs), "side_px": side})
    if file.is_file() and about.is_file() and about.read_text("utf-8") == wanted:
        return
    around = []
    with write_atomic(file) as stream:
        np.lib.format.write_array_header_2_0(
            stream, {"descr": "|u1", "fortran_order": False, "shape": (len(pairs), side, side, 4)}
        )
        for number, pair in enumerate(pairs, 1):
            whole = pair.read()
            if is_around(whole[1] > _HALF_U8):
                around.append(pair.mask)
            small = [cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in whole]
            stream.write(np.dstack(small).tobytes())
            yield number
        _check_sides(around, len(pairs))
    with write_atomic(about) as stream:
        stream.write(wanted.encode())


def _check_sides(around: Sequence[Path], count: int) -> None:
    """Refuse masks of which most are object all around, as those that are dark where the object is."""
    if not around:
        return
    told = f"{len(around):,} of {count:,} masks are object all around and none in the middle ({around[0].name})"
    if 2 * len(around) > count:
        raise DataError(f"{told}, as those that are dark where the object is; invert them.")
    log.warning("%s; look whether they are the wrong way round", told)


def _digest(pairs: Sequence[Pair]) -> str:
    facts = [[pair.photo.name, pair.photo.stat().st_mtime_ns, pair.mask.stat().st_mtime_ns] for pair in pairs]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class Pairs:
    """The file of :func:`keep_small`, mapped; batch i is a function of seed and i.

    Parameters
    ----------
    file
        Where it lies.
    size_px
        Side of what the network sees.
    """

    def __init__(self, file: Path, size_px: int) -> None:
        self._stored: npt.NDArray[np.uint8] = np.load(file, mmap_mode="r")
        self._size_px = size_px

    def __len__(self) -> int:
        return len(self._stored)

    def batch(self, seed: int, step: int, count: int) -> tuple[Tensor, Tensor]:
        """Photos float32 [N, 3, S, S] in [-1, 1] and masks [N, 1, S, S] in 0..1: cropped, mirrored, lit otherwise."""
        chances = torch.rand(count, 8, generator=stream(seed, step, "cutout")).numpy()
        numbers = range(step * count, (step + 1) * count)
        made = [self._sample(self._which(seed, number), chance) for number, chance in zip(numbers, chances)]
        stacked = torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2)  # [N, 4, S, S]
        photos = stacked[:, :3].contiguous(memory_format=torch.channels_last) * 2 - 1
        return photos, stacked[:, 3:].contiguous()

    def _which(self, seed: int, number: int) -> int:
        """The order of each round through the pairs is another."""
        around, place = divmod(number, len(self))
        order = torch.randperm(len(self), generator=stream(seed, around, "cutout order"))
        return int(order[place])

    def _sample(self, index: int, chance: F32) -> F32:
        """[S, S, 4] in 0..1."""
        whole = self._stored[index]
        high, wide = (round(len(whole) * (_LEAST_CROP + (1 - _LEAST_CROP) * share)) for share in chance[:2])
        top, left = int(chance[2] * (len(whole) - high + 1)), int(chance[3] * (len(whole) - wide + 1))
        part = cv2.resize(
            np.ascontiguousarray(whole[top : top + high, left : left + wide]), (self._size_px, self._size_px)
        )
        part = part[:, ::-1] if chance[4] < 0.5 else part
        sample = part.astype(np.float32) / 255
        sample[..., :3] = _lit(sample[..., :3], chance[5:])
        return np.asarray(sample, np.float32)


def _lit(photo: F32, chance: F32) -> F32:
    contrast, light = 1 + _LIGHTER * (2 * chance[0] - 1), _LIGHTER * (chance[1] - 0.5)
    if chance[2] < _GREY:
        photo = np.repeat(photo.mean(axis=2, keepdims=True), 3, axis=2)
    mean = photo.mean()
    return np.asarray(np.clip((photo - mean) * contrast + mean + light, 0, 1), np.float32)
