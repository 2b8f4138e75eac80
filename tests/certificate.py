"""A certificate for TLS, made in the test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def certificate(beginning: Path) -> None:
    """``beginning.cert`` and ``beginning.key``, signed by itself."""
    subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes", "-newkey", "rsa:2048"]
    files = ["-keyout", f"{beginning}.key", "-out", f"{beginning}.cert"]
    try:
        subprocess.run(["openssl", "req", "-x509", *subject, *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed: apt-get install openssl")
