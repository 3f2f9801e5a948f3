"""Webhooks: records of promotions, signed and sent by HTTP.

The headers are those of Standard Webhooks 1.0 (https://www.standardwebhooks.com), so that its
libraries verify them: ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``, which is
``v1,`` and the Base64 of HMAC-SHA256 over ``ID.TIMESTAMP.BODY``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import ipaddress
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from textclf._version import __version__
from textclf.errors import UsageError
from textclf.registry.promotion_log import PromotionRecord
from textclf.release.notify import NotTold

SECONDS: Final = 10
"""How long a request may take, from the look-up of the host's name to the status of the answer."""

_PREFIX: Final = "whsec_"
"""How Standard Webhooks mark a secret that is written in Base64."""


@dataclass(frozen=True)
class Webhook:
    """A server that is sent the record of each promotion.

    Attributes:
        url: where it is sent; not shown, for services put their secret into the path.
        key: what the requests are signed with; None if they are not signed.
    """

    url: str = field(repr=False)
    key: bytes | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str, secret: str | None, source: str) -> Webhook:
        """Return the webhook of a URL and a secret.

        Args:
            url: ``https://…``; ``http://`` only for this machine.
            secret: any text, or ``whsec_`` and Base64; None for requests that are not signed.
            source: what the URL comes from, for messages.

        Raises:
            UsageError: one of them is not valid; the message shows neither.
        """
        try:
            parts = urlsplit(url)
            valid = bool(parts.hostname) and parts.port != 0 and url.isascii() and url.isprintable()
        except ValueError:
            parts, valid = SplitResult("", "", "", "", ""), False
        if not valid or " " in url or parts.scheme not in ("http", "https"):
            raise UsageError(f"{source} is not a URL", hint="https://example.com/promotions")
        if parts.username is not None or parts.password is not None:
            raise UsageError(
                f"{source} holds a user name or a password, which logs would show",
                hint="TEXTCLF_WEBHOOK_SECRET signs the requests",
            )
        if parts.scheme == "http" and not _is_local(str(parts.hostname)):
            raise UsageError(
                f"{source}: what is sent to {parts.hostname} by http:// can be read and changed on "
                "the way",
                hint="https://",
            )
        return cls(url, _key(secret) if secret else None)

    @property
    def name(self) -> str:
        """The scheme and the host of the URL."""
        parts = urlsplit(self.url)
        return f"the webhook at {parts.scheme}://{parts.netloc}"

    def tell(self, record: PromotionRecord, body: bytes) -> None:
        """Send a record. Raises NotTold unless the answer has a status from 200 to 299.

        A redirection is not followed: it would send the record, and the signature that the server
        relies on, to somebody else.
        """
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self.url, body, self._headers(record, body), method="POST"
        )
        outcome: list[str | None] = []
        thread = threading.Thread(target=lambda: outcome.append(_send(request)), daemon=True)
        thread.start()
        thread.join(SECONDS)  # no time limit of a socket covers all of a request
        if not outcome:
            raise NotTold(f"did not answer within {SECONDS} s")
        if problem := outcome[0]:
            raise NotTold(problem)

    def _headers(self, record: PromotionRecord, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"textclf/{__version__}",
            "webhook-id": record.token,
            "webhook-timestamp": now,
        }
        if self.key is not None:
            signed = f"{record.token}.{now}.".encode() + body
            digest = hmac.digest(self.key, signed, hashlib.sha256)
            headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        return headers


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise UsageError(f"the secret of the webhook is not Base64 after {_PREFIX}") from None


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _send(request: urllib.request.Request) -> str | None:
    """Send a request and return what went wrong, if anything."""
    context = ssl.create_default_context()
    opener = urllib.request.build_opener(
        _NoRedirection, urllib.request.HTTPSHandler(context=context)
    )
    try:
        opener.open(request, timeout=SECONDS).close()
    except urllib.error.HTTPError as error:
        with error:
            moved = 300 <= error.code < 400  # noqa: PLR2004 - the statuses of redirections
            return f"answered {error.code}{', and redirections are not followed' if moved else ''}"
    except urllib.error.URLError as error:
        return _describe(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _describe(error)
    return None


def _describe(error: object) -> str:
    """Return what went wrong, in words that cannot hold the URL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not valid: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"did not answer within {SECONDS} s"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be reached: {error.strerror}"
    return "did not answer with HTTP"
