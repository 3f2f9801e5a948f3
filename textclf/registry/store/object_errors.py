"""What obstore raises, as sentences: the reason in the store's words, without what is secret."""

from __future__ import annotations

import re
from typing import Final

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from textclf.errors import AccessDenied, StoreError, Unreachable
from textclf.registry.store.location import without_secrets

FAILURES: Final = (BaseError, NotImplementedError, ValueError, OSError)
"""What obstore raises. A key that does not exist is a FileNotFoundError, an OSError."""

_LOST_PLACES = ("NoSuchBucket", "ContainerNotFound", "FilesystemNotFound")
"""The codes of S3, Google and Azure for a bucket that does not exist."""

_PLAIN_WORDS = {
    **dict.fromkeys(_LOST_PLACES, "the bucket does not exist"),
    "redirect without LOCATION": "the bucket is in another region; textclf doctor says in which",
}
_LONGEST = 300
_DENIED = "access denied (403)"
_OR_MISSING = "; where the credentials may not list the bucket, missing files are answered so, too"


class EndlessConflict(StoreError):
    """The store says each time that another writer was faster, and none was."""


def is_missing(error: BaseException) -> bool:
    """Whether a request failed because a key does not exist, and not its whole bucket."""
    return isinstance(error, FileNotFoundError) and not any(
        code in str(error) for code in _LOST_PLACES
    )


def kind(error: BaseException) -> type[StoreError]:
    """Return the class of the error that a failed request becomes."""
    if _is_denied(error):
        return AccessDenied
    if re.search(r"HTTP error|non-2xx status code: 5\d\d", _first_paragraph(str(error))):
        return Unreachable
    return StoreError


def _is_denied(error: BaseException) -> bool:
    """Whether the credentials are not enough; of a listing obstore only shows the number."""
    is_known = isinstance(error, PermissionDeniedError | UnauthenticatedError)
    return is_known or "status code: 403" in _first_paragraph(str(error))


def reason(error: BaseException, verb: str = "") -> str:
    """Return why a request failed, as the end of a sentence.

    Args:
        error: what obstore raised.
        verb: what the request was for: ``read``, ``write`` and so on.
    """
    text = str(error)
    if "HTTP error" in _first_paragraph(text):
        return _no_answer(text)
    for sign, why in _PLAIN_WORDS.items():
        if sign in text:
            return why
    code = _element("Code", text)
    if isinstance(error, UnauthenticatedError):
        return "the credentials are not accepted (401)"
    if _is_denied(error) and code in (None, "AccessDenied"):
        return _DENIED + (_OR_MISSING if verb == "read" else "")
    if code:
        message = (_element("Message", text) or "").partition(" RequestId:")[0]
        return f"{code}: {message.rstrip('.')}" if message else code
    return without_secrets(_first_paragraph(text))[:_LONGEST].rstrip(" :.")


def _no_answer(text: str) -> str:
    """Return which server does not answer, and why, going by the debug output of the library."""
    server = re.search(r"https?://[^/\s?]+", without_secrets(text))
    if re.search(r"kind: Timeout|TimedOut", text):
        why = "no answer in time"
    elif "InvalidCertificate" in text:
        why = "its certificate is not trusted: AWS_CA_BUNDLE names more of them"
    elif "InvalidMessage" in text:
        why = "it does not speak TLS, so its URL may begin with http://"
    else:
        causes = re.findall(r'(?:message|error): "([^"]+)"', text)
        why = causes[-1] if causes else "no connection"
    return f"{server[0] if server else 'the store'} cannot be reached ({why})"


def _element(name: str, text: str) -> str | None:
    """Return the text of an element of the XML that a store answered."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return " ".join(found[1].split()) if found else None


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\nDebug source:", maxsplit=1)[0].split())
