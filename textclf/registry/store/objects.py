"""The objects below a prefix of a bucket: one at a time, with the errors of obstore as sentences.

A request whose answer is lost is sent again, and then the store may say that the key exists, or has
changed, because the first one came through. So each write carries a random token in the object's
user metadata, which is read back: if it is the writer's own, the write has succeeded. S3 can also
answer a conflict where nobody has won; then the write is tried again.

No object is copied, and none is uploaded in parts: buckets may require conditional writes by
policy, and then both are refused.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

from obstore.exceptions import AlreadyExistsError, PreconditionError

from textclf.errors import StoreError
from textclf.files import LARGEST
from textclf.registry.store.base import Exists, Missing, back_off, check_key
from textclf.registry.store.object_errors import FAILURES, EndlessConflict, is_missing, kind, reason

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta, PutMode, PutResult, UpdateVersion
    from obstore.store import ObjectStore as Bucket

TOKEN: Final = "textclftoken"  # noqa: S105 - the name of user metadata
"""Without a hyphen, which Azure refuses, and an underscore, which proxies may drop."""

ATTEMPTS: Final = 8
"""Of a write that meets a conflict in which nobody has won."""


class Objects:
    """The objects whose names begin with a prefix; the rest of the name is the key.

    Args:
        bucket: the connected store of obstore.
        prefix: the prefix, without a slash at its end; may be empty.
        url: the location for messages, without anything secret.
    """

    def __init__(self, bucket: Bucket, prefix: str, url: str) -> None:
        self.bucket = bucket
        self._prefix = prefix
        self._url = url.rstrip("/")

    def locate(self, key: str = "") -> str:
        """Return the location of a key, or of all, for messages."""
        return f"{self._url}/{key}" if key else self._url

    # -- reading ---------------------------------------------------------------------------------

    def read(self, key: str, most: int = LARGEST) -> bytes:
        """Return the content of a key; see Store."""
        return self.content(key, self.get(key), most)

    def head(self, key: str) -> GetResult | None:
        """Return what is known of a key without its content; ``None`` if it does not exist."""
        with contextlib.suppress(Missing):
            return self.get(key, head=True)
        return None

    def get(self, key: str, *, head: bool = False) -> GetResult:
        """Return the answer to a request for a key, whose `content` may still be on its way."""
        path = self._path(check_key(key))
        with self._failures("read", key):
            return self.bucket.get(path, options={"head": head})

    def content(self, key: str, found: GetResult, most: int = LARGEST) -> bytes:
        """Return the content of an answer. Raises StoreError if it is too large, or cut off."""
        size = found.meta["size"]
        if size > most:
            limit = f"{most:,} bytes"
            raise StoreError(f"cannot read {self.locate(key)}: it has more than {limit}")
        with self._failures("read", key):
            data = bytes(found.bytes())
        if len(data) != size:
            raise StoreError(f"cannot read {self.locate(key)}: only a part of it was sent")
        return data

    def below(self, folder: str, after: str = "") -> dict[str, ObjectMeta]:
        """Return what is known of each object below a folder, by its key without the folder's.

        Args:
            folder: the folder's key; that of all is empty.
            after: only those whose key, without the folder's, sorts after this.
        """
        path = self._path(folder)
        start = f"{path}/" if path else ""
        with self._failures("list", folder):
            listing = self.bucket.list(path or None, offset=start + after if after else None)
            found = listing.collect()
        # what begins otherwise is a mark of the folder itself, which some programs make
        return {
            meta["path"].removeprefix(start): meta
            for meta in found
            if meta["path"].startswith(start)
        }

    def names(self, folder: str) -> list[str]:
        """Return the names of objects and folders directly below a folder."""
        path = self._path(folder)
        start = f"{path}/" if path else ""
        with self._failures("list", folder):
            listed = self.bucket.list_with_delimiter(path or None)
        paths = [*listed["common_prefixes"], *(meta["path"] for meta in listed["objects"])]
        return [path.removeprefix(start) for path in paths if path.startswith(start)]

    # -- writing ---------------------------------------------------------------------------------

    def put(self, key: str, data: bytes, mode: Literal["create"] | UpdateVersion) -> UpdateVersion:
        """Create an object, or update it, and return its version.

        Raises:
            Exists: another writer was faster.
        """
        token = uuid.uuid4().hex
        path = self._path(key)
        for attempt in range(ATTEMPTS):
            try:
                done = self.bucket.put(
                    path, data, mode=mode, attributes={TOKEN: token}, use_multipart=False
                )
            except (AlreadyExistsError, PreconditionError):
                found = self.head(key)
            except FAILURES as error:
                if not (is_missing(error) or self._is_own(key, token)):
                    raise self._failure("write", key, error) from error
                found = self.head(key)
            else:
                return version_of(done)
            if found and found.attributes.get(TOKEN) == token:
                return version_of(found.meta)  # the acknowledgement was lost
            if (version_of(found.meta) if found else "create") != mode:
                raise Exists(key)
            back_off(attempt)
        problem = f"{ATTEMPTS} conflicts without a winner"
        raise EndlessConflict(f"cannot write {self.locate(key)}: {problem}")

    def _is_own(self, key: str, token: str) -> bool:
        with contextlib.suppress(StoreError):
            found = self.head(key)
            return found is not None and found.attributes.get(TOKEN) == token
        return False

    def put_once(self, key: str, data: bytes, mode: PutMode) -> bool:
        """Write an object by one request; return False if the store says that there is a conflict.

        For the check of conditions: whoever else writes needs more than this answer.
        """
        path = self._path(key)
        with self._failures("write", key):
            try:
                self.bucket.put(path, data, mode=mode, use_multipart=False)
            except (AlreadyExistsError, PreconditionError, FileNotFoundError) as conflict:
                if isinstance(conflict, FileNotFoundError) and not is_missing(conflict):
                    raise
                return False
        return True

    def delete(self, key: str) -> None:
        """Remove an object; nothing is done if it does not exist."""
        path = self._path(check_key(key))
        with contextlib.suppress(Missing), self._failures("remove", key):
            self.bucket.delete(path)

    # -- paths and errors ------------------------------------------------------------------------

    def _path(self, key: str) -> str:
        if key:
            check_key(key)
        return "/".join(filter(None, (self._prefix, key)))

    @contextlib.contextmanager
    def _failures(self, verb: str, key: str) -> Iterator[None]:
        """Turn what obstore raises into Missing, or a StoreError with a sentence."""
        try:
            yield
        except FAILURES as error:
            if is_missing(error):
                raise Missing(key) from None
            raise self._failure(verb, key, error) from error

    def _failure(self, verb: str, key: str, error: BaseException) -> StoreError:
        return kind(error)(f"cannot {verb} {self.locate(key)}: {reason(error, verb)}")


def version_of(meta: ObjectMeta | PutResult) -> UpdateVersion:
    """Return what identifies the content of an object: S3 needs the one field, Google the other."""
    version: UpdateVersion = {}
    if e_tag := meta["e_tag"]:
        version["e_tag"] = e_tag
    if number := meta["version"]:
        version["version"] = number
    return version
