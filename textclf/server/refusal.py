"""Requests that are not answered as asked, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping

from textclf.errors import GateRefused, NoSuchVersion, TextclfError, Unreachable, UsageError


class Refusal(Exception):
    """A request cannot be answered.

    Args:
        status: the HTTP status.
        message: a sentence that says what is wrong and where.
        reason: a word for ``textclf_rejected_total``.
        headers: further headers of the answer.
    """

    def __init__(
        self, status: int, message: str, reason: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason
        self.headers = dict(headers or {})

    @classmethod
    def invalid(cls, message: str) -> Refusal:
        """Return the refusal of a request that makes no sense."""
        return cls(422, message, "invalid")

    @classmethod
    def too_large(cls, message: str) -> Refusal:
        """Return the refusal of a request that is over a limit."""
        return cls(413, message, "too_large")

    @classmethod
    def overloaded(cls, message: str, reason: str) -> Refusal:
        """Return the refusal of a request that may be sent again in a second."""
        return cls(429, message, reason, {"retry-after": "1"})

    @classmethod
    def not_found(cls, message: str) -> Refusal:
        """Return the refusal of a request for something that does not exist."""
        return cls(404, message, "not_found")


def as_refusal(error: Refusal | TextclfError) -> Refusal:
    """Return the refusal that an error of the registry means."""
    match error:
        case Refusal():
            return error
        case NoSuchVersion():
            return Refusal.not_found(error.message)
        case UsageError():
            return Refusal.invalid(error.message)
        case GateRefused():
            return Refusal(409, error.message, "gate")
        case Unreachable():
            return Refusal(503, error.message, "unreachable", {"retry-after": "1"})
        case _:
            return Refusal(500, error.message, "registry")
