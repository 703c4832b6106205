"""
Projection alone: from rows of JSON to the bytes of a list, without a database or a server.

Beside both projectors stand the floor (orjson.loads, the selection of floor.py, orjson.dumps), the
same with Python's own json, and joining the rows unchanged, which is what not projecting would cost.
MB/s are of input and processor time; each figure is the best of interleaved rounds, since whatever
else the machine does only ever adds time. Answers are compared before the timing.

    python -m benchmarks.projection [--rounds N]
"""

import argparse
import hashlib
import json
import platform
import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from benchmarks import floor
from fraiseql.engine.result import reference
from fraiseql.engine.result.implementation import Implementation, choose
from fraiseql.errors import ConfigurationError
from fraiseql.schema.shape import CONSTANT, DATETIME, ID, LIST, OBJECT, STRING, Node

Work = Callable[[], bytes]
Select = Callable[[dict[str, Any]], dict[str, Any]]

# A round of one system lasts at least so long: a clock tick or a collection does not decide it.
ROUND_SECONDS = 0.04

SENTENCE = 'Her note on "views" was mistaken for a question of taste, or of time, and of Malmö.'


@dataclass(frozen=True)
class Workload:
    """Documents, and what of each goes out: as a node and as Python code."""

    name: str
    rows: list[bytes]
    node: Node
    select: Select


def entry(name: str, key: str, node: Node) -> tuple[Any, ...]:
    return (key.encode(), name, f"T.{name}", node)


def node(*entries: tuple[Any, ...]) -> Node:
    return (OBJECT, 0, entries)


IDENTITY = entry("id", "id", (ID, 0))
IDENTIFIER = entry("identifier", "identifier", (STRING, 0))
FULL_NAME = entry("fullName", "full_name", (STRING, 0))
CONTENT = entry("content", "content", (STRING, 0))
CREATED_AT = entry("createdAt", "created_at", (DATETIME, 0))
AUTHOR = entry("author", "author", node(IDENTITY, IDENTIFIER, FULL_NAME))
COMMENT = node(IDENTITY, CONTENT, CREATED_AT, AUTHOR)

USER = node(IDENTITY, IDENTIFIER, FULL_NAME, entry("email", "email", (STRING, 0)))
TITLE = entry("title", "title", (STRING, 0))
COMMENTS = entry("comments", "comments", (LIST, 0, COMMENT))
POST = node(IDENTITY, TITLE, CONTENT, CREATED_AT, AUTHOR, COMMENTS)
HEADLINE = node(entry("__typename", "", (CONSTANT, b'"Post"')), IDENTITY, TITLE)


def headline(document: dict[str, Any]) -> dict[str, Any]:
    return {"__typename": "Post", "id": document["id"], "title": document["title"]}


def workloads() -> list[Workload]:
    """Return what is measured."""
    users = [jsonb(user(number)) for number in range(10_000)]
    posts = [jsonb(post(number)) for number in range(100)]
    return [
        Workload("1 user, 4 of 7 fields", users[:1], USER, floor.user),
        Workload("100 users", users[:100], USER, floor.user),
        Workload("10,000 users", users, USER, floor.user),
        Workload("1 post, comments, their authors", posts[:1], POST, floor.post),
        Workload("100 posts, comments, their authors", posts, POST, floor.post),
        Workload("100 posts, id and title alone", posts, HEADLINE, headline),
    ]


def user(number: int) -> dict[str, Any]:
    return {
        "id": identity("user", number),
        "identifier": f"user-{number:05}",
        "full_name": f"Ada Number {number}",
        "email": f"ada.{number}@example.org",
        "bio": SENTENCE,
        "is_active": number % 10 != 0,
        "created_at": moment(number),
    }


def post(number: int) -> dict[str, Any]:
    return {
        "id": identity("post", number),
        "identifier": f"post-{number:06}",
        "title": f"Topic {number % 100}, part {number % 6}: number {number}",
        "content": " ".join([SENTENCE] * 9),
        "tags": [f"tag-{number % 50}", f"tag-{50 + number % 40}", "database"],
        "view_count": 977 * number % 100_000,
        "created_at": moment(number),
        "author": user(number),
        "comments": [
            {
                "id": identity("comment", 10 * number + index),
                "content": SENTENCE,
                "created_at": moment(number + index),
                "author": user(7 * number + index),
            }
            for index in range(3 + number % 5)
        ],
    }


