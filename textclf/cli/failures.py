"""What is said of a command that failed: a sentence and a hint for people, or one JSON object."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import typer

from textclf.cli.options.settings import read_settings
from textclf.cli.output import render
from textclf.errors import TextclfError
from textclf.formatting import escape_controls

INTERRUPTED = 130


def _either(names: str) -> str:
    return " or ".join(names.rsplit(", ", 1))


class Failure(NamedTuple):
    """Why a command failed.

    Attributes:
        kind: the kind of the error, for programs: see `textclf.errors`.
        message: one sentence.
        hint: how to go on; ``None`` where the way is not known.
        exit_code: the exit code of the command.
        details: further lines, such as the rows that are bad.
    """

    kind: str
    message: str
    hint: str | None = None
    exit_code: int = 1
    details: tuple[str, ...] = ()


INTERRUPTION = Failure(
    "interrupted", "interrupted; no change was left incomplete", None, INTERRUPTED
)
INTERRUPTED_CHANGE = Failure(
    "interrupted",
    "interrupted in the middle of a change",
    "textclf verify shows what is incomplete, textclf verify --repair repairs it",
    INTERRUPTED,
)


_WORDING: Final[tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]] = (
    (r"a valid int(eger)?( range)?", "a whole number"),
    (r"a valid float( range)?", "a number"),
    (r"is not in the range x>=(\d+)", r"is less than \1"),
    (r"is not in the range (\d+)<=x<=(\d+)", r"is not from \1 to \2"),
    (
        r"[Gg]ot unexpected extra arguments?(?:\(s\))? \((.*)\)",
        r"got an unexpected extra argument: \1",
    ),
    (r"\(env var: '\[(.*)\]'\)", r"(env var: \1)"),  # several
    (r"\. Did you mean (.*)\?", r"; did you mean \1?"),
    (r" \(Possible options: (.*)\)", lambda found: f"; did you mean {_either(found[1])}?"),
    (r"'\[(\w+)\]'", r"'\1'"),
    (r"^[A-Z](?=[a-z])", lambda first: first[0].lower()),
    (r"\.$", ""),
)
"""How the messages of Click are worded like the others."""


def describe(error: BaseException) -> Failure:
    """Return what is said of an error."""
    match error:
        case TextclfError():
            return Failure(error.kind, error.message, error.hint, error.exit_code, error.details)
        case typer.TyperException():
            return Failure(
                "usage", _as_a_clause(error.format_message()), _usage_hint(error), error.exit_code
            )
        case OSError():  # such as a full disk that stdout is written to
            path = f"{error.filename}: " if error.filename else ""
            return Failure("system", f"{path}{error.strerror or error}")
        case typer.Abort(__cause__=EOFError() as cause):  # which Typer takes for Ctrl-D
            return describe(cause)
        case MemoryError():
            hint = "use fewer candidates, fewer --jobs, or a larger machine"
            return Failure("memory", "out of memory", hint)
    return Failure(
        "unexpected",
        f"unexpected {type(error).__name__}: {error}",
        "this is a bug in textclf, please report it; TEXTCLF_DEBUG=1 shows the traceback",
    )


def _as_a_clause(message: str) -> str:
    for pattern, words in _WORDING:
        message = re.sub(pattern, words, message)
    return message


def _usage_hint(error: typer.TyperException) -> str | None:
    context: Any = getattr(error, "ctx", None)
    if context is None:
        return None
    unknown = getattr(error, "option_name", None)
    suggested = getattr(error, "possibilities", None)
    if unknown and context.parent is None and not suggested:
        return f"options stand after the command: textclf COMMAND {unknown}"
    if unknown and context.info_name == "predict" and not suggested:
        return "put -- before a text that begins with a dash: textclf predict -- TEXT"
    return f"{context.command_path} --help"


def show(failure: Failure, arguments: Sequence[str]) -> int:
    """Write a failure to stderr, as JSON where the command was asked for JSON.

    Returns:
        The exit code.
    """
    if failure.hint:
        failure = failure._replace(hint=render.with_registry(failure.hint))
    if _asks_for_json(arguments):
        render.json_error(_without_controls(failure)._asdict())
    else:
        render.error(failure.message, failure.hint, failure.details)
    return failure.exit_code


def _without_controls(failure: Failure) -> Failure:
    hint = None if failure.hint is None else escape_controls(failure.hint)
    details = tuple(map(escape_controls, failure.details))
    message = escape_controls(failure.message)
    return Failure(failure.kind, message, hint, failure.exit_code, details)


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether the answer would be JSON; read from the words, which may not be a valid command."""
    words = list(arguments)
    options = words[: words.index("--")] if "--" in words else words
    if {"--json", "--format=json"} & {*options}:
        return True
    if ("--format", "json") in itertools.pairwise(options):
        return True
    with contextlib.suppress(TextclfError, OSError):
        settings = read_settings()
        tables = [settings, *(settings.get(word) for word in options[:1])]
        return any(table.get("json") is True for table in tables if isinstance(table, dict))
    return False
