"""The promise of a server: an engine that ends loses no request."""

from __future__ import annotations

import threading
from random import Random

from tests.benchmarks.serving import draw_for
from tests.serving.server import RunningServer

__all__ = ["a_killed_engine_loses_nothing"]

_CLIENTS, _REQUESTS_A_KILL = 8, 200  # 10,000 requests see 50 kills


def a_killed_engine_loses_nothing(trials: int, chance: Random) -> str:
    with RunningServer("--rate", "10000", replicas="2") as server:
        engines = [server.connect() for _ in range(_CLIENTS)]
        kills, killing = 0, threading.Lock()

        def go_on(count: int) -> bool:
            nonlocal kills
            with killing:
                if count >= (kills + 1) * _REQUESTS_A_KILL:
                    there = server.ready()
                    if len(there) > 1:  # one that was killed is replaced in seconds; until then the other draws
                        kills += 1
                        chance.choice(there).kill()
            return count < trials

        drawn = draw_for(engines, go_on)
        assert kills or trials < _REQUESTS_A_KILL
        assert not drawn.errors, drawn.errors[0]
        assert len(drawn.milliseconds) == trials
        return f"{kills} kills, none lost; a request took {max(drawn.milliseconds) / 1e3:.1f} s at most"
