#!/usr/bin/env python3
"""
Write the pages of docs/reference from the tables in the code: python scripts/reference.py

With --check nothing is written: it exits with 1 and names the pages that are not as the code says.
"""

import argparse
import inspect
import os
import pkgutil
import re
import sys
import textwrap
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, Unpack, get_args, get_origin

import django
import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "fraiseql"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}},
    )
    django.setup()

# Below, because graphene's types and Django's commands want settings.
import fraiseql  # noqa: E402
from fraiseql import (  # noqa: E402
    errors,
    operations,
    testing,
)
from fraiseql.asgi import GraphQLApplication  # noqa: E402
from fraiseql.checks import CHECKS  # noqa: E402
from fraiseql.conf import Settings  # noqa: E402
from fraiseql.db import faults  # noqa: E402
from fraiseql.engine.context import Context  # noqa: E402
from fraiseql.engine.database import AsyncDatabase, Database  # noqa: E402
from fraiseql.engine.sql import operators as rendering  # noqa: E402
from fraiseql.management import commands  # noqa: E402
from fraiseql.schema import scalars, shape  # noqa: E402
from fraiseql.schema.operators import LIST, OPERATORS  # noqa: E402
from fraiseql.schema.scalars import Marker, Scalar  # noqa: E402

# The closed list, in the order of a request's life; what no exception has is reserved.
CODES = (
    "BAD_REQUEST", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_RESOLUTION_FAILURE", "PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_NOT_SUPPORTED",
    "BAD_USER_INPUT", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "CONFLICT", "RATE_LIMITED",
    "COST_EXCEEDED", "TIMEOUT", "SERVICE_UNAVAILABLE", "INTERNAL_SERVER_ERROR",
)  # fmt: skip

_MADE = "<!-- Made by scripts/reference.py"

# What each kind of leaf is in JSON.
_OUT = {
    shape.STRING: "string", shape.INT: "number", shape.FLOAT: "number", shape.BOOLEAN: "boolean",
    shape.DIGITS: "string of digits", shape.ID: "string", shape.DATETIME: "string",
    shape.TEXT: "string", shape.JSON: "any JSON",
}  # fmt: skip

# One of them is a legal value of each scalar, so that asking its parser tells what JSON it takes.
_PROBES: dict[str, tuple[object, ...]] = {
    "string": (
        "en", "EU", "EUR", "1", "1.2.3", "b5c1a1d6-7c35-4a9f-9d4b-6e2f0f8f0a11", "2024-01-31",
        "2024-01-31T12:00:00Z", "12:30:00", "P1DT2H", "Europe/Berlin", "10.0.0.1", "10.0.0.0/8",
        "10.0.0.1-10.0.0.9", "08:00:2b:01:02:03", "example.org", "ada@example.org",
        "https://example.org/", "+4930123456", "[1,10)", "[1.5,2.5)", "[2024-01-01,2024-02-01)",
        "[2024-01-01T00:00:00Z,2024-02-01T00:00:00Z)",
    ),
    "integer": (1, 60000),
    "fraction": (1.5,),
    "boolean": (True,),
    "list": ([0.5, 1],),
    "object": ({"a": 1}, {"vector": [0.5], "distance": 1}),
}  # fmt: skip

_ENVIRONMENT = (
    ("`FRAISEQL_ACCELERATOR`", "As the setting `ACCELERATOR`, which it wins over."),
    ("`FRAISEQL_POSTGRES`", "The private server's PostgreSQL: `embedded`, or a major version."),
    ("`PG_BIN`", "The folder of its programs."),
    ("`FRAISEQL_POSTGRES_DIRECTORY`", "Where its data is, in place of `.fraiseql/postgres`."),
    ("`PORT`", "The port of `manage.py demo`."),
)

_ARGUMENTS = {
    "same": "the field's type", "list": "list of the field's type", "boolean": "`Boolean`",
    "int": "`Int`", "text": "`String`", "texts": "list of `String`", "json": "`JSON`",
}  # fmt: skip


def reference() -> dict[str, str]:
    """Return every page's text by its file name."""
    made = {
        "scalars.md": ("fraiseql/schema/scalars.py", scalars_page),
        "operators.md": ("fraiseql/schema/operators.py", operators_page),
        "settings.md": ("fraiseql/conf.py", settings_page),
        "errors.md": ("fraiseql/errors.py", errors_page),
        "checks.md": ("fraiseql/checks/table.py", checks_page),
        "commands.md": ("fraiseql/management/commands", commands_page),
        "python.md": ("fraiseql/__init__.py", python_page),
    }
    return {
        name: f"{_MADE} from {source}: change that. -->\n\n{page()}"
        for name, (source, page) in made.items()
    }


