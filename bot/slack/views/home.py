"""App Home, and what the app says when it is first met."""

from bot.desk.home import Home
from bot.screen import card_head
from bot.slack.views.blocks import Block, Message, button, context, day, escape, section, sentence
from bot.slack.views.week import person, step_block

LOG_CALL = "home_log_call"
CARDS_SHOWN, STEPS_SHOWN = 15, 15
_SIGN = {"red": "🔴", "yellow": "🟡", "green": "🟢"}


def home(value: Home) -> Block:
    """The home tab: deals by urgency, what is owed, the latest notes; without any account, how to begin."""
    blocks: list[Block] = [{"type": "actions", "elements": [button("Log a call", LOG_CALL, "home", style="primary")]}]
    blocks += _deals(value) + _owed(value) + _notes(value) if value.accounts else _beginning()
    blocks.append(context("`/digest here weekly monday 9:00` posts the week in a channel · `/rapport` helps"))
    return {"type": "home", "blocks": blocks}


def greeting() -> Message:
    """The first words in the messages tab."""
    return sentence(
        "Ask me about an account, for example: Acme Corp: what pricing objections came up? "
        "Keep a note with /log Acme Corp: what was said. I only know what was logged and what you may see."
    )


def _deals(value: Home) -> list[Block]:
    blocks = [section("*Your deals*" if value.is_mine else "*All deals* (none is yours yet)")]
    for card in value.cards[:CARDS_SHOWN]:
        head = f"{_SIGN[card.bucket.value]} *{escape(card_head(card))}*"
        owner = "" if value.is_mine or not card.owner else f" · {person(card.owner)}"
        blocks.append(section(f"{head}{owner}\n{escape(card.why)}\n→ {escape(card.action)}"))
    if len(value.cards) > CARDS_SHOWN:
        blocks.append(context(f"{len(value.cards) - CARDS_SHOWN} more: /digest"))
    return blocks


def _owed(value: Home) -> list[Block]:
    steps = value.ledger.steps
    if not steps:
        return [section("*Next steps*\nNothing open.")]
    blocks = [section("*Next steps*"), *(step_block(step) for step in steps[:STEPS_SHOWN])]
    return [*blocks, context(f"{len(steps) - STEPS_SHOWN} more: /next")] if len(steps) > STEPS_SHOWN else blocks


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
