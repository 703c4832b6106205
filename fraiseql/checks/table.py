"""
The one table of checks: from here come the messages, and the reference in the documentation.

Numbers: 0xx look at settings and declarations, 1xx at the database's catalog and a sample of its rows, 3xx at
what matters in production. A number is never given to another check.
"""

from dataclasses import dataclass

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name for it


@dataclass(frozen=True)
class Check:
    """
    One row of the table.

    ``looks_at``: what is examined. ``message`` and ``hint`` are templates of ``str.format``.
    """

    id: str
    looks_at: str
    message: str
    hint: str

    @property
    def is_error(self) -> bool:
        """Tell whether the application cannot work as declared."""
        return self.id.startswith("fraiseql.E")

    def __call__(
        self, obj: object, /, *, hint: str | None = None, **values: object
    ) -> CheckMessage:
        """Return the message about ``obj``; ``hint`` replaces the table's where more is known."""
        kind = Error if self.is_error else Warning
        text = self.message.format(**values)
        return kind(text, hint=hint or self.hint.format(**values), obj=obj, id=self.id)


CHECKS: dict[str, Check] = {}
"""Every row, by its id."""


def _check(number: str, looks_at: str, message: str, hint: str) -> Check:
    made = Check(f"fraiseql.{number}", looks_at, message, hint)
    if CHECKS.setdefault(made.id, made) is not made:
        raise ValueError(f"{made.id} is in the table twice.")
    return made


# Settings and declarations

SCHEMA = _check(
    "E001",
    "the declarations of all bindings.py, built into a schema",
    "The schema does not build: {fault}",
    "Correct the declaration; the schema is built from every installed app's bindings.py.",
)
SETTINGS = _check(
    "E002",
    "settings.FRAISEQL",
    "{fault}",
    "The settings are listed in the reference, with their types and defaults.",
)
ALIAS = _check(
    "E003",
    "FRAISEQL['DATABASE']",
    "FRAISEQL['DATABASE'] is {alias!r}, which DATABASES does not have.",
    "DATABASES has: {known}.",
)
BACKEND = _check(
    "E004",
    "the ENGINE of the database that queries read",
    "DATABASES[{alias!r}] is {vendor}, not PostgreSQL.",
    "Use the engine django.db.backends.postgresql.",
)
ACCELERATOR = _check(
    "E005",
    "FRAISEQL['ACCELERATOR']",
    "{fault}",
    "Install the extra [accelerator], or set FRAISEQL['ACCELERATOR'] to 'auto'.",
)
ENUM_VALUE = _check(
    "E006",
    "the values of every @fraiseql.enum",
    "{member} has a value that documents cannot be compared with: {kind}.",
    "Give it what the document holds: a string, an integer or a boolean.",
)
IMPORT = _check(
    "E007",
    "the dotted paths in FRAISEQL['AUTHENTICATION'] and FRAISEQL['SESSION_VARIABLES']",
    "{name} names {path!r}, which cannot be imported: {fault}.",
    "Correct the path: a module and the name of a callable in it.",
)
REPLICA = _check(
    "E008",
    "FRAISEQL['REPLICAS']",
    "FRAISEQL['REPLICAS'] names {alias!r}, {fault}.",
    "Name the aliases of standbys of {primary!r} in DATABASES.",
)
NOTHING_DECLARED = _check(
    "W001",
    "the bindings.py of all installed apps",
    "Nothing is declared: no installed app has a bindings.py with a query field.",
    "Write one beside models.py: class Query(fraiseql.Query): posts = fraiseql.many(Post).",
)
NO_ROWS = _check(
    "W002",
    "FRAISEQL['MAX_LIMIT'] and the max_limit of root fields",
    "{name} is 0: the lists it is for are always empty.",
    "It is the number of rows a list may have at most; there is no value for 'all'.",
)
DEFAULT_LIMIT = _check(
    "W003",
    "FRAISEQL['DEFAULT_LIMIT'] and the default_limit of root fields",
    "{name} is {default}, more than the {most} rows a list may have.",
    "Lists return {most} rows by default; lower the one or raise the other.",
)
URLS = _check(
    "W004",
    "the ROOT_URLCONF",
    "No URL leads to GraphQL.",
    'Add path("graphql/", include("fraiseql.urls")) to {urlconf}.',
)
POOL_SIZE = _check(
    "W005",
    "FRAISEQL['POOL_MIN_SIZE'] and ['POOL_MAX_SIZE']",
    "POOL_MIN_SIZE is {least}, more than POOL_MAX_SIZE, which is {most}.",
    "The asynchronous pool keeps {most} connections; lower POOL_MIN_SIZE.",
)
MIRROR = _check(
    "W006",
    "TEST of the databases in FRAISEQL['REPLICAS']",
    "The replica {alias!r} is no mirror in tests: Django will make an empty database for it.",
    'Set DATABASES[{alias!r}]["TEST"] = {{"MIRROR": {primary!r}}}.',
)

