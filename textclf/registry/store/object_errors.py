"""What obstore raises, as sentences: the reason in the store's words, without what is secret."""

from __future__ import annotations

import re
from typing import Final

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from textclf.registry.store.location import without_secrets

FAILURES: Final = (BaseError, NotImplementedError, ValueError, OSError)
"""What obstore raises. A key that does not exist is a FileNotFoundError, an OSError."""

_LOST_PLACES = ("NoSuchBucket", "ContainerNotFound", "FilesystemNotFound")
"""The codes of S3, Google and Azure for a bucket that does not exist."""

_LONGEST = 300
_DENIED = (
    "access denied (403); where the credentials may not list the bucket, a file that does not "
    "exist is answered so, too"
)


def is_missing(error: BaseException) -> bool:
    """Whether a request failed because a key does not exist, and not its whole bucket."""
    return isinstance(error, FileNotFoundError) and not any(
        code in str(error) for code in _LOST_PLACES
    )


def reason(error: BaseException) -> str:
    """Return why a request failed, as the end of a sentence."""
    text = str(error)
    if any(code in text for code in _LOST_PLACES):
        return "the bucket does not exist"
    code = _element("Code", text)
    if isinstance(error, PermissionDeniedError) and code in (None, "AccessDenied"):
        return _DENIED
    if code:
        message = _element("Message", text)
        return f"{code}: {message.rstrip('.')}" if message else code
    if isinstance(error, UnauthenticatedError):
        return "the credentials are not accepted (401)"
    return without_secrets(_first_paragraph(text))[:_LONGEST].rstrip(" :.")


def _element(name: str, text: str) -> str | None:
    """Return the text of an element of the XML that a store answered."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return " ".join(found[1].split()) if found else None


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\nDebug source:", maxsplit=1)[0].split())
