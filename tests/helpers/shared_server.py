"""A server that all processes of one test run share, and that ends when the last of them has.

``with shared(folder, command, is_ready): …`` starts it, unless another process has. Each user holds
a shared lock on a file. ``python shared_server.py FOLDER COMMAND…`` runs the server until it gets
that lock for itself; so nothing is left running, however the users end.
"""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

LONGEST = 120
"""Seconds to wait for a server to answer."""
_PORTS = range(10_000, 32_768)
"""Others that ask for any port get one above these while a server starts."""


def free_ports(number):
    """Return ports that nobody listens on now, and that the system gives to nobody."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(_bound()) for _ in range(number)]
        return [each.getsockname()[1] for each in sockets]


def _bound():
    while True:
        bound = socket.socket()
        try:
            bound.bind(("127.0.0.1", secrets.choice(_PORTS)))
        except OSError:
            bound.close()
        else:
            return bound


@contextlib.contextmanager
def shared(folder, command, is_ready):
    """Give the ports of a server.

    Args:
        folder: a folder of this server, the same for all its users.
        command: returns the command that starts it in a folder, and its ports.
        is_ready: whether the server on these ports answers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("w") as users, (folder / "start.lock").open("w") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for the end of a server that is about to end
        state = folder / "ports.json"
        if not state.exists():
            arguments, ports = command(folder)
            _start(folder, arguments)
            _wait(folder, lambda: is_ready(ports))
            state.write_text(json.dumps(ports))
        ports = json.loads(state.read_text())
        fcntl.flock(start, fcntl.LOCK_UN)
        yield ports


def _start(folder, arguments):
    with (folder / "log").open("w") as log:
        subprocess.run(
            [sys.executable, __file__, folder, *arguments],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, check=True,
        )  # fmt: skip


def _wait(folder, is_ready):
    end = time.monotonic() + LONGEST
    while not is_ready():
        if time.monotonic() > end:
            raise TimeoutError((folder / "log").read_text()[-2000:])
        time.sleep(0.1)


def answers(port):
    """Whether somebody listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def run_until_unused(folder, arguments):
    """Run a server until no process holds a lock on the file of its users."""
    with subprocess.Popen(arguments, cwd=folder) as server, (folder / "users.lock").open() as users:
        try:
            while server.poll() is None:
                time.sleep(0.5)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
        finally:
            (folder / "ports.json").unlink(missing_ok=True)
            server.kill()


if __name__ == "__main__":
    if os.fork():  # who has started this need not wait for its end
        os._exit(0)
    run_until_unused(Path(sys.argv[1]), sys.argv[2:])