# Scalars


def rows_of_scalars() -> list[Scalar]:
    """Return the framework's own rows, without those an application or a test has added."""
    return [
        thing.scalar
        for thing in vars(scalars).values()
        if isinstance(thing, type) and issubclass(thing, Marker) and hasattr(thing, "scalar")
    ]


def scalars_page() -> str:
    """Return the page of scalars."""
    rows = rows_of_scalars()
    table = _table(
        ("scalar", "annotation", "PostgreSQL", "JSON in", "JSON out", "family"),
        (
            (
                f"[{row.name}](#{row.name.lower()})",
                ", ".join(f"`{name}`" for name in _annotations(row)),
                f"`{row.pg}`",
                accepted(row),
                _OUT[row.output],
                f"[{row.family}](operators.md#{row.family.replace('_', '-')})",
            )
            for row in rows
        ),
    )
    entries = "\n\n".join(
        f"### {row.name}\n\n{row.description}"
        + (f" Specified by <{row.specified_by}>." if row.specified_by else "")
        + ("" if row.is_sortable else " It has no order: `orderBy` does not take it.")
        for row in rows
    )
    return (
        "# Scalars\n\n"
        "How a field is annotated, what PostgreSQL type it is compared as, which JSON goes in and out, and"
        " which [operators](operators.md) it has. `scalars` is `from fraiseql import scalars`.\n\n"
        f"{table}\n\n"
        "A field called `id` shows as `ID` whatever scalar it is annotated with. An application adds a scalar"
        " by one more subclass of `fraiseql.scalars.Marker`, written as those in"
        f" [the table](../../fraiseql/schema/scalars.py).\n\n{entries}\n"
    )


def _annotations(row: Scalar) -> list[str]:
    own = "fraiseql.ID" if row.name == "ID" else f"scalars.{row.name}"
    python = [
        kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        for kind in row.python
    ]
    return [*python, own]


def accepted(row: Scalar) -> str:
    return ", ".join(
        kind for kind, samples in _PROBES.items() if any(_parses(row, item) for item in samples)
    )


def _parses(row: Scalar, value: object) -> bool:
    try:
        row.parse(value)
    except ValueError:
        return False
    return True


# Operators


def operators_page() -> str:
    """Return the page of operators."""
    families: dict[str, list[str]] = {}
    for row in rows_of_scalars():
        families.setdefault(row.family, []).append(row.name)
    families["enum"] = ["every `@fraiseql.enum`"]
    families[LIST] = ["every list of scalars or enums"]
    sections = []
    for family, names in families.items():
        rows = [
            (f"`{row.name}`", _argument(row.argument), _template(row.sql), row.description)
            for row in OPERATORS
            if family in row.families
        ]
        table = _table(("operator", "argument", "SQL", "meaning"), rows)
        members = ", ".join(
            name if " " in name else f"[{name}](scalars.md#{name.lower()})" for name in names
        )
        sections.append(f"## {family.replace('_', ' ')}\n\n{members}\n\n{table}")
    return (
        "# Operators\n\n"
        "What `where` can ask of a field, by the family of its [scalar](scalars.md). In the SQL, *field* is"
        " the field in its scalar's type, *text* the field as text, *value* the argument. How conditions"
        " combine, and what they make of null, is in"
        " [Filter and order](../how-to/filter-and-order.md).\n\n"
        + "\n\n".join(sections)
        + f"\n\n## Which index serves\n\n{_indexes()}\n"
    )


def _argument(argument: str) -> str:
    return _ARGUMENTS.get(argument) or f"[{argument}](scalars.md#{argument.lower()})"


def _template(text: str) -> str:
    named = text.replace("{null}", "{field}")
    shown = " ".join(re.sub(r"\{(\w+)\}", r"\1", named).split())
    return f"`{shown[:100]} ...`" if len(shown) > 103 else f"`{shown}`"


