"""Filters: the query JSON's `where` as SQL conditions, with bound values only.

    {"ACCOUNT": {"accountId": "acme-01"}, "channel": {"$in": ["call", "email"]}, "$or": [{…}, {"$not": {…}}]}

Top-level fields are the note's own; a label opens the fields of what the note belongs to. Fields that are not ours are
looked up among the imported properties. Whatever is unknown is an error that lists what is known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, column, func, literal, not_, or_, select, true

from storage.clean import day, moment
from storage.errors import BadPayload, UnknownField
from storage.ground import account, contact, interaction, next_step, opportunity, signal

DEPTH_LIMIT = 20


def _text(value: Any, field: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise BadPayload(f"{field} takes a text.")
    return str(value)


def _number(value: Any, field: str) -> Decimal:
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise BadPayload(f"{field} takes a number.") from error
    if not number.is_finite() or number.adjusted() > 14:  # beyond it no column could hold it
        raise BadPayload(f"{field} takes a number.")
    return number


def _flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise BadPayload(f"{field} takes true or false.")
    return value


@dataclass(frozen=True, slots=True)
class _Field:
    column: ColumnElement[Any]
    read: Callable[[Any, str], Any]
    is_text: bool = True


def _fields(**given: tuple[ColumnElement[Any], Callable[[Any, str], Any]]) -> dict[str, _Field]:
    return {name: _Field(col, read, read is _text) for name, (col, read) in given.items()}


FIELDS: dict[str, dict[str, _Field]] = {
    "INTERACTION": _fields(
        interactionId=(interaction.c.key, _text),
        summary=(interaction.c.text, _text),
        channel=(interaction.c.channel, _text),
        repId=(interaction.c.rep, _text),
        outcome=(interaction.c.outcome, _text),
        occurredAt=(interaction.c.occurred_at, moment),
        permalink=(interaction.c.permalink, _text),
        external=(interaction.c.external, _flag),
    ),
    "ACCOUNT": _fields(
        accountId=(account.c.key, _text),
        name=(account.c.name, _text),
        stage=(account.c.stage, _text),
        owner=(account.c.owner, _text),
    ),
    "CONTACT": _fields(contactId=(contact.c.key, _text), name=(contact.c.name, _text), role=(contact.c.role, _text)),
    "OPPORTUNITY": _fields(
        opportunityId=(opportunity.c.key, _text),
        name=(opportunity.c.name, _text),
        amountUsd=(opportunity.c.amount, _number),
        status=(opportunity.c.status, _text),
    ),
    "NEXT_STEP": _fields(
        title=(next_step.c.title, _text),
        dueAt=(next_step.c.due, day),
        owner=(next_step.c.owner, _text),
        side=(next_step.c.side, _text),
    ),
    "SIGNAL": _fields(kind=(signal.c.kind, _text), topic=(signal.c.topic, _text), party=(signal.c.party, _text)),
}
TABLES: dict[str, Table] = {
    "INTERACTION": interaction,
    "ACCOUNT": account,
    "CONTACT": contact,
    "OPPORTUNITY": opportunity,
    "NEXT_STEP": next_step,
    "SIGNAL": signal,
}
OPERATORS = ("$gt", "$gte", "$lt", "$lte", "$in", "$ne", "$contains", "$exists", "$not")
LOGIC = ("$and", "$or", "$not")
QUERY_FIELDS = ("labels", "propertyName", "query", "where", "limit")


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query JSON."""

    question: str
    where: Mapping[str, Any]
    limit: int


def parse_query(query: Mapping[str, Any]) -> Query:
    """The query JSON of the first source, checked. Raises UnknownField or BadPayload."""
    for name in query:
        if name not in QUERY_FIELDS:
            raise UnknownField("field", str(name), QUERY_FIELDS)
    if query.get("labels", ["INTERACTION"]) not in (["INTERACTION"], ("INTERACTION",)):
        raise BadPayload('labels can be ["INTERACTION"]: notes are what is recalled.')
    if query.get("propertyName", "summary") != "summary":
        raise UnknownField("propertyName", str(query["propertyName"]), ["summary"])
    limit = query.get("limit", 10)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 100:
        raise BadPayload("limit is a whole number from 1 to 100.")
    where = query.get("where") or {}
    if not isinstance(where, Mapping):
        raise BadPayload("where is not an object.")
    return Query(str(query.get("query") or ""), where, limit)


