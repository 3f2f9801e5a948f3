"""Tell a command and a webhook of promotions, once they are in the log.

A promotion is never lost because somebody could not be told: that is recorded as an event, and
returned.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec

from textclf.errors import TextclfError, UsageError
from textclf.metadata.versions import parse_version
from textclf.registry.event_log import EventKind
from textclf.registry.promotion_log import PromotionRecord
from textclf.registry.registry import Registry

COMMAND_SECONDS: Final = 30
"""How long a command may run."""


class NotTold(Exception):
    """Somebody could not be told; the message says why, without a secret."""


class Recipient(Protocol):
    """Somebody to be told of promotions."""

    @property
    def name(self) -> str:
        """What it is called in messages, without a secret."""
        ...

    def tell(self, record: PromotionRecord, body: bytes) -> None:
        """Tell of a promotion, with its record as JSON. Raises NotTold."""
        ...


@dataclass(frozen=True)
class Failure:
    """A recipient that was not told of a promotion, and why."""

    recipient: str
    reason: str


@dataclass(frozen=True)
class Command:
    """A program that is run with the record on stdin, without a shell.

    Attributes:
        words: the program and its arguments.
    """

    words: Sequence[str]

    @classmethod
    def parse(cls, text: str, source: str, *, typed: bool) -> Command:
        """Split a command into words as a shell does, with quotes and backslashes and nothing else.

        Args:
            text: the command.
            source: what it comes from, for messages.
            typed: whether somebody typed it now. Otherwise the program must be on ``PATH`` or an
                absolute path: a relative one would be looked up in the current folder, where a
                stranger may have put it.

        Raises:
            UsageError: it cannot be split, or names no program.
        """
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise UsageError(f"{source}: {str(error).lower()}: {text!r}") from None
        if not words or not words[0]:
            raise UsageError(f"{source}: there is no command in {text!r}")
        program = os.path.expanduser(words[0])  # noqa: PTH111 - never raises
        if not typed and "/" in program and not Path(program).is_absolute():
            raise UsageError(
                f"{source}: {words[0]!r} is looked up in the current folder",
                hint="name the program from / or from ~, or put it on PATH",
            )
        return cls((program, *words[1:]))

    @property
    def name(self) -> str:
        """The name of the program; its arguments may be secret."""
        return f"the command {Path(self.words[0]).name}"

    def tell(self, record: PromotionRecord, body: bytes) -> None:  # noqa: ARG002 - see Recipient
        """Run the program. What it prints goes to stderr. Raises NotTold."""
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own words, without a shell
                self.words, stdin=subprocess.PIPE, stdout=_stderr(), start_new_session=True
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise NotTold(f"cannot be run: {reason}") from None
        try:
            process.communicate(body, COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            raise NotTold(f"took more than {COMMAND_SECONDS} s") from None
        finally:
            _end(process)
        if process.returncode:
            raise NotTold(_describe_end(process.returncode))


def watch(
    registry: Registry, recipients: Sequence[Recipient], warn: Callable[[str], object]
) -> None:
    """Let a registry tell recipients of each promotion that is made through it.

    Args:
        registry: the registry, whose `Registry.on_promotion` is replaced.
        recipients: who is told.
        warn: takes a sentence about each recipient that could not be told.
    """

    def on_promotion(record: PromotionRecord) -> None:
        for failure in tell(registry, recipients, record):
            warn(
                f"{record.to} is promoted, but {failure.recipient} was not told of it: "
                f"{failure.reason}"
            )

    registry.on_promotion = on_promotion


def tell(
    registry: Registry, recipients: Sequence[Recipient], record: PromotionRecord
) -> list[Failure]:
    """Tell all recipients of a promotion, and record in the events who could not be told.

    Returns:
        What failed.
    """
    body = msgspec.json.encode(record.as_json()) + b"\n"
    failures = []
    for recipient in recipients:
        try:
            recipient.tell(record, body)
        except NotTold as error:
            failures.append(Failure(recipient.name, str(error)))
    for failure in list(failures):
        try:
            registry.events.append_event(
                EventKind.UNNOTIFIED,
                parse_version(record.to),
                message=f"{failure.recipient}: {failure.reason}",
                detail={"channel": record.channel, "n": record.n},
            )
        except TextclfError as error:
            failures.append(Failure("the event log", str(error)))
    return failures


def _stderr() -> int:
    """Return where a program writes: stdout is for the answer."""
    with contextlib.suppress(OSError, ValueError):
        return sys.stderr.fileno()
    return subprocess.DEVNULL


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs, with all that it has started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdin:
        with contextlib.suppress(OSError):  # what it has not read
            process.stdin.close()


def _describe_end(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
