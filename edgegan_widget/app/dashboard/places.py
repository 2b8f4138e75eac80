"""Who may open a page: so many at a time, the others in the order in which they came."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Places", "Standing"]

ASK_SECONDS = 2.0  # how often one who waits asks; more seldom where many do
ASKS_A_SECOND = 50  # that all of them together may make
GONE_SECONDS = 75.0  # browsers wake a page that is out of sight once a minute
RELOAD_SECONDS = 3.0  # for so long a place that was left is kept for the one who left it: a page that is loaded anew
MISSED = 3  # one who did not ask for so many times is not there at the moment


@dataclass(frozen=True)
class Standing:
    """Where one stands: let in, or how many are to be let in up to and with oneself, and when to ask again."""

    free: bool
    place: int = 0
    again_seconds: float = ASK_SECONDS


class Places:
    """Places for pages, and the queue for them.

    Parameters
    ----------
    most
        How many pages may be open at a time.
    alive
        Whether a kernel still runs, by its id.
    clock
        Seconds that only grow.

    Notes
    -----
    A visitor is a browser, which may have several pages open and stands in the queue once. Free places go to those at
    the head of the queue who are there to take them: one who has not asked of late keeps the place in the queue for a
    while, but holds nobody up.
    """

    def __init__(self, most: int, alive: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._alive, self._clock = alive, clock
        self._asked: dict[str, float] = {}  # when each who waits last asked, in the order in which they came
        self._coming: Counter[str] = Counter()  # let in, without a kernel yet
        self._visitors: dict[str, str] = {}  # whose each page is, by its kernel
        self._left: dict[str, float] = {}  # when visitors left a place that is kept for them

    @property
    def pages(self) -> list[str]:
        """The kernels of the pages that are open."""
        self._look()
        return list(self._visitors)

    @property
    def waiting(self) -> int:
        """How many wait."""
        self._look()
        return len(self._asked)

    def ask(self, visitor: str) -> Standing:
        """Whether there is a place for this visitor, who stands in the queue from now on."""
        self._look()
        self._asked[visitor] = self._clock()
        again = self._again_seconds()
        present = [one for one in self._asked if self._is_there(one)]
        if visitor in self._left or present.index(visitor) < self._free():
            return Standing(True)
        return Standing(False, list(self._asked).index(visitor) + 1, again)

    def enter(self, visitor: str) -> Standing:
        """The same, and the visitor takes the place that there is; then :meth:`opened` or :meth:`failed` is told."""
        standing = self.ask(visitor)
        if standing.free:
            del self._asked[visitor]
            self._left.pop(visitor, None)
            self._coming[visitor] += 1
        return standing

    def opened(self, visitor: str, kernel: str) -> None:
        """The page of one who was let in has its kernel."""
        self._coming[visitor] -= 1
        self._visitors[kernel] = visitor

    def failed(self, visitor: str) -> None:
        """It gets none."""
        self._coming[visitor] -= 1

    def _again_seconds(self) -> float:
        return max(ASK_SECONDS, len(self._asked) / ASKS_A_SECOND)

    def _is_there(self, visitor: str) -> bool:
        """Whether one who waits has asked of late."""
        asked = self._asked.get(visitor)
        return asked is not None and self._clock() - asked <= MISSED * self._again_seconds()

    def _free(self) -> int:
        return self.most - self._coming.total() - len(self._visitors) - len(self._left)

    def _look(self) -> None:
        """Let go of who has left."""
        now = self._clock()
        for kernel in [each for each in self._visitors if not self._alive(each)]:
            self._left[self._visitors.pop(kernel)] = now
        # A page that is loaded anew may be in the queue before its former kernel has ended: it asks, and gets it.
        self._left = {
            one: left for one, left in self._left.items() if now - left < RELOAD_SECONDS or self._is_there(one)
        }
        self._asked = {one: asked for one, asked in self._asked.items() if now - asked < GONE_SECONDS}
        self._coming = +self._coming
