"""The entry point of the command ``textclf`` and of ``python -m textclf``."""

import os
import signal
import sys


def main() -> None:
    """Run the command line of this process and exit, also on Ctrl-C while it is still imported."""
    try:
        from textclf.cli import main as run

        run()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        from textclf.cli import failures

        os._exit(failures.show(failures.INTERRUPTION, sys.argv[1:]))


if __name__ == "__main__":
    main()
