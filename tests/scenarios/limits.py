"""Slack's limits on blocks, walked through every nested part: slack_sdk's own check misses those inside."""

from collections.abc import Iterator
from typing import Any

Block = dict[str, Any]
TEXT = {"section": 3000, "header": 150, "button": 75, "context": 3000}
BLOCKS = {"message": 50, "modal": 100, "home": 100}
ELEMENTS = {"context": 10, "actions": 25}
OPTIONS = {"overflow": 5, "static_select": 100, "radio_buttons": 10, "checkboxes": 10, "external_select": 100}
KNOWN = frozenset(("section", "header", "context", "divider", "actions", "input", "markdown", "rich_text", "table"))
TABLE_ROWS, TABLE_COLUMNS = 100, 20
WHOLE_MESSAGE = 11_000
"""Characters of blocks: Slack was seen to refuse a message at 11,341."""


def broken(surface: str, view: Block) -> list[str]:
    """What of a message, a modal or a home breaks a limit; nothing when all is well."""
    blocks = view.get("blocks", [])
    found = [f"{len(blocks)} blocks"] if len(blocks) > BLOCKS[surface] else []
    if surface == "message":
        found += ["no text"] if not view.get("text") else []
        found += [f"text of {len(view['text'])}"] if len(view.get("text", "")) > 4000 else []
        size = sum(len(str(block)) for block in blocks)
        found += [f"blocks of {size} characters"] if size > WHOLE_MESSAGE else []
        found += ["two tables"] if sum(block["type"] == "table" for block in blocks) > 1 else []
    if surface == "modal":
        for part in ("title", "submit", "close"):
            found += [f"{part} too long"] if len((view.get(part) or {}).get("text", "")) > 24 else []
        found += ["private_metadata too long"] if len(view.get("private_metadata", "")) > 3000 else []
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    found += ["a block_id twice"] if len(ids) != len(set(ids)) else []
    return found + [problem for block in blocks for problem in _block(block)]


def _block(block: Block) -> Iterator[str]:
    kind = block["type"]
    if kind not in KNOWN:
        yield f"unknown block {kind}"
    if "text" in block:
        yield from _text(block["text"], TEXT.get(kind, 3000), kind)
    for field in block.get("fields", []):
        yield from _text(field, 2000, "field")
    if len(block.get("fields", [])) > 10:
        yield "too many fields"
    yield from _parts(block, kind)


def _table(rows: list[list[Block]]) -> Iterator[str]:
    if not 0 < len(rows) <= TABLE_ROWS or not all(0 < len(row) <= TABLE_COLUMNS for row in rows):
        yield f"a table of {len(rows)} rows"
    for cell in (cell for row in rows for cell in row):
        if cell["type"] not in ("raw_text", "rich_text"):
            yield f"a cell of {cell['type']}"
        if cell["type"] == "raw_text" and not cell["text"]:
            yield "an empty cell"


def _parts(block: Block, kind: str) -> Iterator[str]:
    if kind == "table":
        yield from _table(block["rows"])
    elements = block.get("elements", [])
    if kind in ELEMENTS and not 0 < len(elements) <= ELEMENTS[kind]:
        yield f"{len(elements)} elements in {kind}"
    if kind == "actions":
        actions = [element["action_id"] for element in elements]
        if len(actions) != len(set(actions)):
            yield "an action_id twice in one block"
    if kind == "input":
        yield from _text(block["label"], 2000, "label", plain=True)
    for element in (*elements, block.get("accessory"), block.get("element")):
        if element:
            yield from _element(element, kind)


def _element(element: Block, inside: str) -> Iterator[str]:
    kind = element["type"]
    if kind in ("mrkdwn", "plain_text"):
        yield from _text(element, TEXT.get(inside, 3000), inside)
        return
    for name, most in (("action_id", 255), ("value", 2000), ("url", 3000)):
        if len(element.get(name, "")) > most:
            yield f"{name} of {kind} too long"
    if kind == "button":
        yield from _text(element["text"], 75, "button", plain=True)
    if kind == "plain_text_input" and len(element.get("initial_value", "")) > element.get("max_length", 3000):
        yield "initial_value beyond max_length"
    options = element.get("options", [])
    if "options" in element and not 0 < len(options) <= OPTIONS[kind]:
        yield f"{len(options)} options in {kind}"
    for option in (*options, *([element["initial_option"]] if "initial_option" in element else [])):
        yield from _text(option["text"], 75, "option")
        if not 0 < len(option["value"]) <= 150:
            yield "option value too long or empty"


def _text(text: Block, most: int, where: str, *, plain: bool = False) -> Iterator[str]:
    if plain and text["type"] != "plain_text":
        yield f"{where} is not plain text"
    if not 0 < len(text["text"]) <= most:
        yield f"text of {len(text['text'])} in {where}"
    if text["type"] == "mrkdwn" and not text.get("verbatim"):
        yield f"{where} lets Slack look for names and links"
