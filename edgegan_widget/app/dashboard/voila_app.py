"""Voilà's application with places, a queue for them, somebody who looks after the kernels, and TLS."""

from __future__ import annotations

import functools
from typing import Any

from jupyter_server.utils import url_path_join
from tornado.ioloop import PeriodicCallback
from traitlets import Instance
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from edgegan_widget.app.dashboard.handed import Handed
from edgegan_widget.app.dashboard.housekeeping import LOOK_SECONDS, Housekeeping
from edgegan_widget.app.dashboard.places import Places
from edgegan_widget.app.dashboard.sharing import Sharing
from edgegan_widget.app.dashboard.waiting import Page, Queue

__all__ = ["SharedVoila"]


class SharedVoila(Voila):  # type: ignore[misc]
    """Voilà, shared as :class:`~edgegan_widget.app.dashboard.sharing.Sharing` says."""

    sharing = Instance(Sharing, args=()).tag(config=True)

    def init_handlers(self) -> list[Any]:
        """Voilà's handlers, with ours for the page, and one for the queue."""
        manager = self.kernel_manager
        places = Places(self.sharing.places(bool(Handed.take().engine)), lambda kernel: kernel in manager)
        housekeeping = Housekeeping(manager, places, self.sharing)
        self._rounds = PeriodicCallback(housekeeping.look, LOOK_SECONDS * 1e3)
        handlers = super().init_handlers()
        at = next(number for number, handler in enumerate(handlers) if handler[1] is TornadoVoilaHandler)
        address, _, settings = handlers[at]
        handlers[at] = (address, Page, settings | {"places": places})
        queue = url_path_join(self.server_url, "voila", "places")
        told = f"at most {places.most} pages at a time, of {self.sharing.page_mb} MB at most"
        self.log.info("The dashboard holds %s.", told)
        return [(queue, Queue, {"places": places, "housekeeping": housekeeping}), *handlers]

    def listen(self) -> None:
        """Serve, encrypted where there is a certificate."""
        self._rounds.start()
        encrypted = self.sharing.tls()
        if encrypted is not None:
            self.app.listen = functools.partial(self.app.listen, ssl_options=encrypted)
        super().listen()

    def _url(self, ip: str) -> str:
        address: str = super()._url(ip)
        return address.replace("http:", "https:", 1) if self.sharing.certfile else address
