"""``manage.py fraiseql_generate``: what it writes is run, bound and asked."""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from fraiseql.db import catalog
from fraiseql.management.generate import triggers
from fraiseql.management.generate.tables import _RESERVED
from fraiseql.schema import registry
from fraiseql.testing import Client
from tests.integration.test_scalars import EXTENSIONS, THROUGH

pytestmark = pytest.mark.django_db

IMPORTS = """\
import enum
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import fraiseql
from fraiseql import scalars
"""

BLOG = """\
@fraiseql.enum
class Status(enum.Enum):
    DRAFT = "dra'ft"
    PUBLISHED = "100%"


@fraiseql.type
class Place:
    city: str = fraiseql.field(name="town")


@fraiseql.type
class Address:
    street: str
    lines: list[str] | None
    place: Place | None


@fraiseql.type(view="tv_user", source="v_user")
class User:
    id: UUID
    identifier: str
    name: str
    order: int | None
    address: Address | None
    posts: list["Post"] = fraiseql.related(key="author_id")


@fraiseql.type(view="tv_tag", source="v_tag")
class Tag:
    id: UUID
    label: str
    parent: "Tag | None" = fraiseql.related(local="parent_id")
    children: list["Tag"] = fraiseql.related(key="parent_id")


@fraiseql.type(view="v_comment")
class Comment:
    id: UUID
    text: str
    author: User
    post: "Post" = fraiseql.related(local="post_id")


@fraiseql.type(view="tv_post", source="v_post")
class Post:
    "An article."

    id: UUID
    identifier: str
    title: str
    firstLine: str | None = fraiseql.field(key="firstLine")
    price: Decimal
    status: Status
    states: list[Status]
    words: list[str]
    matrix: list[list[int]] | None
    anything: scalars.JSON | None
    author: User
    author_id: UUID
    editor: User | None
    comments: list[Comment]
    tags: list[Tag]
    version: int
    created_at: datetime
"""
TYPES = ("User", "Tag", "Comment", "Post")


@dataclass
class App:
    """A new application, installed. Its bindings are what ``bind`` was given."""

    name: str
    folder: Path

    def bind(self, source: str) -> None:
        """Put ``source`` at the end of the bindings, and read them as a new process would."""
        file = self.folder / "bindings.py"
        before = file.read_text() if file.exists() else IMPORTS
        file.write_text(f"{before}\n\n{source}")
        self.load()

    def load(self) -> None:
        """Read the bindings as a new process would."""
        vars(registry.current()).update(vars(registry.Registry()))
        sys.modules.pop(f"{self.name}.bindings", None)
        import_module(f"{self.name}.bindings")

    def generate(self, what: str, *words: str, **options: Any) -> str:
        """Return what the command prints. ``@`` stands for the application."""
        out = StringIO()
        given = [word.replace("@", f"{self.name}.") for word in words]
        call_command("fraiseql_generate", what, *given, stdout=out, **options)
        return out.getvalue()

    def generate_all(self, *types: str) -> None:
        """Write the SQL of types and bind what is printed."""
        found = json.loads(self.generate("ddl", *(f"@{name}" for name in types), format="json"))
        self.bind("\n\n".join(found["bindings"][self.name]))

    def run(self) -> None:
        """Have the SQL files migrated."""
        self.generate("migration", self.name)
        call_command("migrate", self.name, verbosity=0)


@pytest.fixture
def app(tmp_path: Path, settings: Any) -> Iterator[App]:
    name = f"app_{uuid4().hex[:8]}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    sys.path.insert(0, str(tmp_path))
    with registry.isolated():
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, name]
        settings.SILENCED_SYSTEM_CHECKS = ["fraiseql.W004"]  # no URL leads to GraphQL
        yield App(name, folder)
    sys.path.remove(str(tmp_path))
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def blog(app: App) -> App:
    app.bind(BLOG)
    app.generate_all(*TYPES)
    app.run()
    return app


def ask(query: str, **variables: Any) -> Any:
    return Client().query(query, variables).assert_ok()


def check() -> None:
    call_command("check", databases=["default"], fail_level="WARNING")
    call_command("fraiseql_sync", check=True, verbosity=0)


