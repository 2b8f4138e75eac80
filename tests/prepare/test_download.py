"""Downloads from a server on this machine: resumed, checked, and one sentence where they fail."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.data.download import Remote, download, files

CONTENT = bytes(range(256)) * 4096  # a megabyte
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    ranges = True
    break_after: int | None = None  # bytes, once
    asked: list[str | None]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        end, self.server.break_after = self.server.break_after, None
        self.wfile.write(CONTENT[start : None if end is None else start + end])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def fetched(remote: Remote, folder: Path) -> list[tuple[int, int | None]]:
    return list(download(remote, folder))


def test_a_file_is_fetched_once(server: Server, tmp_path: Path) -> None:
    remote = Remote("a.bin", f"{server.address}/a.bin", MD5)
    assert fetched(remote, tmp_path)[-1] == (len(CONTENT), len(CONTENT))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert fetched(remote, tmp_path) == [(len(CONTENT), len(CONTENT))]
    assert server.asked == [None], "the second time nothing is asked for"


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_resumed_where_the_server_can(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.ranges, server.break_after = ranges, 300_000
    remote = Remote("a.bin", f"{server.address}/a.bin", MD5)
    with pytest.raises(DataError, match=r"by hand into .* as a\.bin, or run the same command again to go on"):
        fetched(remote, tmp_path)
    assert not (tmp_path / "a.bin").exists()
    have = (tmp_path / "a.bin.part").stat().st_size
    assert 0 < have <= 300_000
    assert fetched(remote, tmp_path)[0][0] > (have if ranges else 0)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={have}-"]


def test_a_whole_part_is_checked_without_fetching_more(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    fetched(Remote("a.bin", f"{server.address}/a.bin", MD5), tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_another_content_than_published_is_thrown_away(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gave something else than it should"):
        fetched(Remote("a.bin", f"{server.address}/a.bin", "0" * 32), tmp_path)
    assert list(tmp_path.iterdir()) == [], "neither the file nor what would be resumed"


def test_without_a_published_checksum_the_first_fetch_is_what_later_ones_are_held_against(
    server: Server, tmp_path: Path
) -> None:
    remote = Remote("a.bin", f"{server.address}/a.bin")
    fetched(remote, tmp_path)
    (tmp_path / "a.bin").unlink()
    fetched(remote, tmp_path)
    (tmp_path / "a.bin").unlink()
    (tmp_path / "a.bin.sha256").write_text("0" * 64, "utf-8")
    with pytest.raises(DataError, match="gave something else"):
        fetched(remote, tmp_path)


def test_what_should_be_an_archive_and_is_none(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gave something else"):
        fetched(Remote("a.zip", f"{server.address}/a.zip"), tmp_path)
    with zipfile.ZipFile(tmp_path / "real.zip", "w") as archive:
        archive.writestr("a", "b")
    assert zipfile.is_zipfile(tmp_path / "real.zip")


def test_no_network_is_one_sentence_that_says_what_to_fetch(tmp_path: Path) -> None:
    with Server() as closed:
        address = closed.address
    for unreachable in (f"{address}/a.bin", "http://nowhere.invalid/a.bin"):
        with pytest.raises(DataError, match=r"cannot be fetched .*fetch it by hand into .* as a\.bin"):
            fetched(Remote("a.bin", unreachable), tmp_path)


def test_what_makes_up_a_data_set() -> None:
    names = [remote.name for remote in files("coco", part="train2017")]
    assert names == ["annotations_trainval2017.zip", "train2017.zip"]
    assert all(remote.md5 for remote in files("coco"))
    assert files("quickdraw", ["ice cream"])[0].address.endswith("/ice%20cream.ndjson")
    with pytest.raises(ConfigError, match="name those to fetch"):
        files("quickdraw")
    with pytest.raises(DataError, match="by hand from https://"):
        files("sketchycoco")
