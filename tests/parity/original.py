"""The original's weights in our networks, and the golden vectors of its graph.

``golden/`` was made by running the original TensorFlow 1 graph; ``recipe.py`` there rebuilds its weights from a seed.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.tensorflow.convert import Link, links
from edgegan_widget.training.config import PRESETS
from edgegan_widget.training.recipes.common import Inputs
from edgegan_widget.training.recipes.paper.step import Recipe
from tests.parity.golden import recipe

GOLDEN = Path(__file__).parent / "golden"
CLASSES = ("zero", "one", "two", "three", "four")


def golden(name: str) -> dict[str, np.ndarray]:
    with np.load(GOLDEN / f"{name}.npz") as archive:
        return dict(archive)


def rebuilt_weights() -> dict[str, np.ndarray]:
    """The weights that the golden vectors were made with, by the original's names."""
    settings = recipe.SETS["public"]
    variables = recipe.model_variables(GOLDEN / "variables_5.json")
    return recipe.weights(variables, settings["seed"], settings["pool"])


def build(weights: dict[str, np.ndarray], dtype: torch.dtype) -> Recipe:
    """The paper's recipe with the golden weights, in ``dtype``."""
    model = ModelConfig(CLASSES, "paper")
    config = dataclasses.replace(PRESETS["paper"], batch_size=4, device="cpu")
    made = Recipe(model, config, torch.device("cpu"))
    made.networks.to(dtype)
    made.critics.to(dtype)
    made.optimizers = {  # anew, so that the mean squares have the weights' type
        name: type(optimizer)(optimizer.param_groups[0]["params"], optimizer.param_groups[0]["lr"])
        for name, optimizer in made.optimizers.items()
    }
    ours = our_tensors(made)
    with torch.no_grad():
        for link in links(made.networks, made.critics):
            ours[link.ours].copy_(link.to_ours(weights[link.theirs], ours[link.ours].shape))
    return made


def our_tensors(recipe: Recipe) -> dict[str, torch.Tensor]:
    tensors = dict(recipe.networks.state_dict(keep_vars=True))
    return tensors | {f"critics.{name}": value for name, value in recipe.critics.state_dict(keep_vars=True).items()}


def inputs(arrays: dict[str, np.ndarray], dtype: torch.dtype, step: int | None = None) -> Inputs:
    """What the original was fed for one step."""
    pick = (lambda name: arrays[name]) if step is None else (lambda name: arrays[name][step])
    pairs = torch.from_numpy(pick("images_u8")).permute(0, 3, 1, 2).to(dtype) / 127.5 - 1
    z = torch.from_numpy(pick("z")).to(dtype)
    alpha = torch.from_numpy(pick("alpha")).to(dtype)
    return {
        "edges": pairs[..., :64],
        "images": pairs[..., 64:],
        "labels": z[:, 100].long(),
        "latent": z[:, :100],
        "alpha_joint": alpha[0],
        "alpha_image": alpha[1],
        "alpha_edge": alpha[2],
        "noise": torch.as_tensor(pick("noise")).to(dtype),
    }


def to_theirs(link: Link, values: torch.Tensor) -> torch.Tensor:
    """Our tensor, flat, in the order of TensorFlow's array."""
    shape = [link.unfolded[axis] for axis in link.order]
    back = [link.order.index(axis) for axis in range(len(link.order))]
    return values.reshape(shape).permute(back).flatten()
