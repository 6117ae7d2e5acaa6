"""The parts of Block Kit we build with, and Slack's limits. Escaping happens here and only here."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from bot.grounding import cleaned
from bot.wording import full_day

Block = dict[str, Any]
Message = dict[str, Any]

BLOCK_LIMIT = 50
SECTION_LIMIT = 3000
MESSAGE_LIMIT = 9000
"""Characters of blocks a message may carry: Slack refuses a message at about 12,000, whatever its documented limits."""
INPUT_LIMIT = 3000
TITLE_LIMIT = 24
OPTION_LIMIT = 75
OPTIONS_LIMIT = 100
VALUE_LIMIT = 2000
EMPTY = "…"
"""In place of no text at all, which Slack refuses."""


_MARKS = re.compile(r"([*_~`])")
_BREAK = re.compile(r"\s*[\n\r\v\f]\s*")
_SIGN = re.compile(r":(?=[a-z0-9_+'-]{1,60}:)", re.I)
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILED = re.compile(f"({_MARK}{{3}}){_MARK}+")


def escape(text: str) -> str:
    """Text that Slack shows as it is, in one line: no mention, link or markup of ours or theirs, nothing invisible.

    A line of its own would pass for one of ours: another claim with its proof, another note in a timeline. So would a
    sign of ours such as :white_check_mark:, and marks piled on a letter cover the lines around it.
    """
    bare = _PILED.sub(r"\1", _BREAK.sub(" ", cleaned(text)))
    bare = _SIGN.sub(":\u200b", bare)
    bare = bare.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Slack has no escape for its marks: a zero-width space keeps them from pairing and reads the same.
    return _MARKS.sub("\u200b\\1", bare)


def sentence(text: str) -> Message:
    """One plain sentence."""
    return message([section(escape(text))], escape(text))


def lines(heading: str, items: Iterable[str]) -> list[Block]:
    """A heading and its lines in as few sections as they fit."""
    blocks, held = [], f"*{heading}*"
    for item in items:
        cut = item[: SECTION_LIMIT - 100]
        if len(held) + len(cut) + 1 > SECTION_LIMIT:
            blocks.append(section(held))
            held = cut
        else:
            held = f"{held}\n{cut}"
    return [*blocks, section(held)]


def messages(blocks: Sequence[Block], text: str) -> list[Message]:
    """Blocks in messages that Slack takes: at most 50 blocks and 9,000 characters each."""
    parts: list[list[Block]] = [[]]
    size = 0
    for block in blocks:
        length = len(str(block))
        if parts[-1] and (size + length > MESSAGE_LIMIT or len(parts[-1]) >= BLOCK_LIMIT):
            parts.append([])
            size = 0
        parts[-1].append(block)
        size += length
    return [message(some, text) for some in parts if some]


def message(blocks: list[Block], text: str) -> Message:
    """A message of blocks, with the text that notifications and screen readers read."""
    return {"text": text[:SECTION_LIMIT].strip() or "Rapport", "blocks": blocks}


def section(text: str) -> Block:
    """A paragraph of mrkdwn that Slack does not look for names and links in."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION_LIMIT] or EMPTY, "verbatim": True}}


def context(text: str) -> Block:
    """Small print."""
    said = {"type": "mrkdwn", "text": text[:SECTION_LIMIT] or EMPTY, "verbatim": True}
    return {"type": "context", "elements": [said]}


def plain(text: str) -> Block:
    """Plain text of a title, label or button."""
    return {"type": "plain_text", "text": text[:TITLE_LIMIT]}


def option(key: str, name: str) -> Block:
    """A choice in a menu."""
    return {"text": {"type": "plain_text", "text": name[:OPTION_LIMIT] or key[:OPTION_LIMIT]}, "value": key[:150]}


def button(text: str, action: str, value: str, *, style: str = "") -> Block:
    """A button. Its value holds ids only: whoever sees the message can read it."""
    shape: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": text[:OPTION_LIMIT] or EMPTY},
        "action_id": action,
    }
    return shape | {"value": value[:VALUE_LIMIT]} | ({"style": style} if style else {})


def field(block_id: str, label: str, element: Block, *, optional: bool = False) -> Block:
    """An input with its label."""
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element, "optional": optional}


def select(action_id: str, choices: Sequence[tuple[str, str]], chosen: str = "") -> Block:
    """A menu of few choices, (key, words) each; the first is chosen unless another is."""
    options = [option(key, name) for key, name in choices]
    first = next((one for one in options if one["value"] == chosen), options[0])
    return {"type": "static_select", "action_id": action_id, "options": options, "initial_option": first}


def saved(title: str, said: Message) -> Block:
    """A form once it was taken."""
    return {"type": "modal", "title": plain(title), "blocks": said["blocks"]}


def day(at: date) -> str:
    """A day as people write it."""
    return full_day(at)
