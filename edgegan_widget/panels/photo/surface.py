"""The photo on screen with the tools above it: one widget, whose side in the browser is ``static/photo``.

The browser shows ink, lines and handles before the kernel has seen them; the kernel owns what they mean. Unlike the
drawing pad this is no ipycanvas: that one tells places only, and here lie layers above each other under handles, for
several fingers.

Messages
--------
From the browser, as ``{"do": name, ...}``; all places are in shown pixels:

``hello``
    A page shows the surface; ``scene`` is what it had stored of it, or None; its photo came before, as ``part``s.
``part``
    The next bytes of the file ``name``, as a buffer; the ``first`` begins it, with the ``last`` it is there. Answered
    by ``taken``. ``purpose`` is ``open`` or ``restore``.
``shape``
    Something was chosen with ``tool`` (click, lasso, brush, box, split) along ``points``, the brush being ``width``.
``ink``
    More ``points`` of the stroke with the number ``stroke``, by ``tool``, of ``width``; ``done`` once the pen is up.
``box``
    The object's box is ``box`` now, turned by ``turned`` and ``mirrored`` or not; ``done`` once it is let go.
``pick``
    The object with that ``number`` is wanted.
``act``
    A button or key: ``name``.

To the browser: ``picture`` (a part of it at ``x``, ``y`` as a buffer), ``before`` (the photo as it was opened),
``inked`` (the stroke was taken), ``store`` (the scene, and its photo where it is another one), ``save`` (a file),
``taken``.
"""

from __future__ import annotations

import itertools
import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from edgegan_widget.panels.widgets import Say, guard

__all__ = ["Surface"]

log = logging.getLogger(__name__)

STATIC = Path(__file__).parents[1] / "static"
SCRIPTS = (
    "drawing/storage.js", "photo/icons.js", "photo/stage.js", "photo/pointer.js", "photo/toolbar.js", "photo/files.js",
    "photo/photo.js",
)  # the last one is what anywidget calls  # fmt: skip
MOST_BYTES = 200_000_000  # of a photo's or scene's file

_NUMBERS = itertools.count(1)


class Surface(anywidget.AnyWidget):
    """What the page itself does for a photo, and the kernel's way to it.

    Parameters
    ----------
    say
        Called with an exception to show, or None.
    remember
        Whether the browser stores photo and scene.

    Attributes
    ----------
    size
        Width and height of the photo as it is shown, in pixels; empty before one is opened.
    tool, adds, brush_px, feather_px
        What is in hand; whether what is chosen is added or taken away; the brush in the screen's pixels, and the soft
        edge of what is taken away in shown ones.
    placed
        The objects: box, turn, mirroring, and of the selected one its strokes in fractions of the box.
    selected
        Its number, or -1.
    guide
        Where a new object would go: a box.
    can
        Which buttons can be pressed.
    busy
        What is done at the moment and the share of it.
    line
        A line about what comes next.
    chosen
        The outlines of what is chosen: polygons, x and y in turn.
    ready
        Whether the model is there.
    """

    _esm = "\n".join((STATIC / name).read_text("utf-8") for name in SCRIPTS)

    uid = traitlets.Unicode().tag(sync=True)
    scope = traitlets.Unicode().tag(sync=True)
    size = traitlets.List().tag(sync=True)
    tool = traitlets.Unicode("click").tag(sync=True)
    adds = traitlets.Bool(True).tag(sync=True)
    brush_px = traitlets.Int(24).tag(sync=True)
    feather_px = traitlets.Int(0).tag(sync=True)
    placed = traitlets.List().tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    guide = traitlets.List().tag(sync=True)
    can = traitlets.List().tag(sync=True)
    busy = traitlets.Dict().tag(sync=True)
    line = traitlets.Unicode().tag(sync=True)
    chosen = traitlets.List().tag(sync=True)
    ready = traitlets.Bool(False).tag(sync=True)

    def __init__(self, say: Say, remember: bool = True) -> None:
        self._actions: dict[str, Callable[..., None]] = {}
        self._on_file: dict[str, Callable[[str, bytes], None]] = {}
        self._parts: list[bytes] = []
        self._say = say
        notebook = os.environ.get("JPY_SESSION_NAME", "")
        super().__init__(uid=secrets.token_hex(8), scope=f"{notebook}#photo{next(_NUMBERS)}" if remember else "")
        self.add_class("eg-photo-surface")
        self.on_msg(self.hear)

    def on(self, name: str, action: Callable[..., None]) -> None:
        """Have ``action`` called with the other entries of each message of that name."""
        self._actions[name] = guard(action, self._say, keep_arguments=True)

    def on_file(self, purpose: str, action: Callable[[str, bytes], None]) -> None:
        """Have ``action`` called with name and content of each file that comes for that purpose."""
        self._on_file[purpose] = guard(action, self._say, keep_arguments=True)

    def tell(self, what: str, *buffers: bytes, **details: Any) -> None:
        """A message to the browser."""
        self.send({"do": what, **details}, list(buffers))

    def hear(self, _widget: object, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """A message of the browser's."""
        details = dict(content)
        name = details.pop("do", "")
        if name == "part":
            self._take_part(details, bytes(buffers[0]))
        elif name in self._actions:
            self._actions[name](**details)
        else:
            log.warning("the browser asked for something unknown: %s", content)

    def _take_part(self, details: Mapping[str, Any], part: bytes) -> None:
        if details.get("first"):
            self._parts = []
        self._parts.append(part)
        if sum(map(len, self._parts)) > MOST_BYTES:
            self._parts = []
        self.tell("taken")
        if details.get("last"):
            content, self._parts = b"".join(self._parts), []
            self._on_file[str(details["purpose"])](str(details["name"]), content)
