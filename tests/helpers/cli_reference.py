"""The reference part of docs/cli.md, written from the commands themselves."""

import typer

from textclf.cli.app import application

COMMON = {"--models", "--json", "--quiet"}
READING = {
    *("--text-column", "--label-column", "--delimiter", "--encoding", "--header"),
    "--on-bad-rows",
}


def reference():
    """Return every command with its arguments and options, in Markdown."""
    return "\n".join(section for command in _commands() for section in _sections(*command))


def _commands(path=("textclf",), command=None):
    command = command or typer.main.get_command(application())
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), command
        return
    for name, one in inner.items():
        yield from _commands((*path, name), one)


def _sections(name, command):
    arguments = [p.metavar for p in command.params if p.param_type_name == "argument"]
    yield f"### `{' '.join([name, *arguments])}`\n"
    yield f"{command.help.partition(chr(10))[0]}\n"
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    options = [p for p in options if p.opts[0] not in COMMON]
    reading = {p.opts[0] for p in options} & READING
    if "--text-column" in reading:
        options = [p for p in options if p.opts[0] not in READING]
    if options:
        yield "\n".join(["| option | |", "|---|---|", *map(_row, options)]) + "\n"
    if "--text-column" in reading:
        missing = "".join(f", except `{name}`" for name in sorted(READING - reading))
        yield f"Also the options for [reading data](#reading-data){missing}.\n"


def _row(option):
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    choices = ", ".join(f"`{choice}`" for choice in getattr(option.type, "choices", ()))
    values = f" {choices or f'`{option.metavar}`'}" if choices or option.metavar else ""
    default = getattr(option.default, "value", option.default)
    ending = "" if default is None or default is False else f" Default: `{default}`."
    return f"| {names}{values} | {option.help}{ending} |"
