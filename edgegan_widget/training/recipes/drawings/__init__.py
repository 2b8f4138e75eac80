"""``drawings``: a handful of one's own drawings move a trained model; see :mod:`.step`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.settings import advanced, setting
from edgegan_widget.training.kinds import FALLS, HOVERS, PLAIN_EDGES, Loss, Preset, RecipeKind, register, step_in

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig

__all__ = ["DrawingsSettings"]

AUGMENTS = ("none", "shift", "diffaugment")


@dataclass(frozen=True)
class DrawingsSettings:
    """What this recipe alone reads; meaning and range stand beside each field."""

    drawings: str = setting("", "folder <class>/*.json (or .svg, .png) of your own drawings")
    augment: str = advanced("shift", "changes to pictures before the discriminators, for small sets", allowed=AUGMENTS)


def _check(config: TrainConfig) -> None:
    if not config.start_from:
        raise ConfigError("the drawings recipe moves a trained model; name it with start_from, such as 'default'.")


LOSSES = {
    "discriminator_sketch": Loss("Discriminators", HOVERS, "tells your drawings from drawn edge maps"),
    "discriminator_image": Loss("Discriminators", HOVERS, "tells what the model drew before from what it draws now"),
    "discriminator_joint": Loss("Discriminators", HOVERS, "tells whether edges and picture belong together"),
    "generator_sketch": Loss(
        "Generators",
        HOVERS,
        "how far edge maps fail to pass as your drawings; it rises as a discriminator gets better",
    ),
    "generator_image": Loss("Generators", HOVERS, "how far pictures have left the look that the model had before"),
    "generator_joint": Loss("Generators", HOVERS, "how far edges and picture fail to belong together"),
    "drawing_l1": Loss("Generators", FALLS, "how far the model's own edges leave the lines of your drawings"),
    "latent_l1": Loss("Encoder", FALLS, "how far what is read from a drawn edge map is from what it was drawn from"),
}

register(
    RecipeKind(
        "drawings",
        {
            "drawings": Preset(
                "A few drawings move a trained model: after “Sketch Your Own GAN”, Wang et al., ICCV 2021.",
                {
                    "start_from": "default", "epochs": 300, "batch_size": 16, "lr_generator": 5e-4,
                    "lr_discriminator": 5e-4, "decay_fraction": 0.0, "ema_decay": 0.99, "width": 32,
                    "size_px": 64, "save_every_seconds": 30.0, **PLAIN_EDGES,
                },
            )
        },
        step_in(__name__),
        losses=LOSSES,
        own=DrawingsSettings,
        learns_from="drawings",
        makes_critics=False,
        from_scratch=False,
        check=_check,
    )
)  # fmt: skip
