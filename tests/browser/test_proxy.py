"""The page behind a real nginx, under a path of its own and with TLS: drawn on as without."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.page import DashboardServer
from tests.browser.conftest import SHOE, Desk
from tests.certificate import certificate

pytestmark = pytest.mark.browser

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_max_body_size 100m;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/own.cert; ssl_certificate_key {folder}/own.key;
    location /draw/ {{
      proxy_pass http://127.0.0.1:{behind};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 1h;
      proxy_buffering off;
    }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A dashboard below /draw/, behind nginx with a certificate that it signed itself."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    certificate(tmp_path / "own")
    port = free_port()
    with DashboardServer(device="cpu", base_url="/draw/", preheat=False) as server:
        (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, behind=server.port))
        proxy = subprocess.Popen([nginx, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)])
        try:
            wait_for(port)
            yield f"https://127.0.0.1:{port}/draw/?token={server.token}"
        finally:
            proxy.terminate()
            proxy.wait(20)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "nginx did not start"
            time.sleep(0.05)


def test_drawing_behind_a_proxy_under_a_path(address: str, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, ignore_https_errors=True)
    desk = Desk(context.new_page()).open(address)
    desk.draw(SHOE)
    desk.until(lambda: desk.picture() != desk.first, "a picture of what is drawn")
    assert desk.problems == []
    strays = [url for url in desk.requests if url.startswith("http") and "/draw/" not in url]
    assert strays == [], "all that the page asks for lies below its path"
    context.close()
