"""The only file with threads: work of which only the newest request counts, and regular looks."""

from __future__ import annotations

import atexit
import ctypes
import logging
import multiprocessing
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["NewestWins", "Ticker", "end_with_parent"]

log = logging.getLogger(__name__)

Request = TypeVar("Request")
Answer = TypeVar("Answer")

_LEAVE_SECONDS = 10.0  # what a worker may take at most to stop when the interpreter ends
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
    again_seconds
        Told the same error: after how many seconds the request is tried again, unless a newer one came; None to leave
        it at that.

    Notes
    -----
    The thread is a daemon; it ends with :meth:`close`, or when nobody holds this object any more.
    """

    def __init__(
        self,
        work: Callable[[Request], Answer],
        on_answer: Callable[[Answer], None],
        on_error: Callable[[Exception], None],
        again_seconds: Callable[[Exception], float | None] = lambda _: None,
    ) -> None:
        self._work, self._on_answer, self._on_error = work, on_answer, on_error
        self._again_seconds = again_seconds
        self._changed = threading.Condition()
        self._mailbox: list[Request] = []
        self._busy = self._closed = False
        own = weakref.ref(self)
        _begin("edgegan-draw", lambda: _serve(own), lambda: _close(own))

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

    @property
    def overtaken(self) -> bool:
        """Whether a newer request waits, or the worker is to end: what is at hand may as well stop."""
        return bool(self._mailbox) or self._closed

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
            while self._is_to_be_tried_again(request):
                pass
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return True

    def _is_to_be_tried_again(self, request: Request) -> bool:
        """Do what was asked for; whether that failed in a way that passes, and nothing newer came meanwhile."""
        try:
            self._on_answer(self._work(request))
        except Exception as error:  # told to the page; a thread that died silently would freeze it
            log.warning("drawing failed", exc_info=True)
            self._on_error(error)
            pause_seconds = self._again_seconds(error)
            if pause_seconds is None:
                return False
            with self._changed:
                return not self._changed.wait_for(lambda: self.overtaken, pause_seconds)
        return False


_STOPS: weakref.WeakKeyDictionary[threading.Thread, Callable[[], None]] = weakref.WeakKeyDictionary()


def _begin(name: str, run: Callable[[], None], stop: Callable[[], None]) -> None:
    """Start a daemon thread that ``stop`` asks to end."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    _STOPS[thread] = stop
    thread.start()


@atexit.register
def _leave() -> None:
    """End the threads before the interpreter goes: one that is inside a library's C++ code then would abort it."""
    threads = [thread for thread in _STOPS if thread.is_alive()]
    for thread in threads:
        _STOPS[thread]()
        # What is at hand, a model that is being loaded perhaps, stops at the next line of Python.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
    deadline = time.monotonic() + _LEAVE_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _close(reference: weakref.ref[NewestWins[Any, Any]]) -> None:
    worker = reference()
    if worker is not None:
        worker.close()


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
        own, wake, closed = weakref.WeakMethod(tick), self._wake, self._closed
        _begin("edgegan-tick", lambda: _tick_on(own, wake, closed, after_error_seconds), lambda: _end(wake, closed))

    def poke(self) -> None:
        """Have the next call come at once."""
        self._wake.set()

    def close(self) -> None:
        """End the thread after the call at hand."""
        _end(self._wake, self._closed)


def _end(wake: threading.Event, closed: threading.Event) -> None:
    closed.set()
    wake.set()


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


def end_with_parent() -> None:
    """Have this worker process end once the process that began it is gone; one that was killed cannot tell it to."""
    threading.Thread(target=_wait_for_parent, name="edgegan-parent", daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # whatever it has in hand: files are written whole or not at all
