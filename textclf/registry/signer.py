"""The private key that signs a version, checked before the work that it is needed for."""

from __future__ import annotations

from pathlib import Path

from textclf.errors import UsageError
from textclf.registry.reader import RegistryReader
from textclf.registry.signing import Signer, load_signer


def publishing_signer(registry: RegistryReader, key: Path | None) -> Signer | None:
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
            hint="--sign KEY, in Python sign=KEY, signs it",
        )
    return None


def load_required_signer(registry: RegistryReader, path: Path) -> Signer:
    """Load a private key. Raises UsageError if the registry requires another key's signature."""
    sign = load_signer(path)
    required = registry.signed_by
    if required and not required.verifies(sign(b"textclf"), b"textclf"):
        raise UsageError(
            f"{path} is not the private key of {required.path}, whose signature is required"
        )
    return sign
