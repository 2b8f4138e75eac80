"""Where a dashboard is reached, and with which secret."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgegan_widget.base.errors import ConfigError

__all__ = ["EVERYWHERE", "LOOPBACK", "Address"]

EVERYWHERE = ""  # all addresses of this machine, as Tornado takes them
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Address:
    """Where a dashboard is reached, and with which secret.

    Attributes
    ----------
    host
        Address to listen on; anything but loopback lets others in, who may run code in the kernel.
    port
        Port to listen on, from 0 (any that is free) to 65535; the next free one is taken where it is in use.
    base_url
        Path below which the page lies, as a reverse proxy hands it on: ``/`` or ``/draw/``; it begins and ends with a
        slash, which need not be given.
    token
        Secret that the page's address must carry; a fresh one if None, none at all if empty (loopback only).

    Raises
    ------
    ConfigError
        A server that others can reach would have no token; or port or path are none.
    """

    host: str = LOOPBACK[0]
    port: int = 8866
    base_url: str = "/"
    token: str | None = None

    def __post_init__(self) -> None:
        if self.token == "" and self.host not in LOOPBACK:
            where = self.host or "this machine"
            raise ConfigError(
                f"without a token anybody who reaches {where} could run code; give a token or use 127.0.0.1."
            )
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"the port is {self.port}; give one from 0 (any that is free) to 65535.")
        below = f"/{self.base_url.strip('/')}/".replace("//", "/")
        if not re.fullmatch(r"/([\w.~-]+/)*", below):
            told = f"base_url is {self.base_url!r}; give a path such as /draw/, of letters, digits and . _ ~ -"
            raise ConfigError(told)
        object.__setattr__(self, "base_url", below)
