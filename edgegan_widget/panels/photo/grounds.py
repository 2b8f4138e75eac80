"""The photo at its full size and at the size that is shown, without what was taken away; each hole is filled once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.photo.erase import box_of
from edgegan_widget.photo.pixels import resized, within
from edgegan_widget.photo.scene import Scene, fill

__all__ = ["Grounds"]

SHOWN_PX = 1280  # longest side of the photo on the page
MOST_SHOWN = 6  # grounds that are kept at the shown size
MOST_FILLED = 60  # holes

Told = Callable[[float], object]


@dataclass(frozen=True, eq=False)
class _Filled:
    """What a hole was filled with, and where that lies."""

    rows: slice
    columns: slice
    pixels: U8


class Grounds:
    """Photos of scenes, decoded, filled and reduced, each kept as long as it is likely to be asked for again."""

    def __init__(self) -> None:
        self._photo: tuple[bytes, U8] | None = None
        self._filled: OrderedDict[Scene, _Filled] = OrderedDict()
        self._shown: OrderedDict[Scene, U8] = OrderedDict()
        self._lock = threading.RLock()

    def photo(self, scene: Scene) -> U8:
        """The photo as it was opened, uint8 [H, W, 3], not to be written to."""
        with self._lock:
            if self._photo is None or self._photo[0] is not scene.photo_file:
                self._photo = (scene.photo_file, scene.open_photo())
            return self._photo[1]

    def shown_size(self, scene: Scene) -> tuple[int, int]:
        """Width and height at which it is shown."""
        return within(self.photo(scene), SHOWN_PX)

    def scale(self, scene: Scene) -> float:
        """How large it is shown, beside its own size."""
        return self.shown_size(scene)[0] / int(self.photo(scene).shape[1])

    def is_whole(self, scene: Scene) -> bool:
        """Whether all holes are filled."""
        return all(prefix in self._filled for prefix in _prefixes(scene))

    def full(self, scene: Scene) -> U8:
        """The photo with its holes filled as far as they are, uint8 [H, W, 3]."""
        picture_u8 = self.photo(scene)
        known = self._known(scene)
        if known:
            picture_u8 = picture_u8.copy()
            for each in known:
                picture_u8[each.rows, each.columns] = each.pixels
        return picture_u8

    def shown(self, scene: Scene) -> U8:
        """The same at the shown size."""
        known = replace(_bare(scene), erased=scene.erased[: len(self._known(scene))])
        with self._lock:
            if known not in self._shown:
                self._shown[known] = np.ascontiguousarray(resized(self.full(known), self.shown_size(scene)))
            self._shown.move_to_end(known)
            while len(self._shown) > MOST_SHOWN:
                self._shown.popitem(last=False)
            return self._shown[known]

    def fill(self, scene: Scene, told: Told) -> None:
        """Fill the holes that are not filled yet; raises as :func:`~edgegan_widget.photo.erase` does."""
        missing = [prefix for prefix in _prefixes(scene) if prefix not in self._filled]
        for number, prefix in enumerate(missing):
            self._fill(prefix, _part_of(told, number, len(missing)))

    def _fill(self, prefix: Scene, told: Told) -> None:
        before = self.full(replace(prefix, erased=prefix.erased[:-1]))
        after = fill(before, prefix.erased[-1], told)
        differs = (after != before).any(2)
        rows = columns = slice(0, 0)
        if differs.any():
            top, bottom, left, right = box_of(differs)
            rows, columns = slice(top, bottom), slice(left, right)
        with self._lock:
            self._filled[prefix] = _Filled(rows, columns, after[rows, columns].copy())
            while len(self._filled) > MOST_FILLED:
                self._filled.popitem(last=False)

    def _known(self, scene: Scene) -> list[_Filled]:
        known = []
        for prefix in _prefixes(scene):
            if prefix not in self._filled:
                break
            known.append(self._filled[prefix])
        return known


def _part_of(told: Told, number: int, count: int) -> Told:
    """Tells of one of several steps as a share of all."""
    return lambda share: told((number + share) / count)


def _bare(scene: Scene) -> Scene:
    """The photo alone."""
    return Scene(scene.photo, photo_file=scene.photo_file)


def _prefixes(scene: Scene) -> list[Scene]:
    """The photo with the first hole, with the first two, and so on."""
    return [replace(_bare(scene), erased=scene.erased[: number + 1]) for number in range(len(scene.erased))]