def identity(kind: str, number: int) -> str:
    digits = hashlib.md5(f"{kind}:{number}".encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def moment(number: int) -> str:
    return (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=1801.25 * number)).isoformat()


def jsonb(value: Any) -> bytes:
    """Return ``value`` as PostgreSQL prints jsonb: shorter keys first, a space after each mark."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            keys = sorted(value, key=lambda key: (len(key), key))
            return {key: ordered(value[key]) for key in keys}
        return [ordered(item) for item in value] if isinstance(value, list) else value

    return json.dumps(ordered(value), ensure_ascii=False).encode()


def systems(workload: Workload, accelerator: Implementation | None) -> dict[str, Work]:
    """Return what is compared on ``workload``, by name."""
    rows, select = workload.rows, workload.select
    found: dict[str, Work] = {
        "floor": lambda: orjson.dumps([select(orjson.loads(row)) for row in rows]),
        "json": lambda: standard([select(json.loads(row)) for row in rows]),
        "reference": projection(reference.Shape, workload),
        "joined": lambda: b"[" + b",".join(rows) + b"]",
    }
    if accelerator:
        found["accelerator"] = projection(accelerator.shape, workload)
    return found


def standard(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def projection(kind: type[reference.Shape], workload: Workload) -> Work:
    shape = kind((LIST, 0, workload.node))
    return lambda: shape.project_rows(workload.rows)[0]


def best(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Return the shortest time of each in seconds a call, having taken turns."""
    repeats = {name: repeat_count(work) for name, work in works.items()}
    times = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            times[name] = min(times[name], timed(work, repeats[name]))
    return times


def repeat_count(work: Work) -> int:
    return max(1, round(ROUND_SECONDS / max(timed(work, 1), timed(work, 1) / 2, 1e-7)))


def timed(work: Work, repeats: int) -> float:
    start = time.thread_time()
    for _ in range(repeats):
        work()
    return (time.thread_time() - start) / repeats


def check(workload: Workload, works: dict[str, Work]) -> None:
    """Raise SystemExit unless all answer the same."""
    expected = orjson.loads(works["floor"]())
    for name in set(works) - {"joined"}:
        if orjson.loads(works[name]()) != expected:
            raise SystemExit(f"{workload.name}: {name} and the floor differ.")


def line(name: str, cells: Sequence[str]) -> str:
    return f"{name:36}" + "".join(f"{cell:>13}" for cell in cells)


def run(workload: Workload, accelerator: Implementation | None, rounds: int) -> str:
    """Return the line of ``workload``."""
    works = systems(workload, accelerator)
    check(workload, works)
    times = best(works, rounds)
    size = sum(map(len, workload.rows))

    def rate(name: str) -> str:
        return f"{size / times[name] / 1e6:,.0f}" if name in times else "-"

    ratio = f"{times['floor'] / times['accelerator']:.1f}x" if accelerator else "-"
    names = ("floor", "accelerator", "reference", "json", "joined")
    cells = [f"{size / len(workload.rows):,.0f}", *map(rate, names), ratio]
    return line(workload.name, cells)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures projection alone.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    try:
        accelerator: Implementation | None = choose("require")
    except ConfigurationError as error:
        print(error.message)
        accelerator = None
    print(f"Python {platform.python_version()}, {python_build()}; orjson {orjson.__version__}")
    print(f"accelerator {accelerator.version if accelerator else 'not installed'}")
    print("MB/s of input; the last column is accelerator to floor\n")
    heads = ("bytes/row", "floor", "accelerator", "reference", "json", "joined", "ratio")
    print(line("", heads))
    for workload in workloads():
        print(run(workload, accelerator, rounds), flush=True)


def python_build() -> str:
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return "with PGO" if "--enable-optimizations" in arguments else "without PGO"


if __name__ == "__main__":
    main()
