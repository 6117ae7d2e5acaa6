"""Notes to measure with: one to three sentences put together from varied phrases, the same for the same seed."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

WHO = (
    "Priya", "James", "their CFO", "the procurement lead", "Dana", "the security team", "the VP of operations",
    "Marcus", "our champion", "the IT director", "Elena", "the regional manager", "legal", "the finance team", "Tomas",
)  # fmt: skip
SAID = (
    "asked for", "pushed back on", "was happy with", "raised concerns about", "wants clarity on", "signed off on",
    "compared us with a rival on", "needs a decision about", "would not move on", "kept returning to",
    "had questions on",
)  # fmt: skip
ABOUT = (
    "the annual price", "data migration from the legacy CRM", "single sign-on", "the rollout in the Berlin office",
    "quarterly billing", "the pilot's reporting dashboards", "onboarding for forty reps",
    "the data processing agreement", "API rate limits", "the renewal terms", "support hours in Asia",
    "the integration with their ERP", "seat counts",
    "the security questionnaire", "mobile access for field staff", "the discount we discussed", "audit logs",
)  # fmt: skip
WHY = (
    "because the budget freezes at the end of the quarter", "after a bad experience with the last vendor",
    "before the board meets in two weeks", "since headcount is being cut", "as the current contract ends in March",
    "because two teams must agree first", "now that the pilot has gone well", "ahead of the audit",
)  # fmt: skip
NEXT = (
    "We promised a revised proposal by {day}.", "Follow up on {day} with the reference customer.",
    "They will send the signed order form by {day}.", "Next call is booked for {day}.",
    "I owe them the numbers by {day}.", "Mood was noticeably warmer than last time.",
    "No reply to the earlier email so far.",
    "Budget is about {sum}k, not yet approved.", "They also look at a competitor at {sum}k a year.",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "the end of the month", "the 15th")
QUESTIONS = (
    "What pricing objections came up?", "What did we promise them?", "Who is worried about data migration?",
    "When does the current contract end?", "Which competitor did they mention?", "What is the status of the pilot?",
    "Is legal happy with the data processing agreement?", "What budget do they have?",
    "Who signed off on single sign-on?", "What are the next steps?",
)  # fmt: skip
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def note(draw: random.Random) -> str:
    """One note."""
    words = f"{draw.choice(WHO)} {draw.choice(SAID)} {draw.choice(ABOUT)} {draw.choice(WHY)}."
    more = (
        f"{draw.choice(WHO).capitalize()} {draw.choice(SAID)} {draw.choice(ABOUT)}.",
        draw.choice(NEXT).format(day=draw.choice(DAYS), sum=draw.randint(5, 400)),
    )
    return " ".join([words[0].upper() + words[1:], *more[: draw.randint(0, 2)]])


def notes(count: int, seed: int = 0) -> list[str]:
    """That many notes."""
    draw = random.Random(seed)
    return [note(draw) for _ in range(count)]


def key_of(number: int) -> str:
    """The user's key of an account."""
    return f"acme-{number:04}"


def accounts(texts: Sequence[str], count: int, first: int = 0) -> list[Json]:
    """The notes dealt out to `count` accounts in the import format; numbering begins at `first`."""
    made: list[Json] = [
        {"accountId": key_of(n), "name": f"Account Number {n}", "INTERACTION": []} for n in range(first, first + count)
    ]
    for number, text in enumerate(texts):
        at = START + timedelta(minutes=37 * number)
        of = made[number % count]
        key = f"int-{of['accountId']}-{number // count}"
        of["INTERACTION"].append(
            {"interactionId": key, "channel": "call", "repId": "rep-1", "summary": text, "occurredAt": at.isoformat()}
        )
    return made
