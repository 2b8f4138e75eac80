"""The kernel's websocket as the dashboard's server uses it; a module of its own, so that kernels need not load it."""

from __future__ import annotations

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

__all__ = ["PromptWebsocket"]


class PromptWebsocket(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """Without Nagle's delay, which costs 40 ms a stroke; and a page that is closed ends its kernel."""

    async def prepare(self) -> object:
        """Have the answer carry the cookie without which the page's last request, to end its kernel, is refused."""
        self.websocket_handler.xsrf_token  # noqa: B018 - asking for it sets the cookie
        return await super().prepare()

    async def connect(self) -> object:
        """Connect as usual, then send small messages at once."""
        self.websocket_handler.set_nodelay(True)
        return await super().connect()
