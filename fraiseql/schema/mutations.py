"""
What mutations answer: the payload types of bound functions.

Two styles, one for a whole schema (setting MUTATION_PAYLOAD): one payload type with the result and ``errors``,
or a union of a success and an error type. Both are projected from the same document, whose keys stand here.
"""

from fraiseql.schema.scalars import SCALARS
from fraiseql.schema.specs import (
    VERSION,
    FieldSpec,
    InputSpec,
    MutationSpec,
    ObjectSpec,
    TypeRef,
    list_ref,
    made_field,
    made_type,
    scalar_ref,
)

RESULT = "result"
"""The payload document's key for what the function returned."""

CURRENT = "current"
"""The payload document's key for the row as it is, after a conflict of versions."""

KIND = "kind"
"""The payload document's key that tells success from error, for unions."""

SUCCESS, ERROR = "success", "error"


def type_name(mutation: str) -> str:
    """Return what a mutation's types are called by: ``createPost`` -> ``CreatePost``."""
    return mutation[:1].upper() + mutation[1:]


class PayloadTypes:
    """Makes the payload type of each mutation, and once the types that all of them share."""

    def __init__(self, style: str) -> None:
        self._style = style
        self.error = _error()
        self._change = made_type(
            "CascadeChange",
            "An object that a mutation changed besides its own.",
            type=(scalar_ref("String"), "Its GraphQL type."),
            id=(scalar_ref("ID"), "Its id."),
            entity=(
                scalar_ref("JSON", nullable=True),
                "The object as it is now, if it was not deleted.",
            ),
        )
        self._cascade = made_type(
            "MutationCascade",
            "What else a mutation changed, for clients that cache.",
            updated=(list_ref(self._change), "Objects that are new or have changed."),
            deleted=(list_ref(self._change), "Objects that are gone."),
            invalidated=(list_ref(SCALARS["String"]), "Query fields to ask for again."),
        )

    @property
    def shared(self) -> tuple[ObjectSpec, ...]:
        """Return the types that do not belong to one mutation."""
        return self.error, self._cascade, self._change

    def make(
        self, name: str, result: FieldSpec | None, version: TypeRef | None, is_batch: bool
    ) -> ObjectSpec:
        """
        Return what the mutation ``name`` answers; ``version``: the type of the row after a conflict, or None.
        """
        if self._style == "union":
            return self._union(name, result, version, is_batch)
        payload = made_type(f"{type_name(name)}Payload", f"What {name} answers.")
        _add(payload, result, *self._on_success(), self._errors(), *_current(version))
        return payload

    def _union(
        self, name: str, result: FieldSpec | None, version: TypeRef | None, is_batch: bool
    ) -> ObjectSpec:
        prefix = type_name(name)
        success = made_type(f"{prefix}Success", f"{name} did what it was asked.")
        error = made_type(f"{prefix}Error", f"{name} changed nothing.")
        # Of a batch some items may fail and the others stand.
        _add(success, result, *self._on_success(), self._errors() if is_batch else None)
        _add(
            error,
            made_field("message", scalar_ref("String"), "The first error's message."),
            made_field("code", scalar_ref("String"), "The first error's code."),
            self._errors(),
            *_current(version),
        )
        union = ObjectSpec(
            f"{prefix}Result",
            object,
            f"What {name} answers.",
            is_interface=True,
            is_union=True,
            discriminator=KIND,
            variants={SUCCESS: success, ERROR: error},
        )
        success.unions = error.unions = (union,)
        return union

    def _errors(self) -> FieldSpec:
        return made_field(
            "errors", list_ref(self.error), "Why nothing was changed; empty on success."
        )

    def _on_success(self) -> tuple[FieldSpec, ...]:
        strings = TypeRef(True, item=scalar_ref("String"))
        return (
            made_field(
                "message", scalar_ref("String", nullable=True), "What the function says of it."
            ),
            made_field(
                "status", scalar_ref("String", nullable=True), "The function's status: created, ..."
            ),
            made_field("updated_fields", strings, "The fields that have changed."),
            made_field("cascade", TypeRef(True, self._cascade), "What else has changed."),
        )


def result_field(returns: TypeRef, name: str | None) -> FieldSpec:
    """
    Return the payload's field for what a function returns.

    By default an object stands under its type's name, everything else under ``result`` or ``results``.
    """
    if name is None:
        named = returns.named
        name = "results" if returns.item is not None else RESULT
        if isinstance(named, ObjectSpec):
            name = named.name[:1].lower() + named.name[1:]
    nullable = TypeRef(True, returns.named, returns.item)
    return FieldSpec(name, RESULT, RESULT, nullable, "What the mutation has written.")


def version_type(input_spec: InputSpec | None, result: FieldSpec | None) -> TypeRef | None:
    """Return the type of the row that a conflict of versions shows, or None if there is no version."""
    if input_spec is None or result is None or not isinstance(result.type.named, ObjectSpec):
        return None
    names = {entry.python_name for entry in input_spec.fields.values()}
    return result.type if {VERSION, "id"} <= names else None


def made_types(mutation: MutationSpec) -> tuple[ObjectSpec, ...]:
    """Return the object types that exist for one mutation."""
    payload = mutation.payload
    return (payload, *payload.possible_types()) if payload.is_union else (payload,)


def _error() -> ObjectSpec:
    return made_type(
        "MutationError",
        "Why a mutation changed nothing.",
        message=(scalar_ref("String"), "For people."),
        code=(scalar_ref("String"), "One of the codes of GraphQL errors."),
        status=(scalar_ref("Int"), "The same as HTTP would say it: 404, 409, 422."),
        field=(scalar_ref("String", nullable=True), "The input field it speaks of."),
        identifier=(
            scalar_ref("String", nullable=True),
            "A word for programs, given by the function.",
        ),
        index=(scalar_ref("Int", nullable=True), "In a batch: which item, from 0."),
    )


def _add(spec: ObjectSpec, *fields: FieldSpec | None) -> None:
    for entry in fields:
        if entry is not None:
            spec.fields.setdefault(entry.name, entry)


def _current(version: TypeRef | None) -> tuple[FieldSpec, ...]:
    text = "After a conflict of versions: the row as it is now."
    return () if version is None else (made_field(CURRENT, version, text),)
