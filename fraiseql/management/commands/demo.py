"""``manage.py demo``: from an empty database to a served schema, with one command."""

import fcntl
import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.module_loading import import_string

from fraiseql.management.progress import steps

HOST = "127.0.0.1"
USER = "demo"


class Command(BaseCommand):
    """
    Migrate, load what ``demo_data`` loads, fill the projections, serve, and ask the first question.

    An application joins in with a command ``demo_data`` and a file ``demo.graphql``.
    """

    help = "Prepare the database, serve the project on this machine and show one query with its answer."
    # The command brings the database to where the checks can pass.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--port",
            type=int,
            default=os.environ.get("PORT", "8000"),
            help="Port on 127.0.0.1; the environment's PORT or 8000 by default.",
        )
        parser.add_argument("--once", action="store_true", help="Stop after the first answer.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until Ctrl-C."""
        if not settings.DEBUG:
            raise CommandError(
                "demo makes a user with every right, and DEBUG is off: this may be production.\n"
                "Set DEBUG=on if it is not."
            )
        # A shell script's background jobs ignore Ctrl-C; whoever sends it to this one means it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        address = f"http://{HOST}:{options['port']}/"
        with only_one(address):
            refuse_busy_port(options["port"])
            try:
                password = self._prepare(options["verbosity"])
            except DatabaseError as error:
                raise CommandError(
                    f"The database could not be prepared: {error}\nNothing half done is left; run this again."
                ) from error
            except KeyboardInterrupt:
                raise CommandError(
                    "Stopped. What was done stays; run this again to go on.", returncode=130
                ) from None
            failure = self._serve(options["port"], address, password, once=options["once"])
        if failure:
            raise CommandError(failure)

    def _prepare(self, verbosity: int) -> str:
        commands = [
            "migrate",
            *(["demo_data"] if "demo_data" in get_commands() else []),
            "fraiseql_sync",
        ]
        with steps(len(commands) + 1, enabled=verbosity > 0) as bar:
            for command in commands:
                bar.begin(command)
                call_command(command, verbosity=0)
            bar.begin("demo user")
            return administrator()

    def _serve(self, port: int, address: str, password: str, *, once: bool) -> str | None:
        """Serve until stopped; return what went wrong with the first question."""
        # Installs its event loop for the whole process when imported; only this command wants that.
        server_module = import_module("daphne.server")
        failures: list[str] = []

        def introduce() -> None:
            try:
                self._introduce(address, password)
            except (OSError, ValueError) as error:
                failures.append(f"The server did not answer: {error}")
            if once or failures:
                server_module.reactor.callFromThread(server_module.reactor.stop)

        server = server_module.Server(
            application=ASGIStaticFilesHandler(import_string(settings.ASGI_APPLICATION)),
            endpoints=[f"tcp:port={port}:interface={HOST}"],
            ready_callable=lambda: threading.Thread(target=introduce, daemon=True).start(),
        )
        server.run()
        self.stdout.write("\nStopped. The data is kept; run this again to go on.")
        if settings.DATABASES["default"]["HOST"].startswith(os.sep):
            self.stdout.write(
                "PostgreSQL goes on in the background; manage.py fraiseql_postgres stop ends it."
            )
        return failures[0] if failures else None

    def _introduce(self, address: str, password: str) -> None:
        lines = [
            "",
            f"GraphiQL  {address}graphql/",
            f"Admin     {address}admin/  (user {USER}, password {password})",
        ]
        if query := first_query():
            answer = ask(f"{address}graphql/", query)
            lines += ["", query, "", json.dumps(answer, indent=2, ensure_ascii=False)]
        self.stdout.write("\n".join([*lines, "", "Ctrl-C stops the server."]))
        self.stdout.flush()


@contextmanager
def only_one(address: str) -> Iterator[None]:
    """Hold the project's demonstration lock. Raises CommandError, with its address, if one runs."""
    place = Path(getattr(settings, "BASE_DIR", "."), ".fraiseql", "demo")
    place.parent.mkdir(exist_ok=True)
    with place.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as running:
            lock.seek(0)
            where, _, process = lock.read().strip().partition(" ")
            raise CommandError(
                f"A demo of this project runs already: {where} (process {process}).\n"
                "Use that one, or stop it with Ctrl-C first."
            ) from running
        lock.truncate(0)
        lock.write(f"{address} {os.getpid()}\n")
        lock.flush()
        yield


def refuse_busy_port(port: int) -> None:
    """Raise CommandError if the port cannot be listened on."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except (OSError, OverflowError) as error:
        raise CommandError(
            f"Cannot listen on {HOST}:{port}: {error}.\nChoose another port: --port 8001"
        ) from error


def administrator() -> str:
    """Give the demonstration's user a new password, and return it."""
    users: Any = get_user_model()._default_manager
    user, _ = users.get_or_create(
        **{str(get_user_model().USERNAME_FIELD): USER},
        defaults={"is_staff": True, "is_superuser": True},
    )
    password = secrets.token_urlsafe(9)
    user.set_password(password)
    user.save()
    return password


def first_query() -> str | None:
    """Return the text of the first ``demo.graphql`` among the installed applications."""
    for app in apps.get_app_configs():
        file = Path(app.path, "demo.graphql")
        if file.exists():
            return file.read_text(encoding="utf-8").strip()
    return None


def ask(url: str, query: str) -> Any:
    """Return the server's answer to ``query``, errors included. Raises OSError if there is none."""
    request = Request(  # noqa: S310 - our own address
        url,
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with urlopen(request, timeout=30) as response:  # noqa: S310 - our own address
            return json.load(response)
    except HTTPError as refusal:
        return json.load(refusal)
