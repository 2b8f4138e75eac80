"""One kept connection to a server that draws, for all threads of this process: lost, it comes back and asks again.

A request is the same whenever it is sent, so one that was not answered before the connection broke is sent anew over
the next, as long as somebody waits for it.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from edgegan_widget.base import errors
from edgegan_widget.base.background import Ticker
from edgegan_widget.base.errors import ConfigError, EdgeGANError, MessageError, ServerError
from edgegan_widget.networks.remote.wire import MOST_ANSWER_BYTES, PATH, Kind, Message, decode, encode

__all__ = ["Call", "Link", "steps_of"]

log = logging.getLogger(__name__)

_OPEN_SECONDS, _CLOSE_SECONDS = 5.0, 0.5
_PING_SECONDS, _PONG_SECONDS = 10.0, 20.0  # a peer that is gone without a word is found out by these
_LISTEN_SECONDS = 5.0  # at a time; then whether anybody still holds this
_IDLE_SECONDS = 60.0
_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)  # between attempts to reach a server that is gone
_REFUSALS = (401, 403)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Call:
    """One request and its answers as they come."""

    def __init__(self, link: Link, number: int, frame: bytes, patience_seconds: float) -> None:
        self.number, self.frame, self._link, self._patience = number, frame, link, patience_seconds
        self._answers: queue.SimpleQueue[Message | EdgeGANError] = queue.SimpleQueue()
        self._taken = self._known = 0  # steps: how many came, and how many will come again

    def put(self, answer: Message | EdgeGANError) -> None:
        """An answer came; a step that came before the connection broke is not told twice."""
        if isinstance(answer, Message) and answer.kind == Kind.STEP:
            if self._known:
                self._known -= 1
                return
            self._taken += 1
        self._answers.put(answer)

    def again(self) -> bytes:
        """What to send over another connection."""
        self._known = self._taken
        return self.frame

    def next(self) -> Message:
        """Wait for the next answer, as long as patience lasts.

        Raises
        ------
        EdgeGANError
            What the server answered, or that it did not.
        """
        try:
            answer = self._answers.get(timeout=self._patience)
        except queue.Empty:
            self.cancel()
            raise ServerError(self._link.silence(self._patience)) from None
        if isinstance(answer, Message):
            return answer
        raise answer

    def cancel(self) -> None:
        """Nobody waits any more; the server need not go on."""
        self._link.forget(self)


class Link:
    """The connection; opened by :meth:`open`, and anew by whoever asks after it was lost.

    Parameters
    ----------
    url
        ``http://host:port`` or ``https://``, with a path where the server lies below one, and ``?token=`` if need be.
    token
        What the server wants to see, instead of that of the address.

    Attributes
    ----------
    url
        The address without its token, for people.
    host
        Its host and port.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url, self.host, self._address, self._token = _read_address(url, token)
        self._numbers = itertools.count(1)
        self._calls: dict[int, Call] = {}
        self._changing = threading.Lock()  # of the calls and the socket together
        self._socket: ClientConnection | None = None
        self._failed, self._why = 0, ""  # attempts in a row, and what the last one met
        self._closed = False
        self._held = ExitStack()  # of the socket of now; libraries want it entered and left, not closed
        self._ticker: Ticker | None = None
        weakref.finalize(self, self._held.close)

    def open(self) -> None:
        """Connect now, or say at once why not.

        Raises
        ------
        ServerError
            Nobody answers there, or the token is refused.
        """
        try:
            self._keep(self._connected())
        except ServerError:
            raise
        except (OSError, WebSocketException) as error:
            raise ServerError(self._unreachable(error)) from error
        self._ticker = Ticker(self._listen, after_error_seconds=_PAUSES_SECONDS[-1])

    def ask(self, kind: Kind, body: Mapping[str, Any], patience_seconds: float) -> Call:
        """Send a request; its answers come to the call."""
        if self._closed:
            raise ServerError(f"the connection to {self.url} was closed; connect anew.")
        number = next(self._numbers) % 2**32
        patience = {} if kind == Kind.CANCEL else {"patience_ms": int(patience_seconds * 1000)}
        call = Call(self, number, encode(Message(kind, number, {**body, **patience})), patience_seconds)
        with self._changing:
            self._calls[number] = call
            socket = self._socket
        self._send(socket, call.frame)
        return call

    def forget(self, call: Call) -> None:
        """Cancel a call; without effect where it was answered."""
        with self._changing:
            known, socket = self._calls.pop(call.number, None), self._socket
        if known is not None and socket is not None:
            self._send(socket, encode(Message(Kind.CANCEL, call.number, {})))

    def silence(self, seconds: float) -> str:
        """Why a call was not answered, as a sentence."""
        if self._socket is None and self._why:
            return self._why
        return f"the server {self.url} did not answer within {seconds:.0f} s, so busy is it; ask again."

    def close(self) -> None:
        """End the connection; what still waits fails."""
        self._closed = True
        self._fail_all(ServerError(f"the connection to {self.url} was closed; connect anew."))
        if self._ticker is not None:
            self._ticker.close()
        self._held.close()

    def _send(self, socket: ClientConnection | None, frame: bytes) -> None:
        if socket is not None:
            try:
                socket.send(frame)
                return
            except (ConnectionClosed, OSError):
                self._lose(socket)  # the call is sent again over the next
        if self._ticker is not None:
            self._ticker.poke()

    def _listen(self) -> float:
        """One turn of the thread: a frame of the connection, or an attempt to have it again; seconds to the next."""
        socket = self._socket or (self._reconnect() if self._calls else None)
        if socket is None:
            return _PAUSES_SECONDS[min(self._failed, len(_PAUSES_SECONDS)) - 1] if self._calls else _IDLE_SECONDS
        try:
            self._take(socket.recv(timeout=_LISTEN_SECONDS, decode=False))
        except TimeoutError:
            return 0.0
        except (ConnectionClosed, OSError):
            self._lose(socket)
        return 0.0

    def _take(self, frame: bytes) -> None:
        try:
            message = decode(frame, MOST_ANSWER_BYTES)
        except MessageError as error:
            self._answer(error.number, error, final=True)
            return
        if message.kind == Kind.ERROR:
            self._answer(message.number, _raised(message.body["error"], message.body["text"]), final=True)
        else:
            self._answer(message.number, message, final=message.kind != Kind.STEP)

    def _answer(self, number: int, answer: Message | EdgeGANError, final: bool) -> None:
        with self._changing:
            call = self._calls.pop(number, None) if final else self._calls.get(number)
        if call is not None:
            call.put(answer)

    def _reconnect(self) -> ClientConnection | None:
        try:
            return self._keep(self._connected())
        except ServerError as error:  # refused, which waiting does not mend
            self._failed += 1
            self._fail_all(error)
        except (OSError, WebSocketException) as error:
            self._failed, self._why = self._failed + 1, self._unreachable(error)
        return None

    def _connected(self) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            made = connect(
                self._address, additional_headers=headers, compression=None, max_size=MOST_ANSWER_BYTES + 1024,
                open_timeout=_OPEN_SECONDS, close_timeout=_CLOSE_SECONDS,
                ping_interval=_PING_SECONDS, ping_timeout=_PONG_SECONDS,
                proxy=None if urlsplit(self._address).hostname in _LOOPBACK else True,
            )  # fmt: skip
        except InvalidStatus as error:
            if error.response.status_code in _REFUSALS:
                raise ServerError(
                    f"the server {self.url} refuses this token; take the one it was started with."
                ) from error
            raise
        return made.__enter__()

    def _keep(self, socket: ClientConnection) -> ClientConnection:
        """Use this connection from now on, and send over it what waits."""
        with self._changing:
            self._socket, waiting = socket, list(self._calls.values())
            self._held.pop_all()  # the one before is broken
            self._held.push(socket)
        self._failed, self._why = 0, ""
        for call in waiting:
            self._send(socket, call.again())
        return socket

    def _lose(self, socket: ClientConnection) -> None:
        with self._changing:
            if self._socket is socket:
                self._socket = None
                self._why = f"the connection to the server {self.url} was lost; ask again."
        log.info("the connection to %s was lost", self.url)

    def _fail_all(self, error: ServerError) -> None:
        with self._changing:
            calls, self._calls = list(self._calls.values()), {}
        for call in calls:
            call.put(error)

    def _unreachable(self, error: Exception) -> str:
        known = isinstance(error, InvalidHandshake)
        why = "what answers there is no edgegan-widget server" if known else _reason(error)
        return f"the server {self.url} cannot be reached ({why}); check the address, or start it: edgegan-widget serve"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.rstrip(".") or type(error).__name__


