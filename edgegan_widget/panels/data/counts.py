"""How many pictures of each class there are, as bars, and what to watch out for."""

from __future__ import annotations

import html
from collections.abc import Sequence

import ipywidgets as widgets

from edgegan_widget.base.words import spoken
from edgegan_widget.data.audit.advice import ClassCount, advice
from edgegan_widget.panels.widgets import show

__all__ = ["DataCounts"]


class DataCounts(widgets.HTML):  # type: ignore[misc]
    """A list of classes with the numbers of their pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("eg-counts")

    def show(self, counts: Sequence[ClassCount]) -> None:
        """Show these; none takes the list away."""
        self.value = _table(counts) + "".join(
            f'<p class="eg-warning">{html.escape(each)}</p>' for each in advice(counts)
        )
        show(self, counts)


def _table(counts: Sequence[ClassCount]) -> str:
    if not counts:
        return ""
    most = max(each.train + each.val + each.aside for each in counts)
    rows = "".join(_row(each, most) for each in counts)
    sums = [sum(getattr(each, name) for each in counts) for name in ("train", "val", "aside")]
    head = "".join(f'<th class="eg-{name}">{name}</th>' for name in ("train", "val", "aside"))
    foot = "".join(f"<td>{each:,}</td>" for each in sums)
    return (
        f'<div class="eg-count-list"><table><thead><tr><th></th><th></th>{head}</tr></thead><tbody>{rows}</tbody>'
        f"<tfoot><tr><td>all</td><td></td>{foot}</tr></tfoot></table></div>"
    )


def _row(count: ClassCount, most: int) -> str:
    parts = (("train", count.train), ("val", count.val), ("aside", count.aside))
    bars = "".join(f'<i class="eg-{name}" style="width:{100 * share / most:.2f}%"></i>' for name, share in parts)
    cells = "".join(f"<td>{number:,}</td>" for _, number in parts)
    name = html.escape(spoken(count.label))
    return f'<tr><td class="eg-name">{name}</td><td class="eg-bars">{bars}</td>{cells}</tr>'
