"""Chromium by its DevTools protocol, over a pipe: keys, the size of the window, the page."""

import base64
import contextlib
import itertools
import json
import os
import subprocess

KEYS = {"Tab": 9, "Enter": 13, "Space": 32}
_TEXTS = {"Enter": "\r", "Space": " "}


class Page:
    """A page in a browser without a window."""

    def __init__(self, to_browser, from_browser):
        self._to, self._from = to_browser, from_browser
        self._numbers, self._session = itertools.count(1), None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.send("Page.enable")

    def send(self, method, **parameters):
        """Send a command; return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        return self._wait(lambda answer: answer.get("id") == number)["result"]

    def _wait(self, is_it):
        while True:
            data = b"".join(iter(lambda: self._from.read(1), b"\0"))
            answer = json.loads(data)
            assert "error" not in answer, answer
            if is_it(answer):
                return answer

    def open(self, url):
        """Go to an address, and wait until it is shown."""
        self.send("Page.navigate", url=url)
        self.await_load()

    def await_load(self):
        """Wait until the next page is shown."""
        self._wait(lambda answer: answer.get("method") == "Page.loadEventFired")

    def run(self, script):
        """Return the value of a script, which the page itself could not run."""
        return self.send("Runtime.evaluate", expression=script, returnByValue=True)["result"].get(
            "value"
        )

    def press(self, key, *, shift=False):
        """Press a key and let it go."""
        common = {
            "key": " " if key == "Space" else key,
            "code": key,
            "windowsVirtualKeyCode": KEYS[key],
            "modifiers": 8 if shift else 0,
        }
        down = {"type": "keyDown", "text": _TEXTS[key]} if key in _TEXTS else {"type": "rawKeyDown"}
        self.send("Input.dispatchKeyEvent", **common, **down)
        self.send("Input.dispatchKeyEvent", **common, type="keyUp")

    def write(self, text):
        """Type a text."""
        self.send("Input.insertText", text=text)

    def show(self, width, *, dark=False, height=900):
        """Give the window a width and a colour scheme."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path):
        """Write a picture of the whole page."""
        data = self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))


@contextlib.contextmanager
def browsing(command):
    """Run a browser; yield a page of it."""
    to_browser, from_browser = os.pipe(), os.pipe()
    pipes = to_browser[0], from_browser[1]
    shell = 'exec 3<&"$0" 4>&"$1"; shift; exec "$@"'
    process = subprocess.Popen(
        ["bash", "-c", shell, *map(str, pipes), *command, "--remote-debugging-pipe"],
        pass_fds=pipes, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for descriptor in pipes:
        os.close(descriptor)
    try:
        with os.fdopen(to_browser[1], "wb") as writer, os.fdopen(from_browser[0], "rb") as reader:
            yield Page(writer, reader)
    finally:
        process.kill()
        process.wait()
