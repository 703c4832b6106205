"""Run by startup.py in a process of its own: start the application, ask one query, print the times."""

import time

PYTHON = time.time()

import asyncio  # noqa: E402 - the clock comes first
import json  # noqa: E402
import os  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

QUERY = b'{"query": "{ bound0s: allBound0(limit: 1) { id fullName } }"}'


def process_began() -> float:
    """Return the time the kernel started this process, in seconds since the epoch."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


async def ask(application: Any) -> bytes:
    """Send one query to an ASGI application, without a server; return the body of its answer."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": QUERY, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"),
               (b"content-length", str(len(QUERY)).encode())]  # fmt: skip
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "POST", "scheme": "http", "path": "/graphql/", "raw_path": b"/graphql/",
        "root_path": "", "query_string": b"", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    await application(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


def main() -> None:
    """Start and ask. Raises ValueError when the answer is not the expected one."""
    began = process_began()
    import django  # noqa: PLC0415 - what is timed

    django.setup()
    imported = time.time()
    from benchmarks.app.asgi import application  # noqa: PLC0415
    from fraiseql.engine.pipeline import get_engine  # noqa: PLC0415

    get_engine()
    schema = time.time()
    answer = json.loads(asyncio.run(ask(application)))
    answered = time.time()
    if not answer.get("data", {}).get("bound0s"):
        raise ValueError(answer)
    times = {"python": PYTHON, "imported": imported, "schema": schema, "answered": answered}
    since = {name: moment - began for name, moment in times.items()}
    print(json.dumps({**since, "cpu": time.process_time()}))


main()
