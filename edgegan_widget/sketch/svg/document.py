"""SVG text -> its elements, safely: nothing is fetched, no entity is expanded, and there is an end to everything."""

from __future__ import annotations

import functools
import gzip
import io
import re
import zlib
from xml.etree import ElementTree

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from edgegan_widget.base.errors import DataError

__all__ = ["MOST_BYTES", "local_name", "safe_root", "unzipped"]

MOST_BYTES = 64_000_000  # of a file, unpacked; photographs embedded in a drawing are large
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*\?>")
_ROOT = re.compile(rb"<(?:[\w.-]+:)?svg(?=[\s>/])")
_XMLNS = re.compile(rb"\sxmlns:([\w.-]+)\s*=")
_PREFIX = re.compile(rb"(?:</?|\s)([A-Za-z_][\w.-]*):[A-Za-z_][\w.-]*(?=[\s=>/])")
_MOST_PREFIXES = 50
_GZIP = b"\x1f\x8b"
_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[>]*(?:\[(.*?)\]\s*)?>", re.DOTALL)
# Illustrator writes its namespaces as entities. Nothing but such a name, used as a namespace, is put in.
_NAMESPACE = re.compile(rb"<!ENTITY\s+([\w.-]+)\s+([\"'])(https?://[^\"'&%<\s]{1,200})\2\s*>")
_NAMED = re.compile(rb"(\sxmlns(?::[\w.-]+)?\s*=\s*[\"'])&([\w.-]+);(?=[\"'])")
_REFUSED = "the SVG's DOCTYPE declares entities, which are not read; save it as plain SVG."


def safe_root(content: str | bytes) -> ElementTree.Element:
    """The root of a document.

    Raises
    ------
    DataError
        It is no XML, too large, or declares entities.
    """
    raw = unzipped(content.encode() if isinstance(content, str) else content)
    try:
        root = _parsed(_without_doctype(raw.lstrip()))
    except DefusedXmlException as error:
        raise DataError(_REFUSED) from error
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError, MemoryError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"this is not an SVG drawing ({error}); give one saved as plain SVG.") from error
    return root


def _parsed(raw: bytes) -> ElementTree.Element:
    """The root; of what was copied out of a page or of another program's file, with what browsers know without it."""
    parse = functools.partial(fromstring, forbid_external=True)
    try:
        return parse(raw)
    except ElementTree.ParseError as error:
        if (mended := _mended(raw)) is None:
            raise
        try:
            return parse(mended)
        except ElementTree.ParseError:
            raise error from None


def _mended(raw: bytes) -> bytes | None:
    """Text in the encoding that it has, whatever it says, with its prefixes declared and HTML's spaces known."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw[:64]:
        return None
    text = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text.decode()
        encoding = b"utf-8"
    except UnicodeDecodeError:
        encoding = b"windows-1252"  # what old programs write without saying so
    text = _DECLARED.sub(b"", text).replace(b"&nbsp;", b"&#160;")
    declared = {*_XMLNS.findall(text), b"xml", b"xmlns"}
    missing = sorted(set(_PREFIX.findall(text)) - declared)[:_MOST_PREFIXES]
    added = b"".join(b' xmlns:%s="unknown:%s"' % (prefix, prefix) for prefix in missing)
    text = _ROOT.sub(lambda root: root.group() + added, text, count=1)
    return b'<?xml version="1.0" encoding="%s"?>' % encoding + text


def unzipped(content: bytes) -> bytes:
    """The content itself, or what a ``.svgz`` holds.

    Raises
    ------
    DataError
        It is cut short, or too large.
    """
    if content.startswith(_GZIP):
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"this is not a whole packed drawing ({error}); save it anew, unpacked.") from error
    if len(content) > MOST_BYTES:
        raise DataError(f"the drawing has more than {MOST_BYTES:,} bytes, the most allowed; save it in parts.")
    return content


def local_name(element: ElementTree.Element) -> str:
    """The element's name without its namespace; empty for comments."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _without_doctype(raw: bytes) -> bytes:
    """A DOCTYPE that does no more than name namespaces is left out; the parser refuses any other that has entities."""
    found = _DOCTYPE.search(raw[:65536])
    if found is None or not found.group(1):
        return raw
    names = {name: address for name, _, address in _NAMESPACE.findall(found.group(1))}
    if b"<!ENTITY" in _NAMESPACE.sub(b"", found.group(1)):
        return raw
    rest = raw[: found.start()] + raw[found.end() :]
    return _NAMED.sub(lambda use: use.group(1) + names.get(use.group(2), b"unknown"), rest)
