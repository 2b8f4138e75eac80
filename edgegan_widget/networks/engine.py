"""The device-resident model: weights are loaded and warmed up once, then every sketch is one call.

This is the seam between drawing and networks: arrays of numbers in, a :class:`Result` out. Whatever stands behind the
same calls later, in another process or on another machine, the panels need not know.
"""

from __future__ import annotations

import copy
import functools
import logging
import os
import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.result import Result
from edgegan_widget.networks.devices import channels_last, choose_device, describe_device
from edgegan_widget.networks.find import find_model
from edgegan_widget.networks.fused import Drawer
from edgegan_widget.networks.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.paper import class_condition
from edgegan_widget.networks.runners import AUTO, runner_for
from edgegan_widget.networks.store import Networks, load_model
from edgegan_widget.networks.styles import Style, named_styles, style_of

__all__ = ["EdgeGAN"]

log = logging.getLogger(__name__)

U8 = npt.NDArray[np.uint8]

MOST_VARIATIONS = 64
_AT_ONCE = 32  # pictures that are drawn together; twice as many are no quicker
_SHARED: weakref.WeakValueDictionary[tuple[object, ...], EdgeGAN] = weakref.WeakValueDictionary()
_SHARING = threading.Lock()  # while one is loaded, others wait for it


class EdgeGAN:
    """A trained model, ready to draw.

    Examples
    --------
    >>> model = EdgeGAN.from_pretrained("default")  # doctest: +SKIP
    >>> model.generate(sketch, "sneaker").to_pil()  # doctest: +SKIP
    """

    def __init__(self, networks: Networks, device: str = "auto", name: str = "", runner: str = AUTO) -> None:
        self._device = choose_device(device)
        self._config = networks.config
        self.name = name
        self._lock = threading.Lock()  # buffers and captured graphs serve one call at a time
        self._module = module = Drawer(networks).eval().requires_grad_(False).to(self._device)
        every = torch.arange(len(self.classes))
        self._conditions = class_condition(every, self._config).to(self._device)  # [K, K], or [1, 0]
        self._styles = networks.styles.cpu().numpy() if isinstance(networks, ModulatedEdgeGAN) else None
        self._no_noise = torch.zeros(1, networks.noise_size, device=self._device)
        example = (torch.full((self.sketch_px,) * 2, 255, dtype=torch.uint8), self._conditions[:1], self._no_noise)
        self._draw, self.mode = runner_for(self._device, runner).make(module, example)
        log.info("%s on %s, %s", name or "model", self.device_name, self.mode)

    @classmethod
    def from_pretrained(
        cls, name_or_folder: str | os.PathLike[str] = "default", device: str = "auto", runner: str = AUTO
    ) -> EdgeGAN:
        """Load a shipped model by name, or a model or run folder by path.

        ``runner`` names one of :mod:`edgegan_widget.networks.runners`; the usual one of the device is taken otherwise.

        Raises
        ------
        ModelError
            There is no such model, or its files cannot be used.
        ConfigError
            The device is not to be had, or the runner does not run there.
        """
        return cls(load_model(name_or_folder), device, os.fspath(name_or_folder), runner)

    @classmethod
    def shared(
        cls, name_or_folder: str | os.PathLike[str] = "default", device: str = "auto", runner: str = AUTO
    ) -> EdgeGAN:
        """The same as :meth:`from_pretrained`, loaded once for as long as anybody in this process draws with it.

        A model whose files have changed since is loaded anew.
        """
        place = find_model(name_or_folder)
        files = [place] if place.is_file() else sorted(place.glob("model*.safetensors*"))
        key = (
            str(place.resolve()),
            str(choose_device(device)),
            runner,
            tuple(file.stat().st_mtime_ns for file in files),
        )
        with _SHARING:
            engine = _SHARED.get(key)
            if engine is None:
                engine = _SHARED[key] = cls.from_pretrained(name_or_folder, device, runner)
            return engine

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the class numbers."""
        return self._config.classes

    @property
    def size_px(self) -> int:
        """Side of the picture."""
        return self._config.size_px

    @property
    def sketch_px(self) -> int:
        """Side of the sketch, and of the network's own edge map."""
        return self._config.sketch_px

    @property
    def alpha(self) -> bool:
        """Whether pictures come with coverage, and can be had without their paper."""
        return self._config.alpha

    @property
    def device_name(self) -> str:
        """The device in words."""
        return describe_device(self._device)

    def styles(self, label: str | int) -> tuple[Style, ...]:
        """Styles of the class that can be asked for by number, the most usual one first; none in a model without."""
        number = self._class_number(label)
        return () if self._styles is None else named_styles(self._styles[number])

    def generate(
        self,
        sketch: U8,
        label: str | int,
        *,
        seed: int | None = None,
        variations: int = 1,
        style: int | str | None = None,
    ) -> Result:
        """Turn a sketch into pictures.

        Parameters
        ----------
        sketch
            uint8 [sketch_px, sketch_px], white paper 255.
        label
            Class name or number.
        seed
            None takes the picture the model holds most likely: the encoder's mean, or the most usual style of the
            class. Each seed is another picture of the same drawing; the same seed, sketch and model give the same one.
        variations
            How many pictures. The first is that of ``seed``; the others follow from it (from seed 0 where it is None).
        style
            For a model with :meth:`styles` one of them by number, or a colour ``#rrggbb``: the style whose colour is
            nearest, in that colour. With a seed, and in further variations, the colour stays.

        Raises
        ------
        DataError
            The sketch has another shape or type.
        ConfigError
            Class, seed, style or number of variations is not allowed.
        """
        began = time.perf_counter()
        number = self._class_number(label)
        self._check(sketch, seed, variations)
        noises = [self._noise(number, seed, variation, style) for variation in range(variations)]
        upload = torch.from_numpy(np.ascontiguousarray(sketch))
        condition = self._conditions[number : number + 1]
        with self._lock, torch.inference_mode():
            # One at a time: the same picture whatever else is asked for, and the paper's batch norm spans the batch.
            drawn = [[part.numpy() for part in self._draw(upload, condition, noise)] for noise in noises]
        return _result([np.stack(parts) for parts in zip(*drawn)], began)

    def generate_many(
        self,
        sketches: U8,
        labels: Sequence[str | int],
        *,
        seed: int | None = None,
        variations: int = 1,
        style: int | str | None = None,
    ) -> Result:
        """Turn many sketches into pictures, several at a time: quicker for each than one by one.

        Parameters
        ----------
        sketches
            uint8 [N, sketch_px, sketch_px], white paper 255.
        labels
            [N] Class names or numbers.
        seed, variations, style
            As for :meth:`generate`, the same for each sketch.

        Returns
        -------
        Variation v of sketch n is row n * variations + v. Each picture is that of :meth:`generate` up to the rounding
        of the last digit, and does not depend on the others at all.

        Raises
        ------
        DataError
            The sketches have another shape or type, or there are not as many as labels.
        ConfigError
            Class, seed, style or number of variations is not allowed.
        """
        began = time.perf_counter()
        if not len(sketches) or len(sketches) != len(labels):
            raise DataError(f"there are {len(sketches)} sketches and {len(labels)} labels; give as many, one at least.")
        for sketch in sketches:
            self._check(sketch, seed, variations)
        numbers = [self._class_number(label) for label in labels]
        conditions = self._conditions[torch.tensor(numbers, device=self._device)]
        by_class = {
            number: [self._noise(number, seed, variation, style) for variation in range(variations)]
            for number in set(numbers)
        }
        noises = torch.cat([noise for number in numbers for noise in by_class[number]])  # [N * variations, n]
        every = torch.arange(len(noises)).split(_AT_ONCE)
        with self._lock, torch.inference_mode():
            parts = [self._drawn_together(sketches, conditions, noises, rows) for rows in every]
        return _result([np.concatenate(one) for one in zip(*parts)], began)

    @functools.cached_property
    def _many(self) -> Drawer:
        """For many at once, laid out for it; a copy, since the way that is quickest for one may share the weights."""
        return channels_last(copy.deepcopy(self._module))

    def _drawn_together(self, sketches: U8, conditions: Tensor, noises: Tensor, rows: Tensor) -> list[npt.NDArray[Any]]:
        """Some rows of the result, always as many at once: libraries choose their arithmetic by the number."""
        filled = torch.cat([rows, rows[-1:].expand(_AT_ONCE - len(rows))])
        number = filled // (len(noises) // len(sketches))
        upload = torch.from_numpy(sketches[number.numpy()]).to(self._device)
        floats = next(self._many.parameters()).dtype  # half on CUDA
        given = (part[rows.to(part.device)].to(floats) for part, rows in ((conditions, number), (noises, filled)))
        outputs = self._many.many(upload, *given)
        return [part[: len(rows)].cpu().numpy() for part in outputs]

    def _noise(self, number: int, seed: int | None, variation: int, style: int | str | None) -> Tensor:
        """What E cannot read from the sketch, [1, n]: a style of the class, or where there are none Gaussian noise."""
        if self._styles is not None:
            chosen = style_of(self._styles[number], style, seed, variation)
            return torch.from_numpy(chosen)[None].to(self._device)
        if style is not None:
            raise ConfigError(
                f"the style is {style!r}, but this model keeps none; leave it out, or choose one of architecture "
                "'modulated'."
            )
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
        side = self.sketch_px
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


def _result(parts: Sequence[npt.NDArray[Any]], began: float) -> Result:
    """Pictures [V, H, W, 3 or, with alpha, 4], edge maps and latents as they come from the networks."""
    pictures, edges, latents = parts
    alpha = np.ascontiguousarray(pictures[..., 3]) if pictures.shape[3] == 4 else None
    images = np.ascontiguousarray(pictures[..., :3])
    return Result(images, edges, latents, (time.perf_counter() - began) * 1e3, alpha)
