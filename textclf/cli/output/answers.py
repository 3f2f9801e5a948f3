"""Answers about the registry that more than one command gives."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from textclf.cli.output import document, render
from textclf.cli.output.gate_report import verdict_blocks
from textclf.metadata.channels import LATEST

if TYPE_CHECKING:
    from textclf.metadata.schema import Metadata
    from textclf.metadata.verdict import Verdict
    from textclf.registry.promotion import Promotion


@dataclass(frozen=True)
class PromotionAnswer:
    """The JSON of ``textclf promote`` and ``textclf rollback``."""

    version: str
    previous: str | None
    changed: bool
    gate: Verdict | None
    channel: str = LATEST
    restores: int | None = None


def metadata_with(metadata: Metadata, further: Any) -> dict[str, Any]:
    """Return the metadata object with the fields of a dataclass at its end."""
    import msgspec

    return {
        **msgspec.to_builtins(metadata),
        **{field.name: getattr(further, field.name) for field in fields(further)},
    }


def promotion_line(promotion: Promotion, *, quiet: bool) -> str:
    """Return what a promotion changed: ``promoted 1.1.0 (was 1.0.0); back: `textclf rollback```."""
    where = option = to = ""
    if promotion.channel != LATEST:
        where, option = f" in {promotion.channel}", f" --channel {promotion.channel}"
        to = f" --to {promotion.channel}"
    if not promotion.changed:
        if promotion.restores:
            return f"that leads to {promotion.version}, which is promoted{where}; nothing changed"
        return f"{promotion.version} is already promoted{where}; nothing changed"
    was = f" (was {promotion.previous})" if promotion.previous else ""
    back = ""
    if promotion.previous and not quiet:  # after a rollback, another one goes further back
        undo = f"promote {promotion.previous}{to}" if promotion.restores else f"rollback{option}"
        back = f"; back: `textclf {undo}`"
    return f"promoted {render.strong(promotion.version)}{where}{was}{back}"


def warn_of_kept_file(kept: str | None) -> None:
    """Warn that a file not written by textclf was in the alias's place, and where it is now."""
    if kept:
        render.warning(
            f"the model file in the alias's place was no version of this registry; kept as {kept}"
        )


def show_promotion(promotion: Promotion, *, as_json: bool, quiet: bool) -> None:
    """Show what a promotion or a rollback changed, and how to go back."""
    warn_of_kept_file(promotion.kept)
    done = f"promoted {promotion.version}" if promotion.changed else ""
    with render.answer_to_change(lambda: done):
        _show_promotion(promotion, as_json=as_json, quiet=quiet)


def _show_promotion(promotion: Promotion, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        render.json(
            PromotionAnswer(
                promotion.version,
                promotion.previous,
                promotion.changed,
                promotion.gate,
                promotion.channel,
                promotion.restores,
            )
        )
        return
    if promotion.gate:
        document.write(verdict_blocks(promotion.gate))
    render.sentence(promotion_line(promotion, quiet=quiet))