def test_generated_functions_serve_mutations(blog: App) -> None:
    check()
    made = ask(
        """mutation {
             ada: createUser(input: {identifier: "ada", name: "Ada", order: 1,
                                     address: {street: "x", lines: ["y"], place: {town: "z"}}}) {
               user { id address { street lines place { town } } } errors { message } }
             a: createTag(input: {label: "a"}) { tag { id } }
             b: createTag(input: {label: "b"}) { tag { id } }
           }"""
    )
    ada, a, b = made["ada"]["user"]["id"], made["a"]["tag"]["id"], made["b"]["tag"]["id"]
    assert made["ada"]["user"]["address"] == {
        "street": "x", "lines": ["y"], "place": {"town": "z"},
    }  # fmt: skip
    post = ask(
        """mutation ($author: UUID!, $tags: [UUID!]) {
             createPost(input: {identifier: "one", title: "One", price: "1.50", status: PUBLISHED, states: [DRAFT],
                                matrix: [[1], [2, 3]], authorId: $author, tagIds: $tags, firstLine: "f",
                                anything: {x: 1}}) {
               post { id title firstLine price status states words matrix anything version authorId
                      author { name order } editor { name } tags { label } comments { text } }
               errors { message field } } }""",
        author=ada,
        tags=[b, a],
    )["createPost"]["post"]
    post_id = post.pop("id")
    assert post == {
        "title": "One", "firstLine": "f", "price": "1.50", "status": "PUBLISHED", "states": ["DRAFT"],
        "words": [], "matrix": [[1], [2, 3]], "anything": {"x": 1}, "version": 1, "authorId": ada,
        "author": {"name": "Ada", "order": 1}, "editor": None, "tags": [{"label": "b"}, {"label": "a"}],
        "comments": [],
    }  # fmt: skip
    changed = ask(
        """mutation ($post: UUID!, $author: UUID!, $tag: UUID!) {
             createComment(input: {text: "Nice.", authorId: $author, postId: $post}) { comment { id text } }
             updatePost(input: {id: $post, title: "Two", editorId: $author, tagIds: [$tag], words: ["w"],
                                expectedVersion: 1}) {
               post { title firstLine price version words editor { name } tags { label }
                      comments { text author { name } } } }
             stale: updatePost(input: {id: $post, title: "Three", expectedVersion: 1}) {
               current { title version } errors { code } }
             updateUser(input: {id: $author, name: "Ada L.", address: null}) { user { name address { street } } }
             updateTag(input: {id: $tag, label: "c"}) { tag { label } }
           }""",
        post=post_id, author=ada, tag=a,
    )  # fmt: skip
    assert changed["updatePost"]["post"] == {
        "title": "Two", "firstLine": "f", "price": "1.50", "version": 2, "words": ["w"],
        "editor": {"name": "Ada"}, "tags": [{"label": "a"}],
        "comments": [{"text": "Nice.", "author": {"name": "Ada"}}],
    }  # fmt: skip
    assert changed["stale"] == {
        "current": {"title": "Two", "version": 2},
        "errors": [{"code": "CONFLICT"}],
    }
    check()
    found = ask(
        '{ post(identifier: "one") { author { name } tags { label } comments { author { name } } }'
        " users { posts { title } } comments { post { title } } }"
    )
    assert found == {
        "post": {
            "author": {"name": "Ada L."},
            "tags": [{"label": "c"}],
            "comments": [{"author": {"name": "Ada L."}}],
        },
        "users": [{"posts": [{"title": "Two"}]}],
        "comments": [{"post": {"title": "Two"}}],
    }
    gone = ask(
        """mutation ($post: UUID!, $comment: UUID!, $tag: UUID!, $author: UUID!) {
             used: deleteUser(input: {id: $author}) { errors { code } }
             deleteTag(input: {id: $tag}) { result }
             deleteComment(input: {id: $comment}) { result }
             again: deleteComment(input: {id: $comment}) { errors { code } }
             deletePost(input: {id: $post}) { result }
             deleteUser(input: {id: $author}) { result }
           }""",
        post=post_id, comment=changed["createComment"]["comment"]["id"], tag=a, author=ada,
    )  # fmt: skip
    assert gone["used"]["errors"] == [{"code": "BAD_USER_INPUT"}]
    assert gone["again"]["errors"] == [{"code": "NOT_FOUND"}]
    assert gone["deleteUser"]["result"] == ada
    check()
    assert ask("{ posts { id } users { id } tags { label } comments { id } }") == {
        "posts": [], "users": [], "tags": [{"label": "b"}], "comments": [],
    }  # fmt: skip