# The catalog

UNREACHABLE = _check(
    "E100",
    "the connection to the database that queries read",
    "The database {alias!r} cannot be asked: {fault}",
    "Start it, or correct DATABASES[{alias!r}]; manage.py fraiseql_doctor says more.",
)
NO_SEARCH = _check(
    "E123",
    "the search column of every bound type",
    "The view {view!r} cannot be searched by {column!r}: {fault}",
    "Give the view a column of type tsvector, or correct search=.",
)
NO_VIEW = _check(
    "E101",
    "the view of every bound type",
    "The view {view!r} does not exist.",
    "Run manage.py migrate, or correct view=.",
)
PROJECTION = _check(
    "E102",
    "the table and the source view of every projection (source=)",
    "The projection {view!r} cannot be filled: {fault}",
    "See manage.py fraiseql_sync.",
)
CASCADE = _check(
    "E144",
    "FRAISEQL['CASCADE_RULES'], and the functions it names",
    "The cascade rule cannot be followed: {fault}",
    "See manage.py fraiseql_sync --rules.",
)
CONTRADICTED = _check(
    "W145",
    "the cascade rules (fraiseql_sync --rules) and what the source views of projections read (pg_depend)",
    "The rule {rule!r} is contradicted by the database: {source} reads nothing of what {held} is made of.",
    "Correct source=, or leave the rule out: FRAISEQL['CASCADE_RULES'] = [{without!r}].",
)
NO_DOCUMENT = _check(
    "E103",
    "the column that jsonb= names",
    "The view {view!r} has no column {column!r} to read documents from.",
    "Its columns: {columns}.",
)
DOCUMENT_TYPE = _check(
    "E104",
    "the type of the documents' column",
    "{view}.{column} holds the documents and is {type}, not json or jsonb.",
    "Cast it in the view, or write jsonb=None: then the columns are the document.",
)
NO_COLUMN = _check(
    "E105",
    "the columns of views without a document column",
    "The view {view!r} has no column {column!r}.",
    "Its columns: {columns}.",
)
WRONG_TYPE = _check(
    "E106",
    "the declared type of every column that is a field",
    "{view}.{column} is {type}, which {declared} cannot hold: {reason}",
    "Declare it as {instead}.",
)
LOOSE_TYPE = _check(
    "W107",
    "the declared type of every column that is a field",
    "{view}.{column} is {type}, declared as {declared}: {reason}",
    "Declare it as {instead}, or change the column.",
)
NULLABLE = _check(
    "W108",
    "the nullability of tables' columns that are fields",
    "{view}.{column} may be null, and the field promises a value.",
    "Add NOT NULL to the column, or declare the field as {declared} | None.",
)
NO_UNIQUE_KEY = _check(
    "W109",
    "the columns rows are found by (id, and by=), in tables and materialized views",
    "{view}.{column} has no unique index: finding one row by it reads them all, and may find several.",
    "CREATE UNIQUE INDEX ON {view} ({column}).",
)
KEY_IN_DOCUMENT = _check(
    "W110",
    "the fields rows are found by (id, and by=), in views with a document column",
    "Rows of {view} are found by {key!r}, which is in the document only.",
    "Give the view a column {key!r} beside the document: its index then serves.",
)
UNREADABLE = _check(
    "E111",
    "a sample of the rows of every view",
    "The view {view!r} cannot be read: {fault}",
    "Ask psql for the same rows: SELECT * FROM {view} LIMIT {limit}.",
)
ABSENT_KEY = _check(
    "W112",
    "the keys of a sample of documents",
    "{path} is in none of the {total} objects sampled from {view}.",
    "Keys there: {keys}. Name the key with fraiseql.field(key=...), or add it to the view.",
)
NULL = _check(
    "W113",
    "the nulls in a sample of documents",
    "{path} is null or absent in {count} of the {total} values sampled from {view}, and promises a value.",
    "Declare it as {declared} | None, or have the view fill it in.",
)
WRONG_KIND = _check(
    "W114",
    "the JSON values in a sample of documents",
    "{path} is {found} in {count} of the {total} values sampled from {view}, which {declared} cannot hold.",
    "Change the declared type, or what the view puts there.",
)
UNKNOWN_TYPE = _check(
    "W115",
    "the discriminators of interfaces in a sample of documents",
    "{path} is {value} in documents of {view}, which no type of {interface} stands for.",
    "Known: {known}. Declare another type with @fraiseql.type(discriminator_value=...).",
)
MISSING_MEMBER = _check(
    "W116",
    "the labels of PostgreSQL enums in columns",
    "{view}.{column} may hold {labels}, which {enum} does not have.",
    "Add them to {enum}; rows that hold them are errors.",
)
MISSING_LABEL = _check(
    "W117",
    "the labels of PostgreSQL enums in columns",
    "{enum} has {values}, which the type {type} of {view}.{column} does not know.",
    "A filter for them is refused. ALTER TYPE {type} ADD VALUE ..., or take them out of {enum}.",
)
SOURCE_COLUMNS = _check(
    "W118",
    "the columns of projections and of their source views",
    "{source} lacks columns of the projection {view} that need a value: {columns}.",
    "Columns that both have are copied: add them to the source, or give them a default.",
)
FILTER_TYPE = _check(
    "W119",
    "columns beside the document that filters and orderBy use for a field",
    "{view}.{column} is {type}, and the field is declared as {declared}: {reason}",
    "Filters use the column: give it the type of the document's value, or another name.",
)

