"""Values as the terminal shows them: plain text with a little colour, pure functions."""

from collections.abc import Iterable, Sequence
from datetime import date

from rich.text import Text

from bot.desk import Answer, Course, Digest, Ledger, Pack, Receipt
from bot.pipeline import Pipeline
from bot.scribe import Brief, Claim
from bot.week import Card
from bot.wording import counted, full_day
from storage import Hit, Interaction, NextStep, Side

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
        text.append(f"{value.nothing}\n")
        if value.found.nearest:
            text.append("The nearest notes\n", style="underline")
            for hit in value.found.nearest:
                text.append(_hit(hit))
        return text
    if value.notice:
        text.append(f"{value.notice}\n", style="italic")
    for claim in value.words:
        text.append(_claim(claim))
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


BUCKETS = (("red", "🔴 Needs attention now"), ("yellow", "🟡 Follow up this week"), ("green", "🟢 On track"))


def digest(value: Digest) -> Text:
    """The week: what changed first, then what did not in one line each bucket."""
    text = Text()
    text.append(f"{digest_title(value)}\n", style="bold")
    if value.week.is_quiet:
        return text.append(f"A quiet week: {counted(len(value.week.cards), 'deal')}, nothing new and nothing urgent.\n")
    for name, heading in BUCKETS:
        cards: tuple[Card, ...] = getattr(value.week, name)
        if not cards:
            continue
        text.append(f"{heading} ({len(cards)})\n", style="underline")
        changed, same = folded(cards)
        for card in changed:
            text.append(_card(card))
        if same:
            text.append(f"  unchanged: {', '.join(c.name for c in same)}\n", style="dim")
    if value.notice:
        text.append(f"{value.notice}\n", style="italic")
    return text


def digest_title(value: Digest) -> str:
    """`Week of 16 Nov 2026, changes since 9 Nov 2026`."""
    as_of, since = full_day(value.as_of, value.language), full_day(value.since, value.language)
    return f"The week as of {as_of}, changes since {since}"


def folded(cards: Sequence[Card]) -> tuple[tuple[Card, ...], tuple[Card, ...]]:
    """Those to show in full, in order, and those that are green or yellow and as they were."""
    shown = tuple(c for c in cards if c.changed or c.bucket.value == "red" or c.owes)
    return shown, tuple(c for c in cards if c not in shown)


def card_head(card: Card) -> str:
    """`Acme Corp · 70 Hot (+15) · at risk`."""
    score = f"{card.health.score} {card.health.label}" if card.health.score is not None else "no notes yet"
    change = f" ({card.change:+d})" if card.change else ""
    return f"{card.name} · {score}{change}" + (" · at risk" if card.health.at_risk else "")


def _card(card: Card) -> str:
    owner = f" · {card.owner}" if card.owner else ""
    proof = f" [{', '.join(card.interactions)}]" if card.interactions else ""
    return f"  {card_head(card)}{owner}\n      {card.why}{proof}\n      → {card.action}\n"


def ledger(value: Ledger) -> Text:
    """Open next steps by when they are due."""
    if not value.steps:
        return Text(f"Nothing open for {value.of}.\n")
    text = Text()
    for heading, steps in ledger_groups(value):
        text.append(f"{heading}\n", style="underline")
        for step in steps:
            text.append(f"  #{step.id} {step_line(step)}\n")
    return text


def ledger_groups(value: Ledger) -> list[tuple[str, tuple[NextStep, ...]]]:
    """The groups that have something in them, the most pressing first."""
    named = [("Overdue", value.overdue), ("Due within a week", value.soon), ("Later", value.later)]
    return [(heading, steps) for heading, steps in (*named, ("No date", value.undated)) if steps]


def step_line(step: NextStep) -> str:
    """`Acme Corp: send the report (due 3 Dec 2026, ours, rep-1) [int-204]`."""
    side = "ours" if step.side is Side.OURS else "theirs"
    parts = [f"due {_day(step.due)}" if step.due else "", side, step.owner]
    proof = f" [{step.interaction}]" if step.interaction else " [by hand]"
    return f"{step.account}: {step.title} ({', '.join(p for p in parts if p)}){proof}"


def pack(value: Pack) -> Text:
    """The hand-off pack: situation, people, promises, what was told, what not to say, three things to do."""
    text = Text()
    text.append(f"{value.account.name} is {value.handoff.to_rep}'s now", style="bold")
    moved = counted(len(value.steps), "next step") if value.steps else "No next step"
    text.append(f"\n{moved} moved along. To take it back: /handoff undo {value.handoff.id}\n")
    for heading, claims in pack_sections(value):
        text.append(f"{heading}\n", style="underline")
        for claim in claims:
            text.append(_claim(claim))
    return text


def pack_sections(value: Pack) -> list[tuple[str, Sequence[Claim]]]:
    """The lists of a pack that have something in them, in reading order."""
    brief = value.brief
    named: list[tuple[str, Sequence[Claim]]] = [
        ("Situation", brief.recommendation),
        ("People", brief.people),
        ("Open promises, both ways", value.open_promises),
        ("Open objections", [c for c in brief.objections if c.status != "resolved"]),
        ("Already told and settled: do not pitch or reopen", value.not_to_say),
        ("Next three actions", value.actions),
    ]
    return [(heading, claims) for heading, claims in named if claims]


def course(value: Course) -> Text:
    """The score at each note with the reasons it moved, and the concerns that came back."""
    if not value.moments:
        return Text(f"{value.account.name}: no notes yet.\n")
    text = Text()
    before = 0
    for moment in (*value.moments, value.now):
        score = moment.health.score or 0
        at = "today" if moment is value.now else _day(moment.at)
        text.append(f"{at:>12}  {score:>3} {'█' * (score // 4):<25} {score - before:+d} {moment.health.label}")
        text.append(f" [{moment.interaction}]\n")
        before = score
    for claim in value.concerns:
        text.append(_claim(claim))
    return text


def pipeline(value: Pipeline) -> Text:
    """The pipeline as a table, then what was closed and how long a pilot takes."""
    rows = [("stage", "owner", "deals", "amount", "weighted")]
    rows += [(r.stage, r.owner, str(r.deals), f"{r.amount:,} {r.currency}", f"{r.weighted:,}") for r in value.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return Text("\n".join([*lines, pipeline_totals(value)]) + "\n")


def pipeline_totals(value: Pipeline) -> str:
    """`won 2 (80,000), lost 1, win rate 67 %; pilot after 34 days (median of 3)`."""
    rate = f", win rate {value.win_rate:.0%}" if value.win_rate is not None else ""
    took = (
        f"; pilot after {value.days_to_pilot:g} days (median of {value.pilots})"
        if value.days_to_pilot is not None
        else ""
    )
    return f"won {value.won} ({value.won_amount:,}), lost {value.lost}{rate}{took}"


def _claim(claim: Claim) -> str:
    proof = f"“{claim.quote}” [{claim.interaction}, {_day(claim.at)}]" if claim.interaction else "[by hand]"
    status = f" ({claim.status})" if claim.status else ""
    return f"  • {claim.text}{status}\n      {proof}\n"


def _hit(hit: Hit) -> str:
    who = f" · {hit.contact}" if hit.contact else ""
    return f"  • “{hit.quote}”\n      [{hit.interaction}, {_day(hit.occurred_at)}, {hit.rep}{who} · {hit.account}]\n"


def _day(at: date) -> str:
    return full_day(at)
