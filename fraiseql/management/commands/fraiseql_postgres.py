"""
``manage.py fraiseql_postgres``: the private PostgreSQL server of development.

Exit codes of ``status`` are those of ``pg_ctl status``: 0 it runs, 3 it does not, 4 it has no data
yet.
"""

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from fraiseql.db.embedded import EmbeddedServer, State, find_binaries, project_server
from fraiseql.db.embedded.contents import DATABASE, SUPERUSER
from fraiseql.errors import EmbeddedServerError

_EXIT_CODES = {
    State.RUNNING: 0,
    State.STARTING: 3,
    State.STOPPED: 3,
    State.KILLED: 3,
    State.ABSENT: 4,
}
_SENTENCES = {
    State.RUNNING: "PostgreSQL {major} runs (process {pid}) in {directory}.",
    State.STARTING: "PostgreSQL {major} is starting (process {pid}) in {directory}.",
    State.STOPPED: "PostgreSQL {major} in {directory} is stopped.",
    State.KILLED: "PostgreSQL {major} in {directory} was killed; the next start recovers its data.",
    State.ABSENT: "There is no data in {directory} yet; start creates it.",
}


class Command(BaseCommand):
    """
    Start, stop and look into the private server; the text forms are for people, JSON for programs.
    """

    help = "The private PostgreSQL server that is used while DATABASE_URL is not set."
    requires_system_checks = ()  # they may want the database

    psql_arguments: tuple[str, ...] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        # argparse wants the rest of a command line before its options; psql's come after ours.
        if "--" in argv:
            cut = argv.index("--")
            argv, self.psql_arguments = argv[:cut], tuple(argv[cut + 1 :])
        super().run_from_argv(argv)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action",
            choices=("start", "stop", "status", "uri", "psql", "logs"),
            help="What to do. psql takes arguments of its own after --.",
        )
        parser.add_argument("--directory", type=Path, help="The server's files; the project's.")
        parser.add_argument(
            "--postgres", help="'embedded' for the wheel's programs, or a major version such as 17."
        )
        parser.add_argument("--database", default="default", help="Alias of the database to use.")
        parser.add_argument("--superuser", action="store_true", help="psql, uri: as superuser.")
        parser.add_argument("--lines", type=int, default=50, help="logs: how many of the last.")
        parser.add_argument("--format", choices=("text", "json"), default="text")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done.")
        parser.add_argument(
            "--check", action="store_true", help="Exit with 1 if there is something to do."
        )

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            self.server = _server(options["directory"], options["postgres"])
            getattr(self, action)(options)
        except EmbeddedServerError as error:
            raise CommandError(str(error)) from error

    def start(self, options: dict[str, Any]) -> None:
        """Start the server unless it runs."""
        if not self._previewed(options, "start", runs=False):
            self.server.start()
            self._tell(options)

    def stop(self, options: dict[str, Any]) -> None:
        """End the server."""
        if not self._previewed(options, "stop", runs=True):
            self.server.stop()
            self._tell(options)

    def status(self, options: dict[str, Any]) -> None:
        """Say how the server is, in words and by the exit code."""
        self._tell(options)
        if code := _EXIT_CODES[self.server.status().state]:
            sys.exit(code)

    def uri(self, options: dict[str, Any]) -> None:
        """Print the URI for psql, pg_dump and other clients."""
        uri = self._uri(options)
        self.stdout.write(json.dumps({"uri": uri}) if options["format"] == "json" else uri)

    def psql(self, options: dict[str, Any]) -> None:
        """Become psql on the server, started if need be."""
        self.server.start()
        binaries = self.server.binaries
        program = binaries.program("psql")
        environment = dict(os.environ)
        if binaries.libraries:
            environment["LD_LIBRARY_PATH"] = binaries.libraries
        command = [program, self._uri(options), *self.psql_arguments]
        os.execve(program, command, environment)  # noqa: S606 - the program is find_binaries' choice

    def logs(self, options: dict[str, Any]) -> None:
        """Print the last lines of the server's log."""
        log = self.server.status().log
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        last = lines[-options["lines"] :] if options["lines"] > 0 else []
        if options["format"] == "json":
            self.stdout.write(json.dumps({"log": str(log), "lines": last}))
        else:
            self.stdout.write("\n".join(last))

    def _previewed(self, options: dict[str, Any], action: str, *, runs: bool) -> bool:
        """Answer --dry-run and --check; return whether one was given."""
        if not (options["dry_run"] or options["check"]):
            return False
        needed = (self.server.status().state is State.RUNNING) is runs
        sentence = f"Would {action} the server." if needed else f"Nothing to {action}."
        if options["format"] == "json":
            sentence = json.dumps({"action": action, "needed": needed})
        self.stdout.write(sentence)
        if options["check"] and needed:
            sys.exit(1)
        return True

    def _tell(self, options: dict[str, Any]) -> None:
        found = self.server.status()
        uri = self._uri(options)
        values = {
            "state": found.state.value,
            "pid": found.pid,
            "major": found.major,
            "directory": str(found.directory),
            "log": str(found.log),
            "uri": uri,
        }
        if options["format"] == "json":
            self.stdout.write(json.dumps(values))
        else:
            self.stdout.write(_SENTENCES[found.state].format(**values))
            if found.state is State.RUNNING:
                self.stdout.write(uri)

    def _uri(self, options: dict[str, Any]) -> str:
        user = SUPERUSER if options["superuser"] else None
        return self.server.uri(database=self._name(options["database"]), user=user)

    def _name(self, alias: str) -> str:
        """Return the database that ``alias`` means, where it is in this server."""
        if alias not in settings.DATABASES:
            raise CommandError(f"DATABASES has no alias {alias!r}.")
        configured = settings.DATABASES[alias]
        here = configured.get("HOST") == str(self.server.status().socket)
        return str(configured["NAME"]) if here else DATABASE


def _server(directory: Path | None, postgres: str | None) -> EmbeddedServer:
    if directory is None:
        return project_server(getattr(settings, "BASE_DIR", Path.cwd()), postgres)
    binaries = find_binaries(postgres) if postgres else None
    return EmbeddedServer(directory, binaries)
