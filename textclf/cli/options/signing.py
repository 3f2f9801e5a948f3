"""The ``--sign`` option, and the private keys that ``train`` and ``sign`` use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textclf.errors import UsageError

if TYPE_CHECKING:
    from textclf.registry.registry import Registry
    from textclf.registry.signing import Signer

SignKey = Annotated[
    Path | None,
    typer.Option(
        "--sign",
        metavar="KEY",
        rich_help_panel="Versioning",
        help="Sign the version with this Ed25519 private key (PEM).",
    ),
]


def publishing_signer(registry: Registry, key: Path | None) -> Signer | None:
    """Load the key that signs a version to be published, if it is to be signed.

    Raises:
        UsageError: the registry would refuse the version for lack of the right signature. This is
            checked before a long search, not after it.
    """
    if key:
        return load_required_signer(registry, key)
    if registry.signed_by:
        raise UsageError(
            f"require_signature is set ({registry.signed_by.path}), and this version would have no "
            "signature",
            hint="textclf train --sign KEY",
        )
    return None


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
