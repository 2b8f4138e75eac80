"""A model that draws on a server, with the calls of one that draws here."""

from __future__ import annotations

import copy
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from edgegan_widget.base.errors import ConfigError, ServerError
from edgegan_widget.base.result import Asked, Result, Style
from edgegan_widget.base.units import U8
from edgegan_widget.networks.checks import check_chance, check_closeness, check_frames, check_sketch, class_number
from edgegan_widget.networks.remote.link import Call, Link, steps_of
from edgegan_widget.networks.remote.wire import LONGEST_SECONDS, MOST_SESSIONS, Kind, Message
from edgegan_widget.networks.styles import named_styles

__all__ = ["PATIENCE_SECONDS", "Coming", "RemoteEngine"]

PATIENCE_SECONDS = 10.0
_LONG = 3.0  # times as much patience with what takes long: a morph, the first step of coming closer


class Coming:
    """A picture that was asked for and is on its way; see :meth:`RemoteEngine.begin`."""

    def __init__(self, call: Call, began: float) -> None:
        self._call, self._began = call, began

    def result(self) -> Result:
        """Wait for it, once.

        Raises
        ------
        StoppedError
            A newer request of the same thread overtook it.
        ServerError
            The server is gone, or too busy.
        ConfigError
            The server's model cannot be asked for that.
        """
        return _result(self._call.next(), self._began)

    def call_off(self) -> None:
        """It is not wanted any more; the server need not draw it."""
        self._call.cancel()


