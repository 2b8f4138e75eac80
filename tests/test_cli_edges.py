from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from tests.conftest import draw_shape


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "ball.png"
    draw_shape("ball", np.random.default_rng(1)).save(path)
    return path


def test_a_sheet_shows_sources_and_strengths(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sheet.png"
    command = ["edges", str(picture), str(picture), "--edges", "contour,canny", "--strengths", "0,1,2", "--tile", "64"]
    assert main([*command, "--out", str(out)]) == 0
    sheet = np.asarray(Image.open(out))
    assert sheet.shape == (2 * 2 * 64, 4 * 64, 3)
    assert np.array_equal(sheet[:128], sheet[128:])
    assert "2 pictures, contour, canny" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--edges", "pencil"], "choose one or more of full"),
        (["--edges", "photosketch=none.pth"], "none.pth does not exist"),
        (["--strengths", "much"], "give numbers from 0 to 4"),
        (["--strengths", "9"], "strength is 9"),
        (["--detail", "7"], "detail is 7"),
        (["--tile", "3"], "16 to 1024"),
    ],
)
def test_options_that_cannot_be_used(
    picture: Path, tmp_path: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["edges", str(picture), "--out", str(tmp_path / "sheet.png"), *options]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "sheet.png").exists()
