"""The shop's GraphQL types."""

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import graphene

import fraiseql
from fraiseql import scalars
from fraiseql.errors import Conflict


@fraiseql.enum
class Status(enum.Enum):
    """Whether a ware can be had."""

    ON_SALE = "on_sale"
    SOLD_OUT = "sold_out"
    WITHDRAWN = "withdrawn"


@fraiseql.enum
class Grade(enum.Enum):
    """How good something is."""

    LOW = 1
    HIGH = 2


@fraiseql.type
class Office:
    """Where a maker works."""

    address_line_1: str
    address_line_2: str | None
    ipv4_address: scalars.IpAddress | None
    dns_1_id: int | None
    opened_on: date | None


@fraiseql.interface(discriminator="kind", view="tv_ware", search="words", search_config="english")
class Ware:
    """What the shop sells."""

    id: UUID
    identifier: str
    name: str
    status: Status
    grade: Grade | None
    price: Decimal
    weight: float | None
    barcode: scalars.BigInt | None
    # Pieces in store.
    stock: int
    tags: list[str]
    attributes: scalars.JSON | None
    released_at: datetime | None
    maker: "Maker | None"


@fraiseql.type(view="v_book", discriminator_value="book")
class Book(Ware):
    """A ware to read."""

    pages: int | None


@fraiseql.type(discriminator_value="tool")
class Tool(Ware):
    """A ware to work with."""

    watts: int | None


@fraiseql.type(view="v_maker")
class Maker:
    """Who makes wares."""

    id: UUID
    identifier: str
    name: str
    country: scalars.CountryCode | None
    founded: int | None
    office: Office | None
    wares: list[Ware]

    @fraiseql.field
    def label(self) -> str:
        """The name with the country."""
        return f"{self.name} ({self.country or '?'})"

    @fraiseql.field
    async def rivals(self, info: Any, limit: int = 1) -> "list[Maker]":
        """Other makers."""
        found: list[Maker] = await info.context.db.find(
            Maker, where={"id": {"neq": self.id}}, order_by="name", limit=limit
        )
        return found


@fraiseql.type(view="v_category")
class Category:
    """A node of the tree of categories."""

    id: int
    name: str
    parent: "Category | None"
    children: "list[Category]"
    # Those of the same name.
    twins: "list[Category]" = fraiseql.related(key="name", local="name")


@fraiseql.type(view="v_stock_level")
class StockLevel:
    """How much there is of a ware; the view's columns are the document."""

    id: UUID
    ware: str = fraiseql.field(key="ware_name")
    quantity: int
    checked_at: datetime | None
    tags: list[str]
    price: Decimal
    weight: float | None
    maker: Maker | None
    has_maker: bool


@fraiseql.type(view="tb_courier", jsonb=None)
class Courier:
    """Who brings the wares; a table."""

    id: scalars.BigInt
    name: str
    active: bool
    grade: Grade | None
    zones: list[int]
    since: date | None


@fraiseql.type(view="mv_turnover")
class Turnover:
    """A day's turnover; a materialized view."""

    day: date
    total: Decimal
    orders: scalars.BigInt


@fraiseql.enum
class Side(enum.Enum):
    """A side."""

    LEFT = "left"
    RIGHT = "right"


@fraiseql.type
class Part:
    """A part of something flawed."""

    label: str
    sizes: list[int]


@fraiseql.type(view="v_flawed")
class Flawed:
    """Something whose documents break their promises."""

    id: int
    name: str
    number: int
    part: Part
    parts: list[Part]
    spare: Part | None
    some_parts: list[Part | None] | None = fraiseql.field(key="parts")
    at: datetime | None
    kind: Side | None


@fraiseql.type(view='archive."Odd ""100%"" view"', jsonb=None)
class Oddity:
    """Names that need quoting."""

    id: int
    order: str = fraiseql.field(key="Order")
    discount: int = fraiseql.field(key="50% off", name="percent")
    data: scalars.JSON


@fraiseql.type
class Desk:
    """Where a writer sits."""

    room: str
    owner_id: UUID | None
    owner: "Writer | None" = fraiseql.related(local="owner_id")


