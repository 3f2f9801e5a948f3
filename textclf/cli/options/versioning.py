"""Options of the commands that publish a version."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from textclf.cli.options.options import complete_version

Bump = Annotated[
    Literal["auto", "patch", "minor", "major"],
    typer.Option(
        rich_help_panel="Versioning", help="Part of the number to increase; auto infers it."
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="VERSION",
        rich_help_panel="Versioning",
        help="Base the new number on this version, not on the highest.",
        autocompletion=complete_version,
    ),
]
NoPromote = Annotated[
    bool,
    typer.Option("--no-promote", rich_help_panel="Versioning", help="Publish without promoting."),
]
IncludeTexts = Annotated[
    bool,
    typer.Option(
        "--include-texts",
        rich_help_panel="Output",
        help="Show the texts of the most confident mistakes in report.html.",
    ),
]
