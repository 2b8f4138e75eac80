"""Fetch public data sets from their official addresses: resumed, checked, with progress.

Where the makers publish no checksum, the size that the server tells and the archive's own checksums are all that can
be checked; the digest of what was fetched is written beside it, and a later fetch is held against it.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.files import telling, write_bytes

__all__ = ["Remote", "download", "files"]

_DISK = (errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EACCES)  # the disk's fault, not the server's
_CHUNK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30
_HTTP_PARTIAL, _HTTP_NOTHING_LEFT = 206, 416

_COCO = "http://images.cocodataset.org"
_COCO_MD5 = {"val2017": "442b8da7639aecaf257c1dceb8ba8c80", "train2017": "cced6f7f71b7629ddf16f17bbcfab6b2"}
_SKETCHYCOCO = "https://drive.google.com/file/d/1P2kb1SCqnZrK_P32Vmcf5FShjbC9kN7e/view"
_QUICKDRAW = "https://storage.googleapis.com/quickdraw_dataset/full/simplified"


@dataclass(frozen=True)
class Remote:
    """A file to fetch: its name here, its address, and its MD5 where its makers publish one."""

    name: str
    address: str
    md5: str | None = None


def files(what: str, classes: Sequence[str] = (), part: str = "val2017") -> list[Remote]:
    """What makes up a data set.

    Raises
    ------
    ConfigError
        Quick, Draw! without class names.
    DataError
        SketchyCOCO: its host gives files to a browser only.
    """
    if what == "coco":
        annotations = "annotations_trainval2017.zip"
        return [
            Remote(annotations, f"{_COCO}/annotations/{annotations}", "f4bbac642086de4f52a3fdda2de5fa2c"),
            Remote(f"{part}.zip", f"{_COCO}/zips/{part}.zip", _COCO_MD5[part]),
        ]
    if what == "quickdraw":
        if not classes:
            raise ConfigError("quickdraw has 345 classes; name those to fetch, such as --classes horse,zebra.")
        return [Remote(f"{name}.ndjson", f"{_QUICKDRAW}/{urllib.parse.quote(name)}.ndjson") for name in classes]
    raise DataError(
        f"SketchyCOCO is given to a browser only; fetch 'Object-level data' by hand from {_SKETCHYCOCO}, unpack it and "
        "run edgegan-widget data from-sketchycoco on the folder that holds GT, Edge and Sketch."
    )


def download(remote: Remote, folder: Path) -> Iterator[tuple[int, int | None]]:
    """Fetch one file into ``folder``, going on where an earlier try stopped.

    Yields
    ------
    Bytes fetched and bytes in all, where the server tells.

    Raises
    ------
    DataError
        There is no network, the server refuses, or what came is not what was meant.
    """
    target, partial = folder / remote.name, folder / f"{remote.name}.part"
    if target.exists():
        yield target.stat().st_size, target.stat().st_size
        return
    with telling(folder, "written", "choose another place, or make room"):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield from _fetch(remote, partial)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise DataError(
                f"{partial} cannot be written ({error.strerror}); make room, and run the same command again to go on."
            ) from error
        reason = getattr(error, "reason", error)
        raise DataError(
            f"{remote.address} cannot be fetched ({reason}); fetch it by hand into {folder} as {remote.name}, or run "
            "the same command again to go on."
        ) from error
    _check(remote, partial)
    partial.replace(target)


def _fetch(remote: Remote, partial: Path) -> Iterator[tuple[int, int | None]]:
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(remote.address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        reply = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == _HTTP_NOTHING_LEFT and have:
            yield have, have
            return
        raise
    with reply:
        have = have if reply.status == _HTTP_PARTIAL else 0
        length = reply.headers.get("Content-Length")
        total = have + int(length) if length else None
        with partial.open("ab" if have else "wb") as stream:
            while chunk := reply.read(_CHUNK_BYTES):
                stream.write(chunk)
                have += len(chunk)
                yield have, total
    if total is not None and have < total:
        raise http.client.HTTPException(f"the connection ended after {have:,} of {total:,} bytes")


def _check(remote: Remote, path: Path) -> None:
    """Held against the published checksum, or else against the archive's own and an earlier fetch's digest."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            md5.update(chunk)
            sha256.update(chunk)
    known = path.with_name(f"{remote.name}.sha256")
    broken = remote.md5 is not None and md5.hexdigest() != remote.md5
    broken |= known.exists() and known.read_text("utf-8").split()[:1] != [sha256.hexdigest()]
    broken |= remote.name.endswith(".zip") and not zipfile.is_zipfile(path)
    if broken:
        path.unlink()
        raise DataError(f"{remote.address} gave something else than it should; run again to fetch {remote.name} anew.")
    write_bytes(known, f"{sha256.hexdigest()}  {remote.name}\n")
