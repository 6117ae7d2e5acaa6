"""Values as the terminal shows them: plain text with a little colour, pure functions."""

from collections.abc import Iterable, Sequence
from datetime import date

from rich.text import Text

from bot.desk import Answer, Receipt
from bot.scribe import Brief, Claim
from storage import Hit, Interaction

ARROW = {"improving": "↑ improving", "steady": "→ steady", "declining": "↓ declining"}


def receipt(value: Receipt) -> Text:
    """What was kept and what was understood of it."""
    if not value.is_new:
        return Text(f"Already logged on {value.account.name} by {value.rep}, {_day(value.at)}.")
    lines = [f"Logged on {value.account.name}."]
    lines += [f"  {s.kind.value.replace('_', ' ')} · {s.topic.value}: “{s.quote}”" for s in value.signals]
    lines += [f"  next step: {s.title}{f' (due {s.due})' if s.due else ''}" for s in value.next_steps]
    if value.open_opportunities:
        lines.append(f"  Several deals are open here: {', '.join(value.open_opportunities)}. None was guessed.")
    return Text("\n".join(lines))


def brief(value: Brief) -> Text:
    """The brief, each line with the note that proves it."""
    title = f"{value.person} · {value.account}" if value.person else value.account
    text = Text()
    text.append(f"{title}\n", style="bold")
    if value.is_cold_start:
        return text.append(f"No history yet. {value.recommended_action.text}.\n")
    text.append(f"{health_line(value)}\n")
    text.append(f"→ {value.recommended_action.text}\n", style="bold")
    for claim in value.recommendation:
        text.append(f"  {claim.text} [{claim.interaction}]\n")
    for heading, claims in sections(value):
        text.append(f"{heading}\n", style="underline")
        for claim in claims:
            text.append(_claim(claim))
    if value.notice:
        text.append(f"{value.notice}\n", style="italic")
    return text


def health_line(value: Brief) -> str:
    """`70 · Hot · at risk: data migration · ↑ improving · confidence medium · last contact 19 Nov 2026`."""
    health = value.health
    parts = [str(health.score), health.label]
    parts += [f"at risk: {health.risk}"] if health.at_risk else []
    parts += [ARROW[health.momentum.value], f"confidence {health.confidence.value}"]
    parts += [f"last contact {_day(value.last_contact.at)}"] if value.last_contact else []
    return " · ".join(parts)


def sections(value: Brief) -> Iterable[tuple[str, Sequence[Claim]]]:
    """The lists of a brief that have something in them, in reading order."""
    named: list[tuple[str, Sequence[Claim]]] = [
        ("Objections", value.objections),
        ("Budget", value.budget),
        ("Competitors", value.competitors),
        ("Promises", value.promises),
        ("Next steps", value.next_steps),
        ("Already told", value.told),
        ("Recurring concerns", value.concerns),
        ("Who said what last", value.people),
        ("Tone", value.tone),
    ]
    return [(heading, claims) for heading, claims in named if claims]


def answer(value: Answer) -> Text:
    """Recalled notes in groups, or plainly nothing."""
    text = Text()
    if value.found.notice:
        text.append(f"{value.found.notice}\n", style="italic")
    if value.found.abstained:
        text.append(f"Nothing on record about that at {value.who}.\n")
        if value.found.nearest:
            text.append("The nearest notes\n", style="underline")
            for hit in value.found.nearest:
                text.append(_hit(hit))
        return text
    for heading, hits in value.groups:
        text.append(f"{heading}\n", style="underline")
        for hit in hits:
            text.append(_hit(hit))
    return text


def timeline(notes: Sequence[Interaction]) -> Text:
    """Notes, newest first."""
    if not notes:
        return Text("No notes yet.\n")
    rows = [f"{_day(n.occurred_at)}  {n.channel:<8} {n.rep:<8} [{n.key}]\n    {n.text}\n" for n in notes]
    return Text("".join(rows))


def health_items(value: Brief) -> Text:
    """How the score came about, point by point."""
    return Text("".join(f"{i.points:+4d}  {i.reason} [{i.interaction}]\n" for i in value.health.items))


def _claim(claim: Claim) -> str:
    proof = f"“{claim.quote}” [{claim.interaction}, {_day(claim.at)}]" if claim.interaction else "[by hand]"
    status = f" ({claim.status})" if claim.status else ""
    return f"  • {claim.text}{status}\n      {proof}\n"


def _hit(hit: Hit) -> str:
    who = f" · {hit.contact}" if hit.contact else ""
    return f"  • “{hit.quote}”\n      [{hit.interaction}, {_day(hit.occurred_at)}, {hit.rep}{who} · {hit.account}]\n"


def _day(at: date) -> str:
    return f"{at.day} {at:%b %Y}"
