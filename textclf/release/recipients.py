"""Who is told of promotions: named by an argument, a variable or the user's own settings.

The user's own settings, ``$XDG_CONFIG_HOME/textclf/config.toml``, hold what belongs to a person and
not to a project, and may therefore name what no file in the working folder may: a program to run, a
server to tell, a secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textclf import files
from textclf.errors import UsageError
from textclf.formatting import suggestion

if TYPE_CHECKING:
    from textclf.release.notify import Recipient


_SECRET = "TEXTCLF_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable

_KNOWN = ("on_promote", "webhook", "webhook_secret")
"""What the user's own settings may have."""


class _Setting(NamedTuple):
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


def user_settings_file() -> Path | None:
    """Return where the file is, if there is a place for it: without a home there is none."""
    folder = files.user_folder("XDG_CONFIG_HOME", "~/.config")
    return folder and folder / "config.toml"


def read_user_settings() -> dict[str, str]:
    """Return the settings, which may be empty. Raises UsageError."""
    path = user_settings_file()
    if path is None or not path.exists():
        return {}
    settings = files.read_settings(path)
    for name, value in settings.items():
        if name not in _KNOWN:
            hint = suggestion(name, _KNOWN, f"it has {', '.join(_KNOWN)}")
            raise UsageError(f"{path}: there is no setting {name!r}", hint=hint)
        if not isinstance(value, str):
            raise UsageError(f"{path}: {name} is not a text")
    if "webhook_secret" in settings and files.others_can_read(path):
        raise UsageError(f"{path} holds a secret, and others can read it", hint=f"chmod 600 {path}")
    return settings