def test_a_generated_migration_goes_back_and_forth(blog: App) -> None:
    call_command("migrate", blog.name, "zero", verbosity=0)
    call_command("migrate", blog.name, verbosity=0)

    check()


def states(printed: str) -> dict[str, str]:
    return {file["path"].partition("/")[2]: file["state"] for file in json.loads(printed)["files"]}


def test_a_second_run_changes_nothing_and_what_somebody_changed_is_kept(app: App) -> None:
    app.bind(BLOG)
    with pytest.raises(CommandError):
        app.generate("ddl", "@Tag", check=True)
    assert "would be written  " in app.generate("ddl", "@Tag", dry_run=True)
    assert not (app.folder / "sql").exists()
    first = states(app.generate("ddl", "@Tag", format="json"))
    assert set(first.values()) == {"written"}
    app.generate("ddl", "@Tag", check=True)
    view = app.folder / "sql/views/v_tag.sql"
    view.write_text(view.read_text().replace("One document per tag", "Mine"))
    printed = app.generate("ddl", "@Tag")
    assert "-- Mine; tv_tag stores it." in printed
    assert "+-- One document per tag; tv_tag stores it." in printed
    assert view.read_text().startswith("-- Mine")
    again = states(app.generate("ddl", "@Tag", format="json"))
    assert {path for path, state in again.items() if state == "differs"} == {"sql/views/v_tag.sql"}
    app.generate("ddl", "@Tag", force=True)
    assert view.read_text().startswith("-- One document per tag")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("id: int", "Thing.id: every table has a column id, and it is ID or UUID."),
        (
            "created_at: str",
            "Thing.created_at: every table has a column created_at, and it is DateTime.",
        ),
        (
            "identifier: int",
            "Thing.identifier: every table has a column identifier, and it is text.",
        ),
        ("words: scalars.TSVector", "Thing.words: a TSVector is made from other columns."),
        ("parent: 'Thing | None'", "Thing.parent: a document cannot hold itself (Thing -> Thing)."),
        (
            "holder: 'Holder'",
            "Holder.things: a document cannot hold itself (Thing -> Holder -> Thing).",
        ),
        ("shape: Shape", "Thing.shape: Shape, which has no view, holds objects of several types."),
        ("odd: Odd", "Thing.odd: the values of Odd are neither texts nor integers."),
        ("part: Part", "Thing.part: Part, which has no view, holds rows of Other."),
        ("others: list[list[Other]]", "Thing.others: lists of lists of rows have no table."),
        (
            "rivals: list['Rival']",
            "Thing.rivals: Rival refers to Thing by one_id and two_id: which of them?",
        ),
        ("first_line: str\n    firstLine: str = fraiseql.field(name='other')", "two columns"),
        ("a" * 60 + ": Other", "too long a name for PostgreSQL"),
    ],
)
def test_what_no_table_can_hold_is_refused(app: App, fields: str, message: str) -> None:
    app.bind(f"""\
@fraiseql.enum
class Odd(enum.Enum):
    A = 1.5

@fraiseql.type(view="v_other")
class Other:
    id: UUID

@fraiseql.interface(discriminator="kind")
class Shape:
    kind: str

@fraiseql.type
class Part:
    other: Other

@fraiseql.type(view="v_thing")
class Thing:
    {fields}

@fraiseql.type(view="v_holder")
class Holder:
    things: list[Thing]

@fraiseql.type(view="v_rival")
class Rival:
    one: Thing = fraiseql.related(local="one_id")
    two: Thing = fraiseql.related(local="two_id")
""")
    with pytest.raises(CommandError) as caught:
        app.generate("ddl", "@Thing")

    assert message in str(caught.value)
    assert not (app.folder / "sql").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('view="v_x", jsonb=None', "has no column for its document"),
        ('view="things"', "is bound to things"),
        ('view="tv_x", source="v_y"', "is bound to tv_x and v_y"),
        (f'view="v_{"x" * 55}"', "has too long a name"),
        ('view="v_x"', "is no type of its own"),
    ],
)
def test_a_type_whose_views_follow_no_rule_is_refused(app: App, options: str, message: str) -> None:
    kind = 'interface(discriminator="kind", ' if "its own" in message else "type("
    app.bind(f"@fraiseql.{kind}{options})\nclass Thing:\n    id: UUID")
    with pytest.raises(CommandError, match=message):
        app.generate("ddl", "@Thing")


