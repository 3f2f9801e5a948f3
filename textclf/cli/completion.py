"""Completion for a shell: the one that is named, or the one that is used."""

from __future__ import annotations

from typing import Final

from textclf.cli.output import render
from textclf.errors import StoreError, UsageError

_INSTALL, _SHOW = "--install-completion", "--show-completion"
FLAGS: Final = (_INSTALL, _SHOW)
_SHELLS: Final = ("bash", "zsh", "fish", "powershell", "pwsh")


def run(flag: str, named: str | None = None) -> None:
    """Install or show the completion of a shell.

    Raises:
        UsageError: it is an unknown shell.
        StoreError: it cannot be installed for want of a home, or of rights.
    """
    from typer import _completion_shared as completion  # Typer has no public name for it

    shell = named or completion._get_shell_name() or "this shell"  # noqa: SLF001 - likewise
    if shell not in _SHELLS:
        raise UsageError(f"no completion for {shell}", hint=f"{flag} {'|'.join(_SHELLS)}")
    if flag == _SHOW:
        script = completion.get_completion_script(
            prog_name="textclf", complete_var="_TEXTCLF_COMPLETE", shell=shell
        )
        render.line(script)
        return
    try:
        _, path = completion.install(
            shell=shell, prog_name="textclf", complete_var="_TEXTCLF_COMPLETE"
        )
    except (OSError, RuntimeError) as error:  # of Path.home
        raise StoreError(f"cannot install the completion: {error}") from None
    render.line(f"{shell} completion installed in {path}; restart the terminal to use it")
