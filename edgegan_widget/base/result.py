"""The seam between drawing and networks: arrays of numbers in, a :class:`Result` out; nothing here loads torch.

Everything that draws goes through an :class:`Engine`, so that another runner, process or machine can stand behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Engine", "Result"]

U8 = npt.NDArray[np.uint8]


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
    latents: npt.NDArray[np.float32]
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

    def generate(self, sketch: U8, label: str | int, *, seed: int | None = None, variations: int = 1) -> Result: ...
