"""Every error a user can meet.

EdgeGANError
├── ConfigError       an option is out of its range or contradicts another
├── DataError         a picture, folder, sketch or drawing cannot be used
├── ModelError        a model folder or checkpoint cannot be used
├── PreparationError  preparing data had to stop; what was made stays
├── StoppedError      the user stopped it
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
    "ModelError",
    "PreparationError",
    "StoppedError",
    "TrainingError",
]


class EdgeGANError(Exception):
    """Base of all errors that this package raises on purpose."""


class ConfigError(EdgeGANError, ValueError):
    """An option is out of its range or contradicts another."""


class DataError(EdgeGANError, ValueError):
    """A picture, folder, sketch or drawing cannot be used."""


class ModelError(EdgeGANError):
    """A model folder or checkpoint cannot be used."""


class PreparationError(EdgeGANError):
    """Preparing data had to stop; what was made stays, and the same command goes on."""


class StoppedError(EdgeGANError):
    """The user stopped what was being done."""


class TrainingError(EdgeGANError):
    """Training cannot start, or had to stop; what was saved stays saved."""


class DependencyError(EdgeGANError, ImportError):
    """An optional library is not installed; the message holds the exact install line."""
