"""The seam between drawing and networks: arrays of numbers in, a :class:`Result` out; nothing here loads torch.

Everything that draws goes through an :class:`Engine`, so that another runner, process or machine can stand behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.units import F32, U8

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Asked", "Engine", "Result", "Style", "variation_seed"]


def variation_seed(seed: int | None, variation: int) -> int | None:
    """The seed whose first picture is the given variation: the seeds that follow, from 0 on where there is none."""
    if variation == 0:
        return seed
    return (-1 if seed is None else seed) + variation


@dataclass(frozen=True)
class Style:
    """One style of a class: its place in the bank, mean colour ``#rrggbb``, contrast (0: flat), and all its numbers."""

    index: int
    colour: str
    contrast: float
    numbers: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Asked:
    """What one picture is made of: the arguments of :meth:`Engine.generate`."""

    sketch: U8
    label: str | int
    seed: int | None = None
    style: int | str | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """What the networks made of one sketch.

    Attributes
    ----------
    images
        uint8 [V, H, W, 3], one picture a variation.
    edges
        uint8 [V, h, w], the network's own edge maps at the sketch's size, paper 255.
    latents
        float32 [V, latent_size].
    milliseconds
        Time of the whole call.
    alpha
        uint8 [V, H, W], how much of each pixel the object covers; None from a model that does not say. ``images`` lie
        over white paper.
    """

    images: U8
    edges: U8
    latents: F32
    milliseconds: float
    alpha: U8 | None = None

    @property
    def image(self) -> U8:
        """The first picture, uint8 [H, W, 3]."""
        first: U8 = self.images[0]
        return first

    @property
    def edge(self) -> U8:
        """The edge map of the first picture, uint8 [H, W]."""
        first: U8 = self.edges[0]
        return first

    @property
    def rgba(self) -> U8:
        """The pictures off their paper, uint8 [V, H, W, 4]: laid over white they are ``images`` again, up to rounding.

        Raises
        ------
        ConfigError
            The model draws no alpha.
        """
        if self.alpha is None:
            raise ConfigError(
                "this model draws on white paper only; choose one of architecture 'modulated' for pictures without it."
            )
        share = np.maximum(self.alpha, 1)[..., None].astype(np.float32) / 255
        colours = (255 - (255 - self.images) / share).round().clip(0, 255)
        return np.concatenate([colours.astype(np.uint8), self.alpha[..., None]], axis=3)

    def to_pil(self, transparent: bool = False) -> Image:
        """The first picture as a Pillow image; ``transparent`` without its paper, see :attr:`rgba`."""
        from PIL import Image

        return Image.fromarray(self.rgba[0] if transparent else self.image)


class Engine(Protocol):
    """What the pad needs of a model; :class:`edgegan_widget.EdgeGAN` is one."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def size_px(self) -> int: ...

    @property
    def sketch_px(self) -> int: ...

    @property
    def alpha(self) -> bool: ...

    @property
    def device_name(self) -> str: ...

    def styles(self, label: str | int) -> tuple[Style, ...]: ...

    @property
    def can_guess(self) -> bool: ...

    def guess(self, sketch: U8) -> list[tuple[str, float]]: ...

    def generate(
        self,
        sketch: U8,
        label: str | int,
        *,
        seed: int | None = None,
        variations: int = 1,
        style: int | str | None = None,
    ) -> Result: ...

    def approach(self, sketch: U8, label: str | int, first: Result, closeness: float) -> Iterator[Result]: ...

    def interpolate(self, start: Asked, end: Asked, frames: int) -> Result: ...