def test_names_that_are_not_there_are_answered_with_the_nearest(app: App) -> None:
    app.bind(BLOG)
    with pytest.raises(CommandError, match="Did you mean 'Post'"):
        app.generate("ddl", "@Pots")
    with pytest.raises(CommandError, match="there is no application 'nowhere'"):
        app.generate("ddl", "nowhere.Post")
    with pytest.raises(CommandError, match="is no name"):
        app.generate("ddl", "@")


def test_plain_types_get_tables_when_they_are_named(app: App) -> None:
    app.bind(
        "@fraiseql.enum\nclass Size(enum.Enum):\n    S = 1\n    M = 2\n\n"
        "@fraiseql.type\nclass Customer:\n    id: UUID\n    class_: str = fraiseql.field(name='class')\n\n"
        "@fraiseql.type\nclass Order:\n    id: UUID\n    user: Customer\n    input: str\n"
        "    sizes: list[Size]\n    maybe: list[str] | None\n    t: Customer | None\n"
    )
    printed = app.generate("ddl", "@Order", "@Customer", format="json")
    assert "sql/projections/tv_order.sql" in states(printed)
    assert (
        'Bind Order to them: @fraiseql.type(view="tv_order", source="v_order").'
        in json.loads(printed)["notes"]
    )
    app.run()
    with connection.cursor() as cursor:
        cursor.execute("SELECT fn_create_customer('c')")
        (customer,) = cursor.fetchone()
        cursor.execute("SELECT fn_create_order(%s, 'i', p_sizes => '{1,2}')", [customer])
        (order,) = cursor.fetchone()
        cursor.execute(
            "SELECT fn_update_order(jsonb_build_object('id', %s::text, 'input', 'j', 'maybe', null))",
            [order],
        )
        cursor.execute("SELECT data FROM tv_order")
        ((document,),) = cursor.fetchall()
    assert json.loads(document) == {
        "id": str(order), "user": {"id": str(customer), "class_": "c"}, "input": "j", "sizes": [1, 2],
        "maybe": None, "t": None,
    }  # fmt: skip


def test_types_may_be_in_a_schema_of_their_own(app: App) -> None:
    execute("CREATE SCHEMA sales")
    app.bind("""\
@fraiseql.type(view="sales.tv_client", source="sales.v_client")
class Client:
    id: UUID
    name: str
    account: "Account | None" = fraiseql.related(key="client_id")

@fraiseql.type(view="sales.tv_account", source="sales.v_account")
class Account:
    id: UUID
    client: Client
    managers: list[Client]
""")
    app.generate_all("Client", "Account")
    app.run()
    app.generate("triggers")
    app.run()
    check()
    client = ask('mutation { createClient(input: {name: "A"}) { client { id } } }')["createClient"][
        "client"
    ]["id"]
    ask(
        """mutation ($id: UUID!) {
             createAccount(input: {clientId: $id, managerIds: [$id]}) { account { id } }
             updateClient(input: {id: $id, name: "B"}) { client { id } } }""",
        id=client,
    )
    found = ask("{ clients { account { client { name } managers { name } } } }")
    assert found == {
        "clients": [{"account": {"client": {"name": "B"}, "managers": [{"name": "B"}]}}]
    }
    assert syncs("UPDATE sales.tb_client SET name = 'C'") == {
        "sales.tv_client": [1],
        "sales.tv_account": [1],
    }
    check()


def test_views_that_show_nothing_but_id_and_document_are_embedded(app: App) -> None:
    execute(
        "CREATE TABLE tb_good (pk_good int PRIMARY KEY, id uuid UNIQUE)",
        "INSERT INTO tb_good VALUES (7, 'e8eb3aab-ff0b-5eb1-8db5-e490ab8a58fe')",
        "CREATE VIEW v_good AS SELECT id, jsonb_build_object('id', id) AS data FROM tb_good",
    )
    app.bind('@fraiseql.type(view="v_good")\nclass Good:\n    id: UUID\n')
    app.generate("model", "@Basket", "first:Good", "goods:Good:list")
    app.load()
    app.run()
    good = {"id": "e8eb3aab-ff0b-5eb1-8db5-e490ab8a58fe"}
    made = ask(
        """mutation ($id: UUID!) { createBasket(input: {identifier: "b", firstId: $id, goodIds: [$id]}) {
             basket { first { id } goods { id } } } }""",
        **good,
    )

    assert made["createBasket"]["basket"] == {"first": good, "goods": [good]}


