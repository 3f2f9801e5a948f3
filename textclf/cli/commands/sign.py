"""``textclf sign``: sign a version that is published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Version
from textclf.cli.output import render
from textclf.formatting import escape_controls

Key = Annotated[
    Path,
    typer.Option("--key", metavar="KEY", help="The Ed25519 private key (PEM file)."),
]


@dataclass(frozen=True)
class SignAnswer:
    """The JSON of ``textclf sign``."""

    version: str
    signature: str


@option_groups
def sign(version: Version, *, key: Key, common: CommonOptions) -> None:
    """Sign a version that was published unsigned, or signed with another key.

    Examples:
      textclf sign 1.0.0 --key textclf.pem
      textclf sign latest --key textclf.pem
      TEXTCLF_KEY_PASSWORD=… textclf sign latest --key encrypted.pem

    More: docs/security.md
    """
    from textclf.registry.signing import load_required_signer

    registry = common.open_registry(to_write=True)
    resolved = registry.resolve(version)
    signature = registry.sign(resolved, load_required_signer(registry.signed_by, key))
    with render.answer_to_change(lambda: f"signed {resolved}"):
        if common.as_json:
            render.json(SignAnswer(str(resolved), signature))
            return
        render.sentence(f"signed {render.strong(str(resolved))}: {escape_controls(signature)}")
    common.hint("textclf verify --key PUB checks the signature")
