"""``textclf warmup``: compile ahead, as when an image is built."""

from __future__ import annotations

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import render
from textclf.errors import TextclfError
from textclf.formatting import duration, escape_controls, plural


@option_groups
def warmup(*, common: CommonOptions) -> None:
    """Compile what training and prediction need, for example while an image is built.

    Examples:
      textclf warmup
      textclf warmup --quiet
      textclf warmup --json

    More: docs/deployment.md
    """
    with common.phases() as show_phase:
        show_phase("compiling")
        from textclf.training.warmup import compile_ahead

        result = compile_ahead()
    if result.folder is None:
        raise TextclfError(
            "machine code cannot be kept: no folder can be written to",
            hint="XDG_CACHE_HOME names another place",
        )
    if common.as_json:
        render.json(result)
        return
    there = f", {result.loaded} were there" if result.loaded else ""
    render.line(
        f"{plural(result.compiled, 'function')} compiled in {duration(result.seconds)}{there}: "
        f"{escape_controls(result.folder)}"
    )
