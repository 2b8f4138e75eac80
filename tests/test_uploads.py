"""What the browser sends, part by part, and the folder that comes of it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from edgegan_widget.panels import uploads as uploads_module
from edgegan_widget.panels.uploads import Uploads

PNG = b"\x89PNG" + bytes(range(256)) * 20


class Desk:
    """Drops files, and keeps what comes of it."""

    def __init__(self, root: Path) -> None:
        self.done: list[Path] = []
        self.errors: list[str] = []
        self.root = root
        self.uploads = Uploads(root, self.done.append, lambda error: self.errors.append(str(error)) if error else None)

    def drop(self, files: dict[str, bytes]) -> None:
        self.tell(do="begin")
        for path, content in files.items():
            for at in range(0, len(content), 1000):
                self.tell(content[at : at + 1000], do="part", path=path, first=at == 0)
        self.tell(do="end")

    def tell(self, *buffers: bytes, **message: object) -> None:
        self.uploads.hear(self.uploads, message, buffers)

    def left(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "uploads")


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_a_folder_comes_whole_with_its_pictures_alone(desk: Desk) -> None:
    desk.drop({"mine/cup/1.png": PNG, "mine/cup/.DS_Store": b"x", "mine/ball/2.JPG": PNG[::-1], "mine/notes.txt": b"y"})
    (folder,) = desk.done
    assert folder.name == "mine", "what holds the classes, not what holds that"
    assert (folder / "cup" / "1.png").read_bytes() == PNG
    assert (folder / "ball" / "2.JPG").read_bytes() == PNG[::-1]
    assert len(desk.left()) == 2
    assert desk.uploads.told == "2 pictures received; 2 other files were left out."


def test_a_zip_is_unpacked_and_gone(desk: Desk) -> None:
    desk.drop({"all.zip": packed({"cup/1.png": PNG, "__MACOSX/cup/._1.png": b"", "ball/": b"", "ball/2.png": PNG})})
    (folder,) = desk.done
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*")) == ["ball/2.png", "cup/1.png"]


def test_loose_pictures_and_one_class_stay_as_they_are(desk: Desk) -> None:
    desk.drop({"1.png": PNG})
    desk.drop({"cup/1.png": PNG})
    assert [sorted(path.name for path in folder.iterdir()) for folder in desk.done] == [["1.png"], ["cup"]]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"notes.txt": b"x"}, "no picture was among the files"),
        ({"../../out.png": PNG}, "is no path below"),
        ({"all.zip": packed({"../../../out.png": PNG})}, "is no path below"),
        ({"all.zip": b"PK no zip at all"}, "all.zip cannot be unpacked"),
        ({"all.zip": packed({"bomb.png": bytes(400_000)})}, "larger than"),
    ],
)
def test_what_cannot_be_used_is_told_and_leaves_nothing(
    files: dict[str, bytes], message: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "MOST_BYTES", 300_000)
    desk.drop(files)
    assert message in desk.errors[0]
    assert desk.left() == []
    assert desk.done == []
    assert not list(desk.root.parent.rglob("out.png"))


def test_one_that_was_broken_off_gives_way(desk: Desk) -> None:
    desk.tell(do="begin")
    desk.tell(PNG, do="part", path="cup/half.png", first=True)
    desk.drop({"cup/1.png": PNG})
    assert [Path(left).name for left in desk.left()] == ["1.png"]
    assert desk.errors == []
