"""Who is told of promotions: named by an argument, a variable or the user's own settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.release.user_settings import read_user_settings, user_settings_file

if TYPE_CHECKING:
    from textclf.release.notify import Recipient

_SECRET = "TEXTCLF_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class _Setting:
    """A setting, where it comes from, and whether somebody typed it now."""

    value: str
    source: str
    typed: bool = False


def find_recipients(
    on_promote: str | None = None, webhook: str | None = None, *, prefix: str = ""
) -> list[Recipient]:
    """Return who is told of promotions.

    An argument counts more than a variable, and a variable more than the user's own settings; an
    empty argument turns it off.

    Args:
        on_promote: the command to run.
        webhook: the URL to send the record to.
        prefix: what stands before the names of the arguments in messages.

    Raises:
        UsageError: one of them is not valid, or the settings are not.
    """
    own = read_user_settings()
    command = _setting("on_promote", on_promote, own, prefix)
    url = _setting("webhook", webhook, own, prefix)
    recipients: list[Recipient] = []
    if command and command.value:
        from textclf.release.notify import Command

        recipients += [Command.parse(command.value, command.source, typed=command.typed)]
    if url and url.value:
        from textclf.release.webhook import Webhook

        secret = os.environ.get(_SECRET) or own.get("webhook_secret")
        recipients += [Webhook.parse(url.value, secret, url.source)]
    return recipients


def _setting(name: str, given: str | None, own: Mapping[str, str], prefix: str) -> _Setting | None:
    variable = f"TEXTCLF_{name.upper()}"
    if given is not None:
        option = name.replace("_", "-") if prefix else name
        return _Setting(given, f"{prefix}{option}", typed=True)
    if value := os.environ.get(variable):
        return _Setting(value, variable)
    return _Setting(own[name], f"{user_settings_file()}: {name}") if name in own else None
