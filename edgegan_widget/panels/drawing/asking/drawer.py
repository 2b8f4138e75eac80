"""The model that draws, and the worker beside the page in which it is loaded and draws."""

from __future__ import annotations

from collections.abc import Callable

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.result import Engine
from edgegan_widget.panels.drawing.asking.model import DrawingModel
from edgegan_widget.panels.drawing.asking.requests import Request, again_seconds, told
from edgegan_widget.panels.widgets import Say

__all__ = ["Drawer"]


class Drawer:
    """Has requests answered, the newest first; a model that cannot be loaded gives way to the last one that could.

    One that draws on a server which is gone is asked again and again until it answers, or something newer is wanted.

    Parameters
    ----------
    model
        The first one.
    device, runner
        For models that are loaded here, see :meth:`DrawingModel.load`.
    draw
        Called in the worker with the loaded model and what is asked of it.
    on_loaded
        Called in the worker when the model of now is loaded, and can say its styles.
    on_failed
        Called in the worker with the model that is to draw on where the one that was chosen cannot be loaded.
    say
        Called with an exception to show.

    Attributes
    ----------
    model
        The one that was asked for last.
    """

    def __init__(
        self,
        model: DrawingModel,
        device: str,
        runner: str,
        draw: Callable[[Engine, Request], None],
        on_loaded: Callable[[], None],
        on_failed: Callable[[DrawingModel], None],
        say: Say,
    ) -> None:
        self.model = self._proven = model
        self._device, self._runner, self._ready = device, runner, False
        self._draw, self._on_loaded, self._on_failed, self._say = draw, on_loaded, on_failed, say
        self._failing = False  # the last one was not answered
        self._worker = NewestWins(self._work, self._worked, self._complain, again_seconds)

    def use(self, model: DrawingModel) -> None:
        """Draw with another model from now on."""
        self.model, self._ready = model, False

    def ask(self, request: Request) -> None:
        """Have this done next; what still waits is dropped."""
        self._worker.submit(request)

    def cancel(self) -> None:
        """Drop what waits."""
        self._worker.cancel()

    def go_on(self) -> bool:
        """Whether what is at hand is still wanted, since nothing newer waits."""
        return not self._worker.overtaken

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until nothing is asked for or worked on; False where that took longer."""
        return self._worker.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker after the request at hand."""
        self._worker.close()

    def _work(self, request: Request) -> Request:
        self._draw(self._loaded(request.model), request)
        return request

    def _worked(self, request: Request) -> None:
        if self._failing:  # what was told is not true any more, even if the pad is empty by now
            self._failing = False
            self._say(request.notice)

    def _complain(self, error: Exception) -> None:
        self._failing = True
        self._say(told(error))

    def _loaded(self, model: DrawingModel) -> Engine:
        try:
            engine = model.load(self._device, self._runner)
        except Exception:
            if model is self.model and model is not self._proven:
                self._on_failed(self._proven)
            raise
        if model is self.model and not self._ready:
            self._ready = True
            self._on_loaded()
        self._proven = model
        return engine
