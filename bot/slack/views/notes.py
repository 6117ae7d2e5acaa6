"""Notes being kept: the receipt with its buttons, and the forms."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bot.desk import Receipt
from bot.slack.views.blocks import (
    INPUT_LIMIT,
    OPTIONS_LIMIT,
    Block,
    Message,
    button,
    context,
    day,
    escape,
    field,
    lines,
    message,
    option,
    plain,
    section,
    sentence,
)
from bot.slack.views.week import person
from bot.wording import LABELS
from storage import Contact, Kind, NextStep, Opportunity, Side, Signal, Topic

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
KEEP = "keep"
BOXES, GROUPS = 10, 20
"""Checkboxes in one group, which is Slack's limit, and groups in the form behind Fix."""
SHOWN = 6500
"""Characters of what was understood that a receipt shows: the rest of a message is for its buttons."""
QUOTE_SHOWN = 300
_SAID: Mapping[Kind, str] = {
    Kind.OBJECTION: "Objection",
    Kind.OBJECTION_RESOLVED: "Objection resolved",
    Kind.COMMITMENT_BY_US: "We promised",
    Kind.COMMITMENT_BY_THEM: "They promised",
    Kind.COMMITMENT_DONE: "Promise kept",
    Kind.BUDGET_CONFIRMED: "Budget confirmed",
    Kind.BUDGET_BLOCKED: "Budget blocked",
    Kind.COMPETITOR: "Competitor",
    Kind.COMPETITOR_RESOLVED: "Competitor out",
    Kind.PILOT_REQUESTED: "Pilot asked for",
    Kind.PILOT_AGREED: "Pilot agreed",
    Kind.VERBAL_COMMITMENT: "Said yes",
    Kind.NEXT_STEP: "Next step",
    Kind.POSITIVE_REACTION: "Liked",
    Kind.TOLD: "We told them",
    Kind.NO_RESPONSE: "No response",
    Kind.PAUSE_AGREED: "Pause agreed",
    Kind.AUTHORITY: "Who decides",
}
_UNNAMED = (Topic.OTHER,)


def receipt(value: Receipt, *, confirmed: bool = False, notice: str = "") -> Message:
    """What was kept and what was understood of it, with the buttons to say so, mend it or take it back."""
    if value.retracted and value.is_new:
        return retracted(value.interaction_id, value.revision)
    title = _title(value)
    blocks: list[Block] = [context(escape(notice))] if notice else []
    blocks.append(section(title))
    blocks += _understood(value)
    if value.open_opportunities and value.deals:
        blocks.append(section("Several deals are open here; none was guessed. Which one is it?"))
        blocks.append({"type": "actions", "elements": _deals(value)})
    if value.retracted:
        restore = button("Restore", RESTORE, _stamp(value.interaction_id, value.revision))
        blocks.append({"type": "actions", "elements": [restore]})
    elif value.interaction_id and (value.is_new or value.text):
        blocks.append({"type": "actions", "elements": _buttons(value, confirmed=confirmed)})
    return message(blocks, title)


def _title(value: Receipt) -> str:
    name = f"*{escape(value.account.name[:200])}*"
    if not value.is_new:
        since = " It was taken back since." if value.retracted else ""
        return f"Already logged on {name} by {person(value.rep)}, {day(value.at)}.{since}"
    deal = next((_deal_name(o) for o in value.deals if o.key == value.opportunity), "")
    return f":white_check_mark: Logged on {name}{f', deal {escape(deal[:100])}' if deal else ''}."


def _understood(value: Receipt) -> list[Block]:
    """Each thing once: what became a next step is shown as that, with its day."""
    steps = {step.quote for step in value.next_steps if step.quote}
    said = [
        f"• {_SAID[s.kind]}{_topic(s)}: “{escape(s.quote[:QUOTE_SHOWN])}”"
        for s in value.signals
        if s.quote not in steps
    ]
    said += [
        f"• {_whose(s)}: {escape(s.title[:QUOTE_SHOWN])}{f' (due {day(s.due)})' if s.due else ''}"
        for s in value.next_steps
    ]
    kept, size = [], 0
    for line in said:
        size += len(line)
        if size > SHOWN:
            break
        kept.append(line)
    if len(kept) < len(said):
        kept.append(f"{len(said) - len(kept)} more: press Fix to see them.")
    if any(s.pending for s in value.signals):
        kept.append("_What the customer's own text says of pilot, budget or a yes counts once you press Right._")
    if not said and value.text:
        return [context("Kept word for word. I saw no objection, promise, next step or competitor in it.")]
    return lines("What I understood", kept) if kept else []


