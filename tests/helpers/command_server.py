"""A process that runs command lines one after the other, so that a test need not start one each.

``python command_server.py`` reads a JSON list a line, a folder and the arguments, and prints the
exit code and what was written to both streams, as JSON.
"""

import contextlib
import io
import json
import os
import subprocess
import sys

from textclf.cli.app import run


class CommandServer:
    """Such a process."""

    def __init__(self, before=()):
        self._process = subprocess.Popen(
            [*before, sys.executable, __file__], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, folder, arguments):
        """Run a command line in a folder; return the exit code and both streams."""
        self._process.stdin.write(json.dumps([str(folder), *map(str, arguments)]) + "\n")
        self._process.stdin.flush()
        return tuple(json.loads(self._process.stdout.readline()))

    def close(self):
        """End the process."""
        self._process.communicate()


def serve():
    """Answer stdin."""
    answers = sys.stdout
    for line in sys.stdin:
        folder, *arguments = json.loads(line)
        os.chdir(folder)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(arguments)
        answers.write(json.dumps([code, out.getvalue(), err.getvalue()]) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
