"""``textclf sign``, and the signatures that other commands make and require."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.options import (
    DEFAULT_MODELS,
    AsJson,
    Models,
    Quiet,
    Version,
    open_registry,
)
from textclf.cli.output import render
from textclf.errors import UsageError
from textclf.formatting import escape_controls

if TYPE_CHECKING:
    from textclf.registry.registry import Registry
    from textclf.registry.signing import Signer

SignKey = Annotated[
    Path | None,
    typer.Option(
        "--sign", metavar="KEY", help="Sign the version with this Ed25519 private key (PEM file)."
    ),
]
Key = Annotated[
    Path,
    typer.Option("--key", metavar="KEY", help="The Ed25519 private key (PEM file)."),
]


def sign(
    version: Version,
    key: Key,
    models: Models = DEFAULT_MODELS,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Vouch for a version that was published unsigned, or signed with another key."""
    registry = open_registry(models)
    found = registry.resolve(version)
    signature = registry.sign(found, _signer(registry, key))
    if as_json:
        render.json({"version": str(found), "signature": signature})
        return
    render.line(f"signed {render.strong(str(found))}: {escape_controls(signature)}")
    render.hint("textclf verify --key PUB checks it", quiet=quiet)


def open_to_publish(models: Path, key: Path | None) -> tuple[Registry, Signer | None]:
    """The registry, and how a version to come is signed. Raises UsageError if it would be refused.

    That is said now, and not when a long search is done.
    """
    registry = open_registry(models)
    if key:
        return registry, _signer(registry, key)
    if registry.signed_by:
        raise UsageError(
            f"require_signature is set ({registry.signed_by.path}), and this version would have no "
            "signature",
            hint="textclf train --sign KEY",
        )
    return registry, None


def _signer(registry: Registry, path: Path) -> Signer:
    from textclf.registry.signing import load_signer

    sign = load_signer(path)
    required = registry.signed_by
    if required and not required.verifies(sign(b"textclf"), b"textclf"):
        raise UsageError(
            f"{path} is not the private key of {required.path}, whose signature is required"
        )
    return sign
