"""``paper``: networks, losses and order of updates of Gao et al., CVPR 2020, section 3.1; see :mod:`.step`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.training.kinds import Preset, RecipeKind, register

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig
    from edgegan_widget.training.kinds import Step

__all__: list[str] = []


def _step() -> Step:
    from edgegan_widget.training.recipes.paper import step

    return step


def _check(config: TrainConfig) -> None:
    if config.edges or config.edge_schedule or config.hand_details or config.hand_proportions or config.poses:
        raise ConfigError(
            "the paper's recipe shows its encoder the edge map it learns to draw, as it is; leave edges, poses and "
            "hand_... out, or choose preset 'projected'."
        )


# The training script's own defaults: as they are, with nothing added.
register(
    RecipeKind(
        "paper",
        {
            "paper": Preset(
                "As published: networks, losses and settings of Gao et al., CVPR 2020. 64 px; wants a GPU.",
                {
                    "epochs": 100, "batch_size": 64, "lr_generator": 2e-4, "lr_discriminator": 2e-4,
                    "decay_fraction": 0.0, "ema_decay": 0.0, "width": 64, "precision": "float32", "balanced": False,
                    "mirror": False,
                },
            )
        },
        _step,
        reads=("balanced", "trains", "new_classes", "critic_warmup_steps",),
        architectures=("paper",),
        check=_check,
    )
)  # fmt: skip
