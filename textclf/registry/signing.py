"""Ed25519 keys in PEM files, to sign versions and to check who signed them.

What is signed is a version's ``metadata.json``, byte for byte. It has the digests of the version's
other files, so one signature covers all of them. A signature is the 64 bytes that OpenSSL writes
and reads, too. The cryptography library is loaded when a key is used, and not before.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from textclf.errors import TextclfError, UsageError, how_to_install
from textclf.files import others_can_read, read_bytes

Signer = Callable[[bytes], bytes]
"""Returns the signature of some bytes."""

PASSWORD = "TEXTCLF_KEY_PASSWORD"  # noqa: S105 - the name of the variable that holds it
_LARGEST_KEY = 1 << 20
_CREATE_KEY = "openssl genpkey -algorithm ed25519 -out textclf.key"


class PublicKey:
    """A public key in a PEM file, which is read when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def __reduce__(self) -> tuple[type[PublicKey], tuple[Path]]:
        return PublicKey, (self.path.absolute(),)  # wherever the other process runs

    def require_usable(self) -> None:
        """Raise what `verifies` would, if there is no signature to check."""
        _ = self._key

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether a signature of some bytes was made with the private key of this one.

        Raises:
            UsageError: the file cannot be read or is not an Ed25519 public key.
            TextclfError: the cryptography library is not installed.
        """
        key = self._key
        from cryptography.exceptions import InvalidSignature

        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _key(self) -> Any:
        serialization, ed25519 = _cryptography()
        data = _read(self.path)
        if b"PRIVATE KEY-----" in data:
            raise UsageError(
                f"{self.path} is a private key; checking signatures takes the public key",
                hint=f"openssl pkey -in {self.path} -pubout -out textclf.pub",
            )
        key = _parse(serialization.load_pem_public_key, data)
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise UsageError(
                f"{self.path} is not an Ed25519 public key in a PEM file",
                hint="openssl pkey -in textclf.key -pubout -out textclf.pub",
            )
        return key


def load_signer(path: Path) -> Signer:
    """Return a function that signs with the private key in a PEM file.

    An encrypted key is opened with the password in the environment variable `PASSWORD`.

    Raises:
        UsageError: the file cannot be read, other users can read it, too, it is not an Ed25519
            private key, or the password is wrong.
        TextclfError: the cryptography library is not installed.
    """
    serialization, ed25519 = _cryptography()
    data = _read(path)
    password = os.environ.get(PASSWORD, "").encode() if b"ENCRYPTED" in data else None
    if password == b"":
        raise UsageError(f"{path} is encrypted", hint=f"set its password in {PASSWORD}")
    key = _parse(serialization.load_pem_private_key, data, password)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        wrong = f", or {PASSWORD} is not its password" if password else ""
        raise UsageError(
            f"{path} is not an Ed25519 private key in a PEM file{wrong}",
            hint=f"to make one: {_CREATE_KEY}",
        )
    if others_can_read(path):
        raise UsageError(f"{path} is a private key that others can read", hint=f"chmod 600 {path}")
    sign: Signer = key.sign
    return sign


def _cryptography() -> tuple[ModuleType, ModuleType]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise TextclfError(
            "signatures need the cryptography library, which is not installed",
            hint=how_to_install("sign"),
        ) from None
    return serialization, ed25519


def _parse(load: Callable[..., Any], *arguments: bytes | None) -> Any:
    try:
        return load(*arguments)
    except Exception:  # noqa: BLE001 - of the library's own types, none of which says more
        return None


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, _LARGEST_KEY)
    except OSError as error:
        raise UsageError(f"cannot read the key {path}: {error.strerror}") from None


def publishing_signer(required: PublicKey | None, key: Path | None) -> Signer | None:
    """Load the key that signs a version to be published, if it is to be signed.

    Raises:
        UsageError: the registry would refuse the version for lack of the right signature. This is
            checked before a long search, not after it.
    """
    if key:
        return load_required_signer(required, key)
    if required:
        raise UsageError(
            f"require_signature is set ({required.path}), and this version would have no signature",
            hint="--sign KEY, in Python sign=KEY, signs it",
        )
    return None


def load_required_signer(required: PublicKey | None, path: Path) -> Signer:
    """Load a private key. Raises UsageError if another key's signature is required."""
    sign = load_signer(path)
    if required and not required.verifies(sign(b"textclf"), b"textclf"):
        raise UsageError(
            f"{path} is not the private key of {required.path}, whose signature is required"
        )
    return sign