def _topic(signal: Signal) -> str:
    return "" if signal.topic in _UNNAMED else f" · {LABELS.get(signal.topic, signal.topic.value)}"


def _whose(step: NextStep) -> str:
    if step.is_promise:
        return "We promised" if step.side is Side.OURS else "They promised"
    return "Next step" if step.side is Side.OURS else "Their next step"


def _deal_name(deal: Opportunity) -> str:
    return deal.name or deal.key


def _deals(value: Receipt) -> list[Block]:
    """A button for each deal; its value is the note, its revision and the deal's own number."""
    stamp = _stamp(value.interaction_id, value.revision)
    return [
        button(escape(_deal_name(deal)), f"{DEAL}_{place}", f"{stamp}:{deal.id}")
        for place, deal in enumerate(value.deals[:MOST_DEALS])
    ]


def _buttons(value: Receipt, *, confirmed: bool) -> list[Block]:
    note = _stamp(value.interaction_id, value.revision)
    right = [] if confirmed or not value.signals else [button("Right", RIGHT, note, style="primary")]
    return [*right, button("Fix", FIX, note), button("Undo", UNDO, note), button("Retract", RETRACT, note)]


def _stamp(note: int, revision: int) -> str:
    return f"{note}:{revision}"


def read_stamp(value: str) -> tuple[int, int, int]:
    """Note, revision and deal of a button's value; 0 for what it does not say."""
    note, revision, deal, *_ = [*(int(part) for part in value.split(":")), 0, 0]
    return note, revision, deal


def retracted(note: int, revision: int = 0) -> Message:
    """A note that is out of recall and health, and the way back."""
    text = "Taken back: it is out of recall and health, and stays in the history."
    restore = button("Restore", RESTORE, _stamp(note, revision))
    return message([section(text), {"type": "actions", "elements": [restore]}], text)


def loading() -> Block:
    """A form that is being filled."""
    return {"type": "modal", "title": plain("Rapport"), "blocks": sentence("One moment…")["blocks"]}


def in_modal(title: str, said: Message, private: str = "") -> Block:
    """A message where there is none to replace: in the form it came from, its buttons with it."""
    shape: Block = {"type": "modal", "title": plain(title), "close": plain("Close"), "private_metadata": private}
    return shape | {"blocks": said["blocks"]}


def form_part(text: str) -> tuple[str, str]:
    """The beginning of a text that a form can hold, up to a word's end, and the rest of it."""
    if len(text) <= INPUT_LIMIT:
        return text, ""
    head = text[:INPUT_LIMIT]
    cut = max(head.rfind(" "), head.rfind("\n"))
    at = cut if cut > INPUT_LIMIT // 2 else INPUT_LIMIT
    return text[:at], text[at:]


def fix_modal(value: Receipt, private: str) -> Block:
    """The words of a note and what was understood, to be mended. `private` holds ids only."""
    head, rest = form_part(value.text)
    words = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": INPUT_LIMIT}
    blocks = [field("text", "Note", words | ({"initial_value": head} if head else {}))]
    blocks += [context(_REST.format(len(rest)))] if rest else []
    blocks += _boxes(value.signals[: BOXES * GROUPS])
    if value.deals:
        blocks.append(_deal_field(value.deals, value.opportunity))
    return _modal(FIX_VIEW, "Fix the note", "Save", private, blocks)


_REST = "The form holds the beginning. The other {:,} characters stay as they are."


def _boxes(signals: Sequence[Signal]) -> list[Block]:
    """A ticked box for each thing that was understood: whoever unticks one says that the note does not say it."""
    blocks = []
    for group, start in enumerate(range(0, len(signals), BOXES)):
        options = [option(str(s.id), escape(f"{_SAID[s.kind]}: {s.quote}")) for s in signals[start : start + BOXES]]
        boxes: Block = {"type": "checkboxes", "action_id": KEEP, "options": options, "initial_options": options}
        blocks.append(field(f"{KEEP}_{group}", "Untick what is wrong", boxes, optional=True))
    return blocks


