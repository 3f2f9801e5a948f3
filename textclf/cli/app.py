"""The application: commands, settings, and errors as exit codes."""

from __future__ import annotations

import gc
import io
import os
import sys
import traceback
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer
from typer.main import get_command

from textclf import machine_code
from textclf._version import __version__
from textclf.cli import completion, failures
from textclf.cli.command import WIDTH, Command, CommandGroup, Group, load_command
from textclf.cli.interrupts import InterruptedChange, obey_interrupts
from textclf.cli.options.settings import defaults_for, read_settings
from textclf.cli.output import render
from textclf.formatting import first_line

_STDERR = 2

_COMMANDS = {
    "train": "Train",
    "publish": "Train",
    "check": "Train",
    "warmup": "Train",
    "predict": "Use",
    "pick": "Use",
    "evaluate": "Use",
    "serve": "Use",
    "versions": "Manage versions",
    "promote": "Manage versions",
    "rollback": "Manage versions",
    "history": "Manage versions",
    "verify": "Manage versions",
    "reproduce": "Manage versions",
    "sign": "Manage versions",
    "mirror": "Manage versions",
    "doctor": "Manage versions",
    "cache": "Manage versions",
    "mlflow": "Manage versions",
}
"""The commands, named like their modules, and the panel of the help that lists each."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"textclf {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-v",
            callback=_print_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Train, version, compare, promote and serve text classifiers.

    Examples:
      textclf train reviews.csv
      textclf predict "this is great"
      textclf versions list

    More: textclf COMMAND --help, README.md, docs/cli.md
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        return
    if context.obj:
        context.default_map = defaults_for(context, context.obj)


def application(names: Iterable[str] = _COMMANDS, inner: str | None = None) -> typer.Typer:
    """Build the command line with all commands, or only some.

    Args:
        names: the commands.
        inner: the command of a group that is built alone; all if the group has none of this name.
    """
    app = typer.Typer(
        name="textclf",
        cls=Group,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_root)
    for name in names:
        command = load_command(f"{name}.{name}")
        if isinstance(command, CommandGroup):
            app.add_typer(command.build(inner), rich_help_panel=_COMMANDS[name])
        else:
            app.command(cls=Command, rich_help_panel=_COMMANDS[name])(command)
    return app


def main() -> None:
    """Run the command line of this process and exit."""
    _prepare_streams()
    _prepare_warnings()
    machine_code.on_problem = render.warning
    obey_interrupts()
    code = run(sys.argv[1:])
    if code == failures.INTERRUPTED:
        os._exit(code)  # an orderly exit aborts while threads are in compiled code
    gc.freeze()  # at its end Python would look through all objects twice
    sys.exit(code)


def _prepare_streams() -> None:
    """Replace closed streams, write UTF-8 to pipes, and escape what cannot be encoded."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass  # else the next file opened would be the stream, and libraries would write to it
    os.close(descriptor)
    sys.stdout, sys.stderr = sys.stdout or _null_stream(), sys.stderr or _null_stream()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding=None if stream.isatty() else "utf-8", errors="backslashreplace"
            )


def _prepare_warnings() -> None:
    """Print a library's warning as one line, like textclf's own, and only once."""
    printed = set[str]()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        line = first_line(message)
        if line not in printed:
            printed.add(line)
            render.warning(line)

    warnings.showwarning = show


def _null_stream() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def run(arguments: Sequence[str]) -> int:
    """Run one command and report any error on stderr.

    Returns:
        The exit code.
    """
    render.name_registry("")
    try:
        code = _call(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the pipe has ended
        _drop_unwritten()
        return 1
    except InterruptedChange:
        failure = failures.INTERRUPTED_CHANGE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place to say it
        if os.environ.get("TEXTCLF_DEBUG"):
            traceback.print_exc()
        follows = _follows_interrupt(error)
        failure = failures.INTERRUPTION if follows else failures.describe(error)
    else:
        if code != failures.INTERRUPTED:
            return code or 0
        failure = failures.INTERRUPTION
    _drop_unwritten()
    return failures.show(failure, arguments)


def _call(arguments: Sequence[str]) -> int | None:
    """Call the command. It is built alone, for building all of them takes 50 ms.

    All are built where there are settings, which may name any command, and where help may list all.
    """
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    if arguments and arguments[0] in completion.FLAGS:
        completion.run(*arguments[:2])
        return None
    settings = {} if all(word.startswith("-") for word in arguments) else read_settings()
    first = set(arguments[:1])
    named = _COMMANDS.keys() & first
    is_alone = not settings and (named or first & {"--version", "-v"})
    command = get_command(application(named, *arguments[1:2]) if is_alone else application())
    if not gc.isenabled():  # `textclf.cli.main` has disabled it
        gc.freeze()
        gc.enable()
    code = command(list(arguments), prog_name="textclf", standalone_mode=False, obj=settings)
    return code if isinstance(code, int) else None


def _follows_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C caused an error, as where compiled code returned a result all the same."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _drop_unwritten() -> None:
    """Write the rest of the answer or drop it, so that Python does not fail on it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
