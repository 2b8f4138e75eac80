"""Model folders (safetensors, config.json, model card) and training states on disk.

A model folder holds what drawing needs and runs no code when read. Weights are stored in half precision unless asked
otherwise, in shards of at most 15 MB, with the index file that Hugging Face's libraries write and read.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.files import write_atomic, write_bytes
from edgegan_widget.networks.architectures.compact import CompactEdgeGAN
from edgegan_widget.networks.architectures.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.architectures.paper import PaperEdgeGAN
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import INDEX, find_model, read_config

__all__ = [
    "build_networks",
    "load_critics",
    "load_model",
    "load_state",
    "save_checkpoint",
    "save_model",
    "save_state",
]

SHARD_BYTES = 15_000_000
Networks = PaperEdgeGAN | CompactEdgeGAN | ModulatedEdgeGAN
_ARCHITECTURES: dict[str, Any] = {"paper": PaperEdgeGAN, "compact": CompactEdgeGAN, "modulated": ModulatedEdgeGAN}


def build_networks(config: ModelConfig) -> Networks:
    """E, G_E and G_I with fresh weights."""
    networks: Networks = _ARCHITECTURES[config.architecture](config)
    return networks


def save_model(
    folder: Path | str,
    networks: Networks,
    half: bool = True,
    critics: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a model folder; one that is there already is replaced only once the new one is whole.

    What else lies in the folder stays, such as a classifier of drawings, unless its model draws other classes.

    ``critics`` (discriminators and classifier, which drawing does not need) go into files of their own.
    """
    target = Path(folder)
    _check_finite(target, networks.state_dict())
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        for entry in _others(target, networks.config.classes):
            copy = shutil.copytree if entry.is_dir() else shutil.copy2
            copy(entry, fresh / entry.name)
        _write_weights(fresh, "model", networks.state_dict(), half)
        if critics is not None:
            _write_weights(fresh, "critics", critics, half)
        write_bytes(fresh / "config.json", settings.to_json(networks.config))
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _others(folder: Path, classes: tuple[str, ...]) -> list[Path]:
    """What stays in a folder that gets a model: all but the weights and settings of the one before.

    Of a model of other classes nothing stays: neither a classifier of drawings nor a card would be of these.
    """
    with contextlib.suppress(ModelError):
        if read_config(folder).classes != classes:
            return []
    own = ("config.json", "model*.safetensors*", "critics*.safetensors*", "model.onnx")
    found = folder.iterdir() if folder.is_dir() else ()
    return [entry for entry in found if not any(fnmatch(entry.name, pattern) for pattern in own)]


def load_model(name_or_folder: str | os.PathLike[str], device: torch.device | None = None) -> Networks:
    """Read a model folder; networks in float32, in evaluation mode, on ``device``.

    Raises
    ------
    ModelError
        The folder is missing or incomplete, or its weights do not fit its ``config.json``.
    """
    folder = find_model(name_or_folder)
    config = read_config(folder)
    weights = _read_weights(folder, "model")
    networks = build_networks(config)
    _check_fit(folder, networks.state_dict(), weights, config)
    networks.load_state_dict(weights)
    return networks.eval().requires_grad_(False).to(device or torch.device("cpu"))


def load_critics(name_or_folder: str | os.PathLike[str]) -> dict[str, Tensor] | None:
    """Weights of the discriminators that a model brings along for fine-tuning; None where it has none."""
    place = find_model(name_or_folder)
    if place.is_dir() and not any(place.glob("critics*.safetensors*")):
        return None
    return _read_weights(place, "critics") or None


def save_checkpoint(path: Path | str, networks: nn.Module, critics: nn.Module, about: Mapping[str, object]) -> None:
    """Write a model and its critics as one file in half precision, in one atomic step.

    ``about`` (step, epoch, score and the like) is kept as JSON beside the model's settings in the file's header.
    """
    stored = {
        f"{part}.{name}": (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for part, module in (("model", networks), ("critics", critics))
        for name, tensor in module.state_dict().items()
    }
    config: ModelConfig = networks.config  # type: ignore[assignment]
    header = {"config": settings.to_json(config), "about": json.dumps(about)}
    write_bytes(path, safetensors.torch.save(stored, header))


def save_state(path: Path | str, state: Mapping[str, Any]) -> None:
    """Write a training state (tensors, numbers, text, lists and dicts) in one atomic step."""
    with write_atomic(path) as stream:
        try:
            torch.save(dict(state), stream)
        except RuntimeError as error:  # so torch tells of a disk that is full
            reason: BaseException | None = error
            while reason is not None and not isinstance(reason, OSError):
                reason = reason.__context__
            raise reason or error from error


def load_state(path: Path | str, device: torch.device) -> dict[str, Any]:
    """Read a training state; only tensors and plain values are unpickled, never code."""
    try:
        with zipfile.ZipFile(path) as packed:  # torch itself checks no sums
            damaged = packed.testzip()
        state: dict[str, Any] | None = None
        if damaged is None:
            state = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"{path} does not exist; nothing to resume, so start without --resume.") from error
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ModelError(_damaged(path)) from error
    if state is None:
        raise ModelError(_damaged(path))
    return state


