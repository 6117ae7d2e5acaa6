"""Notes being kept: the receipt with its buttons, and the forms."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.desk import Receipt
from bot.slack.views.blocks import (
    INPUT_LIMIT,
    Block,
    Message,
    button,
    day,
    escape,
    field,
    message,
    messages,
    option,
    plain,
    section,
    sentence,
)

LOG_CALLBACK, BRIEF_CALLBACK, LOG_VIEW = "log_message", "brief_message", "log_view"
CALL_CALLBACK, CALL_VIEW, ACCOUNTS = "log_call", "call_view", "account"
RIGHT, FIX, UNDO, RETRACT, RESTORE, DEAL = (
    "note_right",
    "note_fix",
    "note_undo",
    "note_retract",
    "note_restore",
    "note_deal",
)
FIX_VIEW = "fix_view"
MOST_DEALS = 10
CHANNELS = ("call", "email", "meeting", "note")


def receipt(value: Receipt, *, confirmed: bool = False) -> Message:
    """What was kept and what was understood of it, with the buttons to say so, mend it or take it back."""
    if not value.is_new:
        text = f"Already logged on {escape(value.account.name)} by {escape(value.rep)}, {day(value.at)}."
        return message([section(text)], text)
    said = [f":white_check_mark: Logged on *{escape(value.account.name)}*."]
    said += [f"• {s.kind.value.replace('_', ' ')} · {s.topic.value}: “{escape(s.quote)}”" for s in value.signals]
    said += [f"• next step: {escape(s.title)}{f' (due {day(s.due)})' if s.due else ''}" for s in value.next_steps]
    if any(s.pending for s in value.signals):
        said.append("_What the customer's own text says of pilot, budget or a yes counts once you press Right._")
    blocks = [section(line) for line in said[:40]]
    if value.open_opportunities:
        blocks.append(section("Several deals are open here; none was guessed. Which one is it?"))
        blocks.append({"type": "actions", "elements": _deals(value)})
    if value.interaction_id:
        blocks.append({"type": "actions", "elements": _buttons(value, confirmed=confirmed)})
    return messages(blocks, f"Logged on {escape(value.account.name)}.")[0]


def _deals(value: Receipt) -> list[Block]:
    keys = value.open_opportunities[:MOST_DEALS]
    return [
        button(key, DEAL if place == 0 else f"{DEAL}_{place}", f"{value.interaction_id}:{key}")
        for place, key in enumerate(keys)
    ]


def _buttons(value: Receipt, *, confirmed: bool) -> list[Block]:
    note = str(value.interaction_id)
    right = [] if confirmed or not value.signals else [button("Right", RIGHT, note, style="primary")]
    return [*right, button("Fix", FIX, note), button("Undo", UNDO, note), button("Retract", RETRACT, note)]


def retracted(note: int) -> Message:
    """A note that is out of recall and health, and the way back."""
    text = "Taken back: it is out of recall and health, and stays in the history."
    return message([section(text), {"type": "actions", "elements": [button("Restore", RESTORE, str(note))]}], text)


def loading() -> Block:
    """A form that is being filled."""
    return {"type": "modal", "title": plain("Rapport"), "blocks": sentence("One moment…")["blocks"]}


def fix_modal(value: Receipt, private: str) -> Block:
    """The words of a note, to be mended. `private` holds ids only."""
    words = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": INPUT_LIMIT}
    blocks: list[Block] = []
    if len(value.text) > INPUT_LIMIT:
        blocks.append(section("The note is longer than a form takes; what stands here replaces it whole."))
    blocks.append(field("text", "Note", words | {"initial_value": value.text[:INPUT_LIMIT] or " "}))
    return _modal(FIX_VIEW, "Fix the note", "Save", private, blocks)


def log_modal(text: str, accounts: Sequence[tuple[str, str]], guess: str, private: str) -> Block:
    """The form behind "Log to Rapport": the words, the account chosen or a new one's name. `private` holds ids only."""
    blocks = [*_account_fields(accounts, guess), _words(text)]
    return _modal(LOG_VIEW, "Log to Rapport", "Log", private, blocks)


def call_modal(today: date, channel: str, *, is_private: bool) -> Block:
    """The form behind "Log a call": account, kind, day, words, who may see it."""
    kinds = [option(kind, kind.capitalize()) for kind in CHANNELS]
    kind: Block = {"type": "static_select", "action_id": "kind", "options": kinds, "initial_option": kinds[0]}
    picker: Block = {"type": "datepicker", "action_id": "day", "initial_date": today.isoformat()}
    blocks = [*_account_fields((), ""), field("kind", "What it was", kind), field("day", "When", picker), _words("")]
    if is_private:
        seen = [option("all", "Everyone in the workspace"), option("here", "Members of this channel only")]
        who: Block = {"type": "radio_buttons", "action_id": "seen", "options": seen, "initial_option": seen[0]}
        blocks.append(field("seen", "Who may see it", who))
    return _modal(CALL_VIEW, "Log a call", "Log", channel, blocks)


def account_options(found: Sequence[tuple[str, str]]) -> list[Block]:
    """What a type-ahead shows."""
    return [option(key, name) for key, name in found]


def _account_fields(accounts: Sequence[tuple[str, str]], guess: str) -> list[Block]:
    """The account by typing its beginning, prefilled with the guess; or a new one's name."""
    select: Block = {"type": "external_select", "action_id": ACCOUNTS, "min_query_length": 0}
    named = next((option(key, name) for key, name in accounts if key == guess), None)
    if named:
        select["initial_option"] = named
    new_name = {"type": "plain_text_input", "action_id": "name", "max_length": 200}
    return [
        field("account", "Account", select, optional=True),
        field("name", "Or a new account", new_name, optional=True),
    ]


def _words(text: str) -> Block:
    words: dict[str, Any] = {"type": "plain_text_input", "action_id": "text", "multiline": True}
    words["max_length"] = INPUT_LIMIT
    return field("text", "Note", words | ({"initial_value": text[:INPUT_LIMIT]} if text else {}))


def _modal(callback: str, title: str, submit: str, private: str, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title),
        "submit": plain(submit),
        "close": plain("Cancel"),
        "private_metadata": private,
        "blocks": blocks,
    }
