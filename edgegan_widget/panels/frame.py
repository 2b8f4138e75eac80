"""What panels have in common: the page's style, and one place for errors."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
from IPython.display import HTML, display

from edgegan_widget.panels.widgets import classed, error_html, free, style_and_script

__all__ = ["Panel", "Styled"]


class Styled(widgets.VBox):  # type: ignore[misc]
    """Parts below each other that bring the page's style along when a notebook cell shows them."""

    def __init__(self, children: Sequence[widgets.Widget] = ()) -> None:
        super().__init__(tuple(children))
        self.add_class("eg-app")

    def close(self) -> None:
        """Take it off the page, with all that is in it."""
        inside = (*self.children, self.layout)
        super().close()
        for part in inside:
            free(part)

    def _repr_mimebundle_(self, **options: object) -> object:
        display(HTML(style_and_script()))
        return super()._repr_mimebundle_(**options)


class Panel(Styled):
    """A widget for a notebook cell and a tab of the dashboard.

    Attributes
    ----------
    error_line
        Where :meth:`complain` writes; each panel puts it where it is seen.
    """

    def __init__(self) -> None:
        self.error_line = classed(widgets.HTML(), "eg-status")
        super().__init__()

    def complain(self, error: Exception | None) -> None:
        """Show an error, or take it away."""
        self.error_line.value = "" if error is None else error_html(error)