class Where:
    """Translates one `where` for one workspace."""

    def __init__(self, connection: Connection, team_id: str) -> None:
        self._connection = connection
        self._team_id = team_id

    def condition(self, where: Mapping[str, Any]) -> ColumnElement[bool]:
        """A condition on the `interaction` table."""
        return self._all(where, "INTERACTION", 1)

    def _all(self, where: Any, label: str, depth: int) -> ColumnElement[bool]:
        if not isinstance(where, Mapping):
            raise BadPayload(f"where.{label} is not an object.")
        if depth > DEPTH_LIMIT:
            raise BadPayload(f"where is nested more than {DEPTH_LIMIT} levels deep.")
        return and_(true(), *(self._one(str(name), value, label, depth) for name, value in where.items()))

    def _one(self, name: str, value: Any, label: str, depth: int) -> ColumnElement[bool]:
        if name in LOGIC:
            return self._logic(name, value, label, depth)
        if name.startswith("$"):
            raise UnknownField("operator", name, LOGIC)
        if name in TABLES and label == "INTERACTION":
            inner = self._all(value, name, depth + 1)
            return inner if name == "INTERACTION" else self._belongs(name, inner)
        return self._compare(self._field(name, label, value), name, value)

    def _logic(self, name: str, value: Any, label: str, depth: int) -> ColumnElement[bool]:
        if name == "$not":
            return not_(func.coalesce(self._all(value, label, depth + 1), literal(False)))
        if not isinstance(value, list) or not value:
            raise BadPayload(f"{name} takes a list of conditions.")
        parts = [self._all(v, label, depth + 1) for v in value]
        return or_(*parts) if name == "$or" else and_(*parts)

    def _belongs(self, label: str, inner: ColumnElement[bool]) -> ColumnElement[bool]:
        table = TABLES[label]
        mine = select(literal(1)).where(table.c.team_id == self._team_id, inner)
        return mine.where(_JOINS[label]).correlate(interaction).exists()

    def _field(self, name: str, label: str, value: Any) -> _Field:
        known = FIELDS[label]
        if name in known:
            return known[name]
        table = TABLES[label]
        properties = self._property_names(table) if "properties" in table.c else []
        if name not in properties:
            labels = [t for t in TABLES if t != "INTERACTION"] if label == "INTERACTION" else []
            raise UnknownField("field", name, [*known, *sorted(properties), *labels])
        return _property(table, name, value)

    def _property_names(self, table: Table) -> list[str]:
        if self._connection.dialect.name == "sqlite":
            each = func.json_each(table.c.properties).table_valued("key", joins_implicitly=True)
            names = select(each.c.key)
        else:
            keys = func.json_object_keys(table.c.properties).table_valued(column("key"), joins_implicitly=True)
            names = select(keys.c.key)
        return [
            str(n) for n in self._connection.execute(names.where(table.c.team_id == self._team_id).distinct()).scalars()
        ]

    def _compare(self, field: _Field, name: str, value: Any) -> ColumnElement[bool]:
        if not isinstance(value, Mapping):
            return _equals(field, name, value)
        if not value:
            raise BadPayload(f"{name} has no condition.")
        return and_(*(self._operator(field, name, str(op), operand) for op, operand in value.items()))

    def _operator(self, field: _Field, name: str, op: str, operand: Any) -> ColumnElement[bool]:
        if op not in OPERATORS:
            raise UnknownField("operator", op, OPERATORS)
        if op == "$not":
            return not_(func.coalesce(self._compare(field, name, operand), literal(False)))
        if op == "$exists":
            return _exists(field) if _flag(operand, f"{name}.$exists") else not_(_exists(field))
        if op == "$in":
            if not isinstance(operand, list):
                raise BadPayload(f"{name}.$in takes a list.")
            return field.column.in_([field.read(v, name) for v in operand])
        if op == "$contains":
            if not field.is_text:
                raise BadPayload(f"{name} is not a text; $contains does not fit it.")
            return field.column.icontains(_text(operand, name), autoescape=True)
        wanted = field.read(operand, name)
        compared: ColumnElement[bool] = _ORDER[op](field.column, wanted)
        return compared


_ORDER: dict[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "$gt": lambda c, v: c > v,
    "$gte": lambda c, v: c >= v,
    "$lt": lambda c, v: c < v,
    "$lte": lambda c, v: c <= v,
    "$ne": lambda c, v: or_(c != v, c.is_(None)),
}
_JOINS: dict[str, ColumnElement[bool]] = {
    "ACCOUNT": account.c.id == interaction.c.account_id,
    "CONTACT": contact.c.id == interaction.c.contact_id,
    "OPPORTUNITY": opportunity.c.id == interaction.c.opportunity_id,
    "NEXT_STEP": next_step.c.interaction_id == interaction.c.id,
    "SIGNAL": signal.c.interaction_id == interaction.c.id,
}


def _equals(field: _Field, name: str, value: Any) -> ColumnElement[bool]:
    if value is None:
        return not_(_exists(field))
    wanted: ColumnElement[bool] = field.column == field.read(value, name)
    return wanted


def _exists(field: _Field) -> ColumnElement[bool]:
    return and_(field.column.is_not(None), field.column != "") if field.is_text else field.column.is_not(None)


def _property(table: Table, name: str, value: Any) -> _Field:
    """An imported property, compared as the type of what it is compared with."""
    sample = _sample(value)
    path = table.c.properties[name]
    if isinstance(sample, bool):
        return _Field(path.as_boolean(), _flag, is_text=False)
    if isinstance(sample, int | float | Decimal):
        return _Field(path.as_float(), lambda v, f: float(_number(v, f)), is_text=False)
    return _Field(path.as_string(), _text)


def _sample(value: Any) -> Any:
    while isinstance(value, Mapping | Sequence) and not isinstance(value, str) and value:
        if isinstance(value, Mapping):
            op, operand = next(iter(value.items()))
            value = "" if op == "$exists" else operand
        else:
            value = value[0]
    return value