def test_what_is_called_and_not_there_is_told(app: App) -> None:
    app.bind(BLOG)
    found = json.loads(app.generate("ddl", "@Comment", format="json"))
    assert [note.partition(" is called")[0] for note in found["notes"]] == ["fn_sync_tv_post"]
    found = json.loads(app.generate("ddl", "@Post", "@User", format="json"))
    assert found["notes"] == [
        "Post.tags: tb_post_tag holds the pairs, because Tag refers to no Post."
    ]


def test_every_scalar_goes_through_generated_functions_and_back(app: App) -> None:
    """Alone and in a list; what goes out of both mutations and of the query is the same."""
    names = sorted(set(THROUGH) - {"TSVector", *(set(EXTENSIONS) - available())})
    fields = [f"    a_{name.lower()}: scalars.{name}" for name in names]
    fields += [f"    b_{name.lower()}: list[scalars.{name}]" for name in names if name != "Vector"]
    app.bind(
        '@fraiseql.type(view="tv_every", source="v_every")\nclass Every:\n    id: UUID\n'
        + "\n".join(fields)
    )
    app.generate_all("Every")
    app.run()
    check()
    shown = " ".join(f"a{name.lower().title()}" for name in names)
    shown += " " + " ".join(f"b{name.lower().title()}" for name in names if name != "Vector")
    given, expected = {}, {}
    for name in names:
        values = [value if isinstance(value, tuple) else (value, value) for value in THROUGH[name]]
        # An empty text is nothing given.
        values = [pair for pair in values if pair[0] != ""]
        given[f"a{name.lower().title()}"], expected[f"a{name.lower().title()}"] = values[0]
        if name == "Vector":
            expected["aVector"] = given["aVector"]  # a list in the document, where a column is text
        else:
            given[f"b{name.lower().title()}"] = [value for value, _ in values]
            expected[f"b{name.lower().title()}"] = [value for _, value in values]
    made = ask(
        "mutation ($given: CreateEveryInput!) { createEvery(input: $given) {"
        f" every {{ id {shown} }} errors {{ field message }} }} }}",
        given=given,
    )["createEvery"]
    assert made["errors"] == []
    key = made["every"].pop("id")
    changed = ask(
        "mutation ($given: UpdateEveryInput!) { updateEvery(input: $given) {"
        f" every {{ {shown} }} errors {{ field message }} }} }}",
        given={"id": key, **given},
    )["updateEvery"]
    assert changed["errors"] == []
    assert made["every"] == changed["every"] == ask(f"{{ everies {{ {shown} }} }}")["everies"][0]
    assert made["every"] == expected


