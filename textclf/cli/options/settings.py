"""Settings from ``textclf.toml`` or ``[tool.textclf]`` in ``pyproject.toml`` of the current folder.

A setting is an option of a command by its long name, with ``_`` or ``-``. At the top level it
applies to every command that has the option; in a table named after a command, to that command. An
option that may be repeated takes a list. ``require_signature``, at the top level, is not an option,
so that no command line can override it.

``data`` at the top level is the training data that ``train`` and ``check`` read. The ``--data`` of
other commands, rows to score, has only its name in common: it is set in the command's own table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from textclf.errors import UsageError
from textclf.formatting import escape_controls, suggestion

_OWN_FILE = Path("textclf.toml")
_SHARED_FILE = Path("pyproject.toml")
_REQUIRED_KEY = "require_signature"
_TYPED_ONLY = {
    "unsafe_load", "backend", "scheduler", "api_key", "on_promote", "webhook", "tracking_uri",
}  # fmt: skip
"""Options that run code or programs, send data away or are secrets: they are typed each time.

Whoever wrote a settings file that lies beside some data may be a stranger.
"""


def read_settings() -> dict[str, Any]:
    """Return the settings of the current folder, which may be empty. Raises UsageError."""
    if not (_OWN_FILE.is_file() or _SHARED_FILE.is_file()):
        return {}
    from textclf import files

    if _OWN_FILE.is_file():
        return files.read_settings(_OWN_FILE)
    tools = files.read_settings(_SHARED_FILE).get("tool")
    shared = tools.get("textclf", {}) if isinstance(tools, dict) else {}
    if not isinstance(shared, dict):
        raise UsageError(f"{_SHARED_FILE}: tool.textclf is not a table", hint="[tool.textclf]")
    return shared


def required_key() -> Path | None:
    """Return the path of the public key that versions must be signed for. Raises UsageError."""
    from textclf.registry.open import key_of_environment
    from textclf.registry.store.location import expand_home

    if key := key_of_environment():
        return key
    settings = {_normalised(key): value for key, value in read_settings().items()}
    if _REQUIRED_KEY not in settings:
        return None
    source, name = f"{_source()}: {_REQUIRED_KEY}", settings[_REQUIRED_KEY]
    if not isinstance(name, str) or not name:
        raise UsageError(f"{source} is not a file name", hint="name the public key, a PEM file")
    return expand_home(name, source)


def defaults_for(context: typer.Context, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as default values for the options of every command.

    Raises:
        UsageError: there is no such option or command, or a value is not valid.
    """
    commands: dict[str, Any] = getattr(context.command, "commands", {})
    tables = {name: value for name, value in settings.items() if isinstance(value, Mapping)}
    shared = {name: value for name, value in settings.items() if name not in tables}
    options = {name: _options(command) for name, command in commands.items()}
    _require_known(tables, options, "there is no command")
    _require_known(shared, {_REQUIRED_KEY}.union(*options.values()), "no command has an option")
    for name, table in tables.items():
        _require_known(table, options[_normalised(name)], f"{name} has no option")
    by_command = {_normalised(name): table for name, table in tables.items()}
    arguments = set().union(*map(_arguments, commands.values()))
    return {
        name: _defaults(
            command,
            {
                **{n: v for n, v in shared.items() if n not in arguments - _arguments(command)},
                **by_command.get(name, {}),
            },
        )
        for name, command in commands.items()
    }


def is_typed(context: typer.Context, name: str) -> bool:
    """Whether an option comes from the command line, and not from the settings or its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def option_to_ignore(context: typer.Context, first: str, second: str, why: str) -> str:
    """Return which of two options that exclude each other to ignore: the one not typed.

    Raises:
        UsageError: both are typed, or both are settings.
    """
    if context.get_parameter_source(first) == context.get_parameter_source(second):
        names = " and ".join(f"--{name.replace('_', '-')}" for name in (first, second))
        raise UsageError(f"{names} exclude each other: {why}")
    return second if is_typed(context, first) else first


def _arguments(command: Any) -> set[str]:
    """Return the names of optional arguments."""
    if hasattr(command, "commands"):
        return set()
    return {p.name for p in command.params if p.param_type_name == "argument" and _names(p)}


def _defaults(command: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    values = {_normalised(name): value for name, value in given.items()}
    if hasattr(command, "commands"):  # the settings of versions apply to list, show and so on
        return {name: _defaults(inner, given) for name, inner in command.commands.items()}
    return {
        parameter.name: _checked(parameter, option, values[option])
        for parameter in command.params
        for option in _names(parameter)
        if option in values
    }


def _checked(parameter: Any, name: str, value: Any) -> Any:
    """Return the value as it would be typed after the option; that of a flag stays a boolean."""
    if getattr(parameter, "multiple", False):
        items = value if isinstance(value, list) else [value]
        return [_checked_one(parameter, name, item) for item in items]
    return _checked_one(parameter, name, value)


def _checked_one(parameter: Any, name: str, value: Any) -> Any:
    if isinstance(value, list | dict):
        raise UsageError(f"{_source()}: {name}: takes one value, not a list or a table")
    if isinstance(value, str) and escape_controls(value) != value and value != "\t":
        raise UsageError(f"{_source()}: {name}: contains control characters: {value!r}")
    typed = value if isinstance(value, bool) else str(value)
    try:
        parameter.type(typed, parameter)
    except typer.BadParameter as error:
        raise UsageError(f"{_source()}: {name}: {error.message}") from None
    except UsageError as error:
        raise UsageError(f"{_source()}: {name}: {error.message}", hint=error.hint) from None
    return typed


def _options(command: Any) -> set[str]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        return set().union(*(_options(one) for one in inner.values()))
    return {name for parameter in command.params for name in _names(parameter)}


def _names(parameter: Any) -> set[str]:
    """Return ``{"text_column"}`` for ``--text-column``, or the name of an optional argument."""
    if parameter.required or parameter.nargs != 1:  # it must be typed each time
        return set()
    long = {_normalised(option[2:]) for option in parameter.opts if option.startswith("--")}
    return (long or {_normalised(parameter.name)}) - _TYPED_ONLY


def _normalised(name: str) -> str:
    return name.replace("-", "_").lower()


def _require_known(given: Mapping[str, Any], known: Any, problem: str) -> None:
    for name in given:
        if _normalised(name) in _TYPED_ONLY:
            raise UsageError(f"{_source()}: {name} cannot be a setting: it must be typed each time")
        if _normalised(name) not in known:
            hint = suggestion(_normalised(name), known, "see textclf --help")
            raise UsageError(f"{_source()}: {problem} {name!r}", hint=hint)


def settings_file() -> str:
    """Return the name of the file that settings are read from."""
    return str(_OWN_FILE if _OWN_FILE.is_file() else _SHARED_FILE)


def _source() -> str:
    return str(_OWN_FILE) if _OWN_FILE.is_file() else f"[tool.textclf] of {_SHARED_FILE}"
