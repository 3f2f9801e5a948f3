"""``textclf doctor``: whether the registry can be reached, and with what rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.output import render
from textclf.errors import StoreError, TextclfError
from textclf.formatting import escape_controls

if TYPE_CHECKING:
    from textclf.registry.diagnosis import Finding


@dataclass(frozen=True)
class DoctorAnswer:
    """The JSON of ``textclf doctor``."""

    ok: bool
    location: str
    checks: list[Finding]


@option_groups
def doctor(*, common: CommonOptions) -> None:
    """Check whether the registry can be reached, with which credentials and rights.

    Examples:
      textclf doctor
      textclf doctor --models s3://bucket/team/reviews
      textclf doctor --json

    More: docs/remote.md
    """
    from textclf.registry.diagnosis import diagnose

    location = common.models.location
    findings = [*diagnose(location)]
    if all(finding.ok is not False for finding in findings):
        findings.append(_versions(common))
    ok = all(finding.ok is not False for finding in findings)
    if common.as_json:
        render.json(DoctorAnswer(ok, str(location), findings))
    else:
        source = common.models.settings_file
        _show(f"{location}{f' ({source})' if source else ''}", findings)
    for finding in findings:
        if finding.hint:
            common.hint(f"{finding.check}: {finding.hint}")
    if not ok:
        raise typer.Exit(StoreError.exit_code)


def _versions(common: CommonOptions) -> Finding:
    """Return the finding about what is in the registry."""
    from textclf.registry.diagnosis import Finding

    registry = common.open_registry(use_cache=False)
    try:
        number, latest = len(registry.versions()), registry.latest()
    except TextclfError as error:
        return Finding("versions", ok=False, detail=error.message, hint=error.hint)
    return Finding("versions", ok=None, detail=f"{number}, latest: {latest or 'none'}")


def _show(location: str, findings: list[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    render.sentence(f"{'registry'.ljust(width)}  {escape_controls(location)}", hang=width + 2)
    for finding in findings:
        failed = render.strong("failed: ") if finding.ok is False else ""
        render.sentence(
            f"{finding.check.ljust(width)}  {failed}{escape_controls(finding.detail)}",
            hang=width + 2,
        )
