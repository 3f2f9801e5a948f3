"""The ``--sign`` option, and the private keys that ``train`` and ``sign`` use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.cli.options.options import open_registry
from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.registry.registry import Registry
    from textclf.registry.signing import Signer

SignKey = Annotated[
    Path | None,
    typer.Option(
        "--sign", metavar="KEY", help="Sign the version with this Ed25519 private key (PEM file)."
    ),
]


def open_to_publish(models: Path, key: Path | None) -> tuple[Registry, Signer | None]:
    """Open a registry and the key that signs what will be published in it.

    Raises:
        UsageError: the version could not be published for lack of the right signature. This is
            checked before a long search, not after it.
    """
    registry = open_registry(models)
    if key:
        return registry, load_required_signer(registry, key)
    if registry.signed_by:
        raise UsageError(
            f"require_signature is set ({registry.signed_by.path}), and this version would have no "
            "signature",
            hint="textclf train --sign KEY",
        )
    return registry, None


def load_required_signer(registry: Registry, path: Path) -> Signer:
    """Load a private key. Raises UsageError if the registry requires another key's signature."""
    from textclf.registry.signing import load_signer

    sign = load_signer(path)
    required = registry.signed_by
    if required and not required.verifies(sign(b"textclf"), b"textclf"):
        raise UsageError(
            f"{path} is not the private key of {required.path}, whose signature is required"
        )
    return sign
