"""What the training of the network that cuts out can be told."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegan_widget.base.settings import advanced, check_settings, setting
from edgegan_widget.networks.architectures.salience import SalienceConfig

__all__ = ["CutoutConfig"]


@dataclass(frozen=True)
class CutoutConfig:
    """Settings of one training; command line and ``config.json`` follow from them.

    Attributes
    ----------
    network
        Of the network that is trained.
    """

    data: str = setting(
        "", "folder of photos, NAME.jpg, each with the mask of its object, NAME.png", option="data", metavar="DATA",
        needed=True, path=True,
    )  # fmt: skip
    out: str = setting("", "folder of the run", option="--out", metavar="RUN", needed=True, path=True)
    network: SalienceConfig = field(default_factory=SalienceConfig)
    steps: int = setting(4000, "of a batch each", least=1)
    batch: int = setting(16, "photos in a batch", least=2, most=512)
    kept: int = setting(500, "pairs, the last by name, that are kept for testing", least=1)
    lr: float = advanced(1.5e-3, "learning rate of the decoder at its highest", least=0, most=1)
    encoder_rate: float = advanced(0.1, "that of the encoder, as a share of it; 0 freezes it", least=0, most=1)
    save_minutes: float = advanced(3.0, "minutes between two savings", least=0)
    seed: int = setting(0, "of order, crops and fresh weights", least=0)

    def __post_init__(self) -> None:
        check_settings(self)
