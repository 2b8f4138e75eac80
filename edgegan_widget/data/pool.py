"""Work on all cores: results in the order of the items, few items waiting at a time."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

import cv2

from edgegan_widget.base.errors import PreparationError

__all__ = ["WAITING_PER_WORKER", "cores", "few_waiting", "in_order", "one_thread"]

Item = TypeVar("Item")
Result = TypeVar("Result")
Tag = TypeVar("Tag")
Waiting = TypeVar("Waiting")

WAITING_PER_WORKER = 8  # bounds memory: this many items and results are held, however long the list


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[tuple[Tag, Item | None]],
    workers: int = 0,
    dask: str = "",
    folder: Path | None = None,
) -> Iterator[tuple[Tag, Result | None]]:
    """``function`` of each item, in the items' order; where an item is None there is nothing to do.

    Parameters
    ----------
    function
        Can be pickled; raises nothing that is to be survived.
    items
        With a tag each that comes back; taken one by one, a few ahead.
    workers
        Processes; with 1 all is done in this one, 0 means one for each core.
    dask
        Address of a Dask scheduler whose workers do it instead, see :mod:`cluster`.
    folder
        What such workers have to see.

    Raises
    ------
    PreparationError
        A worker was killed from outside, or the cluster cannot be used.
    DependencyError
        Dask is asked for and not installed.
    """
    if dask:
        from edgegan_widget.data.cluster import in_order_there

        yield from in_order_there(function, items, dask, folder)
    elif (workers or cores()) == 1:
        yield from ((tag, None if item is None else function(item)) for tag, item in items)
    else:
        yield from _in_processes(function, items, workers or cores())


def _in_processes(
    function: Callable[[Item], Result], items: Iterable[tuple[Tag, Item | None]], workers: int
) -> Iterator[tuple[Tag, Result | None]]:
    context = multiprocessing.get_context("spawn")  # threads of other libraries do not survive a fork
    pool = ProcessPoolExecutor(workers, context, initializer=one_thread)
    try:
        submitted = ((tag, None if item is None else pool.submit(function, item)) for tag, item in items)
        for tag, future in few_waiting(submitted, lambda: WAITING_PER_WORKER * workers):
            yield tag, None if future is None else future.result()
    except BrokenProcessPool as error:
        raise PreparationError(
            "a worker process was killed, maybe for lack of memory; run again with fewer workers to go on."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def few_waiting(
    submitted: Iterable[tuple[Tag, Waiting | None]], most: Callable[[], int]
) -> Iterator[tuple[Tag, Waiting | None]]:
    """What was submitted, in order, taking (and so submitting) up to ``most`` ahead of what is given back."""
    waiting: deque[tuple[Tag, Waiting | None]] = deque()
    for each in submitted:
        waiting.append(each)
        while waiting and (waiting[0][1] is None or len(waiting) >= most()):
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


def one_thread() -> None:
    """Let OpenCV take one core, and torch, should an edge map need it."""
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)  # there is a process for each core already
