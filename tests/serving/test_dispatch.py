"""Who is drawn for next, with engines that draw when they are told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("ray.serve")

from edgegan_widget.base.errors import ServerError
from edgegan_widget.networks.remote.wire import Kind, Message, decode, encode
from edgegan_widget.serving.connection import Rate
from edgegan_widget.serving.dispatch import Dispatcher, Engines, Waiting
from edgegan_widget.serving.meters import Meters
from edgegan_widget.serving.settings import Serving, digest_of, named_models


class ByHand(Engines):
    """Engines that hold what they are asked until they are let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go, self.fails = asyncio.Event(), 0

    async def ask(self, method: str, model: str, deadline: float, *given: Any, retry: Callable[[], None]) -> Any:
        if method == "together":
            return 4
        if method == "guess":
            return encode(Message(Kind.SHARES, given[0], {"names": [], "shares": None}))
        self.batches.append([number for number, _ in given[0]])
        await self.go.wait()
        if self.fails:
            raise ServerError("no engine was free in time; ask again, or less often.")
        return [encode(Message(Kind.END, number, {})) for number, _ in given[0]]


def held(test: Callable[[ByHand, Dispatcher, list[Message]], Awaitable[None]]) -> list[Message]:
    """Run it with engines that hold what they have; what was answered."""
    answers: list[Message] = []

    async def inside() -> None:
        engines = ByHand()
        line = Dispatcher(engines, Meters())
        await test(engines, line, answers)
        engines.go.set()
        deadline = time.monotonic() + 10
        while line.taken and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert line.taken == 0

    asyncio.run(inside())
    return answers


def request(
    number: int, session: tuple[int, int], answers: list[Message], model: str = "m", seconds: float = 60.0, **more: Any
) -> Waiting:
    body = {"model": model, "variations": 1} | more
    deadline = time.monotonic() + seconds
    return Waiting(Kind.DRAW, number, body, session, lambda frame: answers.append(decode(frame)), deadline)


def test_the_newest_takes_the_place_of_the_older_one() -> None:
    async def test(engines: ByHand, line: Dispatcher, answers: list[Message]) -> None:
        for number in range(6):
            line.take(request(number, (0, number), answers))  # two are drawn, four wait
        line.take(request(10, (0, 3), answers))
        line.take(request(11, (0, 3), answers))
        await asyncio.sleep(0.05)
        assert engines.batches == [[0], [1]]
        assert [answer.number for answer in answers] == [3, 10]
        assert all(answer.body["error"] == "StoppedError" for answer in answers)
        engines.go.set()
        await asyncio.sleep(0.05)
        assert engines.batches[2:] == [[2, 11, 4, 5]]

    assert {answer.number for answer in held(test)} == {0, 1, 2, 3, 4, 5, 10, 11}


def test_what_is_drawn_together_is_of_one_model_and_not_too_much() -> None:
    async def test(engines: ByHand, line: Dispatcher, answers: list[Message]) -> None:
        for number in range(2):
            line.take(request(number, (0, number), answers))
        await asyncio.sleep(0.05)
        for number in range(2, 6):
            line.take(request(number, (0, number), answers, model="m" if number % 2 else "other"))
        line.take(request(6, (1, 0), answers, variations=8))
        line.take(request(7, (1, 1), answers))
        engines.go.set()
        await asyncio.sleep(0.2)
        # How much of a model is drawn together is asked with its first batch.
        assert engines.batches[2:] == [[2], [3, 5], [4], [6], [7]]

    assert len(held(test)) == 8


def test_nobody_waits_beyond_the_time() -> None:
    async def test(engines: ByHand, line: Dispatcher, answers: list[Message]) -> None:
        for number in range(4):
            line.take(request(number, (0, number), answers, seconds=0.05 if number == 3 else 60))
        await asyncio.sleep(0.1)
        engines.go.set()

    late = next(answer for answer in held(test) if answer.number == 3)
    assert late.body == {"error": "ServerError", "text": "no engine was free in time; ask again, or less often."}


def test_who_leaves_is_not_drawn_for() -> None:
    async def test(engines: ByHand, line: Dispatcher, answers: list[Message]) -> None:
        for number in range(6):
            line.take(request(number, (number % 2, number), answers))
        line.cancel(0)
        line.cancel(1, 5)
        engines.go.set()
        await asyncio.sleep(0.1)
        assert engines.batches[2:] == [[3]]

    assert {answer.number for answer in held(test)} == {0, 1, 3}


def test_all_of_a_batch_that_failed_are_told() -> None:
    async def test(engines: ByHand, line: Dispatcher, answers: list[Message]) -> None:
        engines.fails = 1
        for number in range(3):
            line.take(request(number, (0, number), answers))
        guess = request(9, (0, -1), answers)
        guess.kind = Kind.GUESS
        line.take(guess)

    kinds = {answer.number: answer.kind for answer in held(test)}
    assert kinds == {0: Kind.ERROR, 1: Kind.ERROR, 2: Kind.ERROR, 9: Kind.SHARES}


def test_a_rate_is_held_in_the_long_run() -> None:
    rate = Rate(10.0, now=0.0)
    assert sum(rate.allows(step / 100) for step in range(1000)) == pytest.approx(120, abs=1)


def test_settings_travel_as_text() -> None:
    given = Serving({"a": "/a", "b": "/b"}, digest_of("secret"), replicas=0, most_replicas=4, rate_per_second=9.5)
    assert Serving.from_json(given.to_json()) == given
    assert given.admits("secret")
    assert not given.admits("")
    assert Serving({"a": "/a"}).admits("")


def test_models_are_named() -> None:
    found = named_models(["default", "mine=default"])
    assert list(found) == ["default", "mine"]
    assert found["default"] == found["mine"]
