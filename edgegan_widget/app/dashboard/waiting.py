"""The page, for those for whom there is a place, and the page on which the others wait for one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import authenticated
from voila.tornado.handler import TornadoVoilaHandler

from edgegan_widget.app.dashboard.housekeeping import Housekeeping
from edgegan_widget.app.dashboard.places import Places

__all__ = ["Page", "Queue"]

VISITOR = "edgegan-visitor"  # a cookie, so that one who loads the page anew has the place of before


class Page(TornadoVoilaHandler):  # type: ignore[misc]
    """Voilà's page where there is a place for it, else the queue's."""

    def initialize(self, places: Places, **settings: Any) -> None:
        super().initialize(**settings)
        self._places, self._visitor, self._kernel = places, "", ""

    @property
    def kernel_manager(self) -> Any:
        """Jupyter's, which here tells the kernel that it gives to this page."""
        return _Telling(super().kernel_manager, self._opened)

    @authenticated  # type: ignore[untyped-decorator]
    async def get(self, path: str | None = None) -> None:
        """Give the page, or have the visitor wait."""
        if path:  # nothing is served beside the page, which says so
            await super().get(path)
            return
        self._visitor = _visitor(self)
        standing = self._places.enter(self._visitor)
        if standing.free:
            await super().get(path)
            return
        self.set_header("Cache-Control", "no-store")
        page = self.settings["voila_jinja2_env"].get_template("waiting.html")
        address = f"{self.base_url}voila/places"
        self.finish(page.render(address=address, most=self._places.most, standing=standing))

    async def get_generator(self, path: str | None = None) -> AsyncIterator[str]:
        """Voilà's page in parts; one that fails before it has a kernel gives its place back."""
        try:
            async for part in super().get_generator(path):
                yield part
        finally:
            if self._visitor and not self._kernel:
                self._places.failed(self._visitor)

    def _opened(self, kernel: str) -> None:
        self._kernel = kernel
        self._places.opened(self._visitor, kernel)


class Queue(JupyterHandler):  # type: ignore[misc]
    """Tells where one stands in the queue, or why a page's kernel was ended."""

    def initialize(self, places: Places, housekeeping: Housekeeping) -> None:
        self._places, self._housekeeping = places, housekeeping

    @authenticated  # type: ignore[untyped-decorator]
    def get(self) -> None:
        """With ``?kernel=ID`` why that one was ended; without where the visitor stands."""
        self.set_header("Cache-Control", "no-store")
        kernel = self.get_query_argument("kernel", "")
        if kernel:
            self.finish({"reason": self._housekeeping.reason(kernel)})
            return
        standing = self._places.ask(_visitor(self))
        self.finish({"free": standing.free, "place": standing.place, "again_seconds": standing.again_seconds})


class _Telling:
    """A kernel manager that tells which kernel it gives away."""

    def __init__(self, manager: Any, tell: Callable[[str], None]) -> None:
        self._manager, self._tell = manager, tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    async def start_kernel(self, **options: Any) -> str:
        """A new one."""
        kernel: str = await ensure_async(self._manager.start_kernel(**options))
        self._tell(kernel)
        return kernel

    async def get_rendered_notebook(self, **options: Any) -> Any:
        """One that was kept waiting."""
        found = await self._manager.get_rendered_notebook(**options)
        self._tell(found[2])
        return found


def _visitor(handler: JupyterHandler) -> str:
    """Who asks; one who has not been here gets a name."""
    known: str | None = handler.get_cookie(VISITOR)
    if known:
        return known
    name = uuid.uuid4().hex
    secure = handler.request.protocol == "https"
    handler.set_cookie(VISITOR, name, path=handler.base_url, httponly=True, samesite="Lax", secure=secure)
    return name
