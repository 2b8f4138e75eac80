from __future__ import annotations

import io
import sys
import time

import pytest

from edgegan_widget.app.progress import bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a bar over 400 steps that was begun at the 100th writes."""
    monkeypatch.setattr(sys, "stderr", stream)
    with bar(total=500, initial=100, unit="step") as steps:
        for _ in range(4):
            time.sleep(0.15)
            steps.update(100)
    return stream.getvalue()


def test_a_terminal_sees_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [part for part in ("200/500", "300/500", "400/500") if part not in shown(Terminal(), monkeypatch)] == []


def test_a_log_file_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    told = shown(io.StringIO(), monkeypatch)
    assert [place for place in ("100/500", "500/500") if place not in told] == []
    assert not any(place in told for place in ("200/500", "300/500", "400/500"))
