"""
The one operator table: what ``where`` can ask of a field, and the SQL that answers.

``families`` says which scalars an operator applies to (``Scalar.family``; ``"list"``: lists of any scalar),
``argument`` what it takes. ``sql`` is a template that ``engine/sql/operators.py`` fills:

``{field}``  the field in the scalar's PostgreSQL type; a list as an array
``{text}``   the field as text
``{null}``   the field in the form that is NULL when GraphQL says null
``{json}``   a list in a document as jsonb (``json_sql`` only)
``{value}``  the argument, once

A field that is null matches no operator but ``isnull``, ``neq`` and ``nin`` included; ``NOT`` of a condition
is for all rows that do not match it, nulls too. Of the empty list ``in`` is false and ``nin`` true.
"""

from dataclasses import dataclass
from typing import LiteralString

from fraiseql.schema.scalars import Scalar

LIST = "list"


@dataclass(frozen=True)
class Operator:
    """
    One row of the operator table.

    ``argument``: ``same`` (the scalar), ``list`` (a list of it), ``boolean``, ``int``, ``text``, ``texts``,
    ``json``, or the name of a scalar. ``pg``: the type the argument is cast to; None: the field's own, or an
    array of it. ``affixes``: what a LIKE pattern has before and after the text it looks for.
    ``json_sql``: for lists in documents whose items jsonb compares as the scalar does, so that a GIN index
    on the field serves.
    """

    name: str
    families: tuple[str, ...]
    argument: str
    sql: LiteralString
    description: str
    pg: LiteralString | None = None
    affixes: tuple[str, str] | None = None
    json_sql: LiteralString | None = None


_TEXT = ("text", "version")
_RANGE = ("range", "date_range")
_ORDERED = ("text", "number", "temporal", "network", "mac", "ltree", *_RANGE)
_LISTED = (*_ORDERED, "version", "id", "uuid", "enum", "boolean")
_EQUATED = (*_LISTED, "vector")

_COMPARISON = (
    Operator("eq", _EQUATED, "same", "{field} = {value}", "Equal."),
    Operator("neq", _EQUATED, "same", "{field} <> {value}", "Not equal, and not null."),
    Operator("gt", _ORDERED, "same", "{field} > {value}", "Greater."),
    Operator("gte", _ORDERED, "same", "{field} >= {value}", "Greater or equal."),
    Operator("lt", _ORDERED, "same", "{field} < {value}", "Less."),
    Operator("lte", _ORDERED, "same", "{field} <= {value}", "Less or equal."),
    Operator("in", _LISTED, "list", "{field} = ANY ({value})", "One of these; of none, false."),
    Operator(
        "nin",
        _LISTED,
        "list",
        "{field} <> ALL ({value})",
        "None of these, and not null; of none, true.",
    ),
    Operator(
        "isnull",
        (*_EQUATED, "json", "fulltext", LIST),
        "boolean",
        "({null} IS NULL) = {value}",
        "Null, or not null.",
        pg="boolean",
    ),
)


def _like(name: str, affixes: tuple[str, str], description: str) -> tuple[Operator, Operator]:
    """Return an operator that looks for text, and its twin that ignores case."""
    return (
        Operator(name, _TEXT, "text", "{text} LIKE {value}", f"{description}.", "text", affixes),
        Operator(
            f"i{name}",
            _TEXT,
            "text",
            "{text} ILIKE {value}",
            f"{description}, whatever the case.",
            "text",
            affixes,
        ),
    )


_PATTERN = (
    *_like("contains", ("%", "%"), "Has this text in it; % and _ are text too"),
    *_like("startswith", ("", "%"), "Begins with this text; % and _ are text too"),
    *_like("endswith", ("%", ""), "Ends with this text; % and _ are text too"),
    Operator(
        "like",
        _TEXT,
        "text",
        "{text} LIKE {value}",
        "Fits the pattern: % is any text, _ any character, \\ takes their meaning away.",
        pg="text",
    ),
    Operator(
        "ilike",
        _TEXT,
        "text",
        "{text} ILIKE {value}",
        "Fits the pattern of `like`, whatever the case.",
        pg="text",
    ),
    Operator(
        "matches",
        _TEXT,
        "text",
        "{text} ~ {value}",
        "Has a match of the POSIX regular expression.",
        pg="text",
    ),
    Operator(
        "imatches",
        _TEXT,
        "text",
        "{text} ~* {value}",
        "Has a match of the POSIX regular expression, whatever the case.",
        pg="text",
    ),
)


def _address(name: str, sql: LiteralString, description: str) -> Operator:
    return Operator(name, ("network",), "boolean", sql, description, pg="boolean")


