"""Photos: objects are cut out (``cut_out``), their masks mended (``mend``), taken away (``erase``), and drawn ones
put in (``place``; ``replace`` does both).

Importing loads no torch; a network is loaded when the first photo is cut out.
"""

from __future__ import annotations

from edgegan_widget.photo.cut import cut_out
from edgegan_widget.photo.erase import erase
from edgegan_widget.photo.mending import mend
from edgegan_widget.photo.place import place, replace

__all__ = ["cut_out", "erase", "mend", "place", "replace"]
