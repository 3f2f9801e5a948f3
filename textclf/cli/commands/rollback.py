"""``textclf rollback``: promote the version that was promoted before."""

from __future__ import annotations

from textclf.cli.interrupts import deferred_interrupts
from textclf.cli.options.groups import CommonOptions, option_groups
from textclf.cli.options.options import Message
from textclf.cli.output.answers import show_promotion


@option_groups
def rollback(message: Message = None, *, common: CommonOptions) -> None:
    """Promote the version that was promoted before; gates do not apply.

    Examples:
      textclf rollback
      textclf rollback -m "too many false alarms"
      textclf rollback --models /srv/models

    More: docs/registry.md
    """
    registry = common.open_registry(to_write=True)
    with deferred_interrupts():
        promotion = registry.rollback(message=message)
        show_promotion(promotion, as_json=common.as_json, quiet=common.quiet)