def _raised(name: str, text: str) -> EdgeGANError:
    """The error that the server tells of; one of ours whatever it names."""
    kind = getattr(errors, name, None) if name in errors.__all__ else None
    return kind(text) if isinstance(kind, type) and issubclass(kind, EdgeGANError) else ServerError(text)


def _read_address(url: str, token: str | None) -> tuple[str, str, str, str]:
    """An address -> that for people, its host and port, that of the WebSocket, and the token."""
    parts = urlsplit(url.strip())
    schemes = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
    try:
        port = parts.port  # ValueError where it is none
    except ValueError:
        port = 0
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise ConfigError(f"the server's address is {url!r}; give one such as http://127.0.0.1:8000")
    host = parts.netloc.rpartition("@")[2]
    below = parts.path.rstrip("/")
    found = token if token is not None else "".join(parse_qs(parts.query).get("token", []))
    shown = urlunsplit((parts.scheme, host, below, "", ""))
    return shown, host, urlunsplit((schemes[parts.scheme], host, below + PATH, "", "")), found


def steps_of(call: Call) -> Iterator[Message]:
    """The answers of a call that has several, up to its end; to stop is to cancel it."""
    try:
        while (answer := call.next()).kind != Kind.END:
            yield answer
    finally:
        call.cancel()
