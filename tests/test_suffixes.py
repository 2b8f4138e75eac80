"""One list of what is a picture: what is audited is trained on, and what is trained on is evaluated."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.base.pictures import PICTURE_SUFFIXES
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.sketch.sets.folders import sketch_folders
from edgegan_widget.training.data_folder import class_counts
from edgegan_widget.training.dataset import load_data


@pytest.mark.parametrize("suffix", PICTURE_SUFFIXES)
def test_a_picture_is_one_everywhere(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "train" / "ball"
    folder.mkdir(parents=True)
    pixels = np.full((32, 32, 3), 255, np.uint8)
    pixels[8:24, 8:24] = (200, 30, 30)
    form = Image.registered_extensions().get(suffix, "JPEG")  # what is under the name is what counts
    Image.fromarray(pixels).save(folder / f"one{suffix.upper()}", form if form in Image.SAVE else "PNG")
    assert class_counts(tmp_path) == {"ball": 1}
    assert len(load_data(tmp_path, "train", 16)) == 1
    assert [len(found.paths) for found in sketch_folders(tmp_path, ("ball",))] == [1]
    assert len(list(FolderReader(tmp_path))) == 1
