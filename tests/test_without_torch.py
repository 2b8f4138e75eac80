"""A machine without torch: what draws works, and what does not says how to get it. Each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""
DRAWING = """
import numpy as np
from pathlib import Path
import edgegan_widget as eg
from edgegan_widget.base.errors import DependencyError
from edgegan_widget.base.result import Asked
page = eg.Workbench(runs=Path(folder) / "runs")
pad = page.pad
assert pad.wait(60)
line = eg.Stroke.make([(0.1, 0.6), (0.1, 0.4), (0.5, 0.45), (0.9, 0.6), (0.1, 0.6)], width=0.02)
pad.drawing = eg.Drawing().add(line)
assert pad.wait(60) and pad.image.shape == (128, 128, 3), "a picture"
model = eg.EdgeGAN.shared("default", "auto")
sketch = eg.rasterize(pad.drawing, fit=True)
assert model.generate(sketch, "heel", seed=3, variations=2, style="#2060c0").to_pil(transparent=True).mode == "RGBA"
assert len(model.guess(sketch)) == 18
assert model.interpolate(Asked(sketch, "heel"), Asked(sketch, "sock"), frames=3).images.shape[0] == 3
from edgegan_widget.app.cli import main
eg.Drawing.to_json(pad.drawing)
(Path(folder) / "sketch.json").write_text(pad.drawing.to_json())
assert main(["generate", folder + "/sketch.json", "--class", "heel", "--out", folder + "/heel.png"]) == 0
"""
REFUSALS = """
def told(action):
    try:
        action()
    except DependencyError as error:
        assert str(error).endswith("which is not installed here; run: pip install 'edgegan_widget[train]'"), error
        return str(error)
    raise AssertionError("it went on")
print(told(lambda: model.generate(sketch, "heel", closeness=0.5)))
print(told(lambda: eg.train))
print(told(lambda: eg.EdgeGAN.from_pretrained("default", "cuda")))
print(told(lambda: eg.EdgeGAN.from_pretrained("default", "cpu", "torch_cpu")))
import shutil
from edgegan_widget.networks.find import find_model
shutil.copytree(find_model("default"), folder + "/plain")
(Path(folder) / "plain" / "model.onnx").unlink()
print(told(lambda: eg.EdgeGAN.from_pretrained(folder + "/plain")))
data = Path(folder) / "shapes"
from tests.screen import find, said
page.train.use_data(data)
find(page.train, "Start training").click()
assert "Training needs PyTorch, which is not installed here; run: pip install" in said(page.train), said(page.train)
page.finetune, page.data, page.evaluate
assert main(["train", str(data), "--out", folder + "/run"]) == 1
page.close()
"""


def run(code: str, folder: Path) -> str:
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", f"folder = {str(folder)!r}\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_without_torch_what_draws_works_and_the_rest_says_what_it_needs(tmp_path: Path, shapes: Path) -> None:
    (tmp_path / "shapes").symlink_to(shapes)
    told = run(BLOCKED + DRAWING + REFUSALS, tmp_path)
    assert "bringing a picture closer to the lines needs PyTorch" in told
    assert f"drawing with {tmp_path / 'plain'}, which holds no model.onnx, needs PyTorch" in told
    assert (tmp_path / "heel.png").is_file()


def test_with_torch_drawing_does_not_load_it(tmp_path: Path) -> None:
    heavy = ("torch", "pandas", "scipy", "skimage")
    assert run(f"{DRAWING}\nprint([name for name in {heavy} if name in sys.modules])".replace(
        "import numpy", "import sys, numpy", 1), tmp_path).splitlines()[-1] == "[]"  # fmt: skip


@pytest.mark.parametrize("given", ["cpu", "auto"])
def test_choosing_a_device_does_not_load_it(given: str, tmp_path: Path) -> None:
    asked = f"device_of({given!r}), 'torch' in sys.modules"
    told = run(f"import sys\nfrom edgegan_widget.base.needs import device_of\nprint({asked})", tmp_path)
    assert told in ("cpu False\n", "cuda True\n")