@fraiseql.type(view="tv_scribe")
class Writer:
    """Who writes works."""

    id: UUID
    name: str
    mentor_id: UUID | None
    desk: Desk | None
    mentor: "Writer | None" = fraiseql.related(local="mentor_id")
    pupils: "list[Writer]" = fraiseql.related(key="mentor_id")
    works: "list[Work]" = fraiseql.related(key="writer_id", default_limit=3, max_limit=20)
    work_feed: "list[Work]" = fraiseql.related(key="writer_id", connection=True, max_limit=20)
    jottings: "list[Jotting]" = fraiseql.related(key="made_by", description="Notes, newest last.")
    jotting_feed: "list[Jotting]" = fraiseql.related(key="made_by", connection=True)


@fraiseql.type
class Remark:
    """What a writer says of a work."""

    text: str
    stars: int
    writer_id: UUID | None
    writer: Writer | None = fraiseql.related(local="writer_id")


@fraiseql.interface(discriminator="kind", view="tv_opus")
class Work:
    """What is written."""

    id: UUID
    title: str
    stars: int | None
    written_at: datetime
    remarks: list[Remark | None] | None
    writer: Writer | None = fraiseql.related(local="writer_id")


@fraiseql.type(discriminator_value="essay")
class Essay(Work):
    """A work in prose."""

    pages: int
    jottings: "list[Jotting]" = fraiseql.related(key="work_id")


@fraiseql.type(discriminator_value="poem")
class Poem(Work):
    """A work in verse."""


@fraiseql.type(view="v_jotting", jsonb=None)
class Jotting:
    """A line in a notebook."""

    id: scalars.BigInt
    body: str
    work_id: UUID | None
    work: Work | None = fraiseql.related(local="work_id")
    # Of whom not all are known, which the type denies.
    maker: Writer = fraiseql.related(local="made_by")


class Query(fraiseql.Query):
    """What the shop answers."""

    writer = fraiseql.one(Writer)
    writers = fraiseql.many(Writer)
    writer_feed = fraiseql.connection(Writer)
    work = fraiseql.one(Work)
    works = fraiseql.many(Work)
    work_feed = fraiseql.connection(Work)
    jottings = fraiseql.many(Jotting)
    jotting_feed = fraiseql.connection(Jotting)

    maker = fraiseql.one(Maker)
    makers = fraiseql.many(Maker)
    maker_feed = fraiseql.connection(Maker)
    ware = fraiseql.one(Ware)
    wares = fraiseql.many(Ware, default_limit=5, max_limit=50)
    ware_feed = fraiseql.connection(Ware, default_limit=2, max_limit=50)
    wares_aggregate = fraiseql.aggregate(Ware, max_limit=50)
    book = fraiseql.one(Book, by=("id", "name", "status"))
    books = fraiseql.many(Book)
    book_feed = fraiseql.connection(Book)
    category = fraiseql.one("Category")
    categories = fraiseql.many("Category")
    category_feed = fraiseql.connection("Category")
    stock_levels = fraiseql.many(StockLevel)
    stock_feed = fraiseql.connection(StockLevel)
    stock_aggregate = fraiseql.aggregate(StockLevel)
    courier = fraiseql.one(Courier)
    couriers = fraiseql.many(Courier)
    courier_feed = fraiseql.connection(Courier)
    turnover = fraiseql.one(Turnover, by="day")
    turnovers = fraiseql.many(Turnover)
    flawed = fraiseql.one(Flawed)
    flaws = fraiseql.many(Flawed)
    flaw_feed = fraiseql.connection(Flawed)
    oddities = fraiseql.many(Oddity)
    oddity = fraiseql.one(Oddity)


@fraiseql.input
class Box:
    """What is put into a parcel."""

    name: str
    size: int = fraiseql.field(default=1, description="In litres.")
    grade: Grade | None
    lids: list["Box"] | None


@fraiseql.query
def packed(info: Any, box: Box, wrap: bool = False) -> str:
    """Tell what is in a box."""
    grade = "unset" if box.grade is fraiseql.UNSET else repr(box.grade)
    lids = "unset" if box.lids is fraiseql.UNSET else repr([lid.name for lid in box.lids or []])
    return f"{box.name} {box.size} {grade} {lids}{' wrapped' if wrap else ''}"


