"""A small modulated model with a bank of styles, for tests that draw with one."""

from __future__ import annotations

from pathlib import Path

import torch

from edgegan_widget.networks.architectures.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.config import SPATIAL_SIZE, ModelConfig
from edgegan_widget.networks.store import save_model

STYLE_SIZE = 16


def modulated_config(
    classes: tuple[str, ...] = ("ball", "box"), latent: str = "spatial", **changes: int
) -> ModelConfig:
    size = SPATIAL_SIZE if latent == "spatial" else 84
    given = {"size_px": 128, "width": 8, "style_size": STYLE_SIZE} | changes
    return ModelConfig(
        classes, "modulated", latent_size=size + given["style_size"], edge_channels=1, latent=latent, **given
    )


def modulated_networks(classes: tuple[str, ...] = ("ball", "box"), **changes: object) -> ModulatedEdgeGAN:
    """Untrained, but with the running statistics, class rows and styles that a trained one would have."""
    torch.manual_seed(3)
    networks = ModulatedEdgeGAN(modulated_config(classes, **changes))
    for name, value in networks.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(std=0.2)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2)
        elif name.endswith("modulation.weight"):
            value.normal_(std=0.3)
    networks.styles.normal_()
    networks.styles[..., :3] = torch.rand(networks.styles[..., :3].shape) * 2 - 1
    networks.styles[..., 3] = torch.rand(networks.styles[..., 3].shape) * 0.5
    return networks.eval()


def saved_modulated(folder: Path, classes: tuple[str, ...] = ("ball", "box"), **changes: object) -> Path:
    save_model(folder, modulated_networks(classes, **changes), half=False)
    return folder