def _deal_field(deals: Sequence[Opportunity], chosen: str) -> Block:
    options = [option(str(deal.id), escape(_deal_name(deal))) for deal in deals[:OPTIONS_LIMIT]]
    select: Block = {"type": "static_select", "action_id": "deal", "options": options}
    known = next((str(deal.id) for deal in deals if deal.key == chosen), "")
    initial = next((each for each in options if each["value"] == known), None)
    return field("deal", "Deal", select | ({"initial_option": initial} if initial else {}), optional=True)


def log_modal(text: str, accounts: Sequence[tuple[str, str]], guess: str, private: str) -> Block:
    """The form behind "Log to Rapport": the words, the account chosen or a new one's name. `private` holds ids only."""
    head, rest = form_part(text)
    blocks = [*_account_fields(accounts, guess), _words(head)]
    blocks += [context(_REST.format(len(rest)))] if rest else []
    return _modal(LOG_VIEW, "Log to Rapport", "Log", private, blocks)


def call_modal(
    today: date,
    *,
    account: Block | None = None,
    deals: Sequence[Opportunity] = (),
    people: Sequence[Contact] = (),
) -> Block:
    """The form behind "Log a call": account, whom with, deal, kind, day, words, who may see it.

    Once an account is chosen (`account` is its option) the form is built anew with the deals and people there.
    """
    kinds = [option(kind, kind.capitalize()) for kind in CHANNELS]
    kind: Block = {"type": "static_select", "action_id": "kind", "options": kinds, "initial_option": kinds[0]}
    picker: Block = {"type": "datepicker", "action_id": "day", "initial_date": today.isoformat()}
    blocks = _account_fields((), "", chosen=account, dispatch=True)
    blocks += [_deal_field(deals, deals[0].key if len(deals) == 1 else "")] if deals else []
    blocks += [_people_field(people)] if people else []
    name: Block = {"type": "plain_text_input", "action_id": "contact", "max_length": 200}
    blocks.append(field("contact", "Or somebody new" if people else "With whom", name, optional=True))
    blocks += [field("kind", "What it was", kind), field("day", "When", picker), _words(""), *_seen_fields()]
    return _modal(CALL_VIEW, "Log a call", "Log", "", blocks)


def _people_field(people: Sequence[Contact]) -> Block:
    options = [option(str(one.id), escape(one.name)) for one in people[:OPTIONS_LIMIT]]
    return field(
        "person", "With whom", {"type": "static_select", "action_id": "person", "options": options}, optional=True
    )


def _seen_fields() -> list[Block]:
    """Who may see it: a global shortcut does not tell where it was used, so the channel is asked for."""
    seen = [option("all", "Everyone in the workspace"), option("here", "Only members of the private channel below")]
    who: Block = {"type": "radio_buttons", "action_id": "seen", "options": seen, "initial_option": seen[0]}
    where: Block = {
        "type": "conversations_select",
        "action_id": "where",
        "default_to_current_conversation": True,
        "filter": {"include": ["private"]},
    }
    return [field("seen", "Who may see it", who), field("where", "Private channel", where, optional=True)]


def account_options(found: Sequence[tuple[str, str]]) -> list[Block]:
    """What a type-ahead shows."""
    return [_account_option(key, name) for key, name in found[:OPTIONS_LIMIT]]


def _account_fields(
    accounts: Sequence[tuple[str, str]], guess: str, *, chosen: Block | None = None, dispatch: bool = False
) -> list[Block]:
    """The account by typing its beginning, prefilled with the guess or the choice; or a new one's name.

    With `dispatch` the choice is told at once, so that the form can show what is there.
    """
    select: Block = {"type": "external_select", "action_id": ACCOUNTS, "min_query_length": 0}
    named = chosen or next((_account_option(key, name) for key, name in accounts if key == guess), None)
    if named:
        select["initial_option"] = named
    new_name = {"type": "plain_text_input", "action_id": "name", "max_length": 200}
    account = field("account", "Account", select, optional=True)
    return [
        account | ({"dispatch_action": True} if dispatch else {}),
        field("name", "Or a new account", new_name, optional=True),
    ]


def _account_option(key: str, name: str) -> Block:
    return option(key, escape(name))


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
