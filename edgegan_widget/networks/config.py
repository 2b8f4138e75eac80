"""Shape of an EdgeGAN: what a model folder says of its networks."""

from __future__ import annotations

from dataclasses import dataclass

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.settings import check_settings, setting

__all__ = ["ModelConfig"]

ARCHITECTURES = ("paper", "compact", "modulated")
LATENTS = ("vector", "spatial")
SIZES_PX = (64, 128, 256)
SKETCH_PX = 64  # side of the sketches that the modulated networks read
ROUGH_CODE, FINE_CODE = (64, 8), (16, 16)  # channels and side of the parts of a spatial latent
SPATIAL_SIZE = ROUGH_CODE[0] * ROUGH_CODE[1] ** 2 + FINE_CODE[0] * FINE_CODE[1] ** 2


@dataclass(frozen=True)
class ModelConfig:
    """Shape of an EdgeGAN: its classes by number, no name twice; what else it is stands beside each field.

    Raises
    ------
    ConfigError
        A value is out of its range, or does not go with the others.
    """

    classes: tuple[str, ...]
    architecture: str = setting(
        "paper",
        "networks of Gao et al. 2020, the narrow ones of networks.compact, or those of networks.modulated",
        allowed=ARCHITECTURES,
    )
    size_px: int = setting(64, "side of the picture in pixels; paper knows 64 only", allowed=SIZES_PX)
    latent_size: int = setting(100, "numbers in the latent z; 100 in the paper", least=1)
    style_size: int = setting(
        0, "how many of them, at the end, describe colour and material, which no line shows; not in paper", least=0
    )
    width: int = setting(
        64, "channels of the generators at full resolution, 64 in the paper; of modulated at 64 pixels", least=1
    )
    edge_channels: int = setting(3, "3 as in the paper, where an edge map is a colour picture, or 1", allowed=(1, 3))
    latent: str = setting(
        "vector", "as in the paper, or spatial: numbers that keep their place; modulated only", allowed=LATENTS
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ConfigError(f"classes is {self.classes!r}; give at least one name and none twice.")
        if self.style_size >= self.latent_size:
            raise ConfigError(
                f"style_size is {self.style_size}; it must lie from 0 to latent_size - 1 = {self.latent_size - 1}."
            )
        if self.architecture == "paper" and (self.size_px != 64 or self.style_size or self.edge_channels != 3):
            raise ConfigError(
                "the paper architecture draws 64 pixels from 3-channel edge maps without a style part; "
                "choose architecture 'modulated' for other sizes."
            )
        if self.architecture != "modulated" and self.latent == "spatial":
            raise ConfigError(f"architecture {self.architecture!r} knows no spatial latent; 'modulated' does.")
        if self.latent == "spatial" and self.shape_size != SPATIAL_SIZE:
            raise ConfigError(
                f"latent_size is {self.latent_size}; a spatial latent has {SPATIAL_SIZE} numbers and its style_size."
            )

    @property
    def sketch_px(self) -> int:
        """Side of the sketch, and of the network's own edge map."""
        return SKETCH_PX if self.architecture == "modulated" else self.size_px

    @property
    def alpha(self) -> bool:
        """Whether pictures come with coverage."""
        return self.architecture == "modulated"

    @property
    def shape_size(self) -> int:
        """Numbers of the latent that the encoder reads from the sketch."""
        return self.latent_size - self.style_size

    @property
    def noise_size(self) -> int:
        """Numbers that drawing needs beside the sketch: one that the original draws for all of z, or a style."""
        sizes = {"paper": 1, "compact": self.latent_size, "modulated": self.style_size}
        return sizes[self.architecture]

    @property
    def condition_size(self) -> int:
        """Length of the class condition: one number a class, none where there is only one class."""
        return len(self.classes) if len(self.classes) > 1 else 0
