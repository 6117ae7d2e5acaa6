"""The sources' own deals, to try Rapport on: Acme Corp, Priya Sharma at Rentokil, James Okafor at Paysend."""

from datetime import date, timedelta
from typing import Any

ACME: dict[str, Any] = {
    "accountId": "acme-01",
    "name": "Acme Corp",
    "stage": "negotiation",
    "CONTACT": [{"contactId": "c-9", "name": "Dana Reed", "role": "VP Eng"}],
    "OPPORTUNITY": [{"opportunityId": "opp-7", "amountUsd": 48000, "status": "open"}],
    "INTERACTION": [
        {
            "interactionId": "int-204",
            "channel": "call",
            "repId": "rep-12",
            "summary": "Buyer pushed back on annual pricing; wants quarterly billing.",
        }
    ],
    "NEXT_STEP": [{"title": "Send quarterly-billing proposal", "dueAt": "2026-06-20"}],
}

PRIYA = (
    (22, "call", "Priya says the budget is frozen until Q3."),
    (15, "call", "Priya is concerned about onboarding: the last tool took her team months to learn."),
    (8, "meeting", "She loved the ROI calculator. She asked for a pilot with one region."),
    (1, "call", "Pilot agreed for the London branch, but she is nervous about data migration from the old CRM."),
)
JAMES = (
    (24, "call", "James is worried about API reliability after the outage at their last vendor."),
    (17, "call", "API reliability is resolved: our uptime report convinced him."),
    (10, "call", "He mentioned that competitor pricing is lower than ours."),
    (7, "email", "Sent the security report to James."),
)


def sample_payloads(today: date) -> list[dict[str, Any]]:
    """The three accounts as payloads; Priya was last spoken to yesterday, James has been quiet for seven days."""
    return [
        ACME,
        _deal("Rentokil", "pilot", ("priya", "Priya Sharma", "VP Sales"), _notes("priya", PRIYA, today)),
        _deal("Paysend", "evaluation", ("james", "James Okafor", "CTO"), _notes("james", JAMES, today)),
    ]


def _deal(name: str, stage: str, person: tuple[str, str, str], notes: list[dict[str, Any]]) -> dict[str, Any]:
    contact, full_name, role = person
    return {
        "accountId": name.casefold(),
        "name": name,
        "stage": stage,
        "CONTACT": [{"contactId": contact, "name": full_name, "role": role}],
        "OPPORTUNITY": [{"opportunityId": f"opp-{name.casefold()}", "amountUsd": 36000, "status": "open"}],
        "INTERACTION": notes,
    }


def _notes(contact: str, told: tuple[tuple[int, str, str], ...], today: date) -> list[dict[str, Any]]:
    return [
        {
            "interactionId": f"{contact}-{number}",
            "channel": channel,
            "repId": "rep-7",
            "contactId": contact,
            # At the start of its day, so that a week ago it had been said at whatever hour somebody looks.
            "occurredAt": f"{today - timedelta(days=ago)}T00:00:00Z",
            "summary": text,
        }
        for number, (ago, channel, text) in enumerate(told, 1)
    ]
