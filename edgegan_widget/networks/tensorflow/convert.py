"""A TensorFlow 1 checkpoint of the original EdgeGAN -> our networks.

The original calls G_E and G_I ``G1`` and ``G2``, D_J, D_I and D_E ``D``, ``D_patch2`` and ``D_patch3``, C ``D2``. A
checkpoint of its inference graph holds E, G1 and G2; one of its training graph all of them, with or without the
optimizers' slots, which are not taken over.

Left behind, since nothing is computed from them: the moving averages of the generators' batch norm, which the
original never uses, and ``D2/Conv_1``, a head without a loss.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from edgegan_widget.base.errors import ModelError
from edgegan_widget.networks.architectures.paper import PaperCritics, PaperEdgeGAN
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.tensorflow.bundle import TensorFlowCheckpoint

__all__ = ["CLASSES_14", "Link", "import_tensorflow", "links"]

# The order of the model's class numbers; SketchyCOCO's folders carry COCO's category numbers in the same order.
CLASSES_14 = (
    "airplane", "cat", "giraffe", "zebra", "dog", "elephant", "fire hydrant", "horse", "bicycle", "car",
    "traffic light", "cow", "motorcycle", "sheep",
)  # fmt: skip
LATENT_SIZE = 100
_TELLS, _AVERAGE = "G1/g_lin_0/Matrix", "/ExponentialMovingAverage"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Link:
    """One parameter of ours, the original's name for it, and how to go from one layout to the other.

    ``order`` are the axes of the TensorFlow array in our order, after it was reshaped to ``unfolded``.
    """

    ours: str
    theirs: str
    unfolded: tuple[int, ...]
    order: tuple[int, ...]

    def to_ours(self, values: npt.NDArray[np.generic], shape: Sequence[int]) -> Tensor:
        """TensorFlow's array as a tensor of our ``shape``."""
        moved = np.asarray(values).reshape(self.unfolded).transpose(self.order)
        return torch.from_numpy(np.array(moved, order="C")).reshape(tuple(shape))


def links(networks: PaperEdgeGAN, critics: PaperCritics | None = None) -> list[Link]:
    """A link for every parameter and buffer; names of critics' parameters begin with ``critics.``."""
    found = [
        *_generator(networks.generator_edge, "generator_edge", "G1"),
        *_generator(networks.generator_image, "generator_image", "G2"),
        *_encoder(networks.encoder),
    ]
    if critics is not None:
        for name, scope, sides in (("joint", "D", (4, 8)), ("image", "D_patch2", (8, 8)), ("edge", "D_patch3", (8, 8))):
            found += _discriminator(getattr(critics, name), f"critics.{name}", scope, sides)
        if critics.classifier is not None:
            found += _classifier(critics.classifier)
    return found


def import_tensorflow(
    prefix: Path | str, classes: Sequence[str] | None = None
) -> tuple[PaperEdgeGAN, PaperCritics | None]:
    """Read a checkpoint.

    Parameters
    ----------
    prefix
        Path without ``.index``, as TensorFlow's Saver takes it.
    classes
        Names in the order of the model's class numbers. Without them a 14-class model gets SketchyCOCO's names and any
        other ``class_0``, ``class_1`` ...

    Returns
    -------
    The networks, and the discriminators and classifier where the checkpoint holds them.

    Raises
    ------
    ModelError
        The files cannot be read, are no EdgeGAN, or have another number of classes than names were given.
    """
    checkpoint = _Named(TensorFlowCheckpoint(prefix))
    config = _config(checkpoint, classes)
    networks = PaperEdgeGAN(config)
    critics = PaperCritics(config) if "D/d_conv_0/conv2d/w" in checkpoint.shapes else None
    parameters = dict(networks.state_dict(keep_vars=True))
    if critics is not None:
        parameters |= {f"critics.{name}": value for name, value in critics.state_dict(keep_vars=True).items()}
    with torch.no_grad():
        for link in links(networks, critics):
            values = checkpoint.read(link.theirs)
            if not np.isfinite(values).all():
                raise ModelError(
                    f"{link.theirs} in {prefix} has weights that are no finite numbers: that training had broken down; "
                    "take an earlier checkpoint."
                )
            target = parameters[link.ours]
            if values.size != target.numel():
                raise ModelError(
                    f"{link.theirs} in {prefix} is {list(values.shape)}, which does not fit {list(target.shape)}; "
                    "only the original's default widths can be imported."
                )
            target.copy_(link.to_ours(values, target.shape))
    return networks, critics


