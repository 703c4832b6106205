"""``fraiseql_turbo``: from files to the store, and out of it again."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from fraiseql.engine.document.persisted import hash_of

pytestmark = pytest.mark.django_db

MAKERS = "query Makers { makers { ...M } }"
M = "fragment M on Maker { name office { ...O } }"
O_ = "fragment O on Office { dns1Id }"

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and return its path."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def turbo(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command("fraiseql_turbo", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def as_json(*arguments: Any, **options: Any) -> Any:
    return json.loads(turbo(*arguments, format="json", **options))


def stored() -> list[tuple[str, str | None, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, name, kind FROM tb_persisted_operation ORDER BY name")
        found: list[tuple[str, str | None, str]] = cursor.fetchall()
        return found


def refusal(*arguments: Any, **options: Any) -> str:
    with pytest.raises(CommandError) as caught:
        turbo(*arguments, **options)
    assert caught.value.returncode == 1
    assert stored() == []
    return str(caught.value)


def test_each_operation_of_a_folder_is_stored_with_its_fragments(
    write: Write, tmp_path: Path
) -> None:
    write("a.graphql", f"# Names.\n{MAKERS}\n\nquery Names {{ makers {{ name }} }}\n\n{O_}\n")
    write("shared/m.gql", f"{M}\n\nfragment Unused on Maker {{ name }}\n")
    rows = as_json("register", tmp_path)["operations"]

    text = f"{MAKERS}\n\n{M}\n\n{O_}"
    assert stored() == [
        (text, "Makers", "registered"),
        ("query Names { makers { name } }", "Names", "registered"),
    ]
    assert [(row["name"], row["hash"], row["state"], row["line"]) for row in rows] == [
        ("Makers", hash_of(text), "added", 2),
        ("Names", hash_of("query Names { makers { name } }"), "added", 4),
    ]


def test_a_second_time_nothing_changes(write: Write) -> None:
    file = write("a.graphql", "query Names { makers { name } }")
    first, second = turbo("register", file), turbo("register", file, "--check")

    assert first.endswith("Names: added\n")
    assert second.endswith("Names: unchanged\n")
    assert len(stored()) == 1


def test_a_dry_run_writes_nothing(write: Write) -> None:
    file = write("a.graphql", "query Names { makers { name } }")

    assert turbo("register", file, "--dry-run").endswith("Names: added\n")
    assert refusal("register", file, "--check") == "Not all of them are registered."


def test_every_fault_is_told_by_file_and_line(write: Write) -> None:
    good = write("a.graphql", "query Good { makers { name } }")
    bad = write("b.graphql", "query Bad {\n  makers {\n    nothing\n    ...F\n  }\n}\n\nquery {")
    worse = write(
        "c.graphql",
        "query Worse { makers { ...F } }\n\nfragment F on Maker {\n  nowhere\n}\n\ntype A { b: Int }\n"
        "query Good { makers { name } }\nfragment F on Maker { name }",
    )
    told = refusal("register", good, bad, worse).splitlines()

    assert told == [
        f"{bad}:8: Syntax Error: Expected Name, found <EOF>.",
        f"{worse}:4: Cannot query field 'nowhere' on type 'Maker'.",
        f"{worse}:7: only operations and fragments can be registered.",
        f"{worse}:8: operation Good is in {good}:1 already.",
        f"{worse}:9: fragment F is in {worse}:3 already.",
        "Nothing is registered.",
    ]


def test_faults_are_json_for_programs(write: Write) -> None:
    file = write("a.graphql", "query Bad {\n  nothing\n}")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("fraiseql_turbo", "register", str(file), format="json", stdout=out)

    assert json.loads(out.getvalue())["faults"] == [
        {"file": str(file), "line": 2, "message": "Cannot query field 'nothing' on type 'Query'."}
    ]


IDS = "query Ids { makers { id } }"
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [
        {"id": "names", "name": "Names", "type": "query", "body": "query Names { makers { name } }"},
        {"id": hash_of(IDS), "name": "Ids", "type": "query", "body": IDS},
    ],
}  # fmt: skip


def test_apollos_manifest_is_read(write: Write) -> None:
    rows = as_json("register", write("manifest.json", json.dumps(APOLLO)), client="web")[
        "operations"
    ]
    (row,) = [row for row in as_json("list")["operations"] if row["name"] == "Names"]

    assert [(row["name"], row["ids"]) for row in rows] == [("Names", ["names"]), ("Ids", [])]
    assert (row["ids"], row["client"], row["uses"]) == (["names"], "web", 0)


def test_relays_manifest_is_read(write: Write) -> None:
    file = write("persisted_queries.json", '{\n  "0cc175b9": "query Names { makers { name } }"\n}')

    (row,) = as_json("register", file)["operations"]

    assert (row["ids"], row["name"], row["line"]) == (["0cc175b9"], "Names", 2)


def test_an_operation_may_get_more_ids_but_an_id_no_other_operation(write: Write) -> None:
    turbo("register", write("a.json", '{"a": "query A { makers { name } }"}'))
    more = turbo("register", write("b.json", '{"b": "query A { makers { name } }"}'))
    with pytest.raises(CommandError, match=r"c\.json:2: 'a' stands for another operation already"):
        turbo("register", write("c.json", '{\n"a": "query B { makers { id } }"}'))

    assert more.endswith("ids added\n")
    assert as_json("list")["operations"][0]["ids"] == ["a", "b"]
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "1: neither GraphQL nor a manifest in JSON."),
        ("[]", "1: a manifest is a JSON object."),
        ('{"a": 1}', "1: 'a' is no text: Relay's manifests are ids and texts."),
        ('{"format": "x"}', "1: a manifest with a format is apollo-persisted-query-manifest, version 1."),
        ('{"format": "apollo-persisted-query-manifest", "version": 1}', "1: 'operations' must be a list."),
        (
            '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": 7}]}',
            "1: each operation must have an 'id' and a 'body'.",
        ),
        ('{\n\n"a": "query A { nothing }"}', "3: Cannot query field 'nothing' on type 'Query'."),
        ('{"": "query A { makers { name } }"}', "1: The id of a document has 1 to 256 characters."),
        ('{"a": "{ makers { name } }",\n"A": "{"}', "2: Syntax Error: Expected Name, found <EOF>."),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_told(write: Write, text: str, told: str) -> None:
    file = write("m.json", text)

    assert refusal("register", file).splitlines()[0] == f"{file}:{told}"


def test_two_manifests_that_disagree_are_told(write: Write) -> None:
    files = [
        write("a.json", '{"a": "query A { makers { name } }"}'),
        write("b.json", '{"a": "query B { makers { name } }"}'),
    ]

    assert "'a' stands for another operation already" in refusal("register", *files)


def test_what_cannot_be_read_is_told(write: Write, tmp_path: Path) -> None:
    (tmp_path / "bytes.graphql").write_bytes(b"\xff")
    (tmp_path / "empty").mkdir()
    told = refusal(
        "register", tmp_path / "gone.graphql", tmp_path / "bytes.graphql", tmp_path / "empty"
    )

    assert told.splitlines()[:3] == [
        f"{tmp_path}/bytes.graphql:1: cannot be read: it is not UTF-8.",
        f"{tmp_path}/empty:1: no .graphql or .gql file is in this folder.",
        f"{tmp_path}/gone.graphql:1: cannot be read: No such file or directory.",
    ]


def test_a_manifest_that_cannot_be_read_is_told(write: Write, tmp_path: Path) -> None:
    both = write("m.json", '{"A": "{ makers { name } }",\n"A": "{ makers { id } }", "B": "{"}')
    told = refusal("register", tmp_path / "gone.json", both)

    assert "gone.json:1: cannot be read: No such file or directory." in told
    assert f"{both}:2: Syntax Error: Expected Name, found <EOF>." in told


def test_a_file_named_twice_is_read_once(write: Write, tmp_path: Path) -> None:
    file = write("a.graphql", "query A { makers { ...M } } fragment M on Maker { name }")

    assert turbo("register", file, tmp_path, file).endswith("A: added\n")


def test_operations_are_removed_by_hash_id_or_file(write: Write) -> None:
    texts = [f"query Q{number} {{ makers {{ name }} }}" for number in range(4)]
    files = [write(f"{number}.graphql", text) for number, text in enumerate(texts)]
    turbo("register", *files, write("m.json", json.dumps({"zero": texts[0]})))
    removed = turbo("remove", "zero", hash_of(texts[1]).upper(), "--dry-run")
    assert len(stored()) == 4
    turbo("remove", "zero", hash_of(texts[1]).upper(), files[2])

    assert removed == f"{hash_of(texts[0])} Q0\n{hash_of(texts[1])} Q1\n"
    assert stored() == [(texts[3], "Q3", "registered")]
    with pytest.raises(CommandError, match=r"zero is not registered\. Nothing is removed\."):
        turbo("remove", hash_of(texts[3]), "zero")
    with pytest.raises(CommandError, match="They are registered"):
        turbo("remove", hash_of(texts[3]), "--check")
    with pytest.raises(CommandError, match="Syntax Error"):
        turbo("remove", write("bad.graphql", "{"))
    assert len(stored()) == 1


def test_what_is_registered_is_listed_and_what_clients_stored_if_asked(write: Write) -> None:
    turbo("register", write("a.graphql", "query A { makers { name } }"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tb_persisted_operation (hash, kind, text, uses, errors, total_ms, max_ms)"
            " VALUES (%s, 'apq', '{ a }', 4, 1, 10, 7)",
            [hash_of("{ a }")],
        )

    assert len(turbo("list").splitlines()) == 1
    assert turbo("list", "--automatic").splitlines()[1] == (
        f"{hash_of('{ a }')} - (apq): 4 uses, 1 with errors, 2.5 ms, at most 7.0 ms"
    )


def test_an_operation_a_client_stored_becomes_registered(write: Write) -> None:
    text = "query A { makers { name } }"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tb_persisted_operation (hash, kind, text) VALUES (%s, 'apq', %s)",
            [hash_of(text), text],
        )
    turbo("register", write("a.graphql", text))

    assert stored() == [(text, "A", "registered")]


def test_warming_tells_what_no_longer_fits_the_schema(write: Write) -> None:
    turbo("register", write("a.graphql", "query A { makers { name } }"))
    assert turbo("warm").startswith(hash_of("query A { makers { name } }"))
    text = "query Old { oldMakers { name } nothing }"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tb_persisted_operation (hash, kind, text, name) VALUES (%s, 'registered', %s, 'Old')",
            [hash_of(text), text],
        )
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 2 do not fit the schema"):
        call_command("fraiseql_turbo", "warm", stdout=out)

    assert "Old: Cannot query field 'oldMakers' on type 'Query'." in out.getvalue()


@pytest.mark.parametrize("arguments", [("register",), ("remove",), ("list", "a"), ("warm", "a")])
def test_names_belong_to_register_and_remove(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"Say what|takes no names"):
        turbo(*arguments)


def test_without_the_store_the_command_says_what_is_missing(write: Write) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE tb_persisted_operation_id, tb_persisted_operation")
    with pytest.raises(CommandError, match="tb_persisted_operation"):
        turbo("list")
    with pytest.raises(CommandError, match="tb_persisted_operation"):
        turbo("register", write("a.graphql", "query A { makers { name } }"))


def test_an_empty_store_says_so() -> None:
    assert turbo("list") == "There are none.\n"
    assert as_json("list") == {"operations": []}
    assert turbo("list", verbosity=0) == ""
