"""Servers that documents start with one command and ask with the next ones."""

import re
import subprocess
import sys

_ADDRESS = re.compile(r"(?<=127\.0\.0\.1:)\d+")
_USUAL = "8000"


class DocServers:
    """Runs each ``textclf serve`` on a free port; documents and their commands have their own."""

    def __init__(self):
        self._processes, self._free, self._written = [], {}, {}

    def start(self, arguments, folder, environment):
        """Run a server until all are stopped; return what it says when it is ready."""
        command = [sys.executable, "-m", "textclf", *arguments]
        process = subprocess.Popen(
            [*command, "--port", "0"], cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._processes.append(process)
        said = next(filter(_ADDRESS.search, process.stderr), "")  # a slow phase may come before
        [free] = _ADDRESS.findall(said) or [""]
        written = arguments[arguments.index("--port") + 1] if "--port" in arguments else _USUAL
        self._free[written], self._written[free] = free, written
        return self.in_document(said)

    def in_command(self, text):
        """Return a command with the ports that the servers have."""
        return _ADDRESS.sub(lambda port: self._free.get(port[0], port[0]), text)

    def in_document(self, text):
        """Return an output with the ports that the document has."""
        return _ADDRESS.sub(lambda port: self._written.get(port[0], port[0]), text)

    def stop(self):
        """Stop all servers."""
        for process in self._processes:
            process.kill()
            process.wait()
            process.stderr.close()
        self.__init__()
