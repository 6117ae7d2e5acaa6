"""Notes being kept: the receipt and the form."""

from collections.abc import Sequence

from bot.desk import Receipt
from bot.slack.views.blocks import (
    INPUT_LIMIT,
    OPTIONS_LIMIT,
    Block,
    Message,
    day,
    escape,
    field,
    message,
    messages,
    option,
    plain,
    section,
)

LOG_CALLBACK, BRIEF_CALLBACK, LOG_VIEW = "log_message", "brief_message", "log_view"


def receipt(value: Receipt) -> Message:
    """What was kept, and what was understood of it."""
    if not value.is_new:
        text = f"Already logged on {escape(value.account.name)} by {escape(value.rep)}, {day(value.at)}."
        return message([section(text)], text)
    lines = [f":white_check_mark: Logged on *{escape(value.account.name)}*."]
    lines += [f"• {s.kind.value.replace('_', ' ')} · {s.topic.value}: “{escape(s.quote)}”" for s in value.signals]
    lines += [f"• next step: {escape(s.title)}{f' (due {day(s.due)})' if s.due else ''}" for s in value.next_steps]
    if value.open_opportunities:
        deals = ", ".join(escape(key) for key in value.open_opportunities)
        lines.append(f"Several deals are open here ({deals}); none was guessed.")
    return messages([section(line) for line in lines], f"Logged on {escape(value.account.name)}.")[0]


def log_modal(text: str, accounts: Sequence[tuple[str, str]], guess: str, private: str) -> Block:
    """The form behind "Log to Rapport": the words, the account chosen or a new one's name. `private` holds ids only."""
    options = [option(key, name) for key, name in accounts[:OPTIONS_LIMIT]]
    chosen = next((o for o in options if o["value"] == guess), None)
    select: Block = {"type": "static_select", "action_id": "account", "options": options}
    if chosen:
        select["initial_option"] = chosen
    blocks: list[Block] = []
    if options:
        blocks.append(field("account", "Account", select, optional=True))
    new_name = {"type": "plain_text_input", "action_id": "name", "max_length": 200}
    blocks.append(field("name", "Or a new account", new_name, optional=True))
    words = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": INPUT_LIMIT}
    blocks.append(field("text", "Note", words | ({"initial_value": text[:INPUT_LIMIT]} if text else {})))
    return {
        "type": "modal",
        "callback_id": LOG_VIEW,
        "title": plain("Log to Rapport"),
        "submit": plain("Log"),
        "close": plain("Cancel"),
        "private_metadata": private,
        "blocks": blocks,
    }
