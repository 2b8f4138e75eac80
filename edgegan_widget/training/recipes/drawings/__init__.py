"""``drawings``: a handful of one's own drawings move a trained model; see :mod:`.step`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.training.kinds import Preset, RecipeKind, register

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig
    from edgegan_widget.training.kinds import Step

__all__: list[str] = []


def _step() -> Step:
    from edgegan_widget.training.recipes.drawings import step

    return step


def _check(config: TrainConfig) -> None:
    if not config.start_from:
        raise ConfigError("the drawings recipe moves a trained model; name it with start_from, such as 'default'.")


register(
    RecipeKind(
        "drawings",
        {
            "drawings": Preset(
                "A few drawings move a trained model: after “Sketch Your Own GAN”, Wang et al., ICCV 2021.",
                {
                    "start_from": "default", "epochs": 300, "batch_size": 16, "lr_generator": 5e-4,
                    "lr_discriminator": 5e-4, "decay_fraction": 0.0, "ema_decay": 0.99, "save_every_seconds": 30.0,
                },
            )
        },
        _step,
        reads=("augment", "drawings",),
        learns_from="drawings",
        makes_critics=False,
        from_scratch=False,
        check=_check,
    )
)  # fmt: skip
