"""``paper``: networks, losses and order of updates of Gao et al., CVPR 2020, section 3.1; see :mod:`.step`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.training.kinds import FALLS, HOVERS, PLAIN_EDGES, Loss, Preset, RecipeKind, register, step_in

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig

__all__: list[str] = []


_LEAST_WIDTH = 8  # an eighth of it is what its discriminators begin with


def _check(config: TrainConfig) -> None:
    if config.edges or config.edge_schedule or config.hand_details or config.hand_proportions or config.poses:
        raise ConfigError(
            "the paper's recipe shows its encoder the edge map it learns to draw, as it is; leave edges, poses and "
            "hand_... out, or choose preset 'projected'."
        )
    if config.width < _LEAST_WIDTH:
        raise ConfigError(f"width is {config.width}; the recipe 'paper' needs {_LEAST_WIDTH} channels or more.")


LOSSES = {
    "discriminator_joint": Loss("Discriminators", HOVERS, "tells whether edges and picture belong together"),
    "discriminator_image": Loss("Discriminators", HOVERS, "tells photos from pictures"),
    "discriminator_edge": Loss("Discriminators", HOVERS, "tells edge maps of photos from drawn ones"),
    "classifier": Loss("Classifier", FALLS, "names the class of real photos"),
    "generator_edge": Loss(
        "Generators",
        HOVERS,
        "how far drawn edge maps fail to pass as real; it rises as a discriminator gets better",
    ),
    "generator_image": Loss("Generators", HOVERS, "the same of pictures, and how far they are from their class"),
    "latent_l1": Loss("Encoder", FALLS, "how far what is read from a drawn edge map is from what it was drawn from"),
}

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
                    "mirror": False, "size_px": 64, **PLAIN_EDGES,
                },
            )
        },
        step_in(__name__),
        losses=LOSSES,
        reads=("balanced", "trains", "new_classes", "critic_warmup_steps",),
        architectures=("paper",),
        check=_check,
    )
)  # fmt: skip
