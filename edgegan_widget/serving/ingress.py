"""The server's door: WebSockets for those who draw, and two addresses for those who look after it."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Any

from ray import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from edgegan_widget import __version__
from edgegan_widget.networks.remote.wire import PATH
from edgegan_widget.serving.connection import Connection
from edgegan_widget.serving.dispatch import Dispatcher, Engines
from edgegan_widget.serving.meters import Meters
from edgegan_widget.serving.settings import APPLICATION, ENGINES, Serving

__all__ = ["Ingress"]

log = logging.getLogger(__name__)

_POLICY, _TRY_LATER = 1008, 1013  # codes of WebSocket
_COUNT_SECONDS = 2.0


async def _draw(socket: WebSocket) -> None:
    await _door().draw(socket)


async def _models(request: Request) -> JSONResponse:
    return _door().models(request)


async def _health(_request: Request) -> JSONResponse:
    return _door().health()


def _door() -> Ingress:
    door: Ingress = serve.get_replica_context().servable_object
    return door


_web = Starlette(routes=[WebSocketRoute(PATH, _draw), Route("/models", _models), Route("/health", _health)])


@serve.ingress(_web)
class Ingress:
    """Holds the connections; engines draw."""

    def __init__(self, engines: Any, settings: str) -> None:
        self._settings = Serving.from_json(settings)
        self._meters, self._numbers = Meters(), itertools.count()
        self._line = Dispatcher(Engines(engines, len(self._settings.models) > 1), self._meters)
        self._line.engines_are(self._settings.replicas or 1)
        self._connections: set[Connection] = set()
        self._stopping = False
        self._counting = None if self._settings.replicas else asyncio.ensure_future(self._count_engines())

    async def draw(self, socket: WebSocket) -> None:
        """A client, until it leaves."""
        if not self._admits(socket.headers, socket.query_params):
            await socket.close(_POLICY)  # before it is accepted: the answer is 403
            return
        await socket.accept()
        if self._stopping or len(self._connections) >= self._settings.connections:
            await socket.close(_TRY_LATER)
            return
        models, rate = tuple(self._settings.models), self._settings.rate_per_second
        connection = Connection(next(self._numbers), socket, self._line, models, rate)
        self._connections.add(connection)
        self._meters.connections(len(self._connections))
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)
            self._meters.connections(len(self._connections))

    def models(self, request: Request) -> JSONResponse:
        """The models by name."""
        if not self._admits(request.headers, request.query_params):
            return JSONResponse({"error": "give the token as Authorization: Bearer TOKEN"}, 401)
        return JSONResponse({"models": list(self._settings.models), "version": __version__})

    def health(self) -> JSONResponse:
        """Whether new clients are welcome: 200, or 503 while it is being stopped."""
        status = "stopping" if self._stopping else "ok"
        return JSONResponse({"status": status}, 503 if self._stopping else 200)

    async def stop(self) -> int:
        """Take no more requests, answer those that were taken, and let the clients go; how many there were."""
        self._stopping = True
        leaving = list(self._connections)
        await asyncio.gather(*(connection.stop() for connection in leaving))
        while self._connections:
            await asyncio.sleep(0.02)
        return len(leaving)

    def _admits(self, headers: Any, query: Any) -> bool:
        """Whether this client has the token; where none is asked for, any that is no web page of somebody else's."""
        if not self._settings.token_digest:
            return "origin" not in headers
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return self._settings.admits(given if scheme.lower() == "bearer" else query.get("token", ""))

    async def _count_engines(self) -> None:
        """How many engines there are now; Ray Serve adds and takes away."""
        while True:
            try:
                status = await asyncio.to_thread(serve.status)
                states = status.applications[APPLICATION].deployments[ENGINES].replica_states
                self._line.engines_are(int(states.get("RUNNING", 1)))
            except Exception:  # it is asked again; the count of before serves until then
                log.info("the engines could not be counted", exc_info=True)
            await asyncio.sleep(_COUNT_SECONDS)
