"""What is counted of a server, for Prometheus through Ray's metrics."""

from __future__ import annotations

from ray.util.metrics import Counter, Gauge, Histogram

__all__ = ["Meters"]

_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
_PICTURES = [1, 2, 4, 8, 16, 32, 64]


class Meters:
    """The figures of one ingress; Ray sums those of several."""

    def __init__(self) -> None:
        kinds = ("kind", "outcome")
        self._requests = Counter("edgegan_requests", "Requests by kind and how they ended.", kinds)
        self._seconds = Histogram("edgegan_seconds", "From a request to its answer.", _SECONDS, ("kind",))
        self._batches = Histogram("edgegan_batch_pictures", "Pictures that were drawn together.", _PICTURES, ("model",))
        self._retries = Counter("edgegan_retries", "Batches that were drawn anew, since an engine ended.")
        self._waiting = Gauge("edgegan_waiting", "Requests that wait for an engine.")
        self._connections = Gauge("edgegan_connections", "Clients that are connected.")

    def ended(self, kind: str, outcome: str, seconds: float) -> None:
        """A request ended: ``answered``, ``refused``, ``overtaken``, ``cancelled`` or ``failed``."""
        self._requests.inc(1, {"kind": kind, "outcome": outcome})
        if outcome == "answered":
            self._seconds.observe(seconds, {"kind": kind})

    def batch(self, model: str, pictures: int) -> None:
        """So many pictures were asked for together."""
        self._batches.observe(pictures, {"model": model})

    def retry(self) -> None:
        """A batch is asked for once more."""
        self._retries.inc()

    def waiting(self, count: int) -> None:
        """So many requests wait."""
        self._waiting.set(count)

    def connections(self, count: int) -> None:
        """So many clients are connected."""
        self._connections.set(count)
