"""Names as people write them: on screen, in reports, and where somebody types one."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

from edgegan_widget.base.errors import ConfigError

__all__ = ["class_named", "known_class", "listed", "meant", "sort_out", "spoken"]

# Folders are named in lower case with underscores; these words are not written so with spaces in their place.
_WRITTEN = {
    "flip_flop": "flip-flop",
    "t_shirt": "T-shirt",
    "tshirt": "T-shirt",
    "tv": "TV",
}


def spoken(name: object) -> str:
    """A class's name as people write it, made of that of its folder.

    Examples
    --------
    >>> spoken("tshirt"), spoken("formal_shoe")
    ('T-shirt', 'formal shoe')
    """
    return _WRITTEN.get(str(name), str(name).replace("_", " "))


def class_named(given: str, classes: Sequence[str]) -> str | None:
    """The class that somebody means, whose case, spaces and hyphens may differ from its name's; None if there is none.

    Examples
    --------
    >>> class_named("T-shirt", ["cat", "tshirt"])
    'tshirt'
    """
    if given in classes:
        return given
    return next((name for name in classes if _bare(name) == _bare(given)), None)


def known_class(given: str, classes: Sequence[str], knows: str = "this model knows", more: str = "") -> str:
    """The class that somebody means, by its name or its number.

    ``knows`` says in the error whose classes these are; ``more`` follows them.

    Raises
    ------
    ConfigError
        There is none; the nearest one is named.
    """
    found = class_named(given, classes)
    if found is None and given.strip().isdecimal() and int(given) < len(classes):
        found = classes[int(given)]
    if found is None:
        raise ConfigError(f"the class is {given!r}{meant(given, classes)}; {knows} {', '.join(classes)}{more}.")
    return found


def sort_out(given: Sequence[str], classes: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The classes that are meant, and what names none of them, each with the nearest class behind it."""
    found = {name: class_named(name, classes) for name in given}
    unknown = [name + meant(name, classes) for name, known in found.items() if known is None]
    return tuple(dict.fromkeys(known for known in found.values() if known is not None)), unknown


def listed(names: Sequence[str], most: int = 6) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _bare(name: str) -> str:
    """Letters and digits alone, in lower case, however their accents are written."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name)).casefold()


def meant(given: str, classes: Sequence[str]) -> str:
    """The nearest of these names as a question in brackets, with a blank before it; empty where none is near."""
    bare = {_bare(name): name for name in classes}
    near = difflib.get_close_matches(_bare(given), bare, n=1)
    return f" (did you mean {bare[near[0]]}?)" if near else ""
