"""Answering over HTTP: ``textclf serve`` beside services around the same fitted pipeline.

The set's training rows are fitted once, with ``textclf train --preset fast``. The sides are
``textclf serve`` (with its access log, written to a file); a FastAPI service that opens the
pipeline with ``joblib.load`` and answers from ``predict_proba``, without an access log; ``mlflow
models serve`` of the pipeline; and ``examples/fastify``, if ``make test-node`` has built it. Each
is one process. All run at the same time, and the load takes turns: a number of connections from one
other process, each sending one text of the test rows after the other, for some seconds. Throughput
is the median over the runs, and so are the percentiles of the seconds from request to answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from benchmarks.children import alone, run_textclf
from benchmarks.options import Options
from benchmarks.report import Skipped
from benchmarks.sets import DataSet, read_rows

_CONNECTIONS = (1, 16, 64)
_SECONDS = 3.0
_START_SECONDS = 60
_TEXTS = 500
_FASTIFY = Path(__file__).parents[1] / "examples" / "fastify" / "dist" / "src" / "main.js"

_FASTAPI_SERVICE = """
import sys, joblib, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(sys.argv[1])

class Item(BaseModel):
    text: str

@app.post("/predict")
def predict(item: Item):
    scores = model.predict_proba([item.text])[0]
    best = scores.argmax()
    return {"label": str(model.classes_[best]), "score": float(scores[best])}

uvicorn.run(app, port=int(sys.argv[2]), access_log=False)
"""

_MLFLOW_MODEL = """
import sys, joblib, mlflow.sklearn
mlflow.sklearn.save_model(joblib.load(sys.argv[1]), sys.argv[2],
                          serialization_format="cloudpickle")
"""


@dataclass(frozen=True)
class Load:
    """What came of one run: answers a second, and seconds for an answer."""

    rate: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Side:
    """A service: its name, how it is started, and what it is asked."""

    name: str
    command: Sequence[str]
    path: str
    body: Callable[[str], object]


@dataclass(frozen=True)
class ServeRow:
    """One side with one number of connections, run by run."""

    set: str
    side: str
    connections: int
    loads: Sequence[Load]
    over: float

    def cells(self) -> dict[str, str]:
        """The line of the table."""
        p50, p99 = (median(getattr(load, name) for load in self.loads) for name in ("p50", "p99"))
        return {
            "set": self.set,
            "connections": str(self.connections),
            "side": self.side,
            "requests a second": f"{median(load.rate for load in self.loads):,.0f}",
            "p50": f"{1e3 * p50:.2f} ms",
            "p99": f"{1e3 * p99:.2f} ms",
            "textclf has": f"{self.over:.1f} ×",
        }


def run(data: DataSet, options: Options) -> Iterator[ServeRow | Skipped]:
    """Measure all sides on one set."""
    for name in ("fastapi", "mlflow"):
        if not find_spec(name):
            yield Skipped(data.name, f"{name} is not installed")
    if not _FASTIFY.exists():
        yield Skipped(data.name, "examples/fastify is not built")
    texts = read_rows(data.test).texts[:_TEXTS]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as running:
        folder = Path(name)
        run_textclf("train", str(data.train), "--test", str(data.test), "--preset", "fast",
                    "--models", str(folder / "models"), "-q")  # fmt: skip
        sides = [(side, running.enter_context(_started(side, folder))) for side in _sides(folder)]
        for connections in _CONNECTIONS:
            yield from _compared(data.name, sides, connections, texts, options.repeat)


def _compared(
    name: str, sides: Sequence[tuple[Side, int]], connections: int, texts: Sequence[str], runs: int
) -> Iterator[ServeRow]:
    """The lines of one number of connections; textclf is the first side."""
    loads: list[list[Load]] = [[] for _ in sides]
    for _ in range(runs):
        for of_side, (side, port) in zip(loads, sides, strict=True):
            bodies = [json.dumps(side.body(text)).encode() for text in texts]
            of_side.append(alone(generate_load, port, side.path, bodies, connections, _SECONDS))
    rates = [median(load.rate for load in of_side) for of_side in loads]
    for of_side, rate, (side, _) in zip(loads, rates, sides, strict=True):
        yield ServeRow(name, side.name, connections, of_side, rates[0] / rate)


def _sides(folder: Path) -> Iterator[Side]:
    """Those that can be measured here; the port is the last argument of each command."""
    models, python = str(folder / "models"), sys.executable
    pipeline = f"{models}/text_classifier.joblib"
    yield Side(
        "textclf serve",
        [python, "-m", "textclf", "serve", "--models", models, "--drain", "0", "--port"],
        "/v1/predict",
        lambda text: {"texts": [text]},
    )
    if find_spec("fastapi"):
        command = [python, "-c", _FASTAPI_SERVICE, pipeline]
        yield Side("FastAPI", command, "/predict", lambda text: {"text": text})
    if find_spec("mlflow"):
        model = str(folder / "mlflow")
        subprocess.run([python, "-c", _MLFLOW_MODEL, pipeline, model], check=True)  # noqa: S603
        command = [python, "-m", "mlflow", "models", "serve", "-m", model]
        command += ["--env-manager", "local", "--port"]
        yield Side("mlflow models serve", command, "/invocations", lambda text: {"inputs": [text]})
    if _FASTIFY.exists() and (node := shutil.which("node")):
        command = [node, str(_FASTIFY), "--models", models, "--port"]
        yield Side("examples/fastify", command, "/predict", lambda text: {"text": text})


@contextlib.contextmanager
def _started(side: Side, folder: Path) -> Iterator[int]:
    """Run a side; the value is its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - as put together here
            [*side.command, str(port)], stdout=log, stderr=log, env=here, start_new_session=True
        )
        try:
            _await_answer(side, port)
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):  # MLflow starts a process of its own
                os.killpg(process.pid, 15)
            process.wait()


def _await_answer(side: Side, port: int) -> None:
    """Wait until a side answers. Raises RuntimeError if it does not."""
    end, status = time.monotonic() + _START_SECONDS, 0
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            headers = {"content-type": "application/json"}
            connection.request("POST", side.path, json.dumps(side.body("a text")), headers)
            status = connection.getresponse().status
            if status == http.client.OK:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{side.name} does not answer (status {status})")


def generate_load(
    port: int, path: str, bodies: Sequence[bytes], connections: int, seconds: float
) -> Load:
    """Send one body after the other over each connection; any answer but 200 is an error."""
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    requests = [
        b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (path.encode(), len(body), body)
        for body in bodies
    ]
    taken: list[float] = []

    async def all_connections() -> None:
        end = time.perf_counter() + seconds
        parts = (
            requests[n * len(requests) // connections :] or requests for n in range(connections)
        )
        await asyncio.gather(*(_ask(port, part, end, taken) for part in parts))

    asyncio.run(all_connections())
    taken.sort()
    return Load(len(taken) / seconds, median(taken), taken[int(0.99 * len(taken))])


async def _ask(port: int, requests: Sequence[bytes], end: float, taken: list[float]) -> None:
    """Ask until the end over one connection; note the seconds of each answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while (begin := time.perf_counter()) < end:
        writer.write(requests[number % len(requests)])
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"the answer is {head.partition(b'HTTP')[0][:40]!r}")
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        taken.append(time.perf_counter() - begin)
        number += 1
    writer.close()
