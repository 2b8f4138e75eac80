from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

import edgegan_widget


def test_public_names_are_sorted_and_there() -> None:
    constants = [name for name in edgegan_widget.__all__ if name.isupper()]
    classes = [name for name in edgegan_widget.__all__ if name[0].isupper() and not name.isupper()]
    functions = [name for name in edgegan_widget.__all__ if name.islower()]
    assert edgegan_widget.__all__ == sorted(constants) + sorted(classes) + sorted(functions)
    assert all(getattr(edgegan_widget, name) is not None for name in edgegan_widget.__all__)
    assert set(edgegan_widget._HOMES) == set(edgegan_widget.__all__)
    assert set(edgegan_widget.__all__) <= set(dir(edgegan_widget))


def test_every_package_is_installed() -> None:
    root = Path(edgegan_widget.__file__).parent
    named = configparser.ConfigParser(interpolation=None)
    if not named.read(root.parent / "setup.cfg"):
        pytest.skip("this is no checkout")
    found = {".".join(("edgegan_widget", *path.parent.relative_to(root).parts)) for path in root.rglob("__init__.py")}
    assert found <= set(named["options"]["packages"].split())
    extras = named["options.extras_require"]
    assert set(f"{extras['train']} {extras['serve']}".split()) <= set(extras["test"].split())


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        edgegan_widget.Nothing  # noqa: B018


@pytest.mark.parametrize(
    "module",
    ["edgegan_widget", "edgegan_widget.sketch.strokes", "edgegan_widget.sketch.raster", "edgegan_widget.sketch.edges"],
)
def test_importing_loads_neither_torch_nor_widgets(module: str) -> None:
    heavy = "[name for name in ('torch', 'ipywidgets', 'ipycanvas', 'voila') if name in sys.modules]"
    code = f"import sys, {module}; print({heavy})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_pad_opens_before_torch_is_loaded() -> None:
    code = "import sys, edgegan_widget.panels.drawing.sketchpad; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


def test_shipped_models_stay_small() -> None:
    files = [path for path in (Path(__file__).parents[1] / "models").rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) <= 15_000_000
    assert sum(path.stat().st_size for path in files) <= 44_000_000
