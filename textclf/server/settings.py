"""The settings of a server."""

from __future__ import annotations

from dataclasses import dataclass, field

from textclf.registry.store.http_client import authorization
from textclf.release.gate import Gate


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What a server serves, and how much it accepts.

    Attributes:
        version: the version to answer with: ``latest`` or another channel follows promotions, a
            number does not.
        api_key: the key that a request must carry; without one, none is asked for.
        max_body: the most bytes of the body of one request that is not streamed.
        max_texts: the most texts of one request that is not streamed.
        max_characters: the most characters of one text.
        max_queued: the most characters that wait to be labelled; further requests are refused.
        max_held: the most bytes that requests hold together, about; further ones are refused.
        max_streams: the most streamed bodies that are answered at a time.
        body_timeout: the most seconds that the body of a request may take to arrive.
        reload_interval: the seconds between two checks for a promotion.
        allow_promote: whether the pages may promote and roll back; they need a key then.
        gate: what a version must meet to be promoted on a page.
        drain: the seconds that the server goes on after it was asked to stop.
    """

    version: str = "latest"
    api_key: str | None = None
    max_body: int = 10 << 20
    max_texts: int = 10_000
    max_characters: int = 1_000_000
    max_queued: int = 20_000_000
    max_held: int = 512 << 20
    max_streams: int = 4
    body_timeout: float = 30.0
    reload_interval: float = 1.0
    allow_promote: bool = False
    gate: Gate = field(default_factory=Gate)
    drain: float = 5.0

    def __post_init__(self) -> None:
        """Raise UsageError if there is a key that no client can send."""
        authorization(self.api_key)