_NETWORK = (
    Operator("inSubnet", ("network",), "CIDR", "{field} <<= {value}", "Within the network."),
    Operator(
        "inRange",
        ("network",),
        "IpRange",
        "(SELECT CAST(host({field}) AS inet) BETWEEN given.ends[1] AND given.ends[2]"
        " FROM (SELECT {value} AS ends) AS given)",
        "Between the two addresses, or one of them.",
        pg="inet[]",
    ),
    _address("isIPv4", "(family({field}) = 4) = {value}", "IP version 4."),
    _address("isIPv6", "(family({field}) = 6) = {value}", "IP version 6."),
    _address(
        "isPrivate",
        "({field} <<= ANY (ARRAY['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']::inet[]))"
        " = {value}",
        "For private networks (RFC 1918, RFC 4193).",
    ),
    # The blocks of the two IANA special-purpose registries that are not globally reachable, multicast too.
    _address(
        "isPublic",
        "({field} <<= ANY (ARRAY['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8',"
        " '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16',"
        " '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',"
        " '::/128', '::1/128', '::ffff:0:0/96', '64:ff9b:1::/48', '100::/64', '2001::/23',"
        " '2001:db8::/32', '3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10',"
        " 'ff00::/8']::inet[])) <> {value}",
        "Reachable from the whole Internet.",
    ),
    _address(
        "isLoopback",
        "({field} <<= ANY (ARRAY['127.0.0.0/8', '::1/128']::inet[])) = {value}",
        "The host itself.",
    ),
    _address(
        "isLinkLocal",
        "({field} <<= ANY (ARRAY['169.254.0.0/16', 'fe80::/10']::inet[])) = {value}",
        "Valid on one link only.",
    ),
    _address(
        "isMulticast",
        "({field} <<= ANY (ARRAY['224.0.0.0/4', 'ff00::/8']::inet[])) = {value}",
        "For groups of hosts.",
    ),
    _address(
        "isDocumentation",
        "({field} <<= ANY (ARRAY['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32',"
        " '3fff::/20']::inet[])) = {value}",
        "For examples in documents (RFC 5737, RFC 3849, RFC 9637).",
    ),
    _address(
        "isCarrierGrade",
        "({field} <<= '100.64.0.0/10'::inet) = {value}",
        "Shared by customers of a provider (RFC 6598).",
    ),
)


def _sized(
    prefix: str, families: tuple[str, ...], measured: LiteralString, what: str
) -> tuple[Operator, ...]:
    """Return the six comparisons of a field's size."""
    signs: tuple[tuple[str, LiteralString, str], ...] = (
        ("eq", " = {value}", "exactly"),
        ("neq", " <> {value}", "other than"),
        ("gt", " > {value}", "more than"),
        ("gte", " >= {value}", "at least"),
        ("lt", " < {value}", "fewer than"),
        ("lte", " <= {value}", "at most"),
    )
    return tuple(
        Operator(
            f"{prefix}_{name}",
            families,
            "int",
            measured + sign,
            f"Has {words} this many {what}.",
            pg="int4",
        )
        for name, sign, words in signs
    )


_LTREE = (
    Operator(
        "ancestor_of",
        ("ltree",),
        "LTree",
        "{field} @> {value}",
        "Above this path, or the path itself.",
    ),
    Operator(
        "descendant_of",
        ("ltree",),
        "LTree",
        "{field} <@ {value}",
        "Below this path, or the path itself.",
    ),
    Operator(
        "matches_lquery", ("ltree",), "text", "{field} ~ {value}", "Fits the lquery.", pg="lquery"
    ),
    Operator(
        "matches_any_lquery",
        ("ltree",),
        "texts",
        "{field} ? {value}",
        "Fits one of the lqueries.",
        pg="lquery[]",
    ),
    Operator(
        "matches_ltxtquery",
        ("ltree",),
        "text",
        "{field} @ {value}",
        "Has labels that fit the ltxtquery.",
        pg="ltxtquery",
    ),
    *_sized("nlevel", ("ltree",), "nlevel({field})", "labels"),
)

_RANGES = (
    Operator(
        "contains_date",
        ("date_range",),
        "Date",
        "{field} @> {value}",
        "Has the date in it.",
        pg="date",
    ),
    Operator("contains", _RANGE, "same", "{field} @> {value}", "Has the whole range in it."),
    Operator("contained_by", _RANGE, "same", "{field} <@ {value}", "Lies within the range."),
    Operator("overlaps", _RANGE, "same", "{field} && {value}", "Has a point in common."),
    Operator(
        "adjacent", _RANGE, "same", "{field} -|- {value}", "Touches, without a point in common."
    ),
    Operator(
        "strictly_left", _RANGE, "same", "{field} << {value}", "Ends before the range begins."
    ),
    Operator(
        "strictly_right", _RANGE, "same", "{field} >> {value}", "Begins after the range ends."
    ),
    Operator("not_left", _RANGE, "same", "{field} &> {value}", "Does not reach left of the range."),
    Operator(
        "not_right", _RANGE, "same", "{field} &< {value}", "Does not reach right of the range."
    ),
)

