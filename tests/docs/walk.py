"""
Pages walked through as a reader would: files written, commands run, queries sent, answers compared.

A block's info string says what is done with it:

``sh``                run in the project's folder; a ``text`` block after it is what it prints
``sh serve``          a server: started for the next query, and started again after changes;
                      ``port=OPTION`` is how it is told its port, where it is no ``runserver``
``python file=PATH``  written to PATH, as any language with ``file=``; ``add=PATH``: put at its end
``diff file=PATH``    the lines with ``-`` are replaced by those with ``+``
``python``            run in ``manage.py shell``; a ``text`` block after it is what it prints
``sql``               run in the database; a ``text`` block after it has parts of what comes back
``graphql``           sent to the server; ``json variables`` before the answer, a ``json`` block, if any
``text``, ``nginx``   otherwise for reading only

``...`` in an expected text stands for anything. In an answer the string "..." does, and the variable
"<endCursor>" is the cursor that the answer before ended with.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg

from tests.docs.blocks import ROOT, Block, blocks

READ_ONLY = {"text", "nginx"}
SERVER_S = 60


@dataclass
class Walk:
    """
    A reader's machine: the folder they are in, their database and their server.

    ``left_out``: servers that are not installed here.
    """

    folder: Path
    database_url: str
    server: "Server | None" = None
    answer: Any = None
    left_out: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        kept = {"HOME", "LANG", "LC_ALL", "FRAISEQL_ACCELERATOR"}
        self.environment = {name: value for name, value in os.environ.items() if name in kept} | {
            "DATABASE_URL": self.database_url,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "DEBUG": "on",
            "FRAISEQL_POSTGRES": os.environ.get("FRAISEQL_TEST_POSTGRES", ""),
        }

    def through(self, page: Path) -> None:
        """Do everything the page says. Raises AssertionError where it turns out otherwise."""
        found = list(blocks(page))
        while found:
            block = found.pop(0)
            following = _take_following(block, found)
            self._do(block, following)

    def stop(self) -> None:
        """End the server."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    def _do(self, block: Block, following: Mapping[str, str]) -> None:
        if "file" in block.options or "add" in block.options:
            self._write(block)
            return
        if block.language in READ_ONLY:
            return
        actions: dict[str, Callable[[Block, Mapping[str, str]], None]] = {
            "sh": self._serve if "serve" in block.words else self._run,
            "python": self._python,
            "sql": self._sql,
            "graphql": self._ask,
        }
        assert block.language in actions, f"{block}: nothing is known of {block.language!r} blocks"
        actions[block.language](block, following)

    def _write(self, block: Block) -> None:
        path = self.folder / block.options.get("file", block.options.get("add", ""))
        path.parent.mkdir(parents=True, exist_ok=True)
        text = block.text
        if block.language == "diff":
            text = _patched(path.read_text(encoding="utf-8"), block)
        elif "add" in block.options:
            text = path.read_text(encoding="utf-8").rstrip("\n") + "\n\n\n" + text
        path.write_text(text, encoding="utf-8")
        if self.server is not None:
            self.server.is_outdated = True

    def _run(self, block: Block, following: Mapping[str, str]) -> None:
        done = subprocess.run(
            ["sh", "-euc", f"{block.text}\npwd"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        printed, _, folder = done.stdout.rstrip("\n").rpartition("\n")
        self.folder = Path(folder)
        _compare(block, following.get("text"), printed + "\n" + done.stderr)

    def _python(self, block: Block, following: Mapping[str, str]) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", block.text],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        _compare(block, following.get("text"), done.stdout)

    def _sql(self, block: Block, following: Mapping[str, str]) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(block.text.encode())
            rows = cursor.fetchall() if cursor.description else []
        printed = "\n".join(" | ".join(str(value) for value in row) for row in rows)
        _compare(block, following.get("text"), printed)

    def _serve(self, block: Block, _following: Mapping[str, str]) -> None:
        self.stop()
        command = shlex.split(block.text)
        if shutil.which(command[0], path=self.environment["PATH"]) is None:
            self.left_out.append(command[0])
            return
        option = block.options.get("port")
        self.server = Server(command, self.folder, self.environment, option)
        assert "data" in self.server.ask("{ __typename }", {})

    def _ask(self, block: Block, following: Mapping[str, str]) -> None:
        if self.server is None:
            self.server = Server(
                ["python", "manage.py", "runserver"], self.folder, self.environment
            )
        variables = json.loads(following.get("json variables", "{}"))
        for name, value in variables.items():
            if value == "<endCursor>":
                variables[name] = _end_cursor(self.answer)
        answer = self.server.ask(block.text, variables)
        self.answer = json.loads(answer)
        expected = following.get("json")
        if expected is None:
            assert "errors" not in self.answer, f"{block}\n{answer}"
            return
        found = json.loads(answer, object_pairs_hook=_Members)
        wanted = json.loads(expected, object_pairs_hook=_Members)
        shown = json.dumps(self.answer, indent=2, ensure_ascii=False)
        assert _fits(found, wanted), f"{block} is answered with\n{shown}"


@dataclass
class Server:
    """
    A server of the project. ``port_option``: how it is told its port, if it is not ``runserver``.

    ``is_outdated``: files have changed since it started.
    """

    command: list[str]
    folder: Path
    environment: dict[str, str]
    port_option: str | None = None
    is_outdated: bool = True
    process: subprocess.Popen[str] | None = None
    port: int = 0

    def ask(self, query: str, variables: dict[str, Any]) -> str:
        """Return the answer to a query, whatever its status."""
        if self.is_outdated:
            self.stop()
            self._start()
        request = Request(
            f"http://127.0.0.1:{self.port}/graphql/",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=30) as response:
                return str(response.read().decode())
        except HTTPError as refusal:
            return str(refusal.read().decode())

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.communicate(timeout=60)
            self.process = None

    def _start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        arguments = ["--noreload", f"127.0.0.1:{self.port}"]
        if self.port_option:
            arguments = [self.port_option, str(self.port)]
        program = shutil.which(self.command[0], path=self.environment["PATH"]) or self.command[0]
        self.process = subprocess.Popen(
            [program, *self.command[1:], *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.is_outdated = False
        deadline = time.monotonic() + SERVER_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate()[0])
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"No server answers after {SERVER_S} s.")


class _Members(list[tuple[str, Any]]):
    """A JSON object whose order counts."""


def _take_following(block: Block, rest: list[Block]) -> dict[str, str]:
    """Take the blocks that belong to ``block`` off ``rest``: what it is sent with and what comes back."""
    kinds = {"graphql": ("json variables", "json"), "sh": ("text",), "sql": ("text",)}
    taken: dict[str, str] = {}
    for kind in kinds.get(block.language, ("text",) if block.language == "python" else ()):
        if rest and " ".join([rest[0].language, *rest[0].words]) == kind and not rest[0].options:
            taken[kind] = rest.pop(0).text
    return taken


def _patched(text: str, block: Block) -> str:
    lines = block.text.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(old) == 1, f"{block}: its lines stand {text.count(old)} times in the file"
    return text.replace(old, new)


def _compare(block: Block, expected: str | None, printed: str) -> None:
    if expected is None:
        return
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("..."))
    assert re.search(pattern, printed, flags=re.DOTALL), f"{block} prints\n{printed}"


def _fits(found: Any, wanted: Any) -> bool:
    if wanted == "...":
        return True
    if isinstance(wanted, _Members):
        return (
            isinstance(found, _Members)
            and [name for name, _ in found] == [name for name, _ in wanted]
            and all(_fits(one, other) for (_, one), (_, other) in zip(found, wanted, strict=True))
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list) and len(found) == len(wanted) and all(map(_fits, found, wanted))
        )
    return type(found) is type(wanted) and bool(found == wanted)


def _end_cursor(answer: Any) -> str:
    (connection,) = answer["data"].values()
    return str(connection["pageInfo"]["endCursor"])