@fraiseql.query
def cheapest(info: Any, below: Decimal | None = None) -> list[Ware]:
    """The wares of lowest price."""
    where = {} if below is None else {"price": {"lt": below}}
    found: list[Ware] = info.context.db.find(Ware, where=where, order_by="price", limit=2)
    return found


@fraiseql.query
async def largest_maker(info: Any) -> Maker | None:
    """A maker, found asynchronously."""
    found: Maker | None = await info.context["db"].find_one(Maker, identifier="anvil")
    return found


@fraiseql.query(name="viewer", description="Who asks.")
def who_asks(info: Any) -> graphene.String:
    return str(info.context.user)


@fraiseql.query
def failing(info: Any, public: bool = False) -> int:
    """Fail."""
    if public:
        raise Conflict("Taken.", hint="Take another.")
    raise RuntimeError("secret 4711")


@fraiseql.type(view="v_stall")
class Stall:
    """Where wares are sold; the shop's mutations write these."""

    id: UUID
    identifier: str
    name: str
    note: str | None
    capacity: int
    tags: list[str]
    opened_at: datetime | None
    version: int
    maker: Maker | None

    @fraiseql.field
    def shout(self) -> str:
        """The name, loud."""
        return self.name.upper()


class StallQuery(fraiseql.Query):
    """What has been written."""

    stall = fraiseql.one(Stall)
    stalls = fraiseql.many(Stall)


@fraiseql.mutation(function="fn_open_stall")
class OpenStall:
    """Open a stall."""

    identifier: str
    name: str
    maker_id: UUID | None
    # How many fit in.
    capacity: int = 10
    tags: list[str] | None = None
    note: str | None
    opened_at: datetime | None
    returns: Stall


@fraiseql.mutation(function="fn_rename_stall")
class RenameStall:
    """Rename a stall nobody else has changed since."""

    id: UUID
    name: str
    expected_version: int
    returns: Stall


@fraiseql.mutation(function="public.fn_change_stall")
class ChangeStall:
    """Change what is given of a stall."""

    id: UUID
    name: str | None
    note: str | None
    tags: list[str] | None
    returns: Stall


@fraiseql.mutation(function="fn_close_stall")
class CloseStall:
    """Close a stall for good."""

    id: UUID
    returns: Stall | None = fraiseql.field(name="closed")


@fraiseql.mutation(function="fn_double_stalls")
class DoubleStalls:
    """Make room."""

    ids: list[UUID]
    returns: list[Stall]


@fraiseql.mutation(function="fn_stall_ids", name="allStalls", deprecation="Ask for stalls.")
class TouchStalls:
    """Return all stalls."""

    returns: list[Stall]


@fraiseql.mutation(function="fn_import_stalls", batch=True)
class ImportStalls:
    """Open many stalls."""

    identifier: str
    name: str
    capacity: int | None
    returns: list[Stall]


@fraiseql.mutation(function="fn_seal")
class Seal:
    """Return a part."""

    label: str
    sizes: list[int]
    returns: list[Part] = fraiseql.field(name="parts")


@fraiseql.mutation(function="fn_extend_stall")
class ExtendStall:
    """Make room, once for each attempt."""

    id: UUID
    by: int
    client_mutation_id: str | None
    returns: Stall


@fraiseql.mutation(function="fn_ring")
class Ring:
    """Do nothing."""


@fraiseql.mutation(function="fn_count_stalls")
class CountStalls:
    """Count the stalls."""

    more: int | None
    returns: scalars.BigInt


@fraiseql.mutation(function="fn_fail")
class Fail:
    """Fail."""

    how: str
    data: scalars.JSON | None


@fraiseql.mutation
def rename_maker(info: Any, identifier: str, name: str) -> Maker | None:
    """Rename a maker, in Python."""
    db = info.context.db
    db.execute("UPDATE tb_maker SET name = $1 WHERE identifier = $2", name, identifier)
    found: Maker | None = db.find_one(Maker, identifier=identifier)
    return found