def _damaged(path: Path | str) -> str:
    return (
        f"{path} is damaged or cut short, so the run cannot go on from it; put back a copy of it, or start a new run "
        "from its model with --start-from."
    )


def _write_weights(folder: Path, name: str, weights: Mapping[str, Tensor], half: bool) -> None:
    stored = {
        key: (tensor.half() if half and tensor.is_floating_point() else tensor).contiguous().cpu()
        for key, tensor in weights.items()
    }
    shards: list[dict[str, Tensor]] = [{}]
    filled = 0
    for key, tensor in stored.items():
        for part_name, part in _parts(key, tensor):
            if filled and filled + part.nbytes > SHARD_BYTES:
                shards.append({})
                filled = 0
            shards[-1][part_name] = part
            filled += part.nbytes
    if len(shards) == 1:
        _write_shard(folder / f"{name}.safetensors", shards[0])
        return
    index: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file_name = f"{name}-{number:05}-of-{len(shards):05}.safetensors"
        _write_shard(folder / file_name, shard)
        index |= dict.fromkeys(shard, file_name)
    total = sum(tensor.nbytes for tensor in stored.values())
    write_bytes(
        folder / f"{name}{INDEX}", json.dumps({"metadata": {"total_size": total}, "weight_map": index}, indent=1) + "\n"
    )


def _write_shard(path: Path, shard: dict[str, Tensor]) -> None:
    try:
        safetensors.torch.save_file(shard, path)
    except safetensors.SafetensorError as error:  # so it tells of a disk that is full
        told = re.search(r"os error (\d+)", str(error))
        if told is None:
            raise
        raise OSError(int(told[1]), os.strerror(int(told[1])), str(path)) from error
    path.chmod(0o644)  # safetensors makes it readable by its owner only


def _parts(name: str, tensor: Tensor) -> list[tuple[str, Tensor]]:
    """The tensor itself; one larger than a shard in slices along its first axis, named ``name@0``, ``name@1`` ..."""
    if tensor.nbytes <= SHARD_BYTES:
        return [(name, tensor)]
    count = -(-tensor.nbytes // SHARD_BYTES)
    return [(f"{name}@{i}", part.contiguous()) for i, part in enumerate(tensor.chunk(count))]


def _read_weights(place: Path, kind: str) -> dict[str, Tensor]:
    """Float32 weights of ``model`` or ``critics`` from a model folder or a checkpoint file."""
    index = place / f"{kind}{INDEX}"
    try:
        if place.is_file():
            stored = safetensors.torch.load_file(place)
            stored = {name[len(kind) + 1 :]: part for name, part in stored.items() if name.startswith(f"{kind}.")}
        else:
            names = [f"{kind}.safetensors"]
            if index.is_file():
                names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
            if any(Path(name).name != name for name in names):
                raise ModelError(f"{index} names a file outside its folder; fetch the model anew.")
            stored = {}
            for name in names:
                stored |= safetensors.torch.load_file(place / name)
    except FileNotFoundError as error:
        raise ModelError(f"{error.filename} is missing; copy the whole model folder.") from error
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelError(f"the weights in {place} cannot be read ({error}); fetch the model anew.") from error
    whole = {name: tensor for name, tensor in stored.items() if "@" not in name}
    for name in {name.partition("@")[0] for name in stored} - whole.keys():
        slices = sorted((int(key.partition("@")[2]), key) for key in stored if key.startswith(f"{name}@"))
        whole[name] = torch.cat([stored[key] for _, key in slices])
    _check_finite(place, whole)
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in whole.items()}


def _check_finite(place: Path, weights: Mapping[str, Tensor]) -> None:
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(
                f"{name} in {place} has weights that are no finite numbers: its training had broken down; take an "
                "earlier checkpoint."
            )


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
