from __future__ import annotations

import subprocess
import sys

import pytest

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, ServerError
from edgegan_widget.networks.engine import EdgeGAN


def test_the_client_loads_neither_torch_nor_ray() -> None:
    code = """
import sys
from edgegan_widget import EdgeGAN
from edgegan_widget.base.errors import ServerError
try:
    EdgeGAN.connect("http://127.0.0.1:9")
except ServerError as error:
    print(error)
print([name for name in ("torch", "ray", "onnxruntime", "fastapi", "ipywidgets") if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert told[0].startswith("the server http://127.0.0.1:9 cannot be reached (Connection refused); ")
    assert told[1] == "[]"


def test_without_ray_the_command_says_what_brings_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["serve"]) == 1
    told = capsys.readouterr().err
    assert told == (
        "edgegan-widget: serving to many needs Ray Serve, which is not installed here; "
        "run: pip install 'edgegan_widget[serve]'\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--replicas", "none"], "--replicas is 'none'; give a number from 1, or auto"),
        (["--port", "70000"], "the port is 70000"),
        (["--model", "none"], "no model called 'none'"),
        (["--model", "default", "--model", "default"], "two models are called 'default'"),
        (["--rate", "0"], "the rate is 0"),
    ],
)
def test_what_cannot_be_served_is_told_before_ray_is_started(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *words, "--device", "cpu"]) == 1
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://here", "http://:80", "http://here:0", "http://here:many"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match=r"give one such as http://127\.0\.0\.1:8000"):
        EdgeGAN.connect(url)


def test_patience_has_its_range() -> None:
    with pytest.raises(ConfigError, match="patience_seconds is 0"):
        EdgeGAN.connect("http://127.0.0.1:9", patience_seconds=0)


def test_what_answers_there_may_be_another_server() -> None:
    code = "from http.server import *; s = HTTPServer(('127.0.0.1', 0), SimpleHTTPRequestHandler); "
    code += "print(s.server_port, flush=True); s.serve_forever()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
        try:
            port = int(other.stdout.readline())  # type: ignore[union-attr]
            with pytest.raises(ServerError, match="what answers there is no edgegan-widget server"):
                EdgeGAN.connect(f"http://127.0.0.1:{port}")
        finally:
            other.kill()
