"""An imitation of the XML API of Google Cloud Storage: what obstore uses of it, no more.

It also takes one update of an object in a second at most, as Google does, if ``slow`` is set, and
does whatever it is asked if ``careless`` is, as some servers do; ``date`` is what its clock says.
"""

import email.utils
import hashlib
import itertools
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

BUCKET = "bucket1"
PAGE = 1000
"""Names in one answer to a list request."""


@dataclass(frozen=True)
class Stored:
    """An object: its content, its user metadata, the number of its generation, and its time."""

    data: bytes
    user: dict[str, str]
    generation: int
    at: float = field(default_factory=time.time)

    @property
    def headers(self):
        """What describes it in an answer."""
        return {
            "ETag": f'"{hashlib.md5(self.data).hexdigest()}"',
            "Last-Modified": email.utils.formatdate(self.at, usegmt=True),
            "x-goog-generation": str(self.generation),
            **self.user,
        }


class Server(ThreadingHTTPServer):
    """The bucket."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.lock, self.slow = {}, threading.Lock(), False
        self.careless, self.date = False, None
        self.generations = itertools.count(10**15)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written one after the other

    def log_message(self, *_):
        """Keep quiet."""

    def date_time_string(self, timestamp=None):
        """Return the time that the server tells."""
        told = self.server.date
        return super().date_time_string(timestamp) if told is None else told

    def _key(self):
        return self._path().partition("/")[2]

    def _path(self):
        return urllib.parse.unquote(urllib.parse.urlsplit(self.path).path.lstrip("/"))

    def _answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        """Create or replace an object, if the generation is the one that is wanted."""
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wanted = self.headers.get("x-goog-if-generation-match")
        user = {
            k.lower(): v for k, v in self.headers.items() if k.lower().startswith("x-goog-meta")
        }
        with self.server.lock:
            current = self.server.objects.get(self._key())
            if (
                not self.server.careless
                and wanted is not None
                and int(wanted) != (current.generation if current else 0)
            ):
                return self._answer(412)
            if current and self.server.slow and time.time() - current.at < 1:
                return self._answer(429, b"<Error><Code>SlowDown</Code></Error>")
            stored = Stored(data, user, next(self.server.generations))
            self.server.objects[self._key()] = stored
        return self._answer(200, **stored.headers)

    def do_GET(self):
        """Read an object, or list them."""
        if self._path().partition("/")[0] != BUCKET:
            return self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        if not self._key():
            return self._list()
        stored = self.server.objects.get(self._key())
        if stored is None:
            return self._answer(404)
        return self._answer(200, stored.data, **stored.headers)

    do_HEAD = do_GET  # noqa: N815 - of the base class

    def do_DELETE(self):
        """Remove an object."""
        with self.server.lock:
            removed = self.server.objects.pop(self._key(), None)
        self._answer(204 if removed else 404)

    def _list(self):
        query = dict(
            urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query, keep_blank_values=True)
        )
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        after = query.get("continuation-token") or query.get("start-after", "")
        entries = {}
        for key, stored in sorted(dict(self.server.objects).items()):
            head, found, _ = key[len(prefix) :].partition(delimiter or "\0")
            name = prefix + head + (delimiter if found else "")
            if key.startswith(prefix) and name > after:
                entries.setdefault(name, None if found else stored)
        page = list(entries.items())[:PAGE]
        xml = "".join(_entry(name, stored) for name, stored in page)
        if len(entries) > PAGE:
            token = escape(page[-1][0])
            xml += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}"
            xml += "</NextContinuationToken>"
        body = f"<ListBucketResult>{xml}</ListBucketResult>"
        self._answer(200, body.encode(), **{"Content-Type": "application/xml"})


def _entry(name, stored):
    if stored is None:
        return f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stored.at))
    tag = escape(stored.headers["ETag"])
    return (
        f"<Contents><Key>{escape(name)}</Key><LastModified>{at}</LastModified>"
        f"<Size>{len(stored.data)}</Size><ETag>{tag}</ETag></Contents>"
    )


def serve():
    """Return a server, to be used in a ``with`` statement."""
    return Server()


def service_account(port):
    """Return the content of a file of credentials that leads to a server."""
    return {
        "gcs_base_url": f"http://127.0.0.1:{port}", "disable_oauth": True,
        "client_email": "", "private_key": "", "private_key_id": "",
    }  # fmt: skip
