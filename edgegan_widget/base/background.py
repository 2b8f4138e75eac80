"""The only file with threads: work of which only the newest request counts, regular looks, and long work."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

__all__ = ["Follower", "NewestWins", "Ticker"]

log = logging.getLogger(__name__)

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Item = TypeVar("Item")

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


class Ticker:
    """Calls a method again and again in a daemon thread, until it is closed or the method's owner is gone.

    Parameters
    ----------
    tick
        A bound method without arguments that returns the seconds until its next call. Its owner is held weakly. An
        error is logged, and the next call comes after ``after_error_seconds``.
    after_error_seconds
        Pause after an error.
    """

    def __init__(self, tick: Callable[[], float], after_error_seconds: float = 5.0) -> None:
        self._wake = threading.Event()
        self._closed = threading.Event()
        arguments = (weakref.WeakMethod(tick), self._wake, self._closed, after_error_seconds)
        threading.Thread(target=_tick_on, args=arguments, name="edgegan-tick", daemon=True).start()

    def poke(self) -> None:
        """Have the next call come at once."""
        self._wake.set()

    def close(self) -> None:
        """End the thread after the call at hand."""
        self._closed.set()
        self._wake.set()


def _tick_on(
    reference: weakref.WeakMethod[Callable[[], float]],
    wake: threading.Event,
    closed: threading.Event,
    after_error_seconds: float,
) -> None:
    while not closed.is_set():
        wake.clear()
        tick = reference()
        if tick is None:
            return
        try:
            pause_seconds = tick()
        except Exception:  # a thread that died silently would freeze what it keeps up to date
            log.warning("a regular look failed", exc_info=True)
            pause_seconds = after_error_seconds
        del tick  # while it waits only the weak reference is held
        wake.wait(pause_seconds)


class Follower(Generic[Item]):
    """Goes through an iterator in a daemon thread, one iterator at a time; to stop is not to ask for the next item.

    Parameters
    ----------
    on_item
        Called in the thread with items, at most each ``every_seconds``; of those between only the last is told.
    on_end
        Called in the thread once it is over: with the error that ended it, or None; and whether it was stopped. By then
        the iterator is closed, and another can be started.
    every_seconds
        Pause between two calls of ``on_item``.
    """

    def __init__(
        self,
        on_item: Callable[[Item], None],
        on_end: Callable[[Exception | None, bool], None],
        every_seconds: float = 0.2,
    ) -> None:
        self._on_item, self._on_end, self._every_seconds = on_item, on_end, every_seconds
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._busy = False
        self._thread: threading.Thread | None = None

    @property
    def active(self) -> bool:
        """Whether an iterator is gone through right now."""
        return self._busy

    def start(self, items: Iterator[Item]) -> bool:
        """Begin with an iterator; False where another is not over yet."""
        with self._lock:
            if self._busy:
                return False
            self._busy = True
            self._stopping.clear()
            self._thread = threading.Thread(target=self._follow, args=(items,), name="edgegan-follow", daemon=True)
            self._thread.start()
        return True

    def stop(self) -> None:
        """Ask for no further item; the one at hand is finished."""
        self._stopping.set()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until it is over and told; False where that took longer."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_seconds)
        return thread is None or not thread.is_alive()

    def _follow(self, items: Iterator[Item]) -> None:
        failed: Exception | None = None
        try:
            self._go_through(items)
        except Exception as error:  # told to the page; a thread that died silently would leave it waiting
            log.warning("work beside the page failed", exc_info=True)
            failed = error
        stopped = self._stopping.is_set()
        self._busy = False
        self._on_end(failed, stopped)

    def _go_through(self, items: Iterator[Item]) -> None:
        told_at, untold = 0.0, list[Item]()
        try:
            for item in items:
                untold = [item]
                if time.monotonic() - told_at >= self._every_seconds:
                    self._on_item(untold.pop())
                    told_at = time.monotonic()
                if self._stopping.is_set():
                    break
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()  # ends its processes
        for item in untold:
            self._on_item(item)
