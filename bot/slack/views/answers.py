"""Answers: briefs, recalled notes, timelines."""

from collections.abc import Sequence

from bot.desk import Answer
from bot.screen import health_line, sections
from bot.scribe import Brief, Claim
from bot.slack.views.blocks import (
    Block,
    Message,
    button,
    context,
    day,
    escape,
    lines,
    message,
    messages,
    section,
    sentence,
)
from storage import Hit, Interaction

SHARE_ANSWER, HEALTH_PICTURE = "share_answer", "health_picture"


def brief_parent(value: Brief) -> Message:
    """The message a command's brief hangs under."""
    text = f"Brief: {escape(_title(value))}"
    return message([section(f"*{text}*")], text)


def brief(value: Brief) -> list[Message]:
    """The brief: score and action first, then every line with the note that proves it."""
    title = escape(_title(value))
    if value.is_cold_start:
        return [message([section(f"*{title}*\nNo history yet. {escape(value.recommended_action.text)}.")], title)]
    blocks = [section(f"*{title}*\n{escape(health_line(value))}\n→ *{escape(value.recommended_action.text)}*")]
    if value.recommendation:
        blocks.append(section("\n".join(f"{escape(c.text)} {_proof(c)}" for c in value.recommendation)))
    for heading, claims in sections(value):
        blocks += lines(heading, [claim_line(claim) for claim in claims])
    if value.notice:
        blocks.append(context(escape(value.notice)))
    if value.account_key:
        over_time = button("Health over time", HEALTH_PICTURE, value.account_key)
        blocks.append({"type": "actions", "elements": [over_time]})
    return messages(blocks, title)


def answer(value: Answer, *, share: str = "") -> list[Message]:
    """Recalled notes in groups, or plainly nothing. `share` is the number that the share button carries."""
    blocks: list[Block] = [context(escape(value.found.notice))] if value.found.notice else []
    if value.found.abstained:
        blocks.append(section(escape(value.nothing)))
        if value.found.nearest:
            blocks += lines("The nearest notes", [_hit(hit) for hit in value.found.nearest])
    if value.notice:
        blocks.append(context(escape(value.notice)))
    blocks += lines("In short", [claim_line(claim) for claim in value.words]) if value.words else []
    for heading, hits in value.groups:
        blocks += lines(heading, [_hit(hit) for hit in hits])
    if share and value.groups:
        blocks.append({"type": "actions", "elements": [button("Share in channel", SHARE_ANSWER, share)]})
    return messages(blocks, f"What is on record about {escape(value.who)}")


def timeline(notes: Sequence[Interaction]) -> list[Message]:
    """Notes, newest first."""
    if not notes:
        return [sentence("No notes yet.")]
    shown = [f"{day(n.occurred_at)} · {escape(n.channel)} · {escape(n.rep)}: {escape(n.text[:500])}" for n in notes]
    return messages(lines("Timeline", shown), "Timeline")[:2]


def _title(value: Brief) -> str:
    return f"{value.person} · {value.account}" if value.person else value.account


def claim_line(claim: Claim) -> str:
    """A claim and its proof."""
    status = f" ({escape(claim.status)})" if claim.status else ""
    return f"• {escape(claim.text)}{status}\n   {_proof(claim)}"


def _proof(claim: Claim) -> str:
    if not claim.interaction:
        return "(by hand)"
    return f"_“{escape(claim.quote)}”_ ({escape(claim.interaction)}, {day(claim.at)})"


def _hit(hit: Hit) -> str:
    who = f" · {escape(hit.contact)}" if hit.contact else ""
    where = f"{escape(hit.interaction)}, {day(hit.occurred_at)}, {escape(hit.rep)}{who} · {escape(hit.account)}"
    return f"• “{escape(hit.quote)}”\n   ({where})"
