"""How a dashboard is shared: how many pages at a time, what each may take, and who can reach it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import psutil

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.settings import check_settings, setting

__all__ = ["ALONE_SECONDS", "Sharing", "free_mb", "pages_that_fit"]

PAGE_MB, PAGE_WITH_ENGINE_MB = 165, 110  # kernels of pages that have drawn, docs/scale.md; with PyTorch 400
KEPT_FREE = 0.2  # of the free memory: for the server, and for what people do beside drawing
ALONE_SECONDS = 30  # a page that nobody is connected to for so long has been closed, when others wait
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Sharing:
    """How a dashboard is shared; each field's meaning and range stand beside it.

    Raises
    ------
    ConfigError
        A value is out of its range; a public dashboard has no certificate; or the certificate cannot be used.
    """

    most_pages: int = setting(
        0, "pages open at a time, others wait in a queue; 0 takes as many as the free memory holds", least=0
    )
    page_mb: int = setting(2000, "memory in MB above which a page's kernel is ended", least=300, metavar="MB")
    idle_seconds: int = setting(
        600,
        "seconds after which the kernel of a closed page is ended, and while others wait that of one out of sight",
        least=60,
        metavar="S",
    )
    public: bool = setting(False, "let other machines in, through TLS and with a token")
    certfile: str = setting("", "certificate for TLS, as PEM", metavar="PEM", path=True)
    keyfile: str = setting("", "its private key, as PEM", metavar="PEM", path=True)

    def __post_init__(self) -> None:
        check_settings(self)
        if bool(self.certfile) != bool(self.keyfile):
            raise ConfigError("TLS needs a certificate and its key; give both --certfile and --keyfile.")
        if self.public and not self.certfile:
            raise ConfigError(
                "a public dashboard sends its token over the network; give --certfile and --keyfile, or leave out "
                "--public and put a reverse proxy with TLS in front of it."
            )
        self.tls()

    def tls(self) -> ssl.SSLContext | None:
        """What encrypts; None without a certificate."""
        if not self.certfile:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(Path(self.certfile).expanduser(), Path(self.keyfile).expanduser())
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"the certificate {self.certfile} with the key {self.keyfile} cannot be used ({error}); give PEM files "
                "that belong together."
            ) from error
        return context

    def places(self, with_engine: bool = False) -> int:
        """How many pages may be open at a time; more fit where an engine elsewhere draws for them."""
        return self.most_pages or pages_that_fit(free_mb(), PAGE_WITH_ENGINE_MB if with_engine else PAGE_MB)


def pages_that_fit(free: float, page_mb: float = PAGE_MB) -> int:
    """How many drawing pages so much free memory in MB holds, with some of it left over; one at least.

    Examples
    --------
    >>> pages_that_fit(8_000, 160), pages_that_fit(100)
    (40, 1)
    """
    return max(1, int(free * (1 - KEPT_FREE) / page_mb))


def free_mb() -> float:
    """Memory in MB that processes can still have: the machine's, or that of the container around this one."""
    free = psutil.virtual_memory().available / 1e6
    try:
        most = int((_CGROUP / "memory.max").read_text())
        return min(free, (most - int((_CGROUP / "memory.current").read_text())) / 1e6)
    except (OSError, ValueError):  # no container, or one without a limit
        return free
