"""Model folders (safetensors, config.json, model card) and training states on disk.

A model folder holds what drawing needs and runs no code when read. Weights are stored in half precision unless asked
otherwise, in shards of at most 15 MB, with the index file that Hugging Face's libraries write and read.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from edgegan_widget import config as settings
from edgegan_widget.config import ModelConfig
from edgegan_widget.errors import ConfigError, ModelError
from edgegan_widget.files import write_atomic, write_bytes
from edgegan_widget.nets import PaperEdgeGAN
from edgegan_widget.nets_compact import CompactEdgeGAN

__all__ = ["build_networks", "find_model", "load_model", "load_state", "save_model", "save_state"]

SHARD_BYTES = 15_000_000
INDEX = "model.safetensors.index.json"
Networks = PaperEdgeGAN | CompactEdgeGAN


def build_networks(config: ModelConfig) -> Networks:
    """E, G_E and G_I with fresh weights."""
    return CompactEdgeGAN(config) if config.architecture == "compact" else PaperEdgeGAN(config)


def find_model(name_or_folder: str | os.PathLike[str]) -> Path:
    """Folder of a model: a path, a run folder (its ``model``), or the name of a shipped model.

    Raises
    ------
    ModelError
        Nothing of that name has a ``config.json``; the message lists the shipped names.
    """
    package = Path(__file__).parent
    shipped = [package / "models", package.parent / "models"]  # in an installed wheel, in a checkout
    given = Path(name_or_folder)
    for folder in (given / "model", given, *(root / given for root in shipped)):
        if (folder / "config.json").is_file():
            return folder
    names = sorted({entry.parent.name for root in shipped for entry in root.glob("*/config.json")})
    raise ModelError(
        f"no model called {os.fspath(name_or_folder)!r}; give a folder with config.json and model.safetensors, "
        f"or one of: {', '.join(names) or 'none is shipped here'}."
    )


def save_model(folder: Path | str, networks: Networks, card: str = "", half: bool = True) -> None:
    """Write a model folder; a folder that is there already is replaced only once the new one is whole."""
    target = Path(folder)
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _write_weights(fresh, networks.state_dict(), half)
    write_bytes(fresh / "config.json", settings.to_json(networks.config))
    if card:
        write_bytes(fresh / "README.md", card)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def load_model(name_or_folder: str | os.PathLike[str], device: torch.device | None = None) -> Networks:
    """Read a model folder; networks in float32, in evaluation mode, on ``device``.

    Raises
    ------
    ModelError
        The folder is missing or incomplete, or its weights do not fit its ``config.json``.
    """
    folder = find_model(name_or_folder)
    try:
        config = settings.from_json(ModelConfig, (folder / "config.json").read_text("utf-8"))
    except (ConfigError, UnicodeDecodeError, TypeError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be used: {error}") from error
    weights = _read_weights(folder)
    networks = build_networks(config)
    _check_fit(folder, networks.state_dict(), weights, config)
    networks.load_state_dict(weights)
    return networks.eval().requires_grad_(False).to(device or torch.device("cpu"))


def save_state(path: Path | str, state: Mapping[str, Any]) -> None:
    """Write a training state (tensors, numbers, text, lists and dicts) in one atomic step."""
    with write_atomic(path) as stream:
        torch.save(dict(state), stream)


def load_state(path: Path | str, device: torch.device) -> dict[str, Any]:
    """Read a training state; only tensors and plain values are unpickled, never code."""
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"{path} does not exist; nothing to resume, so start without --resume.") from error
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ModelError(f"{path} is not a whole training state ({type(error).__name__}: {error}).") from error
    return state


def _write_weights(folder: Path, weights: Mapping[str, Tensor], half: bool) -> None:
    stored = {
        name: (tensor.half() if half and tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in weights.items()
    }
    shards: list[dict[str, Tensor]] = [{}]
    filled = 0
    for name, tensor in stored.items():
        for part_name, part in _parts(name, tensor):
            if filled and filled + part.nbytes > SHARD_BYTES:
                shards.append({})
                filled = 0
            shards[-1][part_name] = part
            filled += part.nbytes
    if len(shards) == 1:
        safetensors.torch.save_file(shards[0], folder / "model.safetensors")
        return
    index = {}
    for number, shard in enumerate(shards, 1):
        file_name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        safetensors.torch.save_file(shard, folder / file_name)
        index |= dict.fromkeys(shard, file_name)
    total = sum(tensor.nbytes for tensor in stored.values())
    write_bytes(folder / INDEX, json.dumps({"metadata": {"total_size": total}, "weight_map": index}, indent=1) + "\n")


def _parts(name: str, tensor: Tensor) -> list[tuple[str, Tensor]]:
    """The tensor itself; one larger than a shard in slices along its first axis, named ``name@0``, ``name@1`` ..."""
    if tensor.nbytes <= SHARD_BYTES:
        return [(name, tensor)]
    count = -(-tensor.nbytes // SHARD_BYTES)
    return [(f"{name}@{i}", part.contiguous()) for i, part in enumerate(tensor.chunk(count))]


def _read_weights(folder: Path) -> dict[str, Tensor]:
    index = folder / INDEX
    try:
        names = ["model.safetensors"]
        if index.is_file():
            names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        if any(Path(name).name != name for name in names):
            raise ModelError(f"{index} names a file outside its folder; fetch the model anew.")
        stored: dict[str, Tensor] = {}
        for name in names:
            stored |= safetensors.torch.load_file(folder / name)
    except FileNotFoundError as error:
        raise ModelError(f"{error.filename} is missing; copy the whole model folder.") from error
    except (SafetensorError, OSError, json.JSONDecodeError, KeyError, AttributeError) as error:
        raise ModelError(f"the weights in {folder} cannot be read ({error}); fetch the model anew.") from error
    whole = {name: tensor for name, tensor in stored.items() if "@" not in name}
    for name in {name.partition("@")[0] for name in stored} - whole.keys():
        slices = sorted((int(key.partition("@")[2]), key) for key in stored if key.startswith(f"{name}@"))
        whole[name] = torch.cat([stored[key] for _, key in slices])
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in whole.items()}


def _check_fit(folder: Path, needed: Mapping[str, Tensor], found: Mapping[str, Tensor], config: ModelConfig) -> None:
    for name, tensor in needed.items():
        if name not in found:
            raise ModelError(f"{folder} has no weights for {name}; its config.json describes another network.")
        if found[name].shape != tensor.shape:
            raise ModelError(
                f"{name} in {folder} is {list(found[name].shape)}, but config.json ({len(config.classes)} classes, "
                f"latent {config.latent_size}, width {config.width}) needs {list(tensor.shape)}; "
                "the list of classes or the weights are from another model."
            )