def available() -> set[str]:
    """Return the scalars whose extension is there, having made it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_available_extensions")
        known = {name for (name,) in cursor.fetchall()}
        found = {scalar for scalar, extension in EXTENSIONS.items() if extension in known}
        for scalar in found:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSIONS[scalar]}")
    return found


def test_a_document_may_have_more_keys_than_a_function_has_arguments(app: App) -> None:
    fields = "\n".join(f"    field_{number}: int | None" for number in range(120))
    app.bind(f'@fraiseql.type(view="v_wide")\nclass Wide:\n    id: UUID\n{fields}')
    app.generate("ddl", "@Wide")
    view = (app.folder / "sql/views/v_wide.sql").read_text()
    (app.folder / "sql/functions/fn_create_wide.sql").unlink()  # A function has no more either.
    app.run()

    assert view.count("jsonb_build_object(") == 3


def test_reserved_words_are_those_of_the_server() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'")
        words = {word for (word,) in cursor.fetchall()}

    assert words <= _RESERVED


def test_a_model_is_a_type_with_all_it_needs(app: App) -> None:
    printed = app.generate(
        "model",
        "@Author",
        "full_name:str",
        "email:email",
        "bio:str:optional",
        "mentor:Author:optional",
    )
    assert "bindings.py" in printed
    app.load()
    words = (
        "title:str",
        "tags:str:list",
        "state:draft,published",
        "author:Author",
        "price:decimal:optional",
    )
    app.generate("model", "@Essay", *words)
    app.load()
    app.run()
    check()
    made = ask(
        """mutation { createAuthor(input: {identifier: "ada", fullName: "Ada", email: "ada@example.org"}) {
             author { id version } } }"""
    )
    essay = ask(
        """mutation ($author: UUID!) { createEssay(input: {
             identifier: "b", title: "B", tags: ["x"], state: DRAFT, authorId: $author}) {
               essay { title tags state author { fullName } price } } }""",
        author=made["createAuthor"]["author"]["id"],
    )
    assert essay["createEssay"]["essay"] == {
        "title": "B", "tags": ["x"], "state": "DRAFT", "author": {"fullName": "Ada"}, "price": None,
    }  # fmt: skip
    assert set(states(app.generate("model", "@Essay", *words, format="json")).values()) == {
        "unchanged"
    }
    with pytest.raises(CommandError, match="There is a type Essay already"):
        app.generate("model", "@Essay", "title:int")


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("title", "is no field of a new type"),
        ("version:int", "Every type has id, identifier, version"),
        ("title:sting", "there is no type 'sting'"),
        ("class:str", "'class:str' is no field"),
        ("kind:a,b c", "there is no type 'a,b c'"),
        ("children:Thing:list", "what do its objects belong together by"),
    ],
)
def test_a_model_that_cannot_be_leaves_nothing_behind(app: App, field: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        app.generate("model", "@Thing", field)

    assert [file.name for file in app.folder.iterdir()] == ["__init__.py"]
    assert registry.current().objects == {}


def test_a_resolver_answers_and_has_a_test(blog: App) -> None:
    made: Callable[..., Any] = blog.generate
    made("resolver", "@posts_by", "status", "title", "--returns", "Post", "--list")
    made("resolver", "@user_called", "name", "--returns", "User")
    made("resolver", "@retitle_post", "title", "status", "--returns", "Post", "--mutation")
    assert "unchanged" in made("resolver", "@user_called", "name", "--returns", "User")
    blog.load()
    user = ask('mutation { createUser(input: {identifier: "a", name: "A"}) { user { id } } }')
    post = ask(
        """mutation ($author: UUID!) { createPost(input: {identifier: "p", title: "P", price: "1", status: DRAFT,
             authorId: $author}) { post { id } } }""",
        author=user["createUser"]["user"]["id"],
    )["createPost"]["post"]
    found = ask(
        """mutation ($id: UUID!) { retitlePost(id: $id, title: "Q", status: PUBLISHED) { title status } }""",
        id=post["id"],
    )
    assert found == {"retitlePost": {"title": "Q", "status": "PUBLISHED"}}
    assert ask(
        '{ postsBy(status: PUBLISHED, title: "Q") { title } userCalled(name: "A") { name }'
        ' none: userCalled(name: "B") { name } }'
    ) == {"postsBy": [{"title": "Q"}], "userCalled": {"name": "A"}, "none": None}
    for name in ("posts_by", "user_called", "retitle_post"):
        compile((blog.folder / f"test_{name}.py").read_text(), name, "exec")
    with pytest.raises(CommandError, match="has a function user_called already"):
        made("resolver", "@user_called", "id", "--returns", "User")
    with pytest.raises(CommandError, match="User has no single value 'nam'"):
        made("resolver", "@x", "nam", "--returns", "User")
    with pytest.raises(CommandError, match="What is the object found by"):
        made("resolver", "@x", "--returns", "User")


@pytest.fixture
def watched(app: App) -> App:
    """The blog with triggers, and ten thousand posts of one author, with one tag."""
    app.bind(BLOG)
    app.generate_all(*TYPES)
    app.run()
    app.generate("triggers")
    app.run()
    execute(
        "INSERT INTO tb_user (identifier, name) VALUES ('ada', 'Ada'), ('bob', 'Bob')",
        "INSERT INTO tb_tag (label) VALUES ('a')",
    )
    return app


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def syncs(*statements: str) -> dict[str, list[int]]:
    """Return how many rows each sync wrote, by projection, that the statements bring about."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(pk_sync_log), 0) FROM tb_sync_log")
        (before,) = cursor.fetchone()
    execute(*statements)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entity, array_agg(inserted + updated + deleted ORDER BY pk_sync_log) FROM tb_sync_log"
            " WHERE pk_sync_log > %s GROUP BY 1",
            [before],
        )
        return dict(cursor.fetchall())


POSTS = """INSERT INTO tb_post (identifier, title, price, status, fk_author)
           SELECT 'post-' || n, 'Post', 1, '100%', 1 FROM generate_series(1, {}) AS n"""
COMMENTS = (
    "INSERT INTO tb_comment (text, fk_author, fk_post) SELECT 'Nice.', 2, pk_post FROM tb_post"
)


