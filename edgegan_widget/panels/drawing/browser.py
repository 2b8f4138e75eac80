"""The pad's other half, in the browser: one widget, whose file on that side is ``static/drawing``.

It shows ink before the kernel has seen it, gives keys to the tools, notices within three seconds that the kernel no
longer answers, keeps what is drawn meanwhile, and stores drawing, choices and history in the browser's own storage. On
screen it is the history. Nothing of it is needed by code that draws without a browser.

Messages
--------
From the browser, as ``{"do": name, ...}``:

``hello``
    A page shows the pad; ``record`` is what it stored of it, or None. The answer is ``all``.
``ping``
    Answered by ``pong``.
``lifted``
    The pen was lifted from the stroke with the number ``stroke`` (they rise, over all pages). Answered by ``taken``,
    after which the browser lets go of that stroke.
``tool``
    A key was pressed for the tool ``name``.
``open``, ``star``, ``morph``, ``forget``
    The kept look ``number`` is wanted back, gets or loses its star, is where a morph begins; all are to be forgotten.

To the browser: ``pong``, ``taken``, ``all`` (the whole record), ``strokes`` (all of them, or with ``more`` further
ones), ``choices``, ``look`` (one, new or changed), ``remember`` (any ``value`` under a ``name``), ``copy`` and ``save``
(a file, as a buffer).
"""

from __future__ import annotations

import itertools
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from edgegan_widget.panels.drawing.looks.exports import File
from edgegan_widget.panels.drawing.looks.look import Kept
from edgegan_widget.panels.widgets import Say, guard
from edgegan_widget.sketch.strokes import Stroke, strokes_to

__all__ = ["BrowserSide"]

log = logging.getLogger(__name__)

STATIC = Path(__file__).parents[1] / "static" / "drawing"
SCRIPTS = (
    "storage.js",
    "pulse.js",
    "ink.js",
    "keys.js",
    "history.js",
    "pad.js",
)  # the last one is what anywidget calls

_NUMBERS = itertools.count(1)


class BrowserSide(anywidget.AnyWidget):
    """What the page itself does for a pad, and the kernel's way to it.

    Parameters
    ----------
    say
        Called with an exception to show, or None.

    Attributes
    ----------
    brush
        ``{"tool": "pen" or "eraser", "width": fraction of the pad}``, for the ink that is shown at once.
    present
        Whether a page has shown the pad: ink is on screen then before this side has seen it.
    scope
        Which pad of which notebook this is: what was stored under the same name comes back.
    """

    _esm = "\n".join((STATIC / name).read_text("utf-8") for name in SCRIPTS)

    uid = traitlets.Unicode().tag(sync=True)
    brush = traitlets.Dict().tag(sync=True)
    scope = traitlets.Unicode().tag(sync=True)

    def __init__(self, say: Say, remember: bool = True) -> None:
        self._actions: dict[str, Callable[..., None]] = {"ping": self._answer, "lifted": self._take}
        self._recalls: dict[str, Callable[[Any], None]] = {}
        self._last_taken = 0
        self.present = False
        self._say = say
        notebook = os.environ.get("JPY_SESSION_NAME", "")  # set by Jupyter's server; elsewhere the address has to do
        scope = f"{notebook}#{next(_NUMBERS)}" if remember else ""
        super().__init__(uid=secrets.token_hex(8), scope=scope)
        self.on_msg(self.hear)

    def on(self, name: str, action: Callable[..., None]) -> None:
        """Have ``action`` called with the other entries of each message of that name."""
        self._actions[name] = guard(action, self._say, keep_arguments=True)

    def on_remembered(self, name: str, action: Callable[[Any], None]) -> None:
        """Have ``action`` called with what :meth:`remember` had stored under that name, once a page brings it back."""
        self._recalls[name] = guard(action, self._say, keep_arguments=True)

    def not_taken(self, record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Strokes of a record that were drawn while no kernel took them."""
        return [stroke for stroke in record.get("pending", ()) if stroke["number"] > self._last_taken]

    # To the browser --------------------------------------------------------------------------------------------

    def send_all(self, strokes: Iterable[Stroke], choices: Mapping[str, Any], kept: Iterable[Kept]) -> None:
        """The whole record, to be stored in place of what is there."""
        looks = [one.wire() for one in kept]
        self._tell("all", strokes=strokes_to(strokes), choices=dict(choices), looks=looks)

    def send_strokes(self, strokes: Iterable[Stroke], more: bool) -> None:
        """What is drawn, or with ``more`` what is drawn further."""
        self._tell("strokes", strokes=strokes_to(strokes), more=more)

    def send_choices(self, choices: Mapping[str, Any]) -> None:
        """Class, seed, style, variations and model."""
        self._tell("choices", choices=dict(choices))

    def send_look(self, kept: Kept) -> None:
        """A look that was kept, or has changed: it comes first."""
        self._tell("look", look=kept.wire())

    def remember(self, name: str, value: Any) -> None:
        """Have the browser store something beside what is drawn."""
        self._tell("remember", name=name, value=value)

    def send_file(self, file: File, copy: bool = False) -> None:
        """Have the browser save a file, or put it on the clipboard."""
        self.send({"do": "copy" if copy else "save", "name": file.name, "type": file.media_type}, [file.content])

    # From the browser ------------------------------------------------------------------------------------------

    def hear(self, _widget: object, content: Mapping[str, Any], _buffers: Sequence[bytes]) -> None:
        """A message of the browser's."""
        self.present = True
        details = dict(content)
        action = self._actions.get(details.pop("do", ""))
        if action is None:
            log.warning("the browser asked for something unknown: %s", content)
            return
        action(**details)
        record = details.get("record") or {}
        for name, value in record.get("remembered", {}).items():
            if name in self._recalls:
                self._recalls[name](value)

    def _answer(self) -> None:
        self._tell("pong")

    def _take(self, stroke: int) -> None:
        self._last_taken = stroke
        self._tell("taken", stroke=stroke)

    def _tell(self, what: str, **details: Any) -> None:
        self.send({"do": what, **details})
