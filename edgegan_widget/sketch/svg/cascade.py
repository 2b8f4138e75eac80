"""How elements look: attributes, style sheets and style attributes, in the order in which they count.

Selectors are cssselect2's, values tinycss2's. What a style sheet imports is not fetched.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree

import cssselect2
import tinycss2
from tinycss2 import color4

from edgegan_widget.sketch.placing import Colour
from edgegan_widget.sketch.svg.document import local_name

__all__ = ["Cascade", "Look", "colour_of", "number_of"]

Look = dict[str, str]

INHERITED = ("visibility", "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "color")
OWN = ("display", "opacity", "transform", "transform-origin", "clip-path", "background", "background-color")
MOST_RULES = 5_000
INK: Colour = (0.0, 0.0, 0.0)  # what a gradient or pattern is taken for
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,\s*([^()]*(?:\([^()]*\))?[^()]*))?\)")


class Cascade:
    """The looks that a document's style sheets give to its elements."""

    def __init__(self, root: ElementTree.Element) -> None:
        sheets = [element.text or "" for element in root.iter() if local_name(element) == "style"]
        matcher = cssselect2.Matcher()
        for selector, declared in _rules("\n".join(sheets)):
            matcher.add_selector(selector, declared)
        self._sheet: dict[ElementTree.Element, Look] = {}
        if sheets:
            for wrapped in cssselect2.ElementWrapper.from_xml_root(root).iter_subtree():
                found = sorted(matcher.match(wrapped), key=lambda match: match[:2])
                looks: list[Look] = [look for *_, look in found]
                if looks:
                    self._sheet[wrapped.etree_element] = {key: look[key] for look in looks for key in look}

    def look(self, element: ElementTree.Element, parent: Mapping[str, str]) -> Look:
        """The look of an element in one that looks like ``parent``."""
        found = {key: value for key, value in parent.items() if key in INHERITED or key.startswith("--")}
        own = {key: value for key in (*INHERITED, *OWN) if (value := element.get(key)) is not None}
        own |= self._sheet.get(element, {})
        if style := element.get("style"):
            own |= _of_attribute(style)
        for key, value in own.items():
            if value.strip() != "inherit":
                found[key] = value.strip()
        return {key: _resolved(value, found) for key, value in found.items()}


def _rules(text: str) -> Iterable[tuple[cssselect2.compiler.CompiledSelector, Look]]:
    for rule in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)[:MOST_RULES]:
        if rule.type != "qualified-rule":
            continue
        declared = _declared(tinycss2.parse_blocks_contents(rule.content))
        try:
            selectors = cssselect2.compile_selector_list(rule.prelude)
        except cssselect2.SelectorError:  # of a newer CSS; what it would match keeps its look
            continue
        for selector in selectors if declared else ():
            yield selector, declared


@functools.lru_cache(maxsize=1024)
def _of_attribute(style: str) -> Look:
    return _declared(tinycss2.parse_blocks_contents(style))


def _declared(content: Iterable[tinycss2.ast.Node]) -> Look:
    plain: Look = {}
    important: Look = {}
    for node in content:
        if node.type == "declaration":
            (important if node.important else plain)[node.lower_name] = tinycss2.serialize(node.value).strip()
    return {k: v for k, v in (plain | important).items() if k in INHERITED or k in OWN or k.startswith("--")}


def _resolved(value: str, look: Mapping[str, str]) -> str:
    """A value with its variables put in, once: one that stands for another stays unknown."""
    if "var(" not in value:
        return value
    return _VARIABLE.sub(lambda use: look.get(use.group(1), use.group(2) or ""), value).strip()


def colour_of(value: str, look: Mapping[str, str]) -> tuple[Colour, float] | None:
    """A paint's colour and opacity; None where nothing is painted."""
    if value.strip().lower() == "currentcolor":
        given = look.get("color", "black")
        value = "black" if given.lower() == "currentcolor" else given
    return _colour(value.strip())


@functools.lru_cache(maxsize=1024)
def _colour(value: str) -> tuple[Colour, float] | None:
    if value.lower() in ("none", ""):
        return None
    found = color4.parse_color(value)
    if found is None or isinstance(found, str):
        return INK, 1.0  # a gradient, or a colour that only newer programs know
    try:
        red, green, blue = (float(part or 0) for part in found.to("srgb").coordinates)
    except (NotImplementedError, ValueError):
        return INK, float(found.alpha)
    return (red, green, blue), float(found.alpha)


def number_of(value: str | None, default: float) -> float:
    """A plain number or percentage such as an opacity, 0 to 1."""
    text = (value or "").strip()
    try:
        number = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return default
    return min(max(number, 0.0), 1.0) if number == number else default
