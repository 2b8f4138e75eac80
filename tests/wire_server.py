"""A small server that speaks the wire: what draws behind it is given, and it can be ended and begun again."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from edgegan_widget.networks.remote.wire import Kind, Message, decode, encode

__all__ = ["WireServer"]


class WireServer:
    """Draws with an engine, and with others by their names, for who connects to :attr:`url`; a context manager."""

    def __init__(self, engine: Any, **others: Any) -> None:
        self._engines = {"default": engine, **others}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: Server | None = None
        self._open: set[ServerConnection] = set()

    def __enter__(self) -> WireServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._server = serve(self._talk, "127.0.0.1", self.port, compression=None)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """End it and its connections, as if it had been killed."""
        if self._server is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server = None
        for connection in list(self._open):
            connection.socket.shutdown(socket.SHUT_RDWR)

    def _talk(self, connection: ServerConnection) -> None:
        self._open.add(connection)
        try:
            for frame in connection:
                asked = decode(frame)
                if asked.kind != Kind.CANCEL:
                    kind, body = self._answer(asked.kind, asked.body)
                    connection.send(encode(Message(kind, asked.number, body)))
        except (ConnectionClosed, OSError):
            pass
        finally:
            self._open.discard(connection)

    def _answer(self, kind: Kind, body: Any) -> tuple[Kind, dict[str, Any]]:
        engine = self._engines[body["model"]]
        if kind == Kind.ABOUT:
            about = {name: getattr(engine, name) for name in ("size_px", "sketch_px", "alpha", "device_name")}
            classes = list(engine.classes)
            more = {"model": body["model"], "models": list(self._engines), "mode": "", "advice": "", "styles": None}
            return Kind.MODEL, about | more | {"classes": classes, "can_guess": False}
        assert kind == Kind.DRAW, kind
        names = {"seed": body["seed"], "variations": body["variations"], "style": body["style"]}
        result = engine.generate(body["sketch"], engine.classes[body["label"]], **names)
        return Kind.PICTURES, {
            "images": result.images, "edges": result.edges, "latents": result.latents, "alpha": result.alpha,
            "milliseconds": result.milliseconds,
        }  # fmt: skip
