"""``textclf serve``: answer HTTP requests with the promoted version."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from textclf.cli.options.gates import GateConditions
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import VersionOption
from textclf.cli.options.versioning import NotifyOptions
from textclf.cli.output import render
from textclf.errors import UsageError, how_to_install

_LOCAL = ("127.0.0.1", "localhost", "::1")
_LONGEST_DRAIN = 86_400


def _parse_seconds(text: str | float) -> float:
    """Return seconds up to a day. Raises BadParameter."""
    with contextlib.suppress(ValueError):
        if 0 <= (seconds := float(text)) <= _LONGEST_DRAIN:
            return seconds
    raise typer.BadParameter(f"{text!r} is not a number of seconds from 0 to {_LONGEST_DRAIN:,}")


Host = Annotated[
    str, typer.Option(envvar="TEXTCLF_HOST", metavar="ADDRESS", help="Address to listen on.")
]
Port = Annotated[
    int,
    typer.Option(
        min=0,
        max=65535,
        envvar=["TEXTCLF_PORT", "AIP_HTTP_PORT"],  # the second is Vertex AI's
        metavar="PORT",
        help="Port to listen on; 0 for a free one.",
    ),
]
Descriptor = Annotated[
    int | None,
    typer.Option(
        "--fd", min=3, metavar="N", help="Listen on this open socket instead, as systemd passes it."
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="TEXTCLF_API_KEY",
        metavar="KEY",
        help="Key that every request must carry. The variable keeps it out of the process list.",
        show_default=False,
    ),
]
MaxBody = Annotated[
    int,
    typer.Option(min=1, metavar="BYTES", help="Largest body of a request that is not streamed."),
]
MaxTexts = Annotated[int, typer.Option(min=1, metavar="N", help="Most texts in such a request.")]
MaxCharacters = Annotated[int, typer.Option(min=1, metavar="N", help="Most characters in a text.")]
AllowPromote = Annotated[
    bool,
    typer.Option(
        "--allow-promote",
        help="Let the pages promote and roll back, through the gate; needs an API key.",
    ),
]
Drain = Annotated[
    float,
    typer.Option(
        parser=_parse_seconds,
        metavar="SECONDS",
        help="How long to go on answering after SIGTERM.",
    ),
]
NoAccessLog = Annotated[
    bool,
    typer.Option(
        "--no-access-log", help="Do not write a line of JSON for each request to standard output."
    ),
]


@option_groups
def serve(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    descriptor: Descriptor = None,
    version: VersionOption = "latest",
    api_key: ApiKey = None,
    max_body: MaxBody = 10 << 20,
    max_texts: MaxTexts = 10_000,
    max_characters: MaxCharacters = 1_000_000,
    drain: Drain = 5.0,
    allow_promote: AllowPromote = False,
    *,
    gate: GateConditions,
    notify: NotifyOptions,
    no_access_log: NoAccessLog = False,
    common: CommonOptions,
) -> None:
    """Answer HTTP requests with the promoted version, and change to the next without a restart.

    Examples:
      textclf serve
      textclf serve --host 0.0.0.0 --port 80 --models s3://team/reviews
      textclf serve --version 1.1.0 --drain 30 --no-access-log

    More: docs/serving.md
    """
    if allow_promote and not api_key:
        raise UsageError(
            "--allow-promote needs an API key, so that not everybody may promote",
            hint="TEXTCLF_API_KEY=… textclf serve --allow-promote",
        )
    try:
        from textclf.server.run import run
        from textclf.server.service import Service
        from textclf.server.settings import ServerSettings
    except ModuleNotFoundError as missing:
        raise UsageError(
            f"a server needs {missing.name}, which is not installed",
            hint=how_to_install("serve"),
        ) from None
    settings = ServerSettings(
        version=version,
        api_key=api_key,
        max_body=max_body,
        max_texts=max_texts,
        max_characters=max_characters,
        allow_promote=allow_promote,
        gate=gate.gate(context),
        drain=drain,
    )
    registry = common.open_registry(to_write=allow_promote)
    notify.watch(context, registry)
    service = Service(registry, settings)
    listener = _inherit(descriptor) if descriptor is not None else _listen(host, port)
    _prepare_logs(service.metrics.dropped_log_lines.inc, access_log=not no_access_log)
    if descriptor is None and host not in _LOCAL and not api_key:
        render.warning(f"others can reach {host}, and no --api-key is asked of them")
    version_served = service.model.version
    run(
        service,
        listener,
        lambda: common.progress(_ready(listener, version_served)),
        inherited=descriptor is not None,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound. Raises UsageError if that address cannot be had."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        hint = "--port 0 takes a free one" if error.errno == errno.EADDRINUSE else None
        reason = error.strerror or error
        raise UsageError(f"cannot listen on {host} port {port}: {reason}", hint=hint) from None
    return listener


def _inherit(descriptor: int) -> socket.socket:
    """Return the socket that this process was started with. Raises UsageError if it is none."""
    try:
        return socket.socket(fileno=descriptor)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", error)
        raise UsageError(f"--fd {descriptor} is not a socket: {reason}") from None


def _prepare_logs(on_dropped: Callable[[int], None], *, access_log: bool) -> None:
    """Write requests to standard output, and what goes wrong to standard error."""
    from textclf.server.log_writer import BackgroundHandler

    problems = BackgroundHandler(sys.stderr.fileno(), on_dropped)
    problems.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(problems)
    requests = logging.getLogger("textclf.server.access")
    requests.propagate = False
    requests.setLevel(logging.INFO if access_log else logging.WARNING)
    requests.addHandler(BackgroundHandler(sys.stdout.fileno(), on_dropped))


def _ready(listener: socket.socket, version: str) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"serving {version} at http://{shown}:{port}; Ctrl-C stops it"
