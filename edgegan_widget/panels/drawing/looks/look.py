"""A look: what is drawn and all that its picture followed from; and the looks that were kept."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from edgegan_widget.base.units import U8
from edgegan_widget.base.words import spoken
from edgegan_widget.sketch.strokes import Drawing, strokes_from, strokes_to

__all__ = ["History", "Kept", "Look"]


MOST_KEPT = 500  # of those without a star
THUMB_PX = 128
WEBP_QUALITY = 80


@dataclass(frozen=True)
class Look:
    """A drawing with class, seed, style (None, a number or ``#rrggbb``), closeness, and the model it was drawn with."""

    drawing: Drawing
    label: str
    seed: int | None = None
    style: int | str | None = None
    model: str = ""
    closeness: float = 0.0

    def note(self) -> dict[str, Any]:
        """All but the strokes, as a saved file carries it."""
        note = {"class": self.label, "seed": self.seed, "style": self.style, "model": self.model}
        return note | ({"closeness": self.closeness} if self.closeness else {})

    @classmethod
    def noted(cls, drawing: Drawing, note: Mapping[str, Any]) -> Look:
        """The look that :meth:`note` was written of; what it lacks or holds of a wrong kind is left out."""
        label, seed, style, model = (note.get(name) for name in ("class", "seed", "style", "model"))
        closeness = note.get("closeness")
        return cls(
            drawing,
            label if isinstance(label, str) else "",
            seed if isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 else None,
            style if isinstance(style, (int, str)) and not isinstance(style, bool) else None,
            model if isinstance(model, str) else "",
            min(max(float(closeness), 0.0), 1.0) if isinstance(closeness, (int, float)) else 0.0,
        )

    @property
    def words(self) -> str:
        """What a person would call it."""
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{spoken(self.label)}{seed}"


@dataclass(frozen=True)
class Kept:
    """A look in the history: its number, its small picture as WebP, and whether it has a star."""

    number: int
    look: Look
    picture: bytes
    starred: bool = False

    def wire(self) -> dict[str, Any]:
        """As the browser shows and stores it."""
        return self.look.note() | {
            "number": self.number,
            "words": self.look.words,
            "picture": base64.b64encode(self.picture).decode(),
            "starred": self.starred,
            "strokes": strokes_to(self.look.drawing.strokes),
        }

    @classmethod
    def from_wire(cls, number: int, wire: Mapping[str, Any]) -> Kept:
        """What :meth:`wire` gave, under another number."""
        look = Look.noted(Drawing(strokes_from(wire["strokes"])), wire)
        return cls(number, look, base64.b64decode(wire["picture"]), bool(wire.get("starred")))


class History:
    """The looks that were kept, oldest first, each once; where they are too many the oldest without a star goes."""

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Kept]:
        return iter(list(self._kept.values()))

    def __getitem__(self, number: int) -> Kept:
        return self._kept[number]

    def keep(self, look: Look, picture: U8, starred: bool = False) -> Kept:
        """Keep a look with its picture uint8 [H, W, 3]; one that is kept already moves to the end with its star."""
        look = replace(look, drawing=Drawing(look.drawing.strokes))  # the way back to older strokes is not kept
        before = next((kept for kept in self if kept.look == look), None)
        if before is not None:
            del self._kept[before.number]
            return self._add(replace(before, picture=_small(picture), starred=starred or before.starred))
        return self._add(Kept(next(self._numbers), look, _small(picture), starred))

    def star(self, number: int, starred: bool) -> Kept:
        """Give a kept look a star, or take it away."""
        self._kept[number] = replace(self._kept[number], starred=starred)
        return self._kept[number]

    def forget(self) -> None:
        """Nothing is kept any more."""
        self._kept.clear()

    def bring_back(self, wires: list[Mapping[str, Any]]) -> None:
        """Put looks that the browser stored before those that are here."""
        here = list(self._kept.values())
        self._kept.clear()
        for wire in wires:
            self._add(Kept.from_wire(next(self._numbers), wire))
        for kept in here:
            self._add(kept)

    def _add(self, kept: Kept) -> Kept:
        self._kept[kept.number] = kept
        plain = [number for number, other in self._kept.items() if not other.starred]
        for number in plain[: max(0, len(plain) - MOST_KEPT)]:
            del self._kept[number]
        return kept


def _small(picture: U8) -> bytes:
    image = Image.fromarray(picture)
    image.thumbnail((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=WEBP_QUALITY)
    return stream.getvalue()
