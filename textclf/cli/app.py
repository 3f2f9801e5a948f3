"""The application: commands, settings, and errors as exit codes."""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer

from textclf._version import __version__
from textclf.cli.interrupts import CutShort, obey_interrupts
from textclf.cli.options.settings import defaults_for, read_settings
from textclf.cli.output import render
from textclf.errors import TextclfError

INTERRUPTED = 130

_COMMANDS = {
    "train": ("Make", "train"),
    "check": ("Make", "check"),
    "predict": ("Use", "predict"),
    "evaluate": ("Use", "evaluate"),
    "versions": ("Manage", "versions"),
    "promote": ("Manage", "promote"),
    "rollback": ("Manage", "promote"),
    "history": ("Manage", "history"),
    "verify": ("Manage", "verify"),
    "reproduce": ("Manage", "reproduce"),
    "sign": ("Manage", "sign"),
}
"""Of each command the panel of the help it stands in, and its module."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"textclf {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Train, version, compare, promote and serve text classifiers; no server to run."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        return
    if context.obj:
        context.default_map = defaults_for(context, context.obj)


def application(names: Iterable[str] = _COMMANDS) -> typer.Typer:
    """The command line, with all commands or only some."""
    app = typer.Typer(
        name="textclf",
        help="Train, version, compare, promote and serve text classifiers; no server to run.",
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_root)
    for name in names:
        panel, module = _COMMANDS[name]
        command = getattr(importlib.import_module(f"textclf.cli.commands.{module}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(command)
    return app


def main() -> None:
    """Run the command line of this process and exit."""
    _prepare_streams()
    _prepare_warnings()
    obey_interrupts()
    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        os._exit(code)  # threads may still be in compiled code; to end in order would abort
    sys.exit(code)


def _prepare_streams() -> None:
    """Closed streams swallow; what goes to a program is UTF-8; names that are no text are shown."""
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding=None if stream.isatty() else "utf-8", errors="backslashreplace"
            )


def _prepare_warnings() -> None:
    """What libraries warn of is a line like any other warning, once."""
    told = set[str]()

    def tell(message: Warning | str, *_: object, **__: object) -> None:
        line = str(message).strip().partition("\n")[0]
        if line not in told:
            told.add(line)
            render.warning(line)

    warnings.showwarning = tell


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def run(arguments: Sequence[str]) -> int:
    """Run one command; whatever goes wrong is told on stderr.

    Returns:
        The exit code.
    """
    try:
        code = _call(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone
        _drop_unwritten()
        return 1
    except CutShort:
        _drop_unwritten()
        render.error(
            "interrupted in the middle of a change",
            "textclf verify says what is left of it, verify --repair mends it",
        )
        return INTERRUPTED
    except (KeyboardInterrupt, typer.Abort):
        _drop_unwritten()
        return _interrupted()
    except Exception as error:  # noqa: BLE001 - the last place where it can become a sentence
        if os.environ.get("TEXTCLF_DEBUG"):
            traceback.print_exc()
        _drop_unwritten()
        if isinstance(error.__cause__, KeyboardInterrupt):  # in compiled code, as it returned
            return _interrupted()
        return _tell(error)
    return _interrupted() if code == INTERRUPTED else code or 0


def _call(arguments: Sequence[str]) -> int | None:
    """Call the command that is named, which is built alone: to import and build all takes 50 ms.

    With settings, which may name any of them, all are.
    """
    named = [word for word in arguments if not word.startswith("-")][:1]
    settings = read_settings() if named else {}
    known = not settings and _COMMANDS.keys() & named
    app = application(known or _COMMANDS)
    code = app(list(arguments), prog_name="textclf", standalone_mode=False, obj=settings)
    return code if isinstance(code, int) else None


def _drop_unwritten() -> None:
    """Write what is left of the answer, or drop it, or Python complains again at its own exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupted() -> int:
    render.error("interrupted; nothing was left half done")
    return INTERRUPTED


def _tell(error: Exception) -> int:
    match error:
        case TextclfError():
            render.error(error.message, error.hint, error.details)
            return error.exit_code
        case typer.TyperException():
            render.error(error.format_message(), _usage_hint(error))
            return error.exit_code
        case OSError():  # such as a full disk under stdout
            where = f"{error.filename}: " if error.filename else ""
            render.error(f"{where}{error.strerror or error}")
        case MemoryError():
            render.error("out of memory", "fewer candidates, fewer --jobs, or a larger machine")
        case _:
            render.error(
                f"unexpected {type(error).__name__}: {error}",
                "this is a bug of textclf; TEXTCLF_DEBUG=1 shows where, please report it",
            )
    return 1


def _usage_hint(error: typer.TyperException) -> str | None:
    context = getattr(error, "ctx", None)
    if context and context.info_name == "predict" and "No such option" in error.format_message():
        return "a text that begins with a dash comes after --: textclf predict -- TEXT"
    return f"{context.command_path} --help" if context else None
