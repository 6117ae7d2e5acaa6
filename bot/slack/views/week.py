"""The week: the ledger with its buttons, hand-off packs, the pipeline."""

import re
from collections.abc import Sequence

from bot.desk import Ledger, Pack
from bot.pipeline import Pipeline
from bot.screen import ledger_groups, pack_sections, pipeline_totals
from bot.slack.views.answers import claim_line
from bot.slack.views.blocks import Block, Message, button, context, day, escape, field, lines, messages, plain, section
from bot.wording import counted
from storage import Handoff, NextStep, Side

STEP_DONE, STEP_MENU, STEP_REOPEN = "step_done", "step_menu", "step_reopen"
HANDOFF_UNDO = "handoff_undo"
GIVE, GIVE_VIEW, GIVE_ON = "give", "give_view", ("Give to a colleague", "give")
STEPS_SHOWN = 20
_USER = re.compile(r"[UW][A-Z0-9]{6,20}\Z")


def is_user(owner: str) -> bool:
    """Whether an owner is Slack's own id of a user: others came with an import."""
    return bool(_USER.match(owner))


def person(owner: str) -> str:
    """Somebody's name; only what looks like Slack's own id of a user becomes a mention."""
    return f"<@{owner}>" if is_user(owner) else escape(owner)


def ledger(value: Ledger) -> list[Message]:
    """Open next steps, each with Done and a menu; the most pressing first."""
    if not value.steps:
        return messages([section(f"Nothing open for {escape(value.of)}.")], "Next steps")
    blocks: list[Block] = []
    shown = 0
    for heading, steps in ledger_groups(value):
        room = steps[: STEPS_SHOWN - shown]
        if room:
            blocks.append(section(f"*{heading}*"))
            blocks += [step_block(step) for step in room]
        shown += len(room)
    if len(value.steps) > shown:
        blocks.append(context(f"{len(value.steps) - shown} more: ask for one account, `/next Acme Corp`."))
    return messages(blocks, "Next steps")


def step_block(step: NextStep) -> Block:
    """A step with the menu of what can be done with it. Values are ids only."""
    menu = [
        ("Done", "done"),
        ("Remind me tomorrow", "snooze-1"),
        ("Remind me in a week", "snooze-7"),
        GIVE_ON,
        ("Drop it", "drop"),
    ]
    options = [{"text": {"type": "plain_text", "text": text}, "value": f"{verb}:{step.id}"} for text, verb in menu]
    block = section(step_text(step))
    block["accessory"] = {"type": "overflow", "action_id": STEP_MENU, "options": options}
    return block


def step_text(step: NextStep) -> str:
    """A step in one line: whose, what, until when, and the note it comes from."""
    side = "we owe" if step.side is Side.OURS else "they owe"
    due = f" · due {day(step.due)}" if step.due else ""
    owner = f" · {person(step.owner)}" if step.owner else ""
    proof = escape(step.interaction) if step.interaction else "by hand"
    return f"*{escape(step.account)}*: {escape(step.title[:1500])}\n{side}{due}{owner} ({proof})"


def give_form(step_id: int) -> Block:
    """Who is to have a step. The id of the step is all that the form carries."""
    who: Block = {"type": "users_select", "action_id": "who"}
    return {
        "type": "modal",
        "callback_id": GIVE_VIEW,
        "title": plain("Give it on"),
        "submit": plain("Give"),
        "close": plain("Cancel"),
        "private_metadata": str(step_id),
        "blocks": [field("who", "To whom", who)],
    }


def settled(step: NextStep, verb: str) -> Message:
    """What was done with a step, and the way back."""
    text = f"{verb}: *{escape(step.account)}*: {escape(step.title[:1500])}"
    undo = {"type": "actions", "elements": [button("Open it again", STEP_REOPEN, str(step.id))]}
    return messages([section(text), *([undo] if not step.is_open else [])], verb)[0]


def reminder(steps: Sequence[NextStep]) -> list[Message]:
    """The steps due for one person, bundled."""
    title = f"{counted(len(steps), 'next step')} due"
    return messages([section(f"*{title}*"), *(step_block(step) for step in steps[:STEPS_SHOWN])], title)


def pack(value: Pack) -> list[Message]:
    """The hand-off pack for the new owner."""
    title = f"{value.account.name} was handed over"
    moved = counted(len(value.steps), "open next step")
    head = f"*{escape(value.account.name)}* is {person(value.handoff.to_rep)}'s now. {moved} moved along."
    undo = button("Take it back", HANDOFF_UNDO, str(value.handoff.id))
    blocks: list[Block] = [section(head), {"type": "actions", "elements": [undo]}]
    for heading, claims in pack_sections(value):
        blocks += lines(heading, [claim_line(claim) for claim in claims])
    return messages(blocks, escape(title))


def taken_back(handoff: Handoff) -> Message:
    """A hand-off that was undone."""
    owner = person(handoff.from_rep) if handoff.from_rep else "nobody"
    return messages([section(f"Taken back: it is {owner}'s again, with the open next steps.")], "Taken back")[0]


def pipeline(value: Pipeline) -> list[Message]:
    """The pipeline by stage and owner."""
    rows = [
        f"{escape(row.stage)} · {person(row.owner) if row.owner else 'no owner'} · {counted(row.deals, 'deal')} · "
        f"{row.amount:,} {escape(row.currency)} · weighted by health {row.weighted:,}"
        for row in value.rows
    ]
    return messages(
        [*lines("Pipeline", rows or ["No open deals."]), context(escape(pipeline_totals(value)))], "Pipeline"
    )