class _Named:
    """A checkpoint whose variables go by the original's names, where it was saved under a scope or as moving averages.

    Of variables that are there both ways the plain ones are taken, as the original draws with them.
    """

    def __init__(self, checkpoint: TensorFlowCheckpoint) -> None:
        self._checkpoint, self.prefix = checkpoint, checkpoint.prefix
        forms = [
            (after, before)
            for before, found, after in (name.partition(_TELLS) for name in checkpoint.shapes)
            if found and after in ("", _AVERAGE) and (not before or before.endswith("/"))
        ]
        after, before = min(forms, key=lambda form: (len(form[0]), len(form[1])), default=("", ""))
        self._names = {
            name.removeprefix(before).removesuffix(end): name
            for end in ("", after)
            for name in checkpoint.shapes
            if name.startswith(before) and name.endswith(end)
        }
        self.shapes = {name: checkpoint.shapes[theirs] for name, theirs in self._names.items()}
        if before or after:
            log.info("variables are taken from %sNAME%s", before, after)

    def read(self, name: str) -> npt.NDArray[np.generic]:
        """The values of a variable by the original's name."""
        return self._checkpoint.read(self._names.get(name, name))


def _config(checkpoint: _Named, classes: Sequence[str] | None) -> ModelConfig:
    shape = checkpoint.shapes.get("G1/g_lin_0/Matrix")
    if shape is None or "E/FC8_mu/w" not in checkpoint.shapes:
        raise ModelError(
            f"{checkpoint.prefix} holds no EdgeGAN (G1/g_lin_0/Matrix and E/FC8_mu/w are missing); "
            "give the original's checkpoint, such as outputs/edgegan/checkpoint/edgegan.model-100."
        )
    conditions = shape[0] - LATENT_SIZE
    count = max(1, conditions)
    if classes is None:
        classes = CLASSES_14 if count == len(CLASSES_14) else [f"class_{number}" for number in range(count)]
    if len(classes) != count:
        raise ModelError(
            f"the checkpoint has {count} classes and {len(classes)} names were given ({', '.join(classes)}); "
            f"give {count} names in the model's order."
        )
    width = checkpoint.shapes["G1/g_dconv_3/deconv2d/b"][0]
    return ModelConfig(tuple(classes), "paper", width=width)


def _plain(ours: str, theirs: str, values: Tensor) -> Link:
    return Link(ours, theirs, tuple(values.shape), tuple(range(values.dim())))


def _conv(ours: str, theirs: str, weight: Tensor) -> Link:
    wide, narrow, high, across = weight.shape
    return Link(ours, theirs, (high, across, narrow, wide), (3, 2, 0, 1))


def _linear(ours: str, theirs: str, weight: Tensor) -> Link:
    return Link(ours, theirs, (weight.shape[1], weight.shape[0]), (1, 0))


def _generator(module: nn.Module, ours: str, scope: str) -> list[Link]:
    parameters = dict(module.named_parameters())
    channels = parameters["norm_scale"].shape[0]
    inputs = parameters["start.weight"].shape[1]
    found = [
        Link(f"{ours}.start.weight", f"{scope}/g_lin_0/Matrix", (inputs, 4, 4, channels), (3, 1, 2, 0)),
        Link(f"{ours}.start.bias", f"{scope}/g_lin_0/bias", (4, 4, channels), (2, 0, 1)),
        _plain(f"{ours}.norm_scale", f"{scope}/batch_norm/BatchNorm/gamma", parameters["norm_scale"]),
        _plain(f"{ours}.norm_shift", f"{scope}/batch_norm/BatchNorm/beta", parameters["norm_shift"]),
    ]
    for number in range(4):
        weight, bias = (parameters[f"deconvs.{number}.{kind}"] for kind in ("weight", "bias"))
        theirs = f"{scope}/g_dconv_{number + 1}/deconv2d"
        # TensorFlow's kernel, [H, W, out, in], is that of the convolution whose gradient this is.
        found.append(_conv(f"{ours}.deconvs.{number}.weight", f"{theirs}/w", weight))
        found.append(_plain(f"{ours}.deconvs.{number}.bias", f"{theirs}/b", bias))
    return found


