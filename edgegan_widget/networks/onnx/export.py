"""A model's networks written as ONNX files, to be drawn with without torch.

``model.onnx`` is everything between sketch and pixels; ``guess.onnx`` the classifier that names a drawing. Weights keep
the digits that the model's own files have: half precision where that says all. What drawing works out once (kernels of
transposed convolutions, batch norms) is left to onnxruntime, which does it when the file is opened, so that the file
stays small and the pictures exact.

PyTorch's older exporter is used: every version that this package runs on has it, and it needs no further package than
``onnx``.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from edgegan_widget.base.errors import DependencyError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.units import F32
from edgegan_widget.networks.architectures.modulated import Modulated, ModulatedEdgeGAN
from edgegan_widget.networks.find import GUESSER, read_config
from edgegan_widget.networks.fused import Drawer
from edgegan_widget.networks.guesser import Guesser, load_guesser, shares, view_grids
from edgegan_widget.networks.onnx.phases import on_the_small_grid
from edgegan_widget.networks.onnx.session import GUESS, INPUTS, MADE_OF, MODEL, digest
from edgegan_widget.networks.store import Networks, load_model

__all__ = ["export_onnx", "write_guess", "write_model"]

_OPSET = 17  # has what the networks need since onnxruntime 1.12
_LEAST_HALVED = 256  # numbers; smaller arrays are not worth a cast
_ROWS = 2  # of the example that is traced: what holds for one alone must not be taken for all

_TO_DOUBLE = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32)  # taps of one axis, turned round


def export_onnx(folder: Path) -> list[Path]:
    """Write the ONNX files of a model folder into it.

    Returns
    -------
    The files.

    Raises
    ------
    ModelError
        The folder holds no model that can be read.
    DependencyError
        The package ``onnx`` is not installed.
    """
    networks = load_model(folder)
    made = [write_model(folder, networks)]
    guesser = load_guesser(folder, len(read_config(folder).classes))
    return made if guesser is None else [*made, write_guess(folder, guesser)]


def write_model(folder: Path, networks: Networks) -> Path:
    """Write ``model.onnx`` of the networks that the folder's weights are; returns its path."""
    config = networks.config
    sizes = (config.condition_size, config.noise_size, config.latent_size)
    paper = torch.full((_ROWS, config.sketch_px, config.sketch_px), 255, dtype=torch.uint8)
    example = (paper, *(torch.zeros(_ROWS, size) for size in sizes), torch.tensor(False))
    module = _Drawn(networks)
    written = _written(module, example, INPUTS, ("pictures", "edges", "latents_drawn"))
    _shrink(written.graph, module.doubled(networks))
    return _write(folder / MODEL, written, list(folder.glob("model*.safetensors")))


def write_guess(folder: Path, guesser: Guesser) -> Path:
    """Write ``guess.onnx`` of the classifier that the folder holds; returns its path."""
    example = (torch.full((64, 64), 255, dtype=torch.uint8),)
    written = _written(_Guessed(guesser), example, ("sketch",), ("shares",), rows=False)
    _shrink(written.graph, {})
    return _write(folder / GUESS, written, [folder / GUESSER])


class _Drawn(nn.Module):
    """Sketches to pixels; or latents to pixels where ``decode`` is true, and sketches then are read for nothing."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.drawer = Drawer(networks, written=True)
        if isinstance(self.drawer.networks, ModulatedEdgeGAN):
            on_the_small_grid(self.drawer.networks.generator_edge)
            on_the_small_grid(self.drawer.networks.generator_image)

    def forward(
        self, sketches: Tensor, conditions: Tensor, noises: Tensor, latents: Tensor, decode: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        read = self.drawer.encode(sketches, conditions, noises)
        drawn: tuple[Tensor, Tensor, Tensor] = self.drawer.decode(torch.where(decode, latents, read), conditions)
        return drawn

    def doubled(self, networks: Networks) -> dict[str, F32]:
        """By the name of each kernel that doubles in the file, the weight [O, I, 3, 3] that it is made of."""
        return {
            f"drawer.networks.{name}.kernel": layer.weight.detach().cpu().numpy()
            for name, layer in networks.named_modules()
            if isinstance(layer, Modulated) and layer.step == "double"
        }


class _Guessed(nn.Module):
    """A sketch to what it shows."""

    def __init__(self, guesser: Guesser) -> None:
        super().__init__()
        self.guesser = guesser
        self.register_buffer("grids", view_grids())

    def forward(self, sketch: Tensor) -> Tensor:
        return shares(self.guesser, sketch, self.get_buffer("grids"))


def _written(
    module: nn.Module, example: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str], rows: bool = True
) -> Any:
    """The module as ``onnx.ModelProto``, of any number of rows where there are ``rows``."""
    try:
        import onnx
    except ImportError as error:
        raise DependencyError("writing ONNX files needs the package onnx; install it: pip install onnx") from error
    axes: Mapping[str, Mapping[int, str]] = {}
    if rows:
        many = [name for name, given in zip(inputs, example) if given.dim()]
        axes = {name: {0: "rows"} for name in (*many, *outputs)}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # shapes that are checked in Python, and that there is a newer exporter
        torch.onnx.export(
            module.eval().requires_grad_(False), example, Path(folder) / MODEL, dynamo=False, opset_version=_OPSET,
            do_constant_folding=False, input_names=list(inputs), output_names=list(outputs), dynamic_axes=axes,
        )  # fmt: skip
        return onnx.load(Path(folder) / MODEL)


def _write(path: Path, model: Any, weights: list[Path]) -> Path:
    import onnx

    onnx.checker.check_model(model)
    onnx.helper.set_model_props(model, {MADE_OF: digest(weights)})
    write_bytes(path, model.SerializeToString())
    return path


def _shrink(graph: Any, doubled: Mapping[str, F32]) -> None:
    """Store weights in half precision where that loses no digit; onnxruntime makes of them what the networks use."""
    from onnx import numpy_helper

    kept, made = [], []
    for stored in graph.initializer:
        small = doubled.get(stored.name)
        values = numpy_helper.to_array(stored) if small is None else small
        half = _halved(values)
        if half is None:
            kept.append(stored)
            continue
        kept.append(numpy_helper.from_array(half, f"{stored.name}.half"))
        made += _cast(stored.name) if small is None else _doubling(stored.name)
    if doubled:
        kept.append(numpy_helper.from_array(_TO_DOUBLE, "to_double"))
        kept.append(numpy_helper.from_array(np.ascontiguousarray(_TO_DOUBLE.T), "to_double.transposed"))
    nodes = [*made, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def _halved(values: F32) -> npt.NDArray[np.float16] | None:
    """The same numbers in half precision; None where they need more, or are few."""
    if values.dtype != np.float32 or values.size < _LEAST_HALVED:
        return None
    half = values.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), values) else None


def _cast(name: str, made: str = "") -> list[Any]:
    from onnx import TensorProto, helper

    return [helper.make_node("Cast", [f"{name}.half"], [made or name], to=TensorProto.FLOAT)]


def _doubling(name: str) -> list[Any]:
    """:func:`edgegan_widget.networks.architectures.modulated.doubling_kernel` of the weight: A W A^T, axes changed."""
    from onnx import helper

    weight, across, whole = (f"{name}.{part}" for part in ("weight", "across", "whole"))
    return [
        *_cast(name, weight),
        helper.make_node("MatMul", ["to_double", weight], [across]),
        helper.make_node("MatMul", [across, "to_double.transposed"], [whole]),
        helper.make_node("Transpose", [whole], [name], perm=[1, 0, 2, 3]),
    ]
