"""What takes a while: one thing at a time beside the page, with a bar that tells how far it is, and a way to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.errors import StoppedError
from edgegan_widget.panels.widgets import Say

__all__ = ["Tasks", "Told"]

Told = Callable[[float], bool]


@dataclass(eq=False)
class _Task:
    words: str
    work: Callable[[Told], None]
    stopped: bool = False


class Tasks:
    """A worker; what waits is replaced by what is asked for later.

    Parameters
    ----------
    tell
        Called in the worker with what is done and the share of it, from 0 to 1; with no words once it is over.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, tell: Callable[[str, float], None], say: Say) -> None:
        self._tell, self._say = tell, say
        self._last: list[_Task] = []  # what is at hand, and what waits
        self._worker: NewestWins[_Task, None] = NewestWins(self._work, lambda _: None, say)

    def run(self, words: str, work: Callable[[Told], None]) -> None:
        """Do something next.

        Parameters
        ----------
        words
            What is told of it.
        work
            Called in the worker with what it has to call with the share that is done; false says that it was stopped.
        """
        task = _Task(words, work)
        self._last = [*self._last[-1:], task]
        self._tell(words, 0.0)
        self._worker.submit(task)

    def stop(self) -> None:
        """Have what is at hand stop at its next step, and drop what waits."""
        for task in self._last:
            task.stopped = True
        self._worker.cancel()
        if self._worker.wait_idle(0):  # it had not begun
            self._tell("", 1.0)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until nothing is done."""
        return self._worker.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker."""
        self.stop()
        self._worker.close()

    def _work(self, task: _Task) -> None:
        def told(share: float) -> bool:
            if not task.stopped:
                self._tell(task.words, share)
            return not task.stopped

        try:
            task.work(told)
            self._say(None)
        except StoppedError:
            self._say(None)
        finally:
            self._tell("", 1.0)