def test_a_statement_is_one_sync_however_many_rows_it_changes(watched: App) -> None:
    assert syncs(POSTS.format(10_000)) == {"tv_post": [10_000]}
    assert syncs("UPDATE tb_post SET title = 'P' WHERE pk_post <= 300") == {"tv_post": [300]}
    assert syncs("UPDATE tb_post SET title = 'P' WHERE pk_post < 0") == {}
    assert syncs("DELETE FROM tb_post WHERE pk_post > 10") == {"tv_post": [9_990]}
    check()


def test_rows_inside_of_documents_bring_exactly_these_in_step(watched: App) -> None:
    execute(POSTS.format(4))
    pairs = "INSERT INTO tb_post_tag SELECT pk_post, 1, 1 FROM tb_post WHERE pk_post <= 3"
    assert syncs(pairs) == {"tv_post": [3]}
    assert syncs(COMMENTS + " WHERE pk_post = 4") == {"tv_post": [1]}
    # Of a list, both who had the row and who has it.
    assert syncs("UPDATE tb_comment SET fk_post = 1") == {"tv_post": [2]}
    assert syncs("UPDATE tb_post_tag SET fk_post = 4 WHERE fk_post = 3") == {"tv_post": [2]}
    assert syncs("UPDATE tb_user SET name = name || '!' WHERE pk_user = 2") == {
        "tv_user": [1],
        "tv_post": [1],
    }
    assert syncs("UPDATE tb_tag SET label = 'b'") == {"tv_tag": [1], "tv_post": [3]}
    assert syncs("DELETE FROM tb_tag") == {"tv_tag": [1], "tv_post": [3]}
    assert syncs("DELETE FROM tb_comment") == {"tv_post": [1]}
    check()


def test_truncate_and_cascades_leave_no_orphans(watched: App) -> None:
    execute(
        "ALTER TABLE tb_comment DROP CONSTRAINT tb_comment_fk_post_fkey,"
        " ADD CONSTRAINT tb_comment_fk_post_fkey FOREIGN KEY (fk_post) REFERENCES tb_post ON DELETE CASCADE",
        POSTS.format(5),
        COMMENTS,
        "SET CONSTRAINTS ALL IMMEDIATE",
    )
    assert syncs("DELETE FROM tb_post WHERE pk_post = 1") == {"tv_post": [1]}
    assert syncs("TRUNCATE tb_comment") == {"tv_post": [4]}
    check()
    execute("TRUNCATE tb_user CASCADE")
    check()
    assert ask("{ posts { id } users { id } }") == {"posts": [], "users": []}


def test_triggers_and_functions_that_sync_get_on_with_each_other(watched: App) -> None:
    execute(
        "SELECT fn_create_post('p', (SELECT id FROM tb_user WHERE pk_user = 1), 'T', 1, '100%')"
    )
    check()
    assert ask("{ posts { title } }") == {"posts": [{"title": "T"}]}


