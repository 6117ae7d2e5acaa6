"""App Home, the form of reminders, and what the app says when it is first met."""

from bot.desk.home import Home
from bot.screen import card_head
from bot.slack.views.blocks import (
    Block,
    Message,
    button,
    context,
    day,
    escape,
    field,
    plain,
    section,
    select,
    sentence,
)
from bot.slack.views.digests import OPEN_DIGEST, SIGN, plan_words
from bot.slack.views.week import person, step_text
from storage import NextStep, Preferences

LOG_CALL, DONE, REOPEN = "home_log_call", "home_done", "home_reopen"
OPEN_REMINDERS, REMINDERS_VIEW = "open_reminder_form", "reminder_view"
CARDS_SHOWN, STEPS_SHOWN, PLANS_SHOWN = 15, 15, 10
ON, OFF = "on", "off"


def home(value: Home, settled: NextStep | None = None) -> Block:
    """The home tab: deals by urgency, what is owed, the latest notes; without any account, how to begin.

    `settled` is the step that was done on it a moment ago, with the way back.
    """
    top = [
        button("Log a call", LOG_CALL, "home", style="primary"),
        button("Digest settings", OPEN_DIGEST, "home"),
        button("Reminders", OPEN_REMINDERS, "home"),
    ]
    blocks: list[Block] = [{"type": "actions", "elements": top}]
    blocks += _settled(settled) if settled else []
    blocks += _deals(value) + _owed(value) + _notes(value) if value.accounts else _beginning()
    blocks += _digests(value)
    return {"type": "home", "blocks": [*blocks, context("`/rapport` helps")]}


def only(message: Message) -> Block:
    """A home tab that holds nothing but a message: for somebody who may see no more."""
    return {"type": "home", "blocks": message["blocks"]}


def greeting() -> Message:
    """The first words in the messages tab."""
    return sentence(
        "Ask me about an account, for example: Acme Corp: what pricing objections came up? "
        "Keep a note with /log Acme Corp: what was said. I only know what was logged and what you may see."
    )


def introduction() -> Message:
    """What is said to who brings the app into a channel."""
    return sentence(
        "I answer here when I am mentioned or asked with /brief and /recall, and read nothing else. "
        "/account link Acme Corp lets this channel stand for an account;"
        " /digest here weekly monday 9:00 posts the week."
    )


def _deals(value: Home) -> list[Block]:
    blocks = [section("*Your deals*" if value.is_mine else "*All deals* (none is yours yet)")]
    for card in value.cards[:CARDS_SHOWN]:
        head = f"{SIGN[card.bucket.value]} *{escape(card_head(card))}*"
        owner = "" if value.is_mine or not card.owner else f" · {person(card.owner)}"
        blocks.append(section(f"{head}{owner}\n{escape(card.why)}\n→ {escape(card.action)}"))
    if len(value.cards) > CARDS_SHOWN:
        blocks.append(context(f"{len(value.cards) - CARDS_SHOWN} more: /digest"))
    return blocks


def _owed(value: Home) -> list[Block]:
    steps = value.ledger.steps
    if not steps:
        return [section("*Next steps*\nNothing open.")]
    blocks = [section("*Next steps*"), *(_step(step) for step in steps[:STEPS_SHOWN])]
    return [*blocks, context(f"{len(steps) - STEPS_SHOWN} more: /next")] if len(steps) > STEPS_SHOWN else blocks


def _step(step: NextStep) -> Block:
    return section(step_text(step)) | {"accessory": button("Done", DONE, str(step.id))}


def _settled(step: NextStep) -> list[Block]:
    back = button("Open it again", REOPEN, str(step.id))
    return [section(f"Done: *{escape(step.account)}*: {escape(step.title[:1500])}") | {"accessory": back}]


def _digests(value: Home) -> list[Block]:
    if not value.plans:
        return [context("No digest of yours is scheduled: *Digest settings*, or `/digest here weekly monday 9:00`")]
    said = [f"<#{plan.channel}> {plan_words(plan)}" for plan in value.plans[:PLANS_SHOWN]]
    return [section("\n".join(["*Your digests*", *said]))]


def _notes(value: Home) -> list[Block]:
    if not value.notes:
        return []
    said = [f"{day(n.occurred_at)} *{escape(n.account)}*: {escape(n.text[:200])}" for n in value.notes]
    return [section("*Latest notes*"), *(section(line) for line in said)]


def _beginning() -> list[Block]:
    return [
        section("*No accounts yet.* Log the first call in two sentences:"),
        section("`/log +Acme Corp: Dana wants quarterly billing. I will send a proposal by Friday.`"),
        section("Then `/brief Acme Corp` before the next one: what they object to, what is promised, what to do."),
    ]


def reminder_form(held: Preferences) -> Block:
    """When somebody is reminded of what they promised: on or off, and the hours in which they are left alone."""
    hours = [(str(hour), f"{hour}:00") for hour in range(24)]
    state = [(ON, "Remind me in the morning it is due"), (OFF, "Never remind me")]
    return {
        "type": "modal",
        "callback_id": REMINDERS_VIEW,
        "title": plain("Reminders"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": [
            field("state", "Reminders", select("state", state, ON if held.reminders else OFF)),
            field("quiet_from", "Quiet from", select("quiet_from", hours, str(held.quiet_from))),
            field("quiet_to", "Quiet until", select("quiet_to", hours, str(held.quiet_to))),
        ],
    }


def reminded(held: Preferences) -> Message:
    """How somebody is reminded."""
    if not held.reminders:
        return sentence("No reminders. /rapport reminders on brings them back.")
    return sentence(
        f"You are reminded on the day a step is due, not between {held.quiet_from}:00 and {held.quiet_to}:00."
    )
