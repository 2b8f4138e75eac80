"""The device-resident model: weights are loaded and warmed up once, then every sketch is one call.

This is the seam between drawing and networks: arrays of numbers in, a :class:`Result` out. Whatever stands behind the
same calls later, in another process or on another machine, the panels need not know.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.needs import device_of
from edgegan_widget.base.result import Asked, Result, Style, variation_seed
from edgegan_widget.base.units import F32, U8
from edgegan_widget.networks.checks import check_chance, check_closeness, check_frames, check_sketch, class_number
from edgegan_widget.networks.find import Source, find_model, read_config
from edgegan_widget.networks.guessing import Guess, load_guess
from edgegan_widget.networks.onnx.session import MODEL
from edgegan_widget.networks.runners import AUTO, ON_TORCH, Drawn, batches, runner_for
from edgegan_widget.networks.styles import named_styles, style_of

if TYPE_CHECKING:
    from edgegan_widget.networks.remote.client import RemoteEngine
    from edgegan_widget.networks.store import Networks

__all__ = ["EdgeGAN"]

log = logging.getLogger(__name__)


_SHARED: weakref.WeakValueDictionary[tuple[object, ...], EdgeGAN] = weakref.WeakValueDictionary()
_SHARING = threading.Lock()  # while one is loaded, others wait for it


class EdgeGAN:
    """A trained model, ready to draw.

    Attributes
    ----------
    classes
        Class names, in the order of the class numbers.
    size_px, sketch_px
        Side of the picture, and that of the sketch and the network's own edge map.
    alpha
        Whether pictures come with coverage, and can be had without their paper.
    device_name, mode
        The device, and how the networks are run there, in words.
    advice
        What would make it quicker; empty where there is nothing.
    can_guess
        Whether :meth:`guess` names what a drawing shows.

    Examples
    --------
    >>> model = EdgeGAN.from_pretrained("default")  # doctest: +SKIP
    >>> model.generate(sketch, "sneaker").to_pil()  # doctest: +SKIP
    """

    def __init__(
        self,
        model: Source | Networks,
        device: str = "auto",
        name: str = "",
        runner: str = AUTO,
        guess: Guess | None = None,
    ) -> None:
        source = model if isinstance(model, Source) else Source(model.config, networks=model)
        self.name, self._config, self._guess = name, source.config, guess
        self.classes, self.size_px = source.config.classes, source.config.size_px
        self.sketch_px, self.alpha = source.config.sketch_px, source.config.alpha
        self.can_guess = guess is not None
        self._lock = threading.Lock()  # buffers and captured graphs serve one call at a time
        every = np.eye(len(self.classes), dtype=np.float32)
        self._conditions = every[:, len(self.classes) - source.config.condition_size :]  # [K, K], or [1, 0]
        self._styles = source.styles()
        chosen = runner_for(source, device_of(device), runner)
        self._running = chosen.make(source, device_of(device))
        self.device_name, self.mode = self._running.device_name, self._running.mode
        self.advice = _advice(source, chosen.name)
        log.info("%s on %s, %s", name or "model", self.device_name, self.mode)
        if self.advice:
            log.info(self.advice)

    @classmethod
    def from_pretrained(
        cls, name_or_folder: str | os.PathLike[str] = "default", device: str = "auto", runner: str = AUTO
    ) -> EdgeGAN:
        """Load a shipped model by name, or a model or run folder by path.

        ``runner`` names one of :mod:`edgegan_widget.networks.runners`; the usual one of the model and the device is
        taken otherwise.

        Raises
        ------
        ModelError
            There is no such model, or its files cannot be used.
        ConfigError
            The device is not to be had, or the runner does not run there.
        DependencyError
            It can be drawn with PyTorch alone, which is not installed.
        """
        place = find_model(name_or_folder)
        source = Source(read_config(place), place)
        guess = load_guess(place, len(source.config.classes))
        return cls(source, device, os.fspath(name_or_folder), runner, guess)

    @classmethod
    def shared(
        cls, name_or_folder: str | os.PathLike[str] = "default", device: str = "auto", runner: str = AUTO
    ) -> EdgeGAN:
        """The same as :meth:`from_pretrained`, loaded once for as long as anybody in this process draws with it.

        A model whose files have changed since is loaded anew.
        """
        place = find_model(name_or_folder)
        files = [place] if place.is_file() else sorted([*place.glob("*.safetensors*"), *place.glob("*.onnx")])
        key = (
            str(place.resolve()),
            device_of(device),
            runner,
            tuple(file.stat().st_mtime_ns for file in files),
        )
        with _SHARING:
            engine = _SHARED.get(key)
            if engine is None:
                engine = _SHARED[key] = cls.from_pretrained(name_or_folder, device, runner)
            return engine

    @staticmethod
    def connect(
        url: str, model: str = "default", token: str | None = None, patience_seconds: float = 10.0
    ) -> RemoteEngine:
        """A model that draws on a server (``edgegan-widget serve``), with the same calls and the same pictures.

        Parameters
        ----------
        url
            ``http://host:port`` or ``https://``, as the server tells it, perhaps with ``?token=``.
        model
            What the model is called there.
        token
            The server's token, if it is not in the address.
        patience_seconds
            How long a picture may take, with everything that is tried again meanwhile; three times as long where a
            picture is brought closer to the lines, and for morphs.

        Raises
        ------
        ServerError
            Nobody answers there, or the token is refused.
        ModelError
            The server has no such model.
        ConfigError
            The address or the patience is none.
        """
        from edgegan_widget.networks.remote.client import RemoteEngine

        return RemoteEngine(url, model, token, patience_seconds)

    @property
    def bank(self) -> F32 | None:
        """Numbers of all styles, float32 [classes, styles, n]; None in a model without."""
        return self._styles

    @property
    def together(self) -> int:
        """How many pictures are drawn together at most."""
        return self._running.sizes[-1]

    def styles(self, label: str | int) -> tuple[Style, ...]:
        """Styles of the class that can be asked for by number, the most usual one first; none in a model without."""
        number = self._class_number(label)
        return () if self._styles is None else named_styles(self._styles[number])

    def guess(self, sketch: U8) -> list[tuple[str, float]]:
        """What the drawing shows: classes with their shares, the likeliest first; none where the model cannot tell.

        A model can tell where its folder holds what ``edgegan-widget train-guess`` made.
        """
        if self._guess is None:
            return []
        self._check(sketch, None, 1)
        found = self._guess(np.ascontiguousarray(sketch)).tolist()
        return sorted(zip(self.classes, found), key=lambda one: -one[1])

    def generate(
        self,
        sketch: U8,
        label: str | int,
        *,
        seed: int | None = None,
        variations: int = 1,
        style: int | str | None = None,
        closeness: float = 0.0,
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
            How many pictures: that of ``seed`` and those of the seeds that follow it, from 0 on where it is None
            (:func:`edgegan_widget.base.result.variation_seed`).
        style
            For a model with :meth:`styles` one of them by number, or a colour ``#rrggbb``: the style whose colour is
            nearest, in that colour. With a seed, and in further variations, the colour stays.
        closeness
            From 0, as the networks read the sketch, to 1: how far the picture is moved to the drawn lines, see
            :mod:`edgegan_widget.networks.closeness`. It takes about a second at 1.

        Raises
        ------
        DataError
            The sketch has another shape or type.
        ConfigError
            Class, seed, style, closeness or number of variations is not allowed.
        """
        began = time.perf_counter()
        check_closeness(closeness)
        number = self._class_number(label)
        self._check(sketch, seed, variations)
        noises = [self._noise(number, variation_seed(seed, variation), style) for variation in range(variations)]
        whole, condition = np.ascontiguousarray(sketch), self._conditions[number : number + 1]
        with self._lock:
            # One at a time: the same picture whatever else is asked for, and the paper's batch norm spans the batch.
            drawn = [self._running.draw(whole, condition, noise) for noise in noises]
        result = _result(drawn, began)
        for closer in self.approach(sketch, label, result, closeness):
            result = closer
        return replace(result, milliseconds=(time.perf_counter() - began) * 1e3)

    def approach(self, sketch: U8, label: str | int, first: Result, closeness: float) -> Iterator[Result]:
        """Move pictures closer and closer to the drawn lines; to stop is not to ask for the next ones.

        Parameters
        ----------
        sketch, label
            What ``first`` was made of.
        first
            As :meth:`generate` gave it without closeness.
        closeness
            From 0 (nothing is moved, and nothing comes) to 1.

        Yields
        ------
        The same variations, each time closer; the last ones are what :meth:`generate` gives.
        """
        began = time.perf_counter()
        check_closeness(closeness)
        if not closeness:  # an optimizer alone costs a second and 70 MB the first time, which most people never need
            return
        number = self._class_number(label)
        condition = self._conditions[number : number + 1]
        conditions = condition.repeat(len(first.latents), axis=0)
        for moved in self._running.approach(np.ascontiguousarray(sketch), condition, first.latents, closeness):
            yield self._decoded(moved, conditions, began)

    def interpolate(self, start: Asked, end: Asked, frames: int = 12) -> Result:
        """Pictures on the way from one to another: latent, style and class in even steps, both ends included.

        Raises
        ------
        DataError
            A sketch has another shape or type.
        ConfigError
            Class, seed, style or number of frames is not allowed.
        """
        check_frames(frames)
        began = time.perf_counter()
        ends = [self.generate(one.sketch, one.label, seed=one.seed, style=one.style) for one in (start, end)]
        numbers = [self._class_number(one.label) for one in (start, end)]
        share = np.linspace(0, 1, frames, dtype=np.float32)[:, None]
        first, last = (one.latents for one in ends)
        conditions = _between(self._conditions[numbers[:1]], self._conditions[numbers[1:]], share)
        return self._decoded(_between(first, last, share), conditions, began)

    def _decoded(self, latents: F32, conditions: F32, began: float) -> Result:
        step = self._running.at_once
        rows = [slice(first, first + step) for first in range(0, len(latents), step)]
        with self._lock:
            return _result([self._running.decode(latents[some], conditions[some]) for some in rows], began)

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
        conditions = self._conditions[numbers]
        by_class = {
            number: [self._noise(number, variation_seed(seed, variation), style) for variation in range(variations)]
            for number in set(numbers)
        }
        noises = np.concatenate([noise for number in numbers for noise in by_class[number]])  # [N * variations, n]
        every, step = np.arange(len(noises)), self._running.at_once
        with self._lock:
            firsts = range(0, len(noises), step)
            parts = [self._together(sketches, conditions, noises, every[first : first + step]) for first in firsts]
        return _result(parts, began)

    def generate_each(self, asked: Sequence[Asked]) -> list[Result]:
        """Turn sketches into pictures, each with its own class, seed and style, as many together as is quickest.

        Returns
        -------
        As :meth:`generate` gives for each, up to the rounding of the last digit; in batches of 1, 2, 4 and so on.

        Raises
        ------
        DataError
            A sketch has another shape or type.
        ConfigError
            A class, seed or style is not allowed.
        """
        began = time.perf_counter()
        for one in asked:
            self._check(one.sketch, one.seed, 1)
        numbers = [self._class_number(one.label) for one in asked]
        noises = [self._noise(number, one.seed, one.style) for number, one in zip(numbers, asked)]
        results, first = [], 0
        for count, size in batches(self._running, len(asked)):
            rows = [min(row, first + count - 1) for row in range(first, first + size)]  # the last one fills up
            sketches = np.stack([asked[row].sketch for row in rows])
            conditions = self._conditions[[numbers[row] for row in rows]]
            with self._lock:
                drawn = self._drawn(sketches, conditions, np.concatenate([noises[row] for row in rows]))
            results += [_result([_row(drawn, row)], began) for row in range(count)]
            first += count
        return results

    def _drawn(self, sketches: U8, conditions: F32, noises: F32) -> Drawn:
        if len(sketches) == 1:
            return self._running.draw(sketches[0], conditions, noises)
        return self._running.many(sketches, conditions, noises)

    def _together(self, sketches: U8, conditions: F32, noises: F32, rows: npt.NDArray[np.int_]) -> Drawn:
        """Some rows of the result, always as many at once: libraries choose their arithmetic by the number."""
        filled = np.concatenate([rows, rows[-1:].repeat(self._running.at_once - len(rows))])
        number = filled // (len(noises) // len(sketches))
        pictures, edges, latents = self._running.many(sketches[number], conditions[number], noises[filled])
        return pictures[: len(rows)], edges[: len(rows)], latents[: len(rows)]

    def _noise(self, number: int, seed: int | None, style: int | str | None) -> F32:
        """What E cannot read from the sketch, [1, n]: a style of the class, or where there are none Gaussian noise."""
        if self._styles is not None:
            return style_of(self._styles[number], style, seed)[None]
        if style is not None:
            raise ConfigError(
                f"the style is {style!r}, but this model keeps none; leave it out, or choose one of architecture "
                "'modulated'."
            )
        size = self._config.noise_size
        if seed is None:
            return np.zeros((1, size), np.float32)
        words = np.random.SeedSequence([seed, 0])
        return np.random.Generator(np.random.PCG64(words)).standard_normal((1, size), np.float32)

    def _class_number(self, label: str | int) -> int:
        return class_number(label, self.classes)

    def _check(self, sketch: U8, seed: int | None, variations: int) -> None:
        check_sketch(sketch, self.sketch_px)
        check_chance(seed, variations)


