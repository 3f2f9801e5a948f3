"""The command line: ``app`` builds and runs it, ``commands`` has a file for each verb."""

import gc


def main() -> None:
    """Run the command line of this process and exit."""
    gc.disable()  # imports make objects that stay, among which nothing need be looked for
    from textclf.cli import app

    app.main()


__all__ = ["main"]
