"""The device-resident model: weights are loaded and warmed up once, then every sketch is one call.

This is the seam between drawing and networks: arrays of numbers in, a :class:`Result` out. Whatever stands behind the
same calls later, in another process or on another machine, the panels need not know.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from edgegan_widget.checkpoint import Networks, load_model
from edgegan_widget.devices import channels_last, choose_device, describe_device
from edgegan_widget.errors import ConfigError, DataError
from edgegan_widget.nets import class_condition
from edgegan_widget.nets_compact import fuse_norms

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["EdgeGAN", "Result"]

log = logging.getLogger(__name__)

U8 = npt.NDArray[np.uint8]
Draw = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]

MOST_VARIATIONS = 64
_WARM_UP_CALLS = 3
_MEASURED_CALLS = 9
_SLOW_SECONDS = 0.02  # up to here a picture keeps up with the pen on one thread
_CLEARLY_QUICKER = 0.8


@dataclass(frozen=True, eq=False)
class Result:
    """What the networks made of one sketch.

    Attributes
    ----------
    images
        uint8 [V, H, W, 3], one picture a variation.
    edges
        uint8 [V, H, W], the network's own edge maps, paper 255.
    latents
        float32 [V, latent_size].
    milliseconds
        Time of the whole call.
    """

    images: U8
    edges: U8
    latents: npt.NDArray[np.float32]
    milliseconds: float

    @property
    def image(self) -> U8:
        """The first picture, uint8 [H, W, 3]."""
        first: U8 = self.images[0]
        return first

    @property
    def edge(self) -> U8:
        """The edge map of the first picture, uint8 [H, W]."""
        first: U8 = self.edges[0]
        return first

    def to_pil(self) -> Image:
        """The first picture as a Pillow image."""
        from PIL import Image

        return Image.fromarray(self.image)


class EdgeGAN:
    """A trained model, ready to draw.

    Examples
    --------
    >>> model = EdgeGAN.from_pretrained("default")  # doctest: +SKIP
    >>> model.generate(sketch, "sneaker").to_pil()  # doctest: +SKIP
    """

    def __init__(self, networks: Networks, device: str = "auto", name: str = "") -> None:
        self._device = choose_device(device)
        self._config = networks.config
        self.name = name
        self._lock = threading.Lock()  # buffers and captured graphs serve one call at a time
        module = _Drawer(networks).eval().requires_grad_(False).to(self._device)
        every = torch.arange(len(self.classes))
        self._conditions = class_condition(every, self._config).to(self._device)  # [K, K], or [1, 0]
        self._no_noise = torch.zeros(1, networks.noise_size, device=self._device)
        example = (torch.full((self.size_px,) * 2, 255, dtype=torch.uint8), self._conditions[:1], self._no_noise)
        if self._device.type == "cuda":
            self._draw: Draw = _CudaGraph(module, example)
            self.mode = "captured CUDA graph"
        else:
            self._draw, self.mode = _fastest_on_cpu(module, example)
        log.info("%s on %s, %s", name or "model", self.device_name, self.mode)

    @classmethod
    def from_pretrained(cls, name_or_folder: str | os.PathLike[str] = "default", device: str = "auto") -> EdgeGAN:
        """Load a shipped model by name, or a model or run folder by path.

        Raises
        ------
        ModelError
            There is no such model, or its files cannot be used.
        ConfigError
            The device is not to be had.
        """
        return cls(load_model(name_or_folder), device, os.fspath(name_or_folder))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the class numbers."""
        return self._config.classes

    @property
    def size_px(self) -> int:
        """Side of sketch and picture."""
        return self._config.size_px

    @property
    def device_name(self) -> str:
        """The device in words."""
        return describe_device(self._device)

    def generate(self, sketch: U8, label: str | int, *, seed: int | None = None, variations: int = 1) -> Result:
        """Turn a sketch into pictures.

        Parameters
        ----------
        sketch
            uint8 [size_px, size_px], white paper 255.
        label
            Class name or number.
        seed
            None takes the encoder's mean: the picture the model holds most likely. With a seed its noise is added, so
            that each seed is another picture of the same drawing; the same seed, sketch and model give the same one.
        variations
            How many pictures. The first is that of ``seed``; the others follow from it (from seed 0 where it is None).

        Raises
        ------
        DataError
            The sketch has another shape or type.
        ConfigError
            Class, seed or number of variations is not allowed.
        """
        began = time.perf_counter()
        number = self._class_number(label)
        self._check(sketch, seed, variations)
        upload = torch.from_numpy(np.ascontiguousarray(sketch))
        condition = self._conditions[number : number + 1]
        drawn: list[list[npt.NDArray[np.generic]]] = []
        with self._lock, torch.inference_mode():
            # One at a time: the same picture whatever else is asked for, and the paper's batch norm spans the batch.
            for variation in range(variations):
                outputs = self._draw(upload, condition, self._noise(seed, variation))
                drawn.append([part.numpy() for part in outputs])
        images, edges, latents = (np.stack(parts) for parts in zip(*drawn))
        return Result(images, edges, latents, (time.perf_counter() - began) * 1e3)

    def _noise(self, seed: int | None, variation: int) -> Tensor:
        if seed is None and variation == 0:
            return self._no_noise
        words = np.random.SeedSequence([seed or 0, variation])
        numbers = np.random.Generator(np.random.PCG64(words)).standard_normal(self._no_noise.shape[1], np.float32)
        return torch.from_numpy(numbers)[None].to(self._device)

    def _class_number(self, label: str | int) -> int:
        if isinstance(label, str):
            if label in self.classes:
                return self.classes.index(label)
        elif isinstance(label, (int, np.integer)) and 0 <= label < len(self.classes):
            return int(label)
        raise ConfigError(
            f"the class is {label!r}; this model knows {', '.join(self.classes)} "
            f"(numbers 0 to {len(self.classes) - 1})."
        )

    def _check(self, sketch: U8, seed: int | None, variations: int) -> None:
        side = self.size_px
        if not isinstance(sketch, np.ndarray) or sketch.dtype != np.uint8 or sketch.shape != (side, side):
            given = f"{sketch.dtype} {list(sketch.shape)}" if isinstance(sketch, np.ndarray) else type(sketch).__name__
            raise DataError(
                f"the sketch is {given}; it must be a uint8 array [{side}, {side}] with white paper 255 "
                "(raster.rasterize and trace.sketch_from_picture make one)."
            )
        if seed is not None and not 0 <= seed < 2**63:
            raise ConfigError(f"the seed is {seed}; give None or a whole number from 0 to 2^63 - 1.")
        if not 1 <= variations <= MOST_VARIATIONS:
            raise ConfigError(f"variations is {variations}; allowed are 1 to {MOST_VARIATIONS}.")


