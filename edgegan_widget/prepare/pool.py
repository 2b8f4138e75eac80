"""Work on all cores: results in the order of the items, few items waiting at a time."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import cv2

from edgegan_widget.errors import PreparationError

__all__ = ["cores", "in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")
Tag = TypeVar("Tag")

_WAITING_PER_WORKER = 8  # bounds memory: this many items and results are held, however long the list


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    function: Callable[[Item], Result], items: Iterable[tuple[Tag, Item | None]], workers: int
) -> Iterator[tuple[Tag, Result | None]]:
    """``function`` of each item, in the items' order; where an item is None there is nothing to do.

    Parameters
    ----------
    function
        Can be pickled; raises nothing that is to be survived.
    items
        With a tag each that comes back; taken one by one, a few ahead.
    workers
        Processes; with 1 all is done in this one.

    Raises
    ------
    PreparationError
        A worker was killed from outside.
    """
    if workers <= 1:
        yield from ((tag, None if item is None else function(item)) for tag, item in items)
        return
    context = multiprocessing.get_context("spawn")  # threads of other libraries do not survive a fork
    pool = ProcessPoolExecutor(workers, context, initializer=_one_thread)
    try:
        waiting: deque[tuple[Tag, Future[Result] | None]] = deque()
        for tag, item in items:
            waiting.append((tag, None if item is None else pool.submit(function, item)))
            while waiting and (waiting[0][1] is None or len(waiting) >= _WAITING_PER_WORKER * workers):
                tag, future = waiting.popleft()
                yield tag, None if future is None else future.result()
        while waiting:
            tag, future = waiting.popleft()
            yield tag, None if future is None else future.result()
    except BrokenProcessPool as error:
        raise PreparationError(
            "a worker process was killed, maybe for lack of memory; run again with fewer workers to go on."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _one_thread() -> None:
    cv2.setNumThreads(1)  # there is a process for each core already
