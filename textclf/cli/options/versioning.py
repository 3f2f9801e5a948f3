"""Options of the commands that publish a version."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import typer

from textclf.cli.options.gates import GateOptions
from textclf.cli.options.options import Message, complete_version
from textclf.cli.options.settings import is_typed
from textclf.cli.output import render
from textclf.metadata.channels import LATEST

if TYPE_CHECKING:
    from textclf.registry.registry import Registry
    from textclf.release.publication import ReleaseOptions


@dataclass(eq=False, repr=False)
class VersioningOptions:
    """What number a version gets, what is recorded of it, and what is to become of it."""

    panel: ClassVar = "Versioning"

    bump: Annotated[
        Literal["auto", "patch", "minor", "major"],
        typer.Option(help="Part of the number to increase; auto infers it."),
    ] = "auto"
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="VERSION",
            help="Base the new number on this version, not on the highest.",
            autocompletion=complete_version,
        ),
    ] = None
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Publish without promoting.")] = (
        False
    )
    sign: Annotated[
        Path | None,
        typer.Option(metavar="KEY", help="Sign the version with this Ed25519 private key (PEM)."),
    ] = None
    message: Message = None
    include_texts: Annotated[
        bool,
        typer.Option(
            "--include-texts",
            rich_help_panel="Output",
            help="Show the texts of the most confident mistakes in report.html.",
        ),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            rich_help_panel="Output",
            help="Check everything, and only say what would be published.",
        ),
    ] = False

    def release_options(
        self,
        context: typer.Context,
        registry: "Registry",
        gate: GateOptions,
        *,
        adds: bool = False,
    ) -> "ReleaseOptions":
        """Return the options as the core takes them.

        Args:
            context: of the command.
            registry: where the version is published.
            gate: the conditions of its promotion.
            adds: whether rows are added to those of a version, by default of the promoted one.

        Raises:
            UsageError: a condition of the gate is not valid.
            NoSuchVersion: the version to go on from does not exist.
        """
        from textclf.release.publication import ReleaseOptions

        return ReleaseOptions(
            self.bump,
            registry.resolve(self.from_ or LATEST) if self.from_ or adds else None,
            promote=not self.no_promote,
            gate=gate.gate(context),
            force=gate.force,
            message=self.message,
            dry_run=self.dry_run,
        )

    def publishing(self, registry: "Registry") -> dict[str, Any]:
        """Return what signs the version and what makes its report. Raises UsageError."""
        from textclf.api.arguments import publishing

        return publishing(registry, self.sign, include_texts=self.include_texts)


@dataclass(eq=False, repr=False)
class NotifyOptions:
    """Who is told of promotions."""

    panel: ClassVar = "Versioning"

    on_promote: Annotated[
        str | None,
        typer.Option(
            envvar="TEXTCLF_ON_PROMOTE",
            metavar="COMMAND",
            help="Run this after a promotion, without a shell; its record is on stdin, as JSON.",
        ),
    ] = None
    webhook: Annotated[
        str | None,
        typer.Option(
            envvar="TEXTCLF_WEBHOOK",
            metavar="URL",
            help="Send the record of a promotion here; signed if TEXTCLF_WEBHOOK_SECRET is set.",
        ),
    ] = None

    def watch(self, context: typer.Context, registry: "Registry") -> None:
        """Let a registry tell of its promotions. Raises UsageError."""
        from textclf.release.recipients import find_recipients

        recipients = find_recipients(
            self.on_promote if is_typed(context, "on_promote") else None,
            self.webhook if is_typed(context, "webhook") else None,
            prefix="--",
        )
        if recipients:
            from textclf.release.notify import watch

            watch(registry, recipients, render.warning)