MALFORMED = _check(
    "W120",
    "the strings in a sample of documents that stand for values of another type",
    "{path} is no {declared} in {count} of the {total} values sampled from {view}.",
    "Filters and orderBy cast it, and fail on such rows: correct the view, or declare it as str.",
)
UNFIT_OPERATION = _check(
    "E121",
    "every registered operation, against the schema",
    "The registered operation {name} no longer fits the schema: {fault}",
    "Keep what it asks for, deprecated, until no client sends it; or manage.py fraiseql_turbo remove {hash}.",
)
NO_STORE = _check(
    "E122",
    "the tables of stored operations, where PERSISTED_OPERATIONS is not 'off'",
    "The stored operations cannot be read: {fault}",
    "manage.py migrate makes the tables; the role needs its rights on tb_persisted_operation*.",
)
NO_FUNCTION = _check(
    "E131",
    "the function of every mutation",
    "{mutation} names the function {function!r}, which does not exist.",
    "Run manage.py migrate, or correct the name in @fraiseql.mutation(function=...).",
)
AMBIGUOUS_FUNCTION = _check(
    "E132",
    "functions of one name",
    "{fault}",
    "Drop the one that is not meant: DROP FUNCTION with its arguments' types.",
)
FUNCTION_ARGUMENTS = _check(
    "E133",
    "the arguments of functions and the fields of inputs",
    "{fault}",
    "Arguments and fields are matched by name: title is p_title or title.",
)
FUNCTION_RETURNS = _check(
    "E134",
    "what functions return",
    "{fault}",
    "A function returns the id of the row written, the payload itself, or mutation_response.",
)
ARGUMENT_TYPE = _check(
    "E135",
    "the types of functions' arguments",
    "The argument {argument!r} of {function} is {type}, and {field} is declared as {declared}.",
    "Give both the same type: some values, or all, are refused when the mutation runs.",
)
DEFINER_PATH = _check(
    "W136",
    "SECURITY DEFINER functions of mutations",
    "{function} runs with its owner's rights, on its caller's search_path.",
    "ALTER FUNCTION {function} SET search_path = {schema}, pg_temp: else a caller chooses what its names mean.",
)
DEFINER_PUBLIC = _check(
    "W137",
    "who may call SECURITY DEFINER functions of mutations",
    "{function} runs with its owner's rights, and every role may call it.",
    "REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC, and grant it to the role that serves requests.",
)
NOT_VOLATILE = _check(
    "W138",
    "the volatility of mutations' functions",
    "{function} is declared STABLE or IMMUTABLE, which a function that writes is not.",
    "ALTER FUNCTION {function} VOLATILE: PostgreSQL may run the others once, twice or not at all.",
)
NO_RELATED_KEY = _check(
    "E141",
    "the keys of related fields (key= and local=)",
    "{view} has no column {key!r}, nor a field or a document with that key.",
    "Its columns: {columns}.",
)
RELATED_TYPES = _check(
    "E142",
    "the types of the keys of related fields",
    "{key!r} of {view} is {type}, and {local!r} of {owner} is {other}: they cannot be compared.",
    "Match by keys of one type.",
)
NO_RELATED_INDEX = _check(
    "W143",
    "the indexes of tables and materialized views on the keys of related fields",
    "Rows of {view} are found by {key!r}, and no index begins with it: each object reads them all.",
    "Make {key!r} a column, and CREATE INDEX ON {view} ({key}, ...), followed by what lists are ordered by.",
)

