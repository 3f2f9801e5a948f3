"""Answers HTTP requests with the promoted version, and shows the registry as web pages.

It imports the registry, prediction, evaluation, release and the building blocks of the report; only
the command line imports it. It needs the extra ``serve``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textclf.server.app import app_for

__all__ = ["app_for"]


def __getattr__(name: str) -> Any:
    if name != "app_for":
        raise AttributeError(f"module 'textclf.server' has no attribute {name!r}")
    from textclf.server.app import app_for

    return app_for
