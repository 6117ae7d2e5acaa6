"""Values as Block Kit: pure functions. Escaping happens here and only here.

Each function returns messages: a list of `{"text", "blocks"}`, each within Slack's limits, the rest in a second one.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from bot.desk import Answer, Receipt
from bot.screen import health_line, sections
from bot.scribe import Brief, Claim
from storage import Hit, Interaction

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

LOG_CALLBACK, BRIEF_CALLBACK, LOG_VIEW = "log_message", "brief_message", "log_view"
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_MARKS = re.compile(r"([*_~`])")


def escape(text: str) -> str:
    """Text that Slack shows as it is: no mention, link or markup of ours or theirs, no invisible characters."""
    bare = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    bare = bare.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Slack has no escape for its marks: a zero-width space keeps them from pairing and reads the same.
    return _MARKS.sub("\u200b\\1", bare)


def receipt(value: Receipt) -> Message:
    """What was kept, and what was understood of it."""
    if not value.is_new:
        text = f"Already logged on {escape(value.account.name)} by {escape(value.rep)}, {_day(value.at)}."
        return _message([_section(text)], text)
    lines = [f":white_check_mark: Logged on *{escape(value.account.name)}*."]
    lines += [f"• {s.kind.value.replace('_', ' ')} · {s.topic.value}: “{escape(s.quote)}”" for s in value.signals]
    lines += [f"• next step: {escape(s.title)}{f' (due {_day(s.due)})' if s.due else ''}" for s in value.next_steps]
    if value.open_opportunities:
        deals = ", ".join(escape(key) for key in value.open_opportunities)
        lines.append(f"Several deals are open here ({deals}); none was guessed.")
    return _messages([_section(line) for line in lines], f"Logged on {escape(value.account.name)}.")[0]


def brief_parent(value: Brief) -> Message:
    """The message a command's brief hangs under."""
    text = f"Brief: {escape(_title(value))}"
    return _message([_section(f"*{text}*")], text)


def brief(value: Brief) -> list[Message]:
    """The brief: score and action first, then every line with the note that proves it."""
    title = escape(_title(value))
    if value.is_cold_start:
        return [_message([_section(f"*{title}*\nNo history yet. {escape(value.recommended_action.text)}.")], title)]
    blocks = [_section(f"*{title}*\n{escape(health_line(value))}\n→ *{escape(value.recommended_action.text)}*")]
    if value.recommendation:
        blocks.append(_section("\n".join(f"{escape(c.text)} {_proof(c)}" for c in value.recommendation)))
    for heading, claims in sections(value):
        blocks += _lines(heading, [_claim(claim) for claim in claims])
    if value.notice:
        blocks.append(_context(escape(value.notice)))
    return _messages(blocks, title)


def answer(value: Answer) -> list[Message]:
    """Recalled notes in groups, or plainly nothing."""
    blocks: list[Block] = [_context(escape(value.found.notice))] if value.found.notice else []
    if value.found.abstained:
        blocks.append(_section(f"Nothing on record about that at {escape(value.who)}."))
        if value.found.nearest:
            blocks += _lines("The nearest notes", [_hit(hit) for hit in value.found.nearest])
    for heading, hits in value.groups:
        blocks += _lines(heading, [_hit(hit) for hit in hits])
    return _messages(blocks, f"What is on record about {escape(value.who)}")


def timeline(notes: Sequence[Interaction]) -> list[Message]:
    """Notes, newest first."""
    if not notes:
        return [sentence("No notes yet.")]
    lines = [f"{_day(n.occurred_at)} · {escape(n.channel)} · {escape(n.rep)}: {escape(n.text[:500])}" for n in notes]
    return _messages(_lines("Timeline", lines), "Timeline")[:2]


def sentence(text: str) -> Message:
    """One plain sentence."""
    return _message([_section(escape(text))], escape(text))


def log_modal(text: str, accounts: Sequence[tuple[str, str]], guess: str, private: str) -> Block:
    """The form behind "Log to Rapport": the words, the account chosen or a new one's name. `private` holds ids only."""
    options = [_option(key, name) for key, name in accounts[:OPTIONS_LIMIT]]
    chosen = next((o for o in options if o["value"] == guess), None)
    select: Block = {"type": "static_select", "action_id": "account", "options": options}
    if chosen:
        select["initial_option"] = chosen
    blocks: list[Block] = []
    if options:
        blocks.append(_input("account", "Account", select, optional=True))
    new_name = {"type": "plain_text_input", "action_id": "name", "max_length": 200}
    blocks.append(_input("name", "Or a new account", new_name, optional=True))
    words = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": INPUT_LIMIT}
    blocks.append(_input("text", "Note", words | ({"initial_value": text[:INPUT_LIMIT]} if text else {})))
    return {
        "type": "modal",
        "callback_id": LOG_VIEW,
        "title": _plain("Log to Rapport"),
        "submit": _plain("Log"),
        "close": _plain("Cancel"),
        "private_metadata": private,
        "blocks": blocks,
    }


def _title(value: Brief) -> str:
    return f"{value.person} · {value.account}" if value.person else value.account


def _claim(claim: Claim) -> str:
    status = f" ({escape(claim.status)})" if claim.status else ""
    return f"• {escape(claim.text)}{status}\n   {_proof(claim)}"


def _proof(claim: Claim) -> str:
    if not claim.interaction:
        return "(by hand)"
    return f"_“{escape(claim.quote)}”_ ({escape(claim.interaction)}, {_day(claim.at)})"


def _hit(hit: Hit) -> str:
    who = f" · {escape(hit.contact)}" if hit.contact else ""
    where = f"{escape(hit.interaction)}, {_day(hit.occurred_at)}, {escape(hit.rep)}{who} · {escape(hit.account)}"
    return f"• “{escape(hit.quote)}”\n   ({where})"


def _lines(heading: str, lines: Iterable[str]) -> list[Block]:
    """A heading and its lines in as few sections as they fit."""
    blocks, held = [], f"*{heading}*"
    for line in lines:
        cut = line[: SECTION_LIMIT - 100]
        if len(held) + len(cut) + 1 > SECTION_LIMIT:
            blocks.append(_section(held))
            held = cut
        else:
            held = f"{held}\n{cut}"
    return [*blocks, _section(held)]


def _messages(blocks: Sequence[Block], text: str) -> list[Message]:
    """Blocks in messages that Slack takes: at most 50 blocks and 9,000 characters each."""
    messages: list[list[Block]] = [[]]
    size = 0
    for block in blocks:
        length = len(str(block))
        if messages[-1] and (size + length > MESSAGE_LIMIT or len(messages[-1]) >= BLOCK_LIMIT):
            messages.append([])
            size = 0
        messages[-1].append(block)
        size += length
    return [_message(some, text) for some in messages if some]


def _message(blocks: list[Block], text: str) -> Message:
    return {"text": text[:SECTION_LIMIT], "blocks": blocks}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION_LIMIT], "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:SECTION_LIMIT], "verbatim": True}]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text[:TITLE_LIMIT]}


def _option(key: str, name: str) -> Block:
    return {"text": {"type": "plain_text", "text": name[:OPTION_LIMIT] or key[:OPTION_LIMIT]}, "value": key[:150]}


def _input(block_id: str, label: str, element: Block, *, optional: bool = False) -> Block:
    return {"type": "input", "block_id": block_id, "label": _plain(label), "element": element, "optional": optional}


def _day(at: date) -> str:
    return f"{at.day} {at:%b %Y}"
