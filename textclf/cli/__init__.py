"""The command line: ``app`` builds and runs it, ``commands`` has a file for each verb."""

from textclf.cli.app import main

__all__ = ["main"]
