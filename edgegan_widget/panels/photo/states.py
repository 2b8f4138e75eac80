"""What is on the Photo tab at one moment, and the way back and forth between such moments. All of it is immutable."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

import numpy as np

from edgegan_widget.photo.scene import Placed, Scene

__all__ = ["Chosen", "State", "Steps"]


@dataclass(frozen=True)
class Chosen:
    """A part of the photo that is chosen: a mask of the shown size, packed."""

    packed: bytes
    shape: tuple[int, int]

    @classmethod
    def make(cls, mask: np.ndarray) -> Chosen | None:
        """From a mask, bool [h, w]; None where it marks nothing."""
        if not mask.any():
            return None
        return cls(zlib.compress(np.packbits(mask).tobytes(), 1), (int(mask.shape[0]), int(mask.shape[1])))

    def mask(self) -> np.ndarray:
        """The mask, bool [h, w]."""
        bits = np.unpackbits(np.frombuffer(zlib.decompress(self.packed), np.uint8), count=self.shape[0] * self.shape[1])
        return bits.reshape(self.shape).astype(bool)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width and height of what is chosen, in shown pixels."""
        mask = self.mask()
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        return (
            int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1
        )  # fmt: skip


@dataclass(frozen=True)
class State:
    """One moment.

    Attributes
    ----------
    scene
        The photo, what was taken away, and the objects; its photo is empty before one is opened.
    chosen
        What is chosen in the photo, or None.
    selected
        The number of the object that is drawn on, or None: the next stroke begins a new one.
    kind
        Of the edit that led here; edits of one kind that follow each other are one step where the kind is not empty.
    """

    scene: Scene = field(default_factory=lambda: Scene(""))
    chosen: Chosen | None = None
    selected: int | None = None
    kind: str = ""

    @property
    def object(self) -> Placed | None:
        """The object that is drawn on."""
        return None if self.selected is None else self.scene.placed[self.selected]

    def having(self, placed: Placed, kind: str = "") -> State:
        """With another object in the place of the selected one, or with a new one where none is."""
        if self.selected is None:
            return replace(self, scene=self.scene.having(placed), selected=len(self.scene.placed), kind=kind)
        return replace(self, scene=self.scene.with_placed(self.selected, placed), kind=kind)


class Steps:
    """All moments since the beginning, and which of them is now."""

    def __init__(self, first: State | None = None) -> None:
        self._states = [State() if first is None else first]
        self._at = 0

    @property
    def now(self) -> State:
        return self._states[self._at]

    def push(self, state: State) -> None:
        """A new moment; those that were taken back are gone. One of the same kind replaces the moment before."""
        before = self.now
        if (state.scene, state.chosen) == (before.scene, before.chosen):  # only another object is selected
            self._states[self._at] = replace(before, selected=state.selected, kind="")
            return
        if state.kind and state.kind == before.kind and self._at:
            self._at -= 1
        self._states[self._at + 1 :] = [state]
        self._at += 1

    @property
    def can_undo(self) -> bool:
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        return self._at + 1 < len(self._states)

    def undo(self) -> None:
        """Go to the moment before."""
        self._at -= self.can_undo

    def redo(self) -> None:
        """Go to the moment that was left by the last undo."""
        self._at += self.can_redo
