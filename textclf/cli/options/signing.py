"""The ``--sign`` option."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SignKey = Annotated[
    Path | None,
    typer.Option(
        "--sign",
        metavar="KEY",
        rich_help_panel="Versioning",
        help="Sign the version with this Ed25519 private key (PEM).",
    ),
]
