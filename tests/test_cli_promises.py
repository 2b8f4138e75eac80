"""Commands keep their word: exit status, one sentence, and where the rest of an unforeseen error stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from edgegan_widget.app import cli
from edgegan_widget.app.cli import main
from edgegan_widget.app.dashboard.address import Address
from edgegan_widget.base.errors import ConfigError


def test_an_unforeseen_error_is_one_sentence_and_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_command: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(cli, "_parser", lambda _: Parser(broken))
    assert main(["train"]) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(
        r"edgegan-widget: this should not happen: division by zero \(ZeroDivisionError\); (\S+) tells more, .*\n", said
    )
    log = Path(said.split("; ")[1].split(" ")[0])
    assert "Traceback" in log.read_text()
    log.unlink()


class Parser:
    """What parses no options and runs a function."""

    def __init__(self, run: object) -> None:
        self.run, self.verbose = run, False

    def parse_args(self, _arguments: list[str]) -> Parser:
        return self


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["data", "sample", "--count", "1", "--out", str(tmp_path / "file" / "x"), "--workers", "1"]) == 1
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "told"),
    [({"port": 70_000}, "the port is 70000"), ({"base_url": "/a b/"}, "give a path such as /draw/"),
     ({"host": "0.0.0.0", "token": ""}, "without a token")],
)  # fmt: skip
def test_a_dashboard_that_cannot_be_is_refused_at_once(options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Address(**options)  # type: ignore[arg-type]


def test_a_picture_is_written_in_the_form_that_its_name_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sketch = tmp_path / "s.png"
    line = Image.new("L", (64, 64), 255)
    line.paste(0, (10, 30, 50, 33))
    line.save(sketch)
    command = ["generate", str(sketch), "--class", "Sneaker", "--out"]
    for name, form in (("o.jpg", "JPEG"), ("o.webp", "WEBP"), ("o.PNG", "PNG")):
        assert main([*command, str(tmp_path / name)]) == 0
        with Image.open(tmp_path / name) as written:
            assert written.format == form
    capsys.readouterr()
    assert main([*command, str(tmp_path / "o.xyz")]) == 1
    assert "name it with one of .png, .jpg" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "t.jpg"), "--transparent"]) == 1
    assert "cannot be transparent" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("preset", "told"), [("compact", "'projected' took the place of"), ("nothing", "allowed are 'projected'")]
)
def test_a_preset_that_is_not_there_is_told_in_a_sentence(
    preset: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "data", "--out", "run", "--preset", preset]) == 1
    assert told in capsys.readouterr().err


FORMS = {
    "erase": ["none.png", "--mask", "none.png", "--out", "o.pdf"],
    "replace": ["none.png", "--mask", "none.png", "--sketch", "none.png", "--class", "cat", "--out", "o"],
    "compose": ["none.json", "--out", "o.svg"],
    "edges": ["none.png", "--out", "o.txt"],
    "pack": ["none", "--out", "o.zip"],
}


@pytest.mark.parametrize("command", FORMS)
def test_a_form_that_is_none_is_refused_before_any_work(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before what it would be made of is read: nothing of that is there."""
    assert main([command, *FORMS[command]]) == 1
    assert f"{FORMS[command][-1]} " in (told := capsys.readouterr().err)
    assert "name it with" in told


def test_the_nearest_model_is_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "s.png", "--class", "cat", "--model", "defalt", "--out", str(tmp_path / "o.png")]) == 1
    assert "no model called 'defalt' (did you mean default?)" in capsys.readouterr().err
