"""Work spread over processes of this machine, or over a Dask cluster: the same function, items and order.

On a cluster the workers need this package in the same version, and see the data folder and the sources under the same
paths, as on a shared disk: what travels is where a picture is, not the picture.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2

from edgegan_widget._version import __version__
from edgegan_widget.base.background import end_with_parent
from edgegan_widget.base.errors import ConfigError, DependencyError, PreparationError
from edgegan_widget.base.settings import setting

__all__ = ["HERE", "WAITING_PER_WORKER", "Where", "cores", "few_waiting", "in_order", "in_order_there", "one_thread"]

Item = TypeVar("Item")
Result = TypeVar("Result")
Tag = TypeVar("Tag")
Waiting = TypeVar("Waiting")


@dataclass(frozen=True)
class Where:
    """Where work is done: in ``workers`` processes (0: one for each core), or by the Dask scheduler at ``dask``."""

    workers: int = setting(0, "processes; 0 takes one for each core")
    dask: str = setting(
        "", "address of a Dask scheduler whose workers see DATA and the sources and do the work", metavar="SCHEDULER"
    )

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ConfigError(f"workers is {self.workers}; it must be 1 or more, or 0 for one a core.")
        if self.workers and self.dask:
            raise ConfigError("workers are of this machine, and dask names others; give one of the two.")


HERE = Where()
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
        Address of a Dask scheduler whose workers do it instead, see :func:`in_order_there`.
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
        yield from in_order_there(function, items, dask, folder)
    elif (workers or cores()) == 1:
        yield from ((tag, None if item is None else function(item)) for tag, item in items)
    else:
        yield from _in_processes(function, items, workers or cores())


def _in_processes(
    function: Callable[[Item], Result], items: Iterable[tuple[Tag, Item | None]], workers: int
) -> Iterator[tuple[Tag, Result | None]]:
    context = multiprocessing.get_context("spawn")  # threads of other libraries do not survive a fork
    pool = ProcessPoolExecutor(workers, context, initializer=_begin)
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


def _begin() -> None:
    """First in each process of the pool."""
    one_thread()
    end_with_parent()


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


_REACH_SECONDS = 10
_LOOK_SECONDS = 5  # how often a result that does not come is asked about
_NO_WORKERS_SECONDS = 30  # a cluster may be restarting its workers


def in_order_there(
    function: Callable[[Item], Result], items: Iterable[tuple[Tag, Item | None]], address: str, folder: Path | None
) -> Iterator[tuple[Tag, Result | None]]:
    """As :func:`in_order`; what a lost worker had in hand is done by another one.

    Parameters
    ----------
    function, items
        As there.
    address
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.
    folder
        Must be seen by the workers.

    Raises
    ------
    DependencyError
        Dask's distributed is not installed.
    PreparationError
        The scheduler cannot be reached, has no workers or lost them, or they see neither package nor folder.
    """
    client = _client(address)
    try:
        most = _ready(client, address, folder) * WAITING_PER_WORKER
        submitted = ((tag, None if item is None else client.submit(function, item, pure=False)) for tag, item in items)
        for tag, future in few_waiting(submitted, lambda: most):
            yield tag, None if future is None else _result(client, future, address)
    finally:
        client.close()  # forgets what waits, so the cluster stops working on it


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise DependencyError(
            "working on a cluster needs Dask; install it: pip install edgegan-widget[dask]"
        ) from error
    try:
        return Client(address, timeout=_REACH_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise PreparationError(
            f"no Dask scheduler answers at {address!r}; start one with dask scheduler and give its address, such as "
            "tcp://10.0.0.1:8786, or leave --dask out to work here."
        ) from error


def _ready(client: Any, address: str, folder: Path | None) -> int:
    """Threads of the cluster, once each worker has told that it can do the work."""
    try:
        client.wait_for_workers(1, timeout=_REACH_SECONDS)
    except TimeoutError as error:
        raise PreparationError(f"the scheduler at {address} has no workers; start some with dask worker.") from error
    try:
        states = client.run(_state, None if folder is None else str(folder.resolve()))
    except Exception as error:  # whatever unpickling or importing raises there
        raise PreparationError(
            f"the workers of {address} cannot import edgegan-widget ({error}); install {__version__} where they run."
        ) from error
    for worker, (version, seen) in states.items():
        if version != __version__:
            raise PreparationError(f"{worker} has edgegan-widget {version}, here is {__version__}; install the same.")
        if not seen:
            raise PreparationError(
                f"{worker} does not see {folder}; give a data folder, and sources, that all workers see under the "
                "same path, such as one on a shared disk."
            )
    return sum(client.nthreads().values())


def _state(folder: str | None) -> tuple[str, bool]:
    """Runs in each worker: version of this package, and whether the data folder is seen."""
    one_thread()  # the cluster has as many workers and threads as it wants busy
    return __version__, folder is None or Path(folder).is_dir()


def _result(client: Any, future: Any, address: str) -> Any:
    from distributed import CancelledError, KilledWorker, TimeoutError
    from distributed.comm import CommClosedError

    alone_since: float | None = None
    while True:
        try:
            return future.result(timeout=_LOOK_SECONDS)
        except TimeoutError:
            alone_since = None if client.nthreads() else alone_since or time.monotonic()
            if alone_since is not None and time.monotonic() - alone_since > _NO_WORKERS_SECONDS:
                raise PreparationError(
                    f"all workers of {address} are gone; start some with dask worker and run again to go on."
                ) from None
        except (CancelledError, CommClosedError, KilledWorker, OSError) as error:
            raise PreparationError(
                f"the cluster at {address} was lost, or a picture killed its workers again and again "
                f"({type(error).__name__}); look into its logs and run again to go on."
            ) from error