def _indexes() -> str:
    """Return the text and the table of the docstring of ``engine/sql/operators.py``."""
    text = inspect.getdoc(rendering) or ""
    prose, head, body, _ = re.split(r"^=+ +=+$", text, flags=re.MULTILINE)
    lines = [re.split(r" {2,}", line.strip(), maxsplit=1) for line in f"{head}{body}".splitlines()]
    rows = [tuple(map(_markdown, pair)) for pair in lines if len(pair) == 2]
    _, _, first = prose.partition("\n\n")
    return f"{_markdown(_joined(first))}\n\n{_table(rows[0], rows[1:])}"


# Settings


def settings_page() -> str:
    """Return the page of settings."""
    table = _table(
        ("setting", "type", "default", "meaning"),
        (
            (
                f"`{entry.name}`",
                f"`{_type_name(entry.type)}`",
                f"`{entry.default!r}`",
                str(entry.metadata["meaning"]),
            )
            for entry in fields(Settings)
        ),
    )
    return (
        "# Settings\n\n"
        "Members of the dict `FRAISEQL` in Django's settings. What is not given has its default; a name that"
        " is not listed here, or a value of another type, is the error"
        f" [fraiseql.E002](checks.md).\n\n{table}\n\n"
        "## Environment\n\n"
        f"{_table(('variable', 'meaning'), _ENVIRONMENT)}\n"
    )


def _type_name(kind: Any) -> str:
    return kind.__name__ if kind in (str, int, bool) else str(kind)


# Errors


def error_classes() -> list[type[errors.FraiseQLError]]:
    """Return the classes of errors.py, in its order."""
    return [
        thing
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, errors.FraiseQLError)
    ]


def errors_page() -> str:
    """Return the page of error codes."""
    classes = error_classes()
    rows = []
    for code in CODES:
        causes = [_first_line(kind) for kind in classes if kind.code == code and kind.public]
        if code == "INTERNAL_SERVER_ERROR":
            causes.append('Anything else: "Internal error", with an `id` that is in the log.')
        rows.append((f"`{code}`", " ".join(causes) or "*Reserved: nothing sends it yet.*"))
    return (
        "# Errors\n\n"
        "Every error of a response has `message` and `extensions.code`, one of the closed list below; an error"
        " of a field has its `path`, and most have `locations`. `extensions.hint`, where there is one, says"
        " what to do. A refused request has no `data`; one with errors in fields has the rest. Only a"
        " `graphql.GraphQLError` of a resolver may bring a code of its own.\n\n"
        f"{_table(('code', 'cause'), rows)}\n\n"
        'Messages that are not meant for clients are replaced by "Internal error"; with `DEBUG` they are'
        " shown. The log is `fraiseql.errors`.\n\n"
        "## Exceptions\n\n"
        "Of `fraiseql.errors`. A resolver raises one to say something to the client: those that are public"
        " send their message.\n\n"
        + _table(
            ("exception", "code", "public", "meaning"),
            (
                (
                    f"`{kind.__name__}`",
                    f"`{kind.code}`",
                    "yes" if kind.public else "no",
                    _first_line(kind),
                )
                for kind in classes
            ),
        )
        + "\n\n## What PostgreSQL refuses\n\n"
        "By SQLSTATE. What PostgreSQL itself says goes to the log, for it may quote other people's rows; only"
        " the text of `RAISE EXCEPTION` reaches the client. After 40001 and 40P01 the statement is sent once"
        " more before the error is.\n\n" + _table(("SQLSTATE", "code", "message"), _states()) + "\n"
    )


