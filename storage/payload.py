"""Nested import and export: camelCase at the edge, one call for a whole account or for thousands.

A payload is checked whole before a row is written; what is wrong is said with its path. Importing again updates by key
and never doubles. Unknown fields are kept as typed properties that filters can reach.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from storage.clean import clean_line, clean_text, day, moment, name_key, note_text
from storage.errors import BadInput, BadPayload
from storage.ground import account, contact, interaction, next_step, opportunity
from storage.ledger import LedgerVerbs
from storage.notes import TRY_AGAIN
from storage.records import Imported

DEPTH_LIMIT = 20
ROW_LIMIT = 200_000
CHUNK = 500
"""Rows written in one transaction: a note logged meanwhile waits some 20 ms, not for the whole import."""

CHILDREN = ("CONTACT", "OPPORTUNITY", "INTERACTION", "NEXT_STEP")
KNOWN = {
    "ACCOUNT": {"accountId", "name", "stage", "owner", *CHILDREN},
    "CONTACT": {"contactId", "name", "role"},
    "OPPORTUNITY": {"opportunityId", "name", "amountUsd", "status", "closedAt"},
    "INTERACTION": {
        "interactionId",
        "summary",
        "channel",
        "repId",
        "outcome",
        "occurredAt",
        "opportunityId",
        "contactId",
        "permalink",
        "external",
        "visibility",
    },
    "NEXT_STEP": {"nextStepId", "title", "dueAt", "owner", "done", "side", "interactionId"},
}
STATUSES = ("open", "won", "lost")
Json = Mapping[str, Any]


@dataclass(slots=True)
class _Account:
    """One checked account: column values, and its children's by label."""

    values: dict[str, Any]
    children: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def parse_json(text: str) -> Any:
    """JSON with line and column in the error; NaN, duplicate keys and deep nesting are refused. Raises BadPayload."""
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise BadPayload(f"Not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise BadPayload("The JSON is nested too deeply.") from error
    except ValueError as error:
        raise BadPayload("The JSON has a number with too many digits.") from error


class PayloadVerbs(LedgerVerbs):
    """Import and export."""

    def import_payload(self, payload: Json | Sequence[Json], rep: str = "") -> Imported:
        """Write accounts with all that is nested under them; returns counts. BadPayload comes before any writing.

        Takes `{"label": "ACCOUNT", "data": {…} or […]}`, a bare account object, or a list of them.
        """
        accounts = [_check_account(data, path, self._now(), rep) for data, path in _accounts_of(payload)]
        _refuse_duplicates(accounts)
        with self._read() as connection:
            self._refuse_merged(connection, accounts)
            self._check_references(connection, accounts)
        total = Imported()
        for chunk in _chunks(accounts):
            with self._write() as connection:
                total = _add(total, self._import_chunk(connection, chunk))
        return total

    def export_payload(self) -> dict[str, Any]:
        """Every account as `import_payload` takes it: importing the export changes nothing."""
        return {"label": "ACCOUNT", "data": [self._export_account(a.id) for a in self.accounts()]}

    def _import_chunk(self, connection: Connection, chunk: list[_Account]) -> Imported:
        ids, made, touched = self._upsert_accounts(connection, chunk)
        counts = {"accounts": made, "updated": touched[0], "unchanged": touched[1]}
        for label in CHILDREN:
            rows = [(ids[a.values["key"]], values) for a in chunk for values in a.children.get(label, ())]
            new, changed, same = self._upsert_children(connection, label, rows)
            counts[_COUNTED[label]] = new
            counts["updated"] += changed
            counts["unchanged"] += same
        return Imported(**counts)

    def _refuse_merged(self, connection: Connection, accounts: list[_Account]) -> None:
        """What was merged is written under the id of the account that is left: both may use the same ids of notes."""
        kept = account.alias()
        merged = select(account.c.key, kept.c.key).join(kept, kept.c.id == account.c.merged_into)
        merged = merged.where(account.c.team_id == self.team_id, account.c.merged_into.is_not(None))
        into = {key: other for key, other in connection.execute(merged)}  # noqa: C416 - a row is no pair to dict()
        for one in accounts:
            if (key := one.values["key"]) in into:
                raise BadPayload(f"The account '{key[:80]}' was merged into '{into[key][:80]}'; import it as that one.")

    def _check_references(self, connection: Connection, accounts: list[_Account]) -> None:
        """Every deal, contact and note that a child names is in the payload or on record; else nothing is written."""
        for reference, label, name in _REFERENCES:
            for one in accounts:
                named = {c[reference] for items in one.children.values() for c in items if c.get(reference)}
                missing = named - {c["key"] for c in one.children[label]}
                if missing:
                    missing -= self._keys_on_record(connection, _TABLES[label], one.values["key"])
                if missing:
                    raise BadPayload(f"{name} '{min(missing)[:80]}' is not on the account '{one.values['key'][:80]}'.")

    def _keys_on_record(self, connection: Connection, table: Table, account_key: str) -> set[str]:
        mine = select(table.c.key).join(account, account.c.id == table.c.account_id)
        mine = mine.where(table.c.team_id == self.team_id, account.c.key == account_key)
        return set(connection.execute(mine).scalars())

    def _upsert_accounts(self, connection: Connection, chunk: list[_Account]) -> tuple[dict[str, int], int, list[int]]:
        keys = [a.values["key"] for a in chunk]
        mine = select(account).where(account.c.team_id == self.team_id, account.c.key.in_(keys))
        known = {row.key: row for row in connection.execute(mine)}
        fresh = [a.values for a in chunk if a.values["key"] not in known]
        rows = [{"name": v["key"], "name_key": name_key(v["key"]), "stage": "", "owner": "", **v} for v in fresh]
        rows = [r | {"team_id": self.team_id, "created_at": self._now()} for r in rows]
        if rows:
            connection.execute(insert(account), rows)
        touched = [0, 0]
        for values in (a.values for a in chunk if a.values["key"] in known and len(a.values) > 1):
            changed = self._update_row(connection, account, known[values["key"]], values)
            touched[0 if changed else 1] += 1
        mine_now = select(account.c.key, account.c.id).where(account.c.team_id == self.team_id, account.c.key.in_(keys))
        ids = {key: id_ for key, id_ in connection.execute(mine_now)}  # noqa: C416 - a row is no pair to dict()
        return ids, len(rows), touched

    def _upsert_children(
        self, connection: Connection, label: str, rows: list[tuple[int, dict[str, Any]]]
    ) -> tuple[int, int, int]:
        if not rows:
            return 0, 0, 0
        table = _TABLES[label]
        known = self._known(connection, table, {owner for owner, _ in rows})
        fresh, changed, same = [], 0, 0
        for owner, values in self._linked(connection, label, rows):
            row = known.get((owner, values["key"]))
            given = values.pop("_given") | _ALWAYS
            if row is None:
                fresh.append({"team_id": self.team_id, "account_id": owner, **values})
            elif self._update_child(connection, label, row, _told(label, row, values, given)):
                changed += 1
            else:
                same += 1
        if fresh:
            connection.execute(insert(table), _same_keys(fresh))
        return len(fresh), changed, same

    def _known(self, connection: Connection, table: Table, owners: set[int]) -> dict[tuple[int, str], Any]:
        mine = select(table).where(table.c.team_id == self.team_id, table.c.account_id.in_(sorted(owners)))
        return {(row.account_id, row.key): row for row in connection.execute(mine)}

    def _linked(
        self, connection: Connection, label: str, rows: list[tuple[int, dict[str, Any]]]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Rows with the keys they name put as ids: a note's deal and contact, a step's note."""
        if label not in ("INTERACTION", "NEXT_STEP"):
            yield from rows
            return
        owners = {owner for owner, _ in rows}
        deals, people = self._keyed(connection, opportunity, owners), self._keyed(connection, contact, owners)
        notes = self._keyed(connection, interaction, owners) if label == "NEXT_STEP" else {}
        open_deals = self._single_open(connection, owners)
        for owner, given in rows:
            values = dict(given)
            deal, person = values.pop("_deal", ""), values.pop("_person", "")
            values["opportunity_id"] = deals.get((owner, deal)) or open_deals.get(owner)
            if label == "INTERACTION":
                values["contact_id"] = people.get((owner, person))
            else:
                values["interaction_id"] = notes.get((owner, values.pop("_note", "")))
            yield owner, values

    def _keyed(self, connection: Connection, table: Table, owners: set[int]) -> dict[tuple[int, str], int]:
        mine = select(table.c.account_id, table.c.key, table.c.id)
        mine = mine.where(table.c.team_id == self.team_id, table.c.account_id.in_(sorted(owners)))
        return {(owner, key): id_ for owner, key, id_ in connection.execute(mine)}

    def _single_open(self, connection: Connection, owners: set[int]) -> dict[int, int]:
        o = opportunity.c
        mine = select(o.account_id, o.id).where(o.team_id == self.team_id, o.status == "open")
        found: dict[int, list[int]] = {}
        for owner, id_ in connection.execute(mine.where(o.account_id.in_(sorted(owners)))):
            found.setdefault(owner, []).append(id_)
        return {owner: ids[0] for owner, ids in found.items() if len(ids) == 1}

    def _update_child(self, connection: Connection, label: str, row: Any, values: dict[str, Any]) -> bool:
        if label == "INTERACTION":
            if values["text"] != row.text:
                if row.state != "active":
                    return False
                self._keep_version(connection, row.id, values.get("rep", ""))
                self._forget_derived(connection, row.id)
                values |= {"read_as": ""}
            if any(values[c] != row._mapping[c] for c in _INDEXED & values.keys()):
                stale = "stale" if row.indexed_as else ""
                values |= {"revision": row.revision + 1, "indexed_as": stale, **TRY_AGAIN}
        if label == "NEXT_STEP" and (values.get("done_at") is None) == (row.done_at is None):
            values = {k: v for k, v in values.items() if k != "done_at"}
        return self._update_row(connection, _TABLES[label], row, values)

    def _update_row(self, connection: Connection, table: Table, row: Any, values: dict[str, Any]) -> bool:
        current = row._mapping
        fresh = {k: v for k, v in values.items() if k in current and current[k] != v and not _is_default(k)}
        if "properties" in fresh:
            fresh["properties"] = {**current["properties"], **values["properties"]}
            if fresh["properties"] == current["properties"]:
                del fresh["properties"]
        if fresh:
            mine = (table.c.team_id == self.team_id) & (table.c.id == row.id)
            connection.execute(update(table).where(mine).values(**fresh))
        return bool(fresh)

    def _export_account(self, account_id: int) -> dict[str, Any]:
        with self._read() as connection:
            owner = self._account(connection, account_id)
            people = self._contacts(connection, account_id)
            deals = self._opportunities(connection, account_id)
            mine = {label: self._more(connection, table, account_id) for label, table in _TABLES.items()}
        notes = list(reversed(self.timeline(account_id)))
        keys = {c.name: c.key for c in people}
        data: dict[str, Any] = {"accountId": owner.key, "name": owner.name, "stage": owner.stage, "owner": owner.owner}
        data |= owner.properties
        data["CONTACT"] = [
            {"contactId": c.key, "name": c.name, "role": c.role, **mine["CONTACT"][c.id]} for c in people
        ]
        data["OPPORTUNITY"] = [_deal_out(o) | mine["OPPORTUNITY"][o.id] for o in deals]
        data["INTERACTION"] = [
            {
                "interactionId": n.key,
                "channel": n.channel,
                "repId": n.rep,
                "summary": n.text,
                "occurredAt": n.occurred_at.isoformat(),
                "outcome": n.outcome,
                **({"opportunityId": n.opportunity} if n.opportunity else {}),
                **({"contactId": keys[n.contact]} if n.contact else {}),
                **({"permalink": n.permalink} if n.permalink else {}),
                **({"external": True} if n.external else {}),
                **({"visibility": n.visibility} if n.visibility else {}),
                **n.properties,
            }
            for n in notes
        ]
        data["NEXT_STEP"] = [
            {
                "nextStepId": s.key,
                "title": s.title,
                "owner": s.owner,
                "side": s.side.value,
                "done": s.done_at is not None,
                **({"dueAt": s.due.isoformat()} if s.due else {}),
                **({"interactionId": s.interaction} if s.interaction else {}),
                **mine["NEXT_STEP"][s.id],
            }
            for s in self.next_steps(account_id, open_only=False)
        ]
        return data

    def _more(self, connection: Connection, table: Table, account_id: int) -> dict[int, dict[str, Any]]:
        """The further properties of an account's children, by row id."""
        rows = select(table.c.id, table.c.properties)
        rows = rows.where(table.c.team_id == self.team_id, table.c.account_id == account_id)
        return {row.id: row.properties for row in connection.execute(rows)}


_TABLES = {"CONTACT": contact, "OPPORTUNITY": opportunity, "INTERACTION": interaction, "NEXT_STEP": next_step}
_REFERENCES = (
    ("_deal", "OPPORTUNITY", "opportunityId"),
    ("_person", "CONTACT", "contactId"),
    ("_note", "INTERACTION", "interactionId"),
)
_COLUMNS = {
    "CONTACT": {"contactId": "key", "name": "name", "role": "role"},
    "OPPORTUNITY": {
        "opportunityId": "key",
        "name": "name",
        "amountUsd": "amount",
        "status": "status",
        "closedAt": "closed_at",
    },
    "INTERACTION": {
        "interactionId": "key",
        "summary": "text",
        "channel": "channel",
        "repId": "rep",
        "outcome": "outcome",
        "occurredAt": "occurred_at",
        "opportunityId": "opportunity_id",
        "contactId": "contact_id",
        "permalink": "permalink",
        "external": "external",
    },
    "NEXT_STEP": {
        "nextStepId": "key",
        "title": "title",
        "dueAt": "due",
        "owner": "owner",
        "done": "done_at",
        "side": "side",
        "interactionId": "interaction_id",
    },
}
"""Which field says which column. When a row is known, a column that no field speaks of keeps what it holds: a touch
that says only `status` leaves the amount, and no import moves a note out of its channel."""
_ALWAYS = {"name_key", "properties"}
_INDEXED = {"text", "rep", "occurred_at", "contact_id"}
"""What the index holds of a note."""
_COUNTED = {
    "CONTACT": "contacts",
    "OPPORTUNITY": "opportunities",
    "INTERACTION": "interactions",
    "NEXT_STEP": "next_steps",
}


def _accounts_of(payload: Any) -> Iterator[tuple[Json, str]]:
    if isinstance(payload, Mapping) and "label" in payload:
        if payload["label"] != "ACCOUNT":
            raise BadPayload(f"The label '{str(payload['label'])[:40]}' cannot be imported; ACCOUNT can.")
        payload = payload.get("data")
    many = payload if isinstance(payload, list | tuple) else [payload]
    for place, data in enumerate(many):
        path = "ACCOUNT" if len(many) == 1 else f"ACCOUNT[{place}]"
        if not isinstance(data, Mapping):
            raise BadPayload(f"{path} is not an object.")
        yield data, path


def _check_account(data: Json, path: str, now: datetime, rep: str) -> _Account:
    key = _key(data, "accountId", path, required=True)
    name = clean_line(str(data.get("name") or ""))
    values: dict[str, Any] = {"key": key, "properties": _properties("ACCOUNT", data, path)}
    if name:
        values |= {"name": name, "name_key": name_key(name)}
    values |= {k: clean_line(str(data[k])) for k in ("stage", "owner") if data.get(k) is not None}
    checked = _Account(values)
    for label in CHILDREN:
        items = data.get(label, [])
        if not isinstance(items, list | tuple):
            items = [items]
        checked.children[label] = [
            _check_child(label, x, f"{path}.{label}[{n}]", now, rep) for n, x in enumerate(items)
        ]
    _link_single(checked)
    return checked


def _link_single(checked: _Account) -> None:
    # One note and its steps in one write belong together, as in "one call, one next step".
    notes = checked.children["INTERACTION"]
    people = checked.children["CONTACT"]
    for note in notes:
        if len(notes) == 1 and len(people) == 1:
            note["_person"] = note["_person"] or people[0]["key"]
    for step in checked.children["NEXT_STEP"]:
        if len(notes) == 1:
            step["_note"] = step["_note"] or notes[0]["key"]
            step["created_at"] = notes[0]["occurred_at"]


def _check_child(label: str, data: Any, path: str, now: datetime, rep: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise BadPayload(f"{path} is not an object.")
    values = _CHECKS[label](data, path, now, rep)
    given = {column for name, column in _COLUMNS[label].items() if data.get(name) is not None}
    return values | {"properties": _properties(label, data, path), "_given": given}


def _check_contact(data: Json, path: str, _now: datetime, _rep: str) -> dict[str, Any]:
    name = clean_line(str(data.get("name") or ""))
    if not name:
        raise BadPayload(f"{path}.name is missing.")
    key = _key(data, "contactId", path) or name_key(name).replace(" ", "-")
    return {"key": key, "name": name, "name_key": name_key(name), "role": clean_line(str(data.get("role") or ""))}


def _check_opportunity(data: Json, path: str, now: datetime, _rep: str) -> dict[str, Any]:
    status = str(data.get("status") or "open").lower()
    if status not in STATUSES:
        raise BadPayload(f"{path}.status is '{status[:40]}'; it can be open, won or lost.")
    return {
        "key": _key(data, "opportunityId", path, required=True),
        "name": clean_line(str(data.get("name") or "")),
        "amount": _amount(data.get("amountUsd"), f"{path}.amountUsd"),
        "currency": "USD",
        "status": status,
        "created_at": now,
        "closed_at": _closed_at(data, path, now) if status != "open" else None,
    }


def _closed_at(data: Json, path: str, now: datetime) -> datetime:
    """When a deal was won or lost; when it is first heard of, if the payload does not say."""
    return moment(data["closedAt"], f"{path}.closedAt") if data.get("closedAt") else now


def _check_interaction(data: Json, path: str, now: datetime, rep: str) -> dict[str, Any]:
    try:
        text = note_text(str(data.get("summary") or ""))
    except BadInput as error:
        raise BadPayload(f"{path}.summary: {error}") from error
    return {
        "key": _key(data, "interactionId", path) or _key_of_words(text, data),
        "text": text,
        "channel": clean_line(str(data.get("channel") or "note"), 40).lower(),
        "rep": clean_line(str(data.get("repId") or rep)),
        "outcome": clean_line(str(data.get("outcome") or "")),
        "occurred_at": moment(data["occurredAt"], f"{path}.occurredAt") if data.get("occurredAt") else now,
        "logged_at": now,
        "permalink": clean_line(str(data.get("permalink") or ""), 500),
        "external": data.get("external") is True,
        "visibility": clean_line(str(data.get("visibility") or "")),
        "_deal": _key(data, "opportunityId", path),
        "_person": _key(data, "contactId", path),
    }


def _key_of_words(text: str, data: Json) -> str:
    # A note without an id is known again by its words and its time, so that importing twice is importing once.
    said = "\n".join([text, *(str(data.get(name) or "") for name in ("occurredAt", "channel", "repId"))])
    return f"note-{sha256(said.encode()).hexdigest()[:12]}"


def _check_step(data: Json, path: str, now: datetime, rep: str) -> dict[str, Any]:
    title = clean_line(clean_text(str(data.get("title") or "")))
    if not title:
        raise BadPayload(f"{path}.title is missing.")
    side = str(data.get("side") or "ours")
    if side not in ("ours", "theirs"):
        raise BadPayload(f"{path}.side is '{side[:40]}'; it can be ours or theirs.")
    done = data.get("done", False)
    if not isinstance(done, bool):
        raise BadPayload(f"{path}.done is not true or false.")
    return {
        "key": _key(data, "nextStepId", path) or name_key(title).replace(" ", "-"),
        "title": title,
        "due": day(data["dueAt"], f"{path}.dueAt") if data.get("dueAt") else None,
        "owner": clean_line(str(data.get("owner") or rep)),
        "side": side,
        "done_at": now if done else None,
        "created_at": now,
        "_note": _key(data, "interactionId", path),
    }


_CHECKS = {
    "CONTACT": _check_contact,
    "OPPORTUNITY": _check_opportunity,
    "INTERACTION": _check_interaction,
    "NEXT_STEP": _check_step,
}


def _key(data: Json, name: str, path: str, *, required: bool = False) -> str:
    value = data.get(name)
    if value is None or value == "":
        if required:
            raise BadPayload(f"{path}.{name} is missing.")
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadPayload(f"{path}.{name} is not a text.")
    return clean_line(str(value), 255)


def _amount(value: Any, path: str) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise BadPayload(f"{path} is not an amount.")
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise BadPayload(f"{path} is not an amount.") from error
    # Ten-thousandths have to fit the integer both databases store them in.
    if not amount.is_finite() or amount.adjusted() > 13:
        raise BadPayload(f"{path} is not an amount.")
    return amount


def _properties(label: str, data: Json, path: str) -> dict[str, Any]:
    extra = {clean_line(str(k)): v for k, v in data.items() if k not in KNOWN[label]}
    return {k: _plain(v, f"{path}.{k}", 1) for k, v in extra.items()}


def _plain(value: Any, path: str, depth: int) -> Any:
    if depth > DEPTH_LIMIT:
        raise BadPayload(f"{path} is nested more than {DEPTH_LIMIT} levels deep.")
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Decimal):
        # int() writes every zero out: 1e999999999 would fill the memory.
        whole = value.is_finite() and value.adjusted() < 16 and value == value.to_integral_value()
        value = int(value) if whole else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadPayload(f"{path} is not a number.")
    if isinstance(value, Mapping):
        return {clean_text(str(k)): _plain(v, f"{path}.{k}", depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, path, depth + 1) for v in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise BadPayload(f"{path} cannot be stored.")


def _refuse_duplicates(accounts: list[_Account]) -> None:
    rows = len(accounts) + sum(len(c) for a in accounts for c in a.children.values())
    if rows > ROW_LIMIT:
        raise BadPayload(f"The import has {rows:,} rows and {ROW_LIMIT:,} is the limit; split it.")
    _refuse_twice("accountId", [a.values["key"] for a in accounts])
    for one in accounts:
        for label, items in one.children.items():
            _refuse_twice(next(iter(_COLUMNS[label])), [item["key"] for item in items if "key" in item["_given"]])
            one.children[label] = list({item["key"]: item for item in items}.values())


def _refuse_twice(name: str, keys: list[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise BadPayload(f"{name} '{key[:80]}' occurs twice in the import.")
        seen.add(key)


def _chunks(accounts: list[_Account]) -> Iterator[list[_Account]]:
    """Accounts in groups of about CHUNK rows; an account with more rows than that comes in parts."""
    group: list[_Account] = []
    size = 0
    for one in (part for whole in accounts for part in _parts(whole)):
        rows = 1 + sum(len(c) for c in one.children.values())
        if group and (size + rows > CHUNK or group[-1].values["key"] == one.values["key"]):
            yield group
            group, size = [], 0
        group.append(one)
        size += rows
    if group:
        yield group


def _parts(whole: _Account) -> Iterator[_Account]:
    notes = whole.children.get("INTERACTION", [])
    if len(notes) <= CHUNK:
        yield whole
        return
    first = {label: items for label, items in whole.children.items() if label in ("CONTACT", "OPPORTUNITY")}
    yield _Account(whole.values, first)
    for start in range(0, len(notes), CHUNK):
        yield _Account({"key": whole.values["key"]}, {"INTERACTION": notes[start : start + CHUNK]})
    yield _Account({"key": whole.values["key"]}, {"NEXT_STEP": whole.children.get("NEXT_STEP", [])})


def _add(one: Imported, other: Imported) -> Imported:
    sums = {f.name: getattr(one, f.name) + getattr(other, f.name) for f in fields(Imported)}
    return Imported(**sums)


def _told(label: str, row: Any, values: dict[str, Any], given: set[str]) -> dict[str, Any]:
    """The values a payload speaks of. A deal that it closes or opens again was closed, or not, as of now."""
    moved = label == "OPPORTUNITY" and "status" in given and row.status != values["status"]
    return {k: v for k, v in values.items() if k in given or (moved and k == "closed_at")}


def _same_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # One statement for many rows needs the same columns in each.
    columns = {k for row in rows for k in row}
    return rows if all(len(r) == len(columns) for r in rows) else [{k: r.get(k) for k in columns} for r in rows]


def _is_default(column: str) -> bool:
    return column in ("created_at", "logged_at", "currency")


def _deal_out(deal: Any) -> dict[str, Any]:
    amount = deal.amount
    out: dict[str, Any] = {"opportunityId": deal.key, "status": deal.status}
    if deal.name:
        out["name"] = deal.name
    if deal.closed_at is not None:
        out["closedAt"] = deal.closed_at.isoformat()
    if amount is not None:
        out["amountUsd"] = int(amount) if amount == amount.to_integral_value() else float(amount)
    return out


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise BadPayload(f"The key '{key[:80]}' occurs twice in one object.")
        data[key] = value
    return data


def _no_constant(name: str) -> Any:
    raise BadPayload(f"{name} is not a number.")


__all__ = ["PayloadVerbs", "parse_json"]
