"""The only file with threads: work beside the page, of which only the newest request counts."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["NewestWins"]

log = logging.getLogger(__name__)

Request = TypeVar("Request")
Answer = TypeVar("Answer")

_LOOK_UP_SECONDS = 5.0  # how often an idle worker looks whether anybody still holds its owner


class NewestWins(Generic[Request, Answer]):
    """One worker thread with a mailbox for one request: a newer one replaces it, so no queue can grow.

    Parameters
    ----------
    work
        Called in the worker, one request at a time.
    on_answer
        Called in the worker with each answer. An answer that was overtaken while it was worked on is told as well, so
        that something moves on the page while the pen does.
    on_error
        Called in the worker with what ``work`` or ``on_answer`` raised; the worker goes on.

    Notes
    -----
    The thread is a daemon; it ends with :meth:`close`, or when nobody holds this object any more.
    """

    def __init__(
        self,
        work: Callable[[Request], Answer],
        on_answer: Callable[[Answer], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._work, self._on_answer, self._on_error = work, on_answer, on_error
        self._changed = threading.Condition()
        self._mailbox: list[Request] = []
        self._busy = self._closed = False
        threading.Thread(target=_serve, args=(weakref.ref(self),), name="edgegan-draw", daemon=True).start()

    def submit(self, request: Request) -> None:
        """Ask for ``request``; one that still waits is dropped."""
        with self._changed:
            self._mailbox[:] = [request]
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drop the request that waits, if any."""
        with self._changed:
            self._mailbox.clear()
            self._changed.notify_all()

    def wait_idle(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until nothing is asked for or worked on; False where that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._mailbox and not self._busy, timeout_seconds)

    def close(self) -> None:
        """End the worker after the request at hand."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _serve_next(self) -> bool:
        """Wait a while for a request and serve it; False once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._mailbox or self._closed, _LOOK_UP_SECONDS)
            if self._closed:
                return False
            if not self._mailbox:
                return True
            request = self._mailbox.pop()
            self._busy = True
        try:
            self._on_answer(self._work(request))
        except Exception as error:  # told to the page; a thread that died silently would freeze it
            log.warning("drawing failed", exc_info=True)
            self._on_error(error)
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return True


def _serve(reference: weakref.ref[NewestWins[Any, Any]]) -> None:
    while True:
        worker = reference()
        if worker is None or not worker._serve_next():
            return
        del worker  # while idle only the weak reference is held
