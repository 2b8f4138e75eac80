"""What a server is started with; plain values, which Ray carries to other machines. Nothing here loads Ray."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.networks.find import find_model
from edgegan_widget.networks.runners import AUTO

__all__ = ["APPLICATION", "ENGINES", "Serving", "digest_of", "named_models"]

APPLICATION, ENGINES = "edgegan", "Engine"  # names in Ray Serve


@dataclass(frozen=True)
class Serving:
    """A server.

    Attributes
    ----------
    models
        Where each model lies, by the name that it is asked for.
    token_digest
        SHA-256 of the token, in hexadecimal; empty where none is asked for.
    replicas
        How many engines draw; 0 for as many as are busy, up to ``most_replicas``.
    most_replicas
        Of ``replicas`` 0.
    device, runner
        As for a local model.
    rate_per_second
        Requests that a connection may send, in the long run; twice as many at once.
    connections
        That an ingress takes.
    ingresses
        How many processes take connections at most.
    """

    models: Mapping[str, str]
    token_digest: str = ""
    replicas: int = 1
    most_replicas: int = 1
    device: str = "cpu"
    runner: str = AUTO
    rate_per_second: float = 120.0
    connections: int = 4000
    ingresses: int = 1

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigError("there is no model to serve; name one at least.")
        if not 0 <= self.replicas <= 4096 or self.most_replicas < 1:
            raise ConfigError(f"replicas is {self.replicas}; give a number from 1 to 4096, or auto.")
        if not 1 <= self.rate_per_second <= 1e6:
            raise ConfigError(f"the rate is {self.rate_per_second:g}; give 1 to 1,000,000 requests a second.")

    def admits(self, token: str) -> bool:
        """Whether this is the token; the time that it takes does not tell how much of it is right."""
        return not self.token_digest or hmac.compare_digest(digest_of(token), self.token_digest)

    def to_json(self) -> str:
        """All of it as text."""
        return json.dumps(asdict(self) | {"models": dict(self.models)})

    @staticmethod
    def from_json(text: str) -> Serving:
        """What :meth:`to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        return Serving(**values)


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def named_models(given: list[str]) -> dict[str, str]:
    """Models by name: ``NAME=PLACE``, the name of a shipped model, or a folder, which is called as its last part.

    Raises
    ------
    ModelError
        There is no such model.
    ConfigError
        Two have the same name.
    """
    found: dict[str, str] = {}
    for word in given:
        name, _, place = word.rpartition("=")
        if not name or Path(word).exists():
            name, place = "", word
        where = find_model(place)
        name = name or (where.parent.parent.name if where.is_file() else where.name)
        if name in found:
            raise ConfigError(f"two models are called {name!r}; name one of them otherwise, as in other={place}")
        found[name] = str(where.resolve())
    return found
