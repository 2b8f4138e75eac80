from __future__ import annotations

import gc
import threading
import time

import pytest

from edgegan_widget.base.background import NewestWins, Ticker


class Slow:
    """Work that can be held up, and what came of it."""

    def __init__(self) -> None:
        self.go, self.started = threading.Event(), threading.Event()
        self.asked: list[int] = []
        self.answers: list[int] = []
        self.errors: list[Exception] = []

    def work(self, request: int) -> int:
        self.asked.append(request)
        self.started.set()
        assert self.go.wait(10)
        if request < 0:
            raise ValueError(request)
        return request * 10

    def worker(self) -> NewestWins[int, int]:
        return NewestWins(self.work, self.answers.append, self.errors.append)


def test_the_newest_request_wins() -> None:
    slow = Slow()
    worker = slow.worker()
    worker.submit(1)
    assert slow.started.wait(10)
    for number in range(2, 100):
        worker.submit(number)
    slow.go.set()
    assert worker.wait_idle(10)
    assert slow.asked == [1, 99]
    assert slow.answers == [10, 990]


def test_an_error_is_told_and_the_worker_goes_on() -> None:
    slow = Slow()
    slow.go.set()
    worker = slow.worker()
    for request in (-1, 2):
        worker.submit(request)
        assert worker.wait_idle(10)
    assert [str(error) for error in slow.errors] == ["-1"]
    assert slow.answers == [20]


def test_what_waits_can_be_cancelled() -> None:
    slow = Slow()
    worker = slow.worker()
    worker.submit(1)
    assert slow.started.wait(10)
    worker.submit(2)
    worker.cancel()
    slow.go.set()
    assert worker.wait_idle(10)
    assert slow.asked == [1]


def test_waiting_gives_up() -> None:
    slow = Slow()
    worker = slow.worker()
    worker.submit(1)
    assert slow.started.wait(10)
    assert not worker.wait_idle(0.05)
    slow.go.set()
    assert worker.wait_idle(10)


def test_the_thread_ends_when_closed() -> None:
    slow = Slow()
    slow.go.set()
    before = threading.active_count()
    worker = slow.worker()
    worker.submit(1)
    worker.wait_idle(10)
    worker.close()
    del worker
    gc.collect()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


class Clock:
    """Counts its ticks; the third one fails."""

    def __init__(self, pause_seconds: float = 0.01) -> None:
        self.ticks, self.pause_seconds = 0, pause_seconds
        self.counted = threading.Condition()

    def tick(self) -> float:
        with self.counted:
            self.ticks += 1
            self.counted.notify_all()
            if self.ticks == 3:
                raise ValueError("the third tick")
        return self.pause_seconds

    def wait_for(self, ticks: int) -> bool:
        with self.counted:
            return self.counted.wait_for(lambda: self.ticks >= ticks, 10)


def test_a_ticker_ticks_on_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    ticker = Ticker(clock.tick, after_error_seconds=0.01)
    assert clock.wait_for(6)
    ticker.close()
    assert "a regular look failed" in caplog.text


def test_a_poke_does_not_wait_for_the_pause() -> None:
    clock = Clock(pause_seconds=1000)
    ticker = Ticker(clock.tick)
    assert clock.wait_for(1)
    ticker.poke()
    assert clock.wait_for(2)
    ticker.close()


@pytest.mark.parametrize("way", ["closed", "forgotten"])
def test_a_ticker_ends(way: str) -> None:
    before = threading.active_count()
    clock = Clock()
    ticker = Ticker(clock.tick)
    assert clock.wait_for(1)
    if way == "closed":
        ticker.close()
    else:
        del clock
        gc.collect()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
