"""Every error a user can meet.

EdgeGANError
├── ConfigError       an option is out of its range or contradicts another
├── DataError         a picture, folder, sketch or drawing cannot be used
├── MessageError      what came across a connection is no message of this package's
├── ModelError        a model folder or checkpoint cannot be used
├── PreparationError  preparing data had to stop; what was made stays
├── ServerError       the server that draws cannot be reached, is too busy or refuses
├── StoppedError      the user stopped it, or a newer request overtook it
├── TrainingError     training cannot start, or had to stop
└── DependencyError   an optional library is not installed

A message says what was given, what is allowed and what to do next, in one sentence.
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DataError",
    "DependencyError",
    "EdgeGANError",
    "MessageError",
    "ModelError",
    "PreparationError",
    "ServerError",
    "StoppedError",
    "TrainingError",
]


class EdgeGANError(Exception):
    """Base of all errors that this package raises on purpose."""


class ConfigError(EdgeGANError, ValueError):
    """An option is out of its range or contradicts another."""


class DataError(EdgeGANError, ValueError):
    """A picture, folder, sketch or drawing cannot be used."""


class MessageError(EdgeGANError, ValueError):
    """What came across a connection is no message of this package's; ``number`` is the request's, as far as known."""

    def __init__(self, text: str, number: int = 0) -> None:
        super().__init__(text)
        self.number = number


class ModelError(EdgeGANError):
    """A model folder or checkpoint cannot be used."""


class PreparationError(EdgeGANError):
    """Preparing data had to stop; what was made stays, and the same command goes on."""


class ServerError(EdgeGANError, ConnectionError):
    """The server that draws cannot be reached, is too busy or refuses."""


class StoppedError(EdgeGANError):
    """The user stopped what was being done, or a newer request overtook it."""


class TrainingError(EdgeGANError):
    """Training cannot start, or had to stop; what was saved stays saved."""


class DependencyError(EdgeGANError, ImportError):
    """An optional library is not installed; the message holds the exact install line."""
