"""The user's own settings: ``$XDG_CONFIG_HOME/textclf/config.toml``.

They hold what belongs to a person and not to a project, and may therefore name what no file in the
working folder may: a program to run, a server to tell, a secret.
"""

from __future__ import annotations

import os
from pathlib import Path

from textclf import files
from textclf.errors import UsageError
from textclf.formatting import suggestion

_KNOWN = ("on_promote", "webhook", "webhook_secret")


def user_settings_file() -> Path | None:
    """Return where the file is, if there is a place for it: without a home there is none."""
    folder = files.user_folder("XDG_CONFIG_HOME", "~/.config")
    return folder and folder / "config.toml"


def read_user_settings() -> dict[str, str]:
    """Return the settings, which may be empty. Raises UsageError."""
    path = user_settings_file()
    if path is None or not path.exists():
        return {}
    try:
        settings = files.parse_toml(files.read_toml_text(path))
    except ValueError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    for name, value in settings.items():
        if name not in _KNOWN:
            hint = suggestion(name, _KNOWN, f"it has {', '.join(_KNOWN)}")
            raise UsageError(f"{path}: there is no setting {name!r}", hint=hint)
        if not isinstance(value, str):
            raise UsageError(f"{path}: {name} is not a text")
    if "webhook_secret" in settings:
        _require_private(path)
    return settings


def _require_private(path: Path) -> None:
    """Refuse one's own secret if others can read it, as ssh does."""
    status = path.stat()
    if os.name == "posix" and status.st_uid == os.getuid() and status.st_mode & 0o077:
        raise UsageError(f"{path} holds a secret, and others can read it", hint=f"chmod 600 {path}")
