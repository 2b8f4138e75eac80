"""One client's connection: frames in, within the limits, and frames out."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from edgegan_widget.base.errors import EdgeGANError, MessageError, ModelError, ServerError
from edgegan_widget.networks.remote.wire import (
    IN_SESSION,
    MOST_REQUEST_BYTES,
    REQUESTS,
    Kind,
    Message,
    decode,
    error_frame,
    kind_of,
    number_of,
)
from edgegan_widget.serving.dispatch import Dispatcher, Waiting

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.websockets import WebSocket

__all__ = ["Connection", "Rate"]

_MOST_OPEN = 256  # requests that are not answered
_MOST_BEHIND_BYTES = 128_000_000  # answers that a client has not taken
_EXCESS_PAUSE_SECONDS = 0.02  # a client that asks too often is read more slowly
GOING_AWAY, TOO_SLOW = 1001, 1013  # codes of WebSocket


class Rate:
    """So many a second in the long run, and twice as many at once.

    Examples
    --------
    >>> rate = Rate(2.0, now=0.0)
    >>> [rate.allows(0.0) for _ in range(5)], rate.allows(0.5)
    ([True, True, True, True, False], True)
    """

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second, self._most = per_second, 2 * per_second
        self._left, self._then = self._most, now

    def allows(self, now: float) -> bool:
        """Whether one more is within it."""
        self._left = min(self._most, self._left + (now - self._then) * self._per_second)
        self._then = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Connection:
    """A client that is connected; served by :meth:`serve` until it leaves."""

    def __init__(
        self, number: int, socket: WebSocket, line: Dispatcher, models: Collection[str], rate_per_second: float
    ) -> None:
        self._number, self._socket, self._line, self._models = number, socket, line, models
        self._rate, self._per_second = Rate(rate_per_second, time.monotonic()), rate_per_second
        self._out: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._open: set[int] = set()
        self._stopping, self._behind_bytes = False, 0

    async def serve(self) -> None:
        """Take requests and give answers until the client leaves or :meth:`stop`."""
        writing = asyncio.ensure_future(self._write())
        try:
            while True:
                event = await self._socket.receive()
                if event["type"] == "websocket.disconnect":
                    return
                frame = event.get("bytes")
                await self._take(event.get("text") or "" if frame is None else frame)
        except RuntimeError:  # Starlette's, of a socket that we closed
            return
        finally:
            self._line.cancel(self._number)
            writing.cancel()

    async def stop(self) -> None:
        """Take no more, answer what was taken, and leave."""
        self._stopping = True
        while self._open or not self._out.empty():
            await asyncio.sleep(0.02)
        self._out.put_nowait(None)

    async def _take(self, frame: bytes | str) -> None:
        """Answer one frame: with an error at once, or later with what it asks for."""
        if self._stopping:
            return  # whoever asks finds its connection closed, and asks again
        number = 0
        try:
            message = decode(frame, MOST_REQUEST_BYTES)
            number = message.number
            if not self._rate.allows(time.monotonic()):
                raise ServerError(f"more than {self._per_second:g} requests a second came over one connection; wait.")
            self._follow(message)
        except EdgeGANError as error:
            self._put(error_frame(error.number if isinstance(error, MessageError) else number, error))
            if isinstance(error, ServerError) or not self._rate.allows(time.monotonic()):
                await asyncio.sleep(_EXCESS_PAUSE_SECONDS)

    def _follow(self, message: Message) -> None:
        if message.kind == Kind.CANCEL:
            self._line.cancel(self._number, message.number)
            return
        if message.kind not in REQUESTS:
            raise MessageError(f"{message.kind.name} is no request.", message.number)
        body = dict(message.body)
        if body["model"] not in self._models:
            raise _unknown(body["model"], self._models)
        if len(self._open) >= _MOST_OPEN:
            raise ServerError(f"{_MOST_OPEN} requests are open over one connection; wait for their answers.")
        session = body.pop("session") if message.kind in IN_SESSION else -1
        deadline = time.monotonic() + body.pop("patience_ms") / 1000
        self._open.add(message.number)
        self._line.take(Waiting(message.kind, message.number, body, (self._number, session), self._send, deadline))

    def _send(self, frame: bytes) -> None:
        if kind_of(frame) != Kind.STEP:
            self._open.discard(number_of(frame))
        self._put(frame)

    def _put(self, frame: bytes) -> None:
        self._behind_bytes += len(frame)
        self._out.put_nowait(frame)

    async def _write(self) -> None:
        try:
            while (frame := await self._out.get()) is not None:
                if self._behind_bytes > _MOST_BEHIND_BYTES:
                    await self._socket.close(TOO_SLOW)
                    return
                await self._socket.send_bytes(frame)
                self._behind_bytes -= len(frame)
            await self._socket.close(GOING_AWAY)
        except Exception:  # whatever the server beneath raises where the client has left; reading says so too
            return


def _unknown(name: str, models: Collection[str]) -> ModelError:
    return ModelError(f"the server has no model called {name!r}; it has {', '.join(models)}.")