def _row(drawn: Drawn, row: int) -> Drawn:
    pictures, edges, latents = drawn
    return pictures[row : row + 1], edges[row : row + 1], latents[row : row + 1]


def _between(first: F32, last: F32, share: F32) -> F32:
    """Rows on the way from one [1, n] to another, by shares [N, 1]; at 0 and 1 they are these to the last digit."""
    way = last - first
    return np.asarray(np.where(share < 0.5, first + share * way, last - way * (1 - share)), np.float32)


def _advice(source: Source, runner: str) -> str:
    if runner != ON_TORCH["cpu"] or source.place is None or (source.place / MODEL).is_file():
        return ""
    of = source.place if source.place.is_dir() else source.place.parent.parent
    return f"edgegan-widget export {of} --out {of if of is source.place else 'MODEL'} makes a model that draws quicker"


def _result(parts: Sequence[Drawn], began: float) -> Result:
    """Pictures [V, H, W, 3 or, with alpha, 4], edge maps and latents as they come from the networks, in parts."""
    pictures, edges, latents = (np.concatenate(one) for one in zip(*parts))
    alpha = np.ascontiguousarray(pictures[..., 3]) if pictures.shape[3] == 4 else None
    images = np.ascontiguousarray(pictures[..., :3])
    return Result(images, edges, latents, (time.perf_counter() - began) * 1e3, alpha)
