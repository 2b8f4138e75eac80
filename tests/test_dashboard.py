from __future__ import annotations

import configparser
import json
from pathlib import Path

import pytest

from edgegan_widget.app.dashboard import page, server
from edgegan_widget.app.dashboard.address import Address
from edgegan_widget.app.dashboard.handed import Handed
from edgegan_widget.networks.find import packaged

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What Voilà would be started with."""
    from voila.app import Voila

    seen: dict[str, object] = {}
    monkeypatch.setattr(Voila, "launch_instance", lambda **options: seen.update(options))
    monkeypatch.setenv("JUPYTER_PATH", "/somewhere")
    for name in ("MODEL", "DEVICE", "RUNNER", "RUNS", "FOLDER", "ENGINE", "ENGINE_TOKEN"):
        monkeypatch.setenv(f"EDGEGAN_WIDGET_{name}", "")
    return seen


def test_it_is_served_to_this_machine_only_and_behind_a_token(served: dict[str, object]) -> None:
    server.serve(open_browser=False)
    settings = served["config"]
    assert settings.Voila.ip == "127.0.0.1"
    assert settings.Voila.auto_token is True
    assert settings.VoilaConfiguration.file_allowlist == []
    assert settings.VoilaConfiguration.show_tracebacks is False
    assert settings.MappingKernelManager.cull_idle_timeout == 600
    assert served["argv"] == [str(NOTEBOOKS / "dashboard.ipynb")]


def test_the_page_gets_the_model_it_was_started_with(served: dict[str, object]) -> None:
    server.serve(address=Address(token="secret"), open_browser=False)
    assert served["config"].Voila.token == "secret"
    shown = page.page()
    shown.pad.label = "horse"
    assert shown.pad.label == "horse", "the shipped model knows it"
    shown.close()


def test_the_page_works_where_the_command_was_given(
    served: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.serve(Handed(runs="mine"), open_browser=False)
    assert Handed.take().runs == str(tmp_path / "mine")
    assert Handed.take().folder == str(tmp_path)
    assert served["config"].VoilaConfiguration.file_allowlist == []


def test_the_template_fetches_nothing_from_elsewhere() -> None:
    template = Path(server.__file__).parent / "jupyter" / "voila" / "templates" / "edgegan" / "index.html.j2"
    assert "not-loaded" in template.read_text("utf-8")


def test_notebooks_hold_no_outputs_and_no_logic() -> None:
    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert not any(cell["outputs"] or cell["execution_count"] for cell in code), path
        source = "".join(line for cell in code for line in cell["source"])
        assert "def " not in source, path
        assert "class " not in source, path


def test_models_and_notebooks_are_found_in_a_checkout() -> None:
    assert packaged("notebooks") == [NOTEBOOKS]
    assert packaged("models") == [NOTEBOOKS.parent / "models"]
    assert packaged("nothing") == []


def test_a_plain_installation_brings_a_kernel() -> None:
    """Voilà does not, and the test environment would hide it."""
    settings = configparser.ConfigParser()
    settings.read(NOTEBOOKS.parent / "setup.cfg")
    assert "\nipykernel " in settings["options"]["install_requires"]
