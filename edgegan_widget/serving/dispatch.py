"""Who is drawn for next: of each session the newest request, and what waits together.

A batch is what waits when an engine becomes free, so nobody waits for a batch to fill, and under load batches grow by
themselves. Until an engine takes it, a request keeps its session's place in the line while newer ones replace it.
Ray Serve's own batching (``serve.batch``) closes a batch a fixed time after its first request, however busy the engine
is, and takes a call between processes for each request; here a batch is one call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException

from edgegan_widget.base.errors import EdgeGANError, ServerError, StoppedError
from edgegan_widget.networks.remote.wire import IN_SESSION, Kind, error_frame, kind_of, numbered
from edgegan_widget.serving.meters import Meters

__all__ = ["Dispatcher", "Engines", "Waiting"]

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
_TWICE = 2  # batches an engine has: one that it draws, and the next, so that it need not wait for it
_PAUSE_SECONDS = 0.1  # before what an engine that ended had is asked of another


@dataclass(eq=False)
class Waiting:
    """A request that was taken.

    Attributes
    ----------
    kind, number, body
        As it came.
    session
        Connection and session: what a newer one overtakes.
    send
        Takes frames for whoever asked.
    deadline
        Until when somebody waits, by ``time.monotonic``.
    """

    kind: Kind
    number: int
    body: dict[str, Any]
    session: tuple[int, int]
    send: Callable[[bytes], None]
    deadline: float
    began: float = field(default_factory=time.monotonic)

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def pictures(self) -> int:
        return int(self.body.get("variations", 1))


class Engines:
    """The engines behind a Ray Serve handle; what one that ended had is asked of another, as long as there is time."""

    def __init__(self, handle: Any, several_models: bool) -> None:
        self._handle, self._several = handle, several_models

    async def ask(self, method: str, model: str, deadline: float, *given: object, retry: Callable[[], None]) -> Any:
        """The answer of whichever engine is free.

        Raises
        ------
        ServerError
            None answered in time.
        """
        while (seconds := deadline - time.monotonic()) > 0:
            try:
                return await asyncio.wait_for(self._call(method, model, *given), seconds)
            except asyncio.TimeoutError:
                break
            except (RayError, RayServeException) as error:
                _check_mendable(error)
            retry()
            await asyncio.sleep(_PAUSE_SECONDS)
        raise ServerError("no engine was free in time; ask again, or less often.")

    async def stream(self, method: str, model: str, *given: object) -> AsyncGenerator[bytes, None]:
        """The answers of one engine; to stop is to have it stop."""
        answers = self._at(model, stream=True)
        found = getattr(answers, method).remote(model, *given)
        try:
            async for frame in found:
                yield frame
        finally:
            found.cancel()

    def _call(self, method: str, model: str, *given: object) -> Awaitable[Any]:
        called: Awaitable[Any] = getattr(self._at(model), method).remote(model, *given)
        return called

    def _at(self, model: str, stream: bool = False) -> Any:
        handle = self._handle.options(multiplexed_model_id=model) if self._several else self._handle
        return handle.options(stream=True) if stream else handle


def _check_mendable(error: Exception) -> None:
    """An engine that ended, or is not there yet, is; an error of ours is not."""
    if isinstance(error, RayTaskError):
        if isinstance(error.cause, EdgeGANError):
            raise error.cause
        log.error("an engine failed", exc_info=error)
        raise ServerError(f"the engine failed ({type(error.cause).__name__}); its log tells more.") from error


class Dispatcher:
    """The line of those who wait.

    Parameters
    ----------
    engines
        Who draws.
    meters
        What is counted.
    """

    def __init__(self, engines: Engines, meters: Meters) -> None:
        self._engines, self._meters = engines, meters
        self._line: dict[tuple[int, int], Waiting] = {}  # by session, in the order of their first request
        self._long: dict[tuple[int, int], tuple[Waiting, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._together: dict[str, int] = {}
        self._models: dict[str, bytes] = {}  # what they are, as frames; they stay the same
        self._drawing, self._engines_count, self.free = 0, 1, _TWICE
        self._morphs = asyncio.Semaphore(1)  # one long work an engine, so that pictures get through beside them
        self.taken = 0  # requests that are not answered yet

    def engines_are(self, count: int) -> None:
        """So many engines draw now."""
        count = max(1, count)
        for _ in range(count - self._engines_count):
            self._morphs.release()
        self._engines_count = max(count, self._engines_count)
        self.free = _TWICE * count
        self._go_on()

    def take(self, request: Waiting) -> None:
        """Have it answered, unless a newer one of its session overtakes it."""
        self.taken += 1
        if request.kind in IN_SESSION:
            self._overtake(request.session)
        if request.kind == Kind.DRAW:
            self._line[request.session] = request  # in the place of the one that it overtook
            self._go_on()
            return
        task = self._start(self._one(request))
        if request.kind in IN_SESSION:
            self._long[request.session] = request, task
            task.add_done_callback(lambda _: self._long_ended(request))

    def cancel(self, connection: int, number: int | None = None) -> None:
        """Nobody waits for this request any more, or for any of the connection."""
        for session, request in list(self._line.items()):
            if session[0] == connection and number in (None, request.number):
                del self._line[session]
                self._end(request, "cancelled")
        for request, task in list(self._long.values()):
            if request.session[0] == connection and number in (None, request.number):
                task.cancel()

    def _overtake(self, session: tuple[int, int]) -> None:
        older = self._line.get(session)
        if older is not None:
            self._answer(older, StoppedError("a newer request overtook this one."), "overtaken")
        if session in self._long:
            self._long.pop(session)[1].cancel()

    def _long_ended(self, request: Waiting) -> None:
        if self._long.get(request.session, (None,))[0] is request:
            del self._long[request.session]

    def _start(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _go_on(self) -> None:
        while self._line and self._drawing < self.free:
            batch = self._next()
            if batch:
                self._drawing += 1
                self._start(self._draw(batch))
        self._meters.waiting(len(self._line))

    def _next(self) -> list[Waiting]:
        """Those who wait longest for one model, as many as are drawn together; those whose time is over are told."""
        now, pictures = time.monotonic(), 0
        batch: list[Waiting] = []
        for session, request in list(self._line.items()):
            if request.deadline < now:
                del self._line[session]
                self._answer(request, ServerError("no engine was free in time; ask again, or less often."), "failed")
                continue
            if batch and request.model != batch[0].model:
                continue
            if batch and pictures + request.pictures > self._together.get(request.model, 1):
                break
            del self._line[session]
            batch.append(request)
            pictures += request.pictures
        return batch

    async def _draw(self, batch: Sequence[Waiting]) -> None:
        try:
            model, deadline = batch[0].model, max(one.deadline for one in batch)
            if model not in self._together:
                most = await self._engines.ask("together", model, deadline, retry=self._meters.retry)
                self._together[model] = int(most)
            self._meters.batch(model, sum(one.pictures for one in batch))
            given = [(one.number, one.body) for one in batch]
            frames = await self._engines.ask("draw", model, deadline, given, retry=self._meters.retry)
            for one, frame in zip(batch, frames):
                one.send(frame)
                self._end(one, "answered")
        except EdgeGANError as error:
            for one in batch:
                self._answer(one, error, "failed")
        finally:
            self._drawing -= 1
            self._go_on()

    async def _one(self, request: Waiting) -> None:
        try:
            if request.kind == Kind.APPROACH:
                async with self._morphs:
                    await self._approach(request)
            elif request.kind == Kind.INTERPOLATE:
                async with self._morphs:
                    request.send(await self._asked(request))
            else:
                request.send(await self._asked(request))
            self._end(request, "answered")
        except EdgeGANError as error:
            self._answer(request, error, "failed")
        except asyncio.CancelledError:
            self._answer(request, StoppedError("a newer request overtook this one."), "overtaken")
            raise

    async def _asked(self, request: Waiting) -> bytes:
        """The frame that answers what is neither drawn in batches nor answered in steps."""
        about = request.kind == Kind.ABOUT
        if about and request.model in self._models:
            return numbered(self._models[request.model], request.number)
        given = [request.number] if about else [request.number, request.body]
        method, model, retry = request.kind.name.lower(), request.model, self._meters.retry
        frame: bytes = await self._engines.ask(method, model, request.deadline, *given, retry=retry)
        if about and kind_of(frame) == Kind.MODEL:
            self._models[request.model] = frame
        return frame

    async def _approach(self, request: Waiting) -> None:
        """Steps as they come; where the engine ends in between, another one takes up, and old steps are not told."""
        told = 0
        while True:
            steps = self._engines.stream("approach", request.model, request.number, request.body)
            try:
                async with contextlib.aclosing(steps):
                    number = 0
                    async for frame in steps:
                        if number >= told:
                            request.send(frame)
                            told += 1
                        number += 1
                return
            except (RayError, RayServeException) as error:
                _check_mendable(error)
                if time.monotonic() > request.deadline:
                    raise ServerError("no engine was free in time; ask again, or less often.") from error
            self._meters.retry()
            await asyncio.sleep(_PAUSE_SECONDS)

    def _answer(self, request: Waiting, error: EdgeGANError, outcome: str) -> None:
        request.send(error_frame(request.number, error))
        self._end(request, outcome)

    def _end(self, request: Waiting, outcome: str) -> None:
        self.taken -= 1
        self._meters.ended(request.kind.name.lower(), outcome, time.monotonic() - request.began)