def _states() -> Iterable[tuple[str, str, str]]:
    """Return SQLSTATEs by what becomes of them; the classes of many states as 22xxx."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in dir(psycopg.errors):
        state = getattr(getattr(psycopg.errors, name), "sqlstate", None)
        if not isinstance(state, str):
            continue
        error = faults.fault(psycopg.errors.lookup(state)())
        if error.public:
            message = "*the exception's own*" if state == "P0001" else error.message
            found.setdefault((error.code, message), []).append(state)
    for (code, message), states in sorted(found.items(), key=lambda item: min(item[1])):
        shown = sorted(set(states))
        if len(shown) > 6:
            classes = sorted({state[:2] for state in shown})
            shown = [f"{prefix}xxx" for prefix in classes]
        yield ", ".join(shown), f"`{code}`", message


# Checks


def checks_page() -> str:
    """Return the page of system checks."""
    sections = (
        ("0", "Settings and declarations", "`manage.py check`"),
        ("1", "The database", "`manage.py check --database default`"),
        ("3", "Production", "`manage.py check --deploy`, with `--database default` for the role"),
    )
    parts = [
        f"## {title}\n\n{when}.\n\n"
        + _table(
            ("id", "looks at", "message", "hint"),
            (
                (
                    f"`{row.id.removeprefix('fraiseql.')}`",
                    row.looks_at,
                    _code(row.message),
                    _code(row.hint),
                )
                for row in CHECKS.values()
                if row.id.removeprefix("fraiseql.")[1] == digit
            ),
        )
        for digit, title, when in sections
    ]
    return (
        "# System checks\n\n"
        "Faults that are seen before the first request. `E` is an error, `W` a warning; ids begin with"
        " `fraiseql.` and are silenced, as Django's, by `SILENCED_SYSTEM_CHECKS`. What stands in braces is"
        " filled in.\n\n" + "\n\n".join(parts) + "\n"
    )


def _code(template: str) -> str:
    return re.sub(r"\{(\w+)(![rs])?\}", r"{\1}", template).replace("<", "&lt;")


# Commands


def commands_page() -> str:
    """Return the page of commands."""
    parts = []
    for found in pkgutil.iter_modules(commands.__path__):
        command: BaseCommand = import_module(f"{commands.__name__}.{found.name}").Command()
        parts.append(
            f"## {found.name}\n\n{_joined(command.help)}\n\n{_options(command, found.name)}"
        )
    return (
        "# Commands\n\n"
        "Run by `python manage.py`. Django's own options (`--settings`, `--verbosity` ...) are left out"
        " here.\n\n" + "\n\n".join(parts) + "\n"
    )


def _options(command: BaseCommand, name: str) -> str:
    parser = command.create_parser("manage.py", name)
    below: dict[str, ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            below |= action.choices
    rows = _rows(parser)
    if not below:
        return _table(("argument", "meaning"), rows) if rows else "It has no options."
    shared = [row for row in _rows(next(iter(below.values()))) if _is_shared(row, below.values())]
    parts = []
    for word, sub in below.items():
        own = [row for row in _rows(sub) if row not in shared]
        meaning = f"### {name} {word}\n\n{_joined(sub.description or '')}".rstrip()
        parts.append(meaning + (f"\n\n{_table(('argument', 'meaning'), own)}" if own else ""))
    if rows or shared:
        parts.append(f"All of them take\n\n{_table(('argument', 'meaning'), [*rows, *shared])}")
    return "\n\n".join(parts)


def _is_shared(row: tuple[str, str], parsers: Iterable[ArgumentParser]) -> bool:
    return all(row in _rows(parser) for parser in parsers)


def _rows(parser: ArgumentParser) -> list[tuple[str, str]]:
    usual = {
        option
        for action in BaseCommand().create_parser("manage.py", "usual")._actions
        for option in action.option_strings
    }
    return [
        (_usage(action), _joined(action.help or ""))
        for action in parser._actions
        if not isinstance(action, argparse._SubParsersAction)
        and not usual & {*action.option_strings}
    ]


def _usage(action: argparse.Action) -> str:
    value = ""
    if action.nargs != 0:
        name = str(action.metavar or action.dest.upper())
        is_word = action.choices and action.dest != "database"
        value = "\\|".join(map(str, action.choices or ())) if is_word else name
    shown = " ".join(filter(None, (", ".join(action.option_strings), value)))
    return f"`{shown}`"


# Python


def python_page() -> str:
    """Return the page of the public Python names."""
    declared = [(f"fraiseql.{name}", getattr(fraiseql, name)) for name in fraiseql.__all__]
    asked = [
        ("info.context", Context),
        ("info.context.db.find", Database.find),
        ("info.context.db.find_one", Database.find_one),
        ("fraiseql.engine.database.Database", Database),
        ("fraiseql.engine.database.AsyncDatabase", AsyncDatabase),
    ]
    served = [
        ("fraiseql.asgi.GraphQLApplication", GraphQLApplication),
        *(
            (f"fraiseql.operations.{name}", getattr(operations, name))
            for name in operations.__all__
        ),
    ]
    tested = [(f"fraiseql.testing.{name}", getattr(testing, name)) for name in testing.__all__]
    sections = (
        ("Declarations", "What `bindings.py` is written with.", declared),
        ("In resolvers", "See [Write a resolver](../how-to/write-a-resolver.md).", asked),
        ("In projects", "In `asgi.py` and in migrations.", served),
        ("In tests", "See [Test an application](../how-to/test.md).", tested),
    )
    return "# Python\n\n" + "\n\n".join(
        f"## {title}\n\n{text}\n\n" + "\n\n".join(_entry(name, thing) for name, thing in things)
        for title, text, things in sections
    ) + "\n"  # fmt: skip


def _entry(name: str, thing: Any) -> str:
    if inspect.ismodule(thing):
        return f"### {name}\n\nThe scalars, as annotations: see [Scalars](scalars.md)."
    if name == "fraiseql.UNSET":
        return f"### {name}\n\nWhat an optional input field holds that the client did not send; null is `None`."
    is_parent = inspect.isclass(thing) and (issubclass(thing, Marker) or thing is Context)
    shown = name if is_parent or thing is fraiseql.Query else f"{name}{_signature(thing)}"
    parts = [f"### {name}", f"`{shown}`", _prose(thing)]
    if inspect.isclass(thing) and thing.__module__ == testing.__name__:
        methods = [
            f"- `{method}{_signature(function)}`: {_first_line(function)}"
            for method, function in vars(thing).items()
            if inspect.isfunction(function) and not method.startswith("_")
        ]
        parts += ["\n".join(methods)] if methods else []
    return "\n\n".join(parts)


def _signature(thing: Callable[..., Any]) -> str:
    # Of a class whose base has a __new__ of its own, versions of Python disagree which one counts.
    init = getattr(thing, "__init__", None) if isinstance(thing, type) else None
    if inspect.isfunction(init):
        signature = inspect.signature(init)
        own = list(signature.parameters.values())[1:]
        signature = signature.replace(parameters=own)
    else:
        signature = inspect.signature(thing)
    kept = [
        shown
        for parameter in signature.parameters.values()
        if parameter.name != "self" and parameter.kind is not parameter.POSITIONAL_ONLY
        for shown in _unpacked(parameter)
    ]
    bare = signature.replace(parameters=kept, return_annotation=signature.empty)
    return str(bare).replace("<fraiseql.UNSET>", "UNSET")


def _unpacked(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """Return a parameter without its annotation; ``**options: Unpack[...]`` as those that it stands for."""
    if (
        parameter.kind is not parameter.VAR_KEYWORD
        or get_origin(parameter.annotation) is not Unpack
    ):
        return [parameter.replace(annotation=parameter.empty)]
    (options,) = get_args(parameter.annotation)
    return [
        inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None)
        for name in options.__annotations__
    ]


def _prose(thing: Any) -> str:
    text = inspect.getdoc(thing) or ""
    paragraphs: list[str] = []
    for part in re.split(r"\n\s*\n", text):
        if part.startswith("    "):
            paragraphs[-1] = paragraphs[-1].removesuffix("::") + ":"
            paragraphs.append(f"```python\n{textwrap.dedent(part).strip()}\n```")
        else:
            paragraphs.append(_markdown(_joined(part)))
    return "\n\n".join(paragraphs).replace("::", ":")


# Markdown


def _first_line(thing: Any) -> str:
    return _markdown(_joined((inspect.getdoc(thing) or "").split("\n\n")[0]))


def _markdown(text: str) -> str:
    return text.replace("``", "`")


def _joined(text: str) -> str:
    return " ".join(text.split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in row) + " |"
        for row in lines
    )


def generated() -> list[Path]:
    """Return the pages in the folder that this program has written; others are by hand."""
    return [path for path in FOLDER.glob("*.md") if path.read_text("utf-8").startswith(_MADE)]


def stale(made: Mapping[str, str]) -> list[str]:
    """Return the names of the pages that are not as ``made``."""
    stored = {path.name: path.read_text(encoding="utf-8") for path in generated()}
    return sorted(name for name in set(made) | set(stored) if made.get(name) != stored.get(name))


def main() -> int:
    """Write the pages, or check them; return the exit code."""
    parser = ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--check", action="store_true", help="Write nothing; exit with 1 if stale.")
    only_check = parser.parse_args().check
    made = reference()
    for name in stale(made):
        print(f"docs/reference/{name}{' is stale' if only_check else ''}")
        if not only_check:
            if name in made:
                (FOLDER / name).write_text(made[name], encoding="utf-8")
            else:
                (FOLDER / name).unlink()
    return int(only_check and bool(stale(made)))


if __name__ == "__main__":
    os.environ["COLUMNS"] = "100"
    sys.exit(main())
