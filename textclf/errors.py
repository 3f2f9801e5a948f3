"""Everything that can go wrong for a reason the user can act on.

::

    TextclfError                 1  something failed
    ├── StoreError               1  the disk refuses: permissions, space, hardware
    │   ├── AccessDenied         1  the credentials may not do that
    │   └── Unreachable          1  the store does not answer
    ├── ClusterError             1  the machines that should search do not
    ├── UsageError               2  asked for in a way that cannot be done
    ├── NoSuchVersion            3  that version (or any) is not in the registry
    ├── DataError                4  the data set cannot be used as it is
    ├── GateRefused              5  a version does not meet the conditions set for it
    └── IntegrityError           6  a file is not what was published
        └── UnsafeModel          6  a model file asks for more than data

The number is the exit code of the command line, and ``kind`` names the error for programs. The
message is one sentence, and one line whatever name stands in it; ``details`` are further lines,
such as the rows that are bad; ``hint`` is how to go on, where there is a way.
"""

from collections.abc import Sequence
from typing import Any


class TextclfError(Exception):
    """Base of all errors; ``hint`` says what to do next, in words or as a command to type."""

    kind = "failed"
    exit_code = 1

    def __init__(
        self, message: str, *, hint: str | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.details = message, hint, tuple(details)

    def __str__(self) -> str:
        return "\n  ".join([self.message, *self.details])


class StoreError(TextclfError):
    """The place where models are kept cannot be read or written."""

    kind = "store"


class AccessDenied(StoreError):
    """The store does not allow that with these credentials."""

    kind = "access-denied"


class Unreachable(StoreError):
    """The store does not answer, or not now; another time it may."""

    kind = "unreachable"


class ClusterError(TextclfError):
    """A cluster cannot be reached, or cannot do the work."""

    kind = "cluster"


class UsageError(TextclfError):
    """An option, a setting or a search space makes no sense."""

    kind = "usage"
    exit_code = 2


class NoSuchVersion(TextclfError):
    """A version was named, or needed, that the registry does not hold."""

    kind = "no-such-version"
    exit_code = 3


class DataError(TextclfError):
    """A data set cannot be read, or cannot be trained or tested on."""

    kind = "data"
    exit_code = 4


class GateRefused(TextclfError):
    """A version does not meet what was required of it; ``verdict`` says how."""

    kind = "gate-refused"
    exit_code = 5

    def __init__(self, message: str, *, hint: str | None = None, verdict: Any = None) -> None:
        super().__init__(message, hint=hint)
        self.verdict = verdict


class IntegrityError(TextclfError):
    """A file differs from its recorded digest, or is damaged."""

    kind = "integrity"
    exit_code = 6


class UnsafeModel(IntegrityError):
    """A model file holds something that a textclf model never holds; it was not opened."""

    kind = "unsafe-model"


def how_to_install(extra: str) -> str:
    """Return the hint where a library of an extra is not installed."""
    return f"pip install '.[{extra}]' in the checkout of textclf"
