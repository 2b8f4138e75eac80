"""What training from new and fine-tuning have in common: a form, its Start, and the run beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.panels.forms import labelled
from edgegan_widget.panels.frame import Panel
from edgegan_widget.panels.run_parts import RunName, columns, start_row
from edgegan_widget.panels.training.run_view import RunView
from edgegan_widget.panels.widgets import button, guard, heading, starting, toggle
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.runs.jobs import start_run

__all__ = ["StartPanel"]


class StartPanel(Panel):
    """A form on one side, on the other the run that it starts; there is one at a time.

    Training runs in a process of its own and goes on when the page is closed; the panel finds it again.

    Parameters
    ----------
    root
        Folder of the runs.
    on_use
        Called with the path of a model to draw with.
    words
        The form's title, what its button says, and the first name of a run.
    lists
        Tells by its settings, None where they cannot be read, whether a run belongs on this panel.

    Attributes
    ----------
    view
        The run, live.
    """

    def __init__(
        self,
        root: Path | str,
        on_use: Callable[[Path], None] | None,
        words: tuple[str, str, str],
        lists: Callable[[TrainConfig | None], bool],
    ) -> None:
        super().__init__()
        self.add_class("eg-training")
        self._root = Path(root)
        title, self._words, stem = words
        self._name = RunName(self._root, stem)
        self._named = labelled(self._name, f"a folder in {root}")
        self._start = button(self._words, guard(self.start, self.complain), "Train in the background", "eg-start")
        form = widgets.VBox([heading(title), *self._build(), start_row(self.error_line, self._start)])
        self.view = RunView(self._root, on_use=on_use, lists=lists, on_look=self._looked)
        self.children = [columns(form, self.view)]

    @property
    def config(self) -> TrainConfig:
        """The settings as they stand in the form.

        Raises
        ------
        EdgeGANError
            Something is missing or out of its range.
        """
        raise NotImplementedError

    def start(self) -> None:
        """Start a run with these settings."""
        with starting(self._start):
            config = self.config
            self._save_input(config)
            run = start_run(config)
        self.complain(None)
        self._name.propose(self._stem)
        self.view.attach(run)

    def close(self) -> None:
        """Take the panel off the page; a run goes on."""
        if hasattr(self, "view"):  # a widget whose making failed is closed as well
            self.view.close()
        super().close()

    def _build(self) -> list[widgets.Widget]:
        """The form's parts, the run's name among them."""
        raise NotImplementedError

    @property
    def _stem(self) -> str:
        """What runs of these settings are called."""
        raise NotImplementedError

    def _save_input(self, config: TrainConfig) -> None:
        """Write what these settings name and only the page has."""

    def _looked(self, active: bool) -> None:
        self._start.disabled = active
        self._start.description = "A run is at work" if active else self._words
        toggle(self, "eg-at-work", active)