_LISTS = (
    Operator("eq", (LIST,), "list", "{field} = {value}", "The same items in the same order."),
    Operator(
        "neq", (LIST,), "list", "{field} <> {value}", "Other items, or another order; not null."
    ),
    Operator(
        "contains",
        (LIST,),
        "list",
        "{field} @> {value}",
        "Has all of these items.",
        json_sql="{json} @> to_jsonb({value})",
    ),
    Operator("contained_by", (LIST,), "list", "{field} <@ {value}", "Has no items but these."),
    Operator("overlaps", (LIST,), "list", "{field} && {value}", "Has at least one of these items."),
    Operator(
        "any_eq",
        (LIST,),
        "same",
        "{field} @> {value}",
        "Has this item.",
        json_sql="{json} @> to_jsonb({value})",
    ),
    Operator(
        "all_eq",
        (LIST,),
        "same",
        "{field} <@ {value}",
        "Every item is this one; so in the empty list.",
    ),
    *_sized("len", (LIST,), "cardinality({field})", "items"),
)

_JSON = (
    # The null of JSON is GraphQL's null, and so SQL's.
    Operator("eq", ("json",), "json", "NULLIF({field}, 'null') = {value}", "Equal.", pg="jsonb"),
    Operator(
        "neq",
        ("json",),
        "json",
        "NULLIF({field}, 'null') <> {value}",
        "Not equal, and not null.",
        pg="jsonb",
    ),
    Operator("has_key", ("json",), "text", "{field} ? {value}", "Has the key.", pg="text"),
    Operator(
        "has_any_keys",
        ("json",),
        "texts",
        "{field} ?| {value}",
        "Has one of the keys.",
        pg="text[]",
    ),
    Operator(
        "has_all_keys",
        ("json",),
        "texts",
        "{field} ?& {value}",
        "Has all of the keys.",
        pg="text[]",
    ),
    Operator(
        "contains", ("json",), "json", "{field} @> {value}", "Has this JSON in it.", pg="jsonb"
    ),
    Operator(
        "contained_by", ("json",), "json", "{field} <@ {value}", "Is part of this JSON.", pg="jsonb"
    ),
    Operator(
        "path_exists",
        ("json",),
        "text",
        "{field} @? {value}",
        "The SQL/JSON path finds an item.",
        pg="jsonpath",
    ),
    Operator(
        "path_match",
        ("json",),
        "text",
        "{field} @@ {value}",
        "The SQL/JSON path's predicate is true.",
        pg="jsonpath",
    ),
)

_FULLTEXT = (
    Operator(
        "matches",
        ("fulltext",),
        "text",
        "{field} @@ to_tsquery({value})",
        "Fits the text query: words with & | ! and <->.",
        pg="text",
    ),
    Operator(
        "plain_query",
        ("fulltext",),
        "text",
        "{field} @@ plainto_tsquery({value})",
        "Has all of the words.",
        pg="text",
    ),
    Operator(
        "phrase_query",
        ("fulltext",),
        "text",
        "{field} @@ phraseto_tsquery({value})",
        "Has the words one after the other.",
        pg="text",
    ),
    Operator(
        "websearch_query",
        ("fulltext",),
        "text",
        "{field} @@ websearch_to_tsquery({value})",
        'Fits what one types into a search engine: words, "phrases", or, -not.',
        pg="text",
    ),
)

_VECTOR = (
    Operator(
        "l2_distance_lt",
        ("vector",),
        "VectorDistance",
        "(SELECT ({field} <-> CAST(given.pair ->> 'vector' AS vector))"
        " < CAST(given.pair ->> 'distance' AS float8) FROM (SELECT {value} AS pair) AS given)",
        "Nearer than this, by Euclidean distance.",
        pg="jsonb",
    ),
    Operator(
        "cosine_distance_lt",
        ("vector",),
        "VectorDistance",
        "(SELECT ({field} <=> CAST(given.pair ->> 'vector' AS vector))"
        " < CAST(given.pair ->> 'distance' AS float8) FROM (SELECT {value} AS pair) AS given)",
        "Nearer than this, by cosine distance.",
        pg="jsonb",
    ),
    Operator(
        "inner_product_distance_lt",
        ("vector",),
        "VectorDistance",
        "(SELECT ({field} <#> CAST(given.pair ->> 'vector' AS vector))"
        " < CAST(given.pair ->> 'distance' AS float8) FROM (SELECT {value} AS pair) AS given)",
        "Nearer than this, by the negative inner product.",
        pg="jsonb",
    ),
)

OPERATORS: tuple[Operator, ...] = (
    *_COMPARISON,
    *_PATTERN,
    *_NETWORK,
    *_LTREE,
    *_RANGES,
    *_LISTS,
    *_JSON,
    *_FULLTEXT,
    *_VECTOR,
)
"""Every row. A name may stand in several, for different families: ``matches``, ``contains``."""


def operators_for(scalar: Scalar, is_list: bool) -> tuple[Operator, ...]:
    """Return the operators of a field, in the table's order; ``is_list``: of a list of ``scalar``."""
    family = LIST if is_list else scalar.family
    return tuple(operator for operator in OPERATORS if family in operator.families)