class RemoteEngine:
    """A model on a server, as :meth:`edgegan_widget.EdgeGAN.connect` gives it.

    It is asked like one that is here (:class:`edgegan_widget.base.result.Engine`), by any number of threads at once,
    over one connection. Where that breaks, or what drew there ends, what was asked for is asked for again, within
    ``patience_seconds``: the same seed, sketch and model give the same picture.

    Attributes
    ----------
    url, name
        Where it draws, and what the model is called there.
    models
        All models that the server has, by name.
    classes, size_px, sketch_px, alpha, can_guess, advice, mode
        As of a local model.
    device_name
        The server's device, and where that is.
    """

    def __init__(
        self,
        url: str,
        model: str = "default",
        token: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        if not 0 < patience_seconds <= LONGEST_SECONDS / _LONG:
            most = LONGEST_SECONDS / _LONG
            raise ConfigError(f"patience_seconds is {patience_seconds}; give more than 0 and at most {most:.0f}.")
        self._link, self._patience = Link(url, token), patience_seconds
        self.url = self._link.url
        self._sessions, self._local = itertools.count(), threading.local()
        self._link.open()
        self._learn(model)

    def _learn(self, model: str) -> None:
        """What the server says of one of its models, which is asked from now on."""
        self.name = model
        about = self._link.ask(Kind.ABOUT, {"model": model}, self._patience).next().body
        self.models, self.classes = tuple(about["models"]), tuple(about["classes"])
        self.size_px, self.sketch_px, self.alpha = about["size_px"], about["sketch_px"], about["alpha"]
        self.can_guess, self.advice, self.mode = about["can_guess"], about["advice"], about["mode"]
        self.device_name = f"{about['device_name']} at {self._link.host}"
        self._styles = about["styles"]

    def other(self, model: str) -> RemoteEngine:
        """Another of the server's :attr:`models`, over the same connection; it is closed for both.

        Raises
        ------
        ModelError
            The server has no such model.
        ServerError
            The server is gone.
        """
        made = copy.copy(self)
        made._learn(model)
        return made

    def styles(self, label: str | int) -> tuple[Style, ...]:
        """As :meth:`edgegan_widget.EdgeGAN.styles`; known here, without asking the server."""
        number = class_number(label, self.classes)
        return () if self._styles is None else named_styles(self._styles[number])

    def guess(self, sketch: U8) -> list[tuple[str, float]]:
        """As :meth:`edgegan_widget.EdgeGAN.guess`."""
        if not self.can_guess:
            return []
        check_sketch(sketch, self.sketch_px)
        found = self._ask(Kind.GUESS, {"sketch": sketch}).next().body
        return [] if found["shares"] is None else list(zip(found["names"], found["shares"].tolist()))

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
        """As :meth:`edgegan_widget.EdgeGAN.generate`; ``milliseconds`` has the way there and back in it.

        Raises
        ------
        ServerError
            The server is gone, or too busy to answer in time.
        ConfigError, DataError
            As of a local model.
        """
        check_closeness(closeness)
        began = time.perf_counter()
        result = self.begin(sketch, label, seed=seed, variations=variations, style=style).result()
        for closer in self.approach(sketch, label, result, closeness):
            result = closer
        return replace(result, milliseconds=(time.perf_counter() - began) * 1e3)

    def begin(
        self,
        sketch: U8,
        label: str | int,
        *,
        seed: int | None = None,
        variations: int = 1,
        style: int | str | None = None,
    ) -> Coming:
        """Ask for what :meth:`generate` gives, and go on.

        The newest request of a thread wins: one before it that the server has not begun is dropped there, and its
        :meth:`Coming.result` raises StoppedError. Requests of different threads do not overtake each other.
        """
        check_sketch(sketch, self.sketch_px)
        check_chance(seed, variations)
        number = class_number(label, self.classes)
        body = {"sketch": sketch, "label": number, "seed": seed, "variations": variations, "style": style}
        return Coming(self._ask(Kind.DRAW, body | self._session()), time.perf_counter())

    def approach(self, sketch: U8, label: str | int, first: Result, closeness: float) -> Iterator[Result]:
        """As :meth:`edgegan_widget.EdgeGAN.approach`; to stop is to have the server stop."""
        check_closeness(closeness)
        if not closeness:
            return
        check_sketch(sketch, self.sketch_px)
        began = time.perf_counter()
        body = {
            "sketch": sketch,
            "label": class_number(label, self.classes),
            "latents": first.latents,
            "closeness": closeness,
        }
        for step in steps_of(self._ask(Kind.APPROACH, body | self._session(), _LONG)):
            yield _result(step, began)

    def interpolate(self, start: Asked, end: Asked, frames: int = 12) -> Result:
        """As :meth:`edgegan_widget.EdgeGAN.interpolate`."""
        check_frames(frames)
        began = time.perf_counter()
        body: dict[str, Any] = {"frames": frames}
        for place, one in (("start", start), ("end", end)):
            check_sketch(one.sketch, self.sketch_px)
            check_chance(one.seed, 1)
            body[f"{place}_sketch"], body[f"{place}_seed"], body[f"{place}_style"] = one.sketch, one.seed, one.style
            body[f"{place}_label"] = class_number(one.label, self.classes)
        return _result(self._ask(Kind.INTERPOLATE, body | self._session(), _LONG).next(), began)

    def close(self) -> None:
        """End the connection, which otherwise ends with this object."""
        self._link.close()

    def _ask(self, kind: Kind, body: dict[str, Any], times: float = 1.0) -> Call:
        return self._link.ask(kind, body | {"model": self.name}, self._patience * times)

    def _session(self) -> dict[str, int]:
        """Each thread has its own, in which newer requests overtake older ones."""
        if not hasattr(self._local, "number"):
            self._local.number = next(self._sessions) % MOST_SESSIONS
        return {"session": self._local.number}


def _result(answer: Message, began: float) -> Result:
    if answer.kind not in (Kind.PICTURES, Kind.STEP):
        raise ServerError(f"the server answered with {answer.kind.name}; use the same release at both ends.")
    body = answer.body
    milliseconds = (time.perf_counter() - began) * 1e3
    return Result(body["images"], body["edges"], body["latents"], milliseconds, body["alpha"])
