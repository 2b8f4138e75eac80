"""Kernels that take too much, or that nobody uses while others wait, are ended; their pages are told why."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timezone
from typing import Any

import psutil
from jupyter_core.utils import ensure_async

from edgegan_widget.app.dashboard.places import Places
from edgegan_widget.app.dashboard.sharing import ALONE_SECONDS, Sharing

__all__ = ["LOOK_SECONDS", "Housekeeping"]

LOOK_SECONDS = 2.0
MOST_REASONS = 1000

log = logging.getLogger(__name__)


class Housekeeping:
    """Looks after the kernels of the pages.

    Parameters
    ----------
    manager
        Jupyter's, of all kernels.
    places
        Which of them are pages', and whether anybody waits.
    sharing
        What each may take.
    """

    def __init__(self, manager: Any, places: Places, sharing: Sharing) -> None:
        self._manager, self._places, self._sharing = manager, places, sharing
        self._alone_since: dict[str, float] = {}
        self._reasons: dict[str, str] = {}

    def reason(self, kernel: str) -> str:
        """Why a kernel was ended here, in a sentence; nothing where it was not."""
        return self._reasons.get(kernel, "")

    async def look(self) -> None:
        """End the kernels that have to go."""
        pages = self._places.pages
        self._alone_since = {kernel: since for kernel, since in self._alone_since.items() if kernel in pages}
        for kernel in pages:
            reason = self._fault(kernel) if kernel in self._manager else ""  # it may have ended while another did
            if reason:
                log.warning("kernel %s is ended: %s", kernel, reason)
                self._reasons[kernel] = reason
                while len(self._reasons) > MOST_REASONS:
                    del self._reasons[next(iter(self._reasons))]
                await ensure_async(self._manager.shutdown_kernel(kernel, now=True))

    def _fault(self, kernel: str) -> str:
        used_mb = _resident_mb(self._manager.get_kernel(kernel))
        if used_mb > self._sharing.page_mb:
            return f"This page took {used_mb:,.0f} MB of memory, and {self._sharing.page_mb:,} MB is what it may take."
        about = self._manager.kernel_model(kernel)
        since = self._alone_since.setdefault(kernel, time.monotonic())
        if about["connections"]:
            self._alone_since[kernel] = time.monotonic()
        if not self._places.waiting:
            return ""
        if time.monotonic() - since >= ALONE_SECONDS and not about["connections"]:
            return "Others were waiting, and this page was not connected any more."
        idle = datetime.now(timezone.utc) - datetime.fromisoformat(about["last_activity"].replace("Z", "+00:00"))
        if idle.total_seconds() >= self._sharing.idle_seconds and about["execution_state"] != "busy":
            return "Others were waiting, and this page was out of sight for long."
        return ""


def _resident_mb(kernel: Any) -> float:
    try:
        return float(psutil.Process(kernel.provisioner.pid).memory_info().rss / 1e6)
    except (psutil.Error, AttributeError, TypeError):  # it begins, or has ended
        return 0.0