class _Drawer(nn.Module):
    """uint8 sketch [S, S], condition [1, K], noise [1, n] -> uint8 picture [S, S, 3] and edge map [S, S], z [L]."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.networks = fuse_norms(networks)
        self.edge_channels = networks.config.edge_channels

    def forward(self, sketch_u8: Tensor, condition: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        sketch = (sketch_u8.to(condition.dtype) / 127.5 - 1).expand(1, self.edge_channels, -1, -1)
        latent = self.networks.encode(sketch, condition, noise)
        edge, image = self.networks.decode(latent, condition)
        return _pixels(image[0].permute(1, 2, 0)), _pixels(edge[0].mean(dim=0)), latent[0].float()


def _pixels(values: Tensor) -> Tensor:
    return ((values.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).contiguous()


class _CudaGraph:
    """E, G_E and G_I in half precision as one captured graph; sketch and pixels pass through pinned memory.

    Everything is allocated once. A call copies 4 KB up, replays, and copies the pixels down.
    """

    def __init__(self, module: _Drawer, example: tuple[Tensor, Tensor, Tensor]) -> None:
        device = example[1].device
        self._module = channels_last(module.half())
        self._upload = torch.empty_like(example[0]).pin_memory()
        self._inputs = (example[0].to(device), example[1].half(), example[2].half())
        self._stream = torch.cuda.Stream(device)
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for _ in range(_WARM_UP_CALLS):
                self._module(*self._inputs)
            self._stream.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream):
                self._outputs = self._module(*self._inputs)
            self._downloads = tuple(torch.empty(out.shape, dtype=out.dtype, pin_memory=True) for out in self._outputs)

    def __call__(self, sketch_u8: Tensor, condition: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self._upload.copy_(sketch_u8)
        self._stream.wait_stream(torch.cuda.current_stream())  # condition and noise were made there
        with torch.cuda.stream(self._stream):
            self._inputs[0].copy_(self._upload, non_blocking=True)
            self._inputs[1].copy_(condition, non_blocking=True)
            self._inputs[2].copy_(noise, non_blocking=True)
            self._graph.replay()
            for download, output in zip(self._downloads, self._outputs):
                download.copy_(output, non_blocking=True)
            self._stream.synchronize()
        image, edge, latent = (download.clone() for download in self._downloads)
        return image, edge, latent


def _fastest_on_cpu(module: _Drawer, example: tuple[Tensor, Tensor, Tensor]) -> tuple[Draw, str]:
    """Eager, channels-last or traced, on one thread or all: whichever is quickest here and now.

    Compiling (torch.compile) is not among them: it takes longer than a page may take to open. More threads are tried
    only where one is slow: a second thread takes the core that the browser and the page's server need, and under such
    contention two threads are several times slower than one.
    """
    candidates = list(_cpu_candidates(module, example))
    name, draw, seconds = _quickest([(name, _with_threads(draw, 1)) for name, draw in candidates], example)
    cores = os.cpu_count() or 1
    if seconds > _SLOW_SECONDS and cores > 1:
        on_all = _quickest([(name, _with_threads(draw, cores)) for name, draw in candidates], example)
        if on_all[2] < _CLEARLY_QUICKER * seconds:
            return on_all[1], f"{on_all[0]}, {cores} threads"
    return draw, f"{name}, 1 thread"


def _quickest(ways: list[tuple[str, Draw]], example: tuple[Tensor, Tensor, Tensor]) -> tuple[str, Draw, float]:
    """Name, way and seconds of the one with the lowest 95th percentile."""
    timed = [(name, draw, _high_percentile(draw, example)) for name, draw in ways]
    return min(timed, key=lambda way: way[2])


def _cpu_candidates(module: _Drawer, example: tuple[Tensor, Tensor, Tensor]) -> Iterator[tuple[str, Draw]]:
    for arranged, suffix in ((module, ""), (channels_last(copy.deepcopy(module)), ", channels last")):
        yield f"eager{suffix}", arranged
        with contextlib.suppress(RuntimeError), torch.inference_mode(), warnings.catch_warnings():
            # Shapes are checked in Python while tracing; they are the same at every call.
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
            traced = torch.jit.freeze(torch.jit.trace(arranged, example, check_trace=False))
            yield f"traced{suffix}", traced


def _with_threads(draw: Draw, count: int) -> Draw:
    """``draw`` on ``count`` threads, leaving the process's own setting as it was."""

    def limited(*inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        before = torch.get_num_threads()
        if before == count:
            return draw(*inputs)
        torch.set_num_threads(count)
        try:
            return draw(*inputs)
        finally:
            torch.set_num_threads(before)

    return limited


@torch.inference_mode()
def _high_percentile(draw: Draw, example: tuple[Tensor, Tensor, Tensor]) -> float:
    for _ in range(_WARM_UP_CALLS):
        draw(*example)
    seconds = []
    for _ in range(_MEASURED_CALLS):
        began = time.perf_counter()
        draw(*example)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[-2]  # the second slowest of nine