def test_triggers_are_listed_and_a_second_run_changes_nothing(watched: App) -> None:
    watched.generate("triggers", check=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'tb_post_tag_sync_%'")
        assert cursor.fetchone() == (4,)
    assert triggers.installed("default") == [
        "tb_comment",
        "tb_post",
        "tb_post_tag",
        "tb_tag",
        "tb_user",
    ]


SHELVES = """\
@fraiseql.type(view="things")
class Thing:
    id: int

@fraiseql.type(view="v_owner")
class Owner:
    id: int
    name: str

@fraiseql.type(view="tv_shelf", source="v_shelf")
class Shelf:
    id: int
    owner: Owner
    volumes: list["Volume"]
    keepers: list[Owner]

@fraiseql.type(view="v_volume")
class Volume:
    id: int
    owner: Owner | None
"""
SHELF_TABLES = (
    "CREATE TABLE tb_owner (number int PRIMARY KEY, id bigint UNIQUE, name text)",
    "CREATE TABLE tb_shelf (nr int PRIMARY KEY, id bigint UNIQUE, belongs_to int REFERENCES tb_owner)",
    """CREATE TABLE tb_volume (
           id bigint PRIMARY KEY, shelf bigint REFERENCES tb_shelf (id), owner int REFERENCES tb_owner)""",
    "CREATE TABLE keepers (shelf int REFERENCES tb_shelf, keeper bigint REFERENCES tb_owner (id))",
    "CREATE VIEW v_owner AS SELECT id, jsonb_build_object('id', id, 'name', name) AS data, number FROM tb_owner",
    """CREATE VIEW v_volume AS
       SELECT v.id, jsonb_build_object('id', v.id, 'owner', o.data) AS data, v.shelf
         FROM tb_volume v LEFT JOIN v_owner o ON o.number = v.owner""",
    """CREATE VIEW v_shelf AS
       SELECT s.id, jsonb_build_object(
                'id', s.id, 'owner', o.data,
                'volumes', ARRAY(SELECT v.data FROM v_volume v WHERE v.shelf = s.id ORDER BY v.id),
                'keepers', ARRAY(SELECT o.data FROM keepers k JOIN v_owner o ON o.id = k.keeper
                                  WHERE k.shelf = s.nr ORDER BY o.id)) AS data
         FROM tb_shelf s JOIN v_owner o ON o.number = s.belongs_to""",
    "CREATE TABLE tv_shelf (id bigint PRIMARY KEY, data jsonb NOT NULL)",
)


def test_triggers_follow_the_foreign_keys_of_tables_written_by_hand(app: App) -> None:
    app.bind(SHELVES)
    execute(*SHELF_TABLES)
    catalog.forget("default")
    made = states(app.generate("triggers", "tv_shelf", format="json"))
    assert "sql/functions/fn_sync_tv_shelf.sql" in made
    app.run()
    assert syncs(
        "INSERT INTO tb_owner SELECT n, n * 10, 'o' FROM generate_series(1, 3) AS n",
        "INSERT INTO tb_shelf SELECT n, n * 100, 1 FROM generate_series(1, 5) AS n",
        "INSERT INTO tb_volume SELECT n, n * 100, 2 FROM generate_series(1, 4) AS n",
        "INSERT INTO keepers VALUES (5, 30)",
    ) == {"tv_shelf": [5, 4, 1]}
    assert syncs("UPDATE tb_owner SET name = 'p' WHERE number = 2") == {"tv_shelf": [4]}
    assert syncs("UPDATE tb_owner SET name = 'p' WHERE number = 3") == {"tv_shelf": [1]}
    assert syncs("UPDATE tb_volume SET shelf = 500 WHERE id = 1") == {"tv_shelf": [2]}
    assert syncs("DELETE FROM keepers") == {"tv_shelf": [1]}
    call_command("fraiseql_sync", check=True, verbosity=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "ALTER TABLE tb_shelf DROP belongs_to CASCADE",
            "Shelf.owner: no foreign key says which rows of tb_shelf",
        ),
        ("DROP TABLE keepers CASCADE", "Shelf.keepers: no foreign key says which rows of tb_owner"),
        (
            "ALTER TABLE tb_volume ADD other int REFERENCES tb_owner",
            "Volume.owner: owner and other of tb_volume lead to tb_owner: which of them?",
        ),
    ],
)
def test_foreign_keys_that_do_not_tell_are_refused(app: App, change: str, message: str) -> None:
    app.bind(SHELVES)
    execute(
        *SHELF_TABLES,
        change,
        "CREATE OR REPLACE VIEW v_shelf AS SELECT 1::bigint AS id, '{}'::jsonb AS data",
    )
    catalog.forget("default")
    with pytest.raises(CommandError) as caught:
        app.generate("triggers", "tv_shelf")

    assert message in str(caught.value)


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_leave_projections_in_step(app: App) -> None:
    app.bind(BLOG)
    app.generate_all(*TYPES)
    app.run()
    app.generate("triggers")
    app.run()
    execute(
        "INSERT INTO tb_user (identifier, name) VALUES ('ada', 'Ada'), ('bob', 'Bob')",
        POSTS.format(3),
    )
    statements = (
        "INSERT INTO tb_comment (text, fk_author, fk_post) SELECT 'Nice.', 2, 1",
        "UPDATE tb_comment SET fk_post = fk_post % 3 + 1 WHERE pk_comment % 4 = 0",
        "UPDATE tb_user SET name = name || '.' WHERE pk_user = 2",
        "DELETE FROM tb_comment WHERE pk_comment % 7 = 0",
    )

    def write(number: int) -> None:
        try:
            for turn in range(20):
                # Two that update many rows in no order may lock each other out: that one is lost.
                with suppress(OperationalError):
                    execute(statements[(number + turn) % len(statements)])
        finally:
            connection.close()

    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(write, range(4)))

        check()
    finally:
        call_command("migrate", app.name, "zero", verbosity=0)
        execute("TRUNCATE tb_sync_log")
