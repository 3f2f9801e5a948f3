"""Completion for a shell that is named; without a name, Typer finds out which shell is used."""

from __future__ import annotations

from typing import Final

from textclf.cli.output import render
from textclf.errors import UsageError

_INSTALL, _SHOW = "--install-completion", "--show-completion"
FLAGS: Final = (_INSTALL, _SHOW)
_SHELLS: Final = ("bash", "zsh", "fish", "powershell", "pwsh")


def run(flag: str, shell: str) -> None:
    """Install or show the completion of a shell. Raises UsageError for an unknown one."""
    from typer import _completion_shared as completion  # Typer has no public name for it

    if shell not in _SHELLS:
        raise UsageError(f"no completion for {shell!r}", hint=f"{flag} {'|'.join(_SHELLS)}")
    if flag == _SHOW:
        script = completion.get_completion_script(
            prog_name="textclf", complete_var="_TEXTCLF_COMPLETE", shell=shell
        )
        render.line(script)
        return
    _, path = completion.install(shell=shell, prog_name="textclf", complete_var="_TEXTCLF_COMPLETE")
    render.line(f"{shell} completion installed in {path}; restart the terminal to use it")
