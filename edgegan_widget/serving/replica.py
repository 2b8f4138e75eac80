"""What draws on a server: one engine a replica, with the models that it was asked for last.

A replica gets what is to be drawn together in one call and gives back whole frames, so that whoever holds the
connections has nothing to do with pictures but to pass them on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from ray import serve

from edgegan_widget.base.errors import EdgeGANError, ModelError
from edgegan_widget.base.result import Asked, Result, variation_seed
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.remote.wire import Kind, Message, encode, error_frame
from edgegan_widget.serving.settings import Serving

__all__ = ["Replica"]

log = logging.getLogger(__name__)

Made = TypeVar("Made")
Body = dict[str, Any]
_MODELS_AT_ONCE = 3  # that an engine keeps; the one that was not asked for longest goes
_PROOF_SECONDS = 10.0  # so often an idle engine shows that it can draw
_LONG_AT_ONCE = 1  # morphs and pictures that come closer, beside the pictures that are drawn


class Replica:
    """The engine of one replica; the ingress asks it."""

    def __init__(self, settings: str) -> None:
        self._settings = Serving.from_json(settings)
        self._drawing, self._long = asyncio.Semaphore(1), asyncio.Semaphore(_LONG_AT_ONCE)
        self._first = next(iter(self._settings.models))
        self._loaded: EdgeGAN | None = self._load(self._first)  # a replica that is ready can draw
        self._side, self._drew = self._loaded.sketch_px, time.monotonic()

    @serve.multiplexed(max_num_models_per_replica=_MODELS_AT_ONCE)  # type: ignore[untyped-decorator]
    async def model(self, name: str) -> EdgeGAN:
        """The engine of this name, loaded where it is not there."""
        if name == self._first and self._loaded is not None:
            engine, self._loaded = self._loaded, None
            return engine
        return await asyncio.to_thread(self._load, name)

    async def about(self, name: str, number: int) -> bytes:
        """What the model is, as a frame."""
        try:
            engine = await self.model(name)
        except EdgeGANError as error:
            return error_frame(number, error)
        body = {
            "model": name, "models": list(self._settings.models), "classes": list(engine.classes),
            "size_px": engine.size_px, "sketch_px": engine.sketch_px, "alpha": engine.alpha,
            "can_guess": engine.can_guess, "device_name": engine.device_name, "mode": engine.mode,
            "advice": engine.advice, "styles": engine.bank,
        }  # fmt: skip
        return encode(Message(Kind.MODEL, number, body))

    async def together(self, name: str) -> int:
        """How many pictures are best asked for at once."""
        engine: EdgeGAN = await self.model(name)
        return engine.together

    async def draw(self, name: str, asked: Sequence[tuple[int, Body]]) -> list[bytes]:
        """Pictures of DRAW requests, each with its number, together; a frame for each."""
        try:
            engine = await self.model(name)
        except EdgeGANError as error:
            return [error_frame(number, error) for number, _ in asked]
        async with self._drawing:
            frames = await asyncio.to_thread(_drawn, engine, asked)
        self._drew = time.monotonic()
        return frames

    async def guess(self, name: str, number: int, body: Body) -> bytes:
        """What the sketch shows, as a frame."""
        return await self._framed(name, number, lambda engine: _guessed(engine, number, body))

    async def interpolate(self, name: str, number: int, body: Body) -> bytes:
        """A morph, as a frame."""
        async with self._long:
            return await self._framed(name, number, lambda engine: _morphed(engine, number, body))

    async def approach(self, name: str, number: int, body: Body) -> AsyncIterator[bytes]:
        """Pictures that come closer to the lines, frame by frame; to stop is not to ask for the next one."""
        try:
            async with self._long:
                steps = _steps(await self.model(name), number, body)
                while frame := await asyncio.to_thread(next, steps, b""):
                    yield frame
        except EdgeGANError as error:
            yield error_frame(number, error)

    async def check_health(self) -> None:
        """Ray Serve's question whether this replica can go on: it draws."""
        if time.monotonic() - self._drew < _PROOF_SECONDS:
            return
        blank = np.full((self._side,) * 2, 255, np.uint8)
        body = {"sketch": blank, "label": 0, "seed": None, "style": None, "variations": 1}
        await self.draw(self._first, [(0, body)])

    def _load(self, name: str) -> EdgeGAN:
        place = self._settings.models.get(name)
        if place is None:
            raise ModelError(f"the server has no model called {name!r}; it has {', '.join(self._settings.models)}.")
        return EdgeGAN.from_pretrained(place, self._settings.device, self._settings.runner)

    async def _framed(self, name: str, number: int, work: Callable[[EdgeGAN], bytes]) -> bytes:
        try:
            return await asyncio.to_thread(work, await self.model(name))
        except EdgeGANError as error:
            return error_frame(number, error)


def _drawn(engine: EdgeGAN, asked: Sequence[tuple[int, Body]]) -> list[bytes]:
    wanted = [_variations(body) for _, body in asked]
    try:
        rows = engine.generate_each([one for each in wanted for one in each])
    except EdgeGANError as error:
        if len(asked) == 1:
            return [error_frame(asked[0][0], error)]
        return [frame for one in asked for frame in _drawn(engine, [one])]  # the others get their pictures
    pictures = iter(rows)
    return [
        _frame(Kind.PICTURES, number, _joined([next(pictures) for _ in each]))
        for (number, _), each in zip(asked, wanted)
    ]


def _variations(body: Body) -> list[Asked]:
    return [
        Asked(body["sketch"], body["label"], variation_seed(body["seed"], variation), body["style"])
        for variation in range(body["variations"])
    ]


def _joined(results: Sequence[Result]) -> Result:
    if len(results) == 1:
        return results[0]
    images, edges, latents = (
        np.concatenate([getattr(one, name) for one in results]) for name in ("images", "edges", "latents")
    )
    alphas = [one.alpha for one in results if one.alpha is not None]
    return Result(images, edges, latents, results[-1].milliseconds, np.concatenate(alphas) if alphas else None)


def _frame(kind: Kind, number: int, result: Result) -> bytes:
    body = {name: getattr(result, name) for name in ("images", "edges", "latents", "alpha", "milliseconds")}
    return encode(Message(kind, number, body))


def _guessed(engine: EdgeGAN, number: int, body: Body) -> bytes:
    found = engine.guess(body["sketch"])
    shares = np.array([share for _, share in found], np.float32) if found else None
    return encode(Message(Kind.SHARES, number, {"names": [name for name, _ in found], "shares": shares}))


def _morphed(engine: EdgeGAN, number: int, body: Body) -> bytes:
    start, end = (
        Asked(*(body[f"{place}_{name}"] for name in ("sketch", "label", "seed", "style"))) for place in ("start", "end")
    )
    return _frame(Kind.PICTURES, number, engine.interpolate(start, end, body["frames"]))


def _steps(engine: EdgeGAN, number: int, body: Body) -> Iterator[bytes]:
    began = time.perf_counter()
    latents = body["latents"]
    none = np.zeros((len(latents), 1, 1), np.uint8)
    first = Result(none[..., None], none, latents, 0.0)  # of what came first only its latents are read
    for step in engine.approach(body["sketch"], body["label"], first, body["closeness"]):
        yield _frame(Kind.STEP, number, replace(step, milliseconds=(time.perf_counter() - began) * 1e3))
    yield encode(Message(Kind.END, number, {}))