def _discriminator(module: nn.Module, ours: str, scope: str, sides: tuple[int, int]) -> list[Link]:
    parameters = dict(module.named_parameters())
    found = [
        _conv(f"{ours}.convs.{i}.weight", f"{scope}/d_conv_{number}/conv2d/w", parameters[f"convs.{i}.weight"])
        for i, number in enumerate((0, 1, 3, 4))
    ]
    channels = parameters["to_logit.weight"].shape[1] // (sides[0] * sides[1])
    found.append(Link(f"{ours}.to_logit.weight", f"{scope}/d_linear_5/Matrix", (*sides, channels, 1), (3, 2, 0, 1)))
    return [*found, _plain(f"{ours}.to_logit.bias", f"{scope}/d_linear_5/bias", parameters["to_logit.bias"])]


def _encoder(module: nn.Module) -> list[Link]:
    parameters = dict(module.named_parameters())
    names = {"from_sketch": "E/e_resnet_64_0/conv2d"}
    for number, width in enumerate((128, 256, 512, 512)):
        scope = f"E/e_resnet_{width}_{number + 1}"
        for ours, theirs in (("first", "res1"), ("second", "res2"), ("shortcut", "shortcut")):
            names[f"blocks.{number}.{ours}"] = f"{scope}/{theirs}/conv2d"
    found = []
    for ours, theirs in names.items():
        found.append(_conv(f"encoder.{ours}.weight", f"{theirs}/w", parameters[f"{ours}.weight"]))
        found.append(_plain(f"encoder.{ours}.bias", f"{theirs}/b", parameters[f"{ours}.bias"]))
    for ours, theirs in (("to_mean", "E/FC8_mu"), ("to_log_sigma", "E/FC8_sigma")):
        found.append(_linear(f"encoder.{ours}.weight", f"{theirs}/w", parameters[f"{ours}.weight"]))
        found.append(_plain(f"encoder.{ours}.bias", f"{theirs}/b", parameters[f"{ours}.bias"]))
    return found


def _classifier(module: nn.Module) -> list[Link]:
    state: Mapping[str, Tensor] = module.state_dict(keep_vars=True)
    convs = {"from_picture": "D2/Conv", "to_logits": "D2/fully_connected"}
    slopes = {"act_in": "D2/Conv", "act_out": "D2/mru_conv_unit_last_norm"}
    for number in range(4):
        ours, scope = f"units.{number}", f"D2/mru_conv_unit_t_{number + 1}_layer_0"
        convs |= {
            f"{ours}.gate": f"{scope}/update_gate",
            f"{ours}.from_picture": f"{scope}/Conv",
            f"{ours}.first": f"{scope}/Conv_1",
            f"{ours}.second": f"{scope}/Conv_2",
            f"{ours}.shortcut": f"{scope}/Conv_3",
        }
        slopes |= {
            f"{ours}.act_in": f"{scope}/norm_activation_in",
            f"{ours}.act_merged": f"{scope}/norm_activation_merge_1",
            f"{ours}.act_middle": f"{scope}/Conv_1",
        }
    found = []
    for ours, scope in convs.items():
        weight = state[f"{ours}.weight"]
        found += [
            _conv(f"critics.classifier.{ours}.weight", f"{scope}/weights", weight),
            _plain(f"critics.classifier.{ours}.bias", f"{scope}/biases", state[f"{ours}.bias"]),
            _plain(f"critics.classifier.{ours}.u", f"{scope}/{scope}/u", state[f"{ours}.u"]),
        ]
    for ours, scope in slopes.items():
        slope = state[f"{ours}.slope"]
        found.append(_plain(f"critics.classifier.{ours}.slope", f"{scope}/prelu/param", slope))
    return found
