"""The command line: one file per verb, ``app`` wires them, ``render`` shows what they return."""

from textclf.cli.app import main

__all__ = ["main"]