# Production

SUPERUSER = _check(
    "W301",
    "the role of the database connection",
    "The role {role!r} {power}: row-level security does not apply to it.",
    "Connect as a role that owns nothing and may only what the application needs.",
)
OWNER = _check(
    "W302",
    "the owner of the bound views",
    "The role {role!r} owns what it reads ({views}): it may drop it, and row-level security passes it by.",
    "Migrate as the owner, serve as another role with GRANT SELECT.",
)
GRAPHIQL = _check(
    "W303",
    "FRAISEQL['GRAPHIQL']",
    "GraphiQL is served although DEBUG is off.",
    "Leave FRAISEQL['GRAPHIQL'] out: it then follows DEBUG.",
)
INTROSPECTION = _check(
    "W304",
    "FRAISEQL['INTROSPECTION']",
    "Introspection is answered although DEBUG is off.",
    "Leave FRAISEQL['INTROSPECTION'] out, unless the schema is meant to be public.",
)
UNLIMITED = _check(
    "W305",
    "the limits of one request in settings.FRAISEQL",
    "FRAISEQL[{name!r}] is 0: nothing bounds {what}.",
    "Leave it out: the default is {default}.",
)
EMBEDDED = _check(
    "W306",
    "the HOST of the database that queries read",
    "The database is the private server of development.",
    "Set DATABASE_URL to a server with backups.",
)
UNCAPPED = _check(
    "W308",
    "the fields that Python answers with lists of objects",
    "{name} returns a list that nothing cuts.",
    "Give it an argument limit or first, and heed it; it then counts towards MAX_COST.",
)
ASGI = _check(
    "W307",
    "ASGI_APPLICATION",
    "The ASGI application answers GraphQL at {paths}, and ROOT_URLCONF at {path}.",
    "Give both the same: GraphQLApplication(path={path!r}).",
)
