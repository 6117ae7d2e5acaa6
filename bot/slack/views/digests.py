"""Digests: the week of all deals, their table, when a channel gets one, and the form that sets it."""

from collections.abc import Iterator, Sequence

from bot.desk import Digest
from bot.grounding import cleaned
from bot.schedule import DAY_NAMES, Plan
from bot.screen import BUCKETS, card_head, digest_title, folded
from bot.slack.views.blocks import (
    EMPTY,
    MESSAGE_LIMIT,
    SECTION_LIMIT,
    Block,
    Message,
    button,
    context,
    day,
    escape,
    field,
    message,
    messages,
    option,
    plain,
    section,
    select,
)
from bot.slack.views.week import is_user, person
from bot.week import Card
from bot.wording import ENGLISH, LANGUAGES, clipped, counted
from storage import DigestPlan, DigestRun

SHARE_DIGEST, SEND_AGAIN = "share_digest", "send_again"
OPEN_DIGEST, DIGEST_VIEW, ZONE = "open_digest_form", "digest_view", "digest_zone"
TITLE = "Digest settings"
DEALS = (("all", "All deals"), ("mine", "My deals"), ("linked", "The account of the channel"))
SIGN = {name: heading.partition(" ")[0] for name, heading in BUCKETS}
CARDS_SHOWN = 25
"""Deals shown in full; those beyond are named in one line."""
MANY = 10
"""With more deals than this all of them are also a table under the digest, a row each."""
ROWS = 100
"""Slack's limit on the rows of a table, its head among them."""
ANSWERS = 5
"""How often a command can be answered."""
_OF = {"linked": "the account of this channel", "mine": "your deals", "all": "all deals"}


def digest(value: Digest, *, share: bool = False) -> list[Message]:
    """The week: every deal in one bucket, what changed in full, what did not in one line; the table comes after it.

    With `share` it is somebody's own answer: with the button, and no longer than a command can be answered.
    """
    title = escape(digest_title(value))
    blocks: list[Block] = [section(f"*{title}*")]
    if not value.week.cards:
        blocks.append(section("No deals to show. `/account create Acme Corp` starts one, `/log` keeps the first note."))
    elif value.week.is_quiet:
        quiet = counted(len(value.week.cards), "deal")
        blocks.append(section(f"A quiet week: {quiet}, nothing new and nothing urgent."))
    else:
        blocks += _buckets(value)
    if value.notice:
        blocks.append(context(escape(value.notice)))
    if share:
        buttons = [button("Share in channel", SHARE_DIGEST, "week")] if value.week.cards else []
        blocks.append({"type": "actions", "elements": [*buttons, button("Schedule it", OPEN_DIGEST, "week")]})
    told = messages(blocks, title)
    if len(value.week.cards) > MANY and not value.week.is_quiet:
        told += [message([table], "All deals") for table in _tables(value)]
    return told[:ANSWERS] if share else told


def _buckets(value: Digest) -> list[Block]:
    left, blocks = CARDS_SHOWN, []
    for name, heading in BUCKETS:
        cards: tuple[Card, ...] = getattr(value.week, name)
        if not cards:
            continue
        full, same = folded(cards)
        blocks.append(section(f"*{heading}* ({len(cards)})"))
        blocks += [section(_card(card)) for card in full[:left]]
        blocks += [context(_in_one_line("More", full[left:]))] if full[left:] else []
        blocks += [context(_in_one_line("Unchanged", same))] if same else []
        left = max(0, left - len(full))
    return blocks


def _card(card: Card) -> str:
    owner = f" · {person(card.owner)}" if card.owner else ""
    proof = f" ({escape(', '.join(card.interactions))})" if card.interactions else ""
    moved = f"\n_Moved: {escape(card.moved)}_" if card.moved else ""
    return f"*{escape(card_head(card))}*{owner}\n{escape(card.why)}{proof}\n→ {escape(card.action)}{moved}"


def _in_one_line(heading: str, cards: Sequence[Card]) -> str:
    """`Unchanged: Acme Corp 70, Paysend 35 and 12 more`: as many as a block holds."""
    said, room = [], SECTION_LIMIT - 100
    for card in cards:
        score = "" if card.health.score is None else f" {card.health.score}"
        name = escape(f"{clipped(card.name, 80)}{score}")
        room -= len(name) + 2
        if room < 0:
            break
        said.append(name)
    more = f" and {len(cards) - len(said)} more" if len(said) < len(cards) else ""
    return f"{heading}: {', '.join(said)}{more}"


def _tables(value: Digest) -> Iterator[Block]:
    """Every deal in a row, in as few tables as Slack takes."""
    head = [_cell(name) for name in ("Deal", "Health", "Owner", "Next")]
    rows, size = [head], 0
    for card in value.week.cards:
        row = _row(card)
        size += len(str(row))
        if size > MESSAGE_LIMIT - 500 or len(rows) >= ROWS:
            yield {"type": "table", "rows": rows}
            rows, size = [head], len(str(row))
        rows.append(row)
    yield {"type": "table", "rows": rows}


def _row(card: Card) -> list[Block]:
    score = "" if card.health.score is None else f"{card.health.score} {card.health.label}"
    change = f" ({card.change:+d})" if card.change else ""
    name = f"{SIGN[card.bucket.value]} {clipped(card.name, 60)}"
    return [_cell(name), _cell(score + change), _owner(card.owner), _cell(clipped(card.action, 100))]


def _cell(text: str) -> Block:
    """Text as it is: Slack looks for nothing in it."""
    return {"type": "raw_text", "text": cleaned(text).strip() or EMPTY}


def _owner(owner: str) -> Block:
    if not is_user(owner):
        return _cell(clipped(owner, 40))
    name: Block = {"type": "rich_text_section", "elements": [{"type": "user", "user_id": owner}]}
    return {"type": "rich_text", "elements": [name]}


# ------------------------------------------------------------------------------------------------------ on a schedule


def planned(plan: DigestPlan) -> Message:
    """A digest that was scheduled."""
    text = f"<#{plan.channel}> gets the digest {plan_words(plan)}. `/digest off` ends it."
    return messages([section(text)], "Digest scheduled")[0]


def plan_words(plan: DigestPlan) -> str:
    """`every Monday at 9:00 (Europe/Berlin), with all deals`."""
    dates = "" if plan.language == ENGLISH else f", dates in {_language(plan.language)}"
    return escape(f"{Plan(plan.cron, plan.tz).words}, with {_OF[plan.accounts]}{dates}")


def plans(value: Sequence[tuple[DigestPlan, Sequence[DigestRun]]]) -> list[Message]:
    """The digests of the workspace, with those slots that were not posted, or of which nobody knows."""
    blocks: list[Block] = []
    for plan, runs in value:
        blocks.append(section(f"<#{plan.channel}> {plan_words(plan)}"))
        for run in runs:
            blocks += _run(run)
    if not value:
        blocks.append(section("No digests yet: `/digest here weekly monday 9:00`"))
    blocks.append({"type": "actions", "elements": [button(TITLE, OPEN_DIGEST, "list")]})
    return messages(blocks, "Digests")


def _run(run: DigestRun) -> list[Block]:
    again: Block = {"type": "actions", "elements": [button("Send again", SEND_AGAIN, str(run.id))]}
    when = f"The one of {day(run.slot)}"
    if run.state == "unknown":
        return [section(escape(f"{when} may or may not have been posted.")), again]
    if run.state == "failed":
        return [section(escape(f"{when} was not posted: {run.reason}.")), again]
    if run.state == "skipped":
        return [context(escape(f"{when} was skipped: {run.reason or 'it was missed by more than an hour'}."))]
    return []


def _language(code: str) -> str:
    return LANGUAGES[code][1] if code in LANGUAGES else code


def digest_form(tz: str, channel: str = "", plan: DigestPlan | None = None) -> Block:
    """In which channel, on which days, at what hour of which zone, which deals, how its days are said.

    `plan` is what holds there today; `tz` the asker's own zone, taken when there is none.
    """
    where: Block = {
        "type": "conversations_select",
        "action_id": "channel",
        "filter": {
            "include": ["public", "private"],
            "exclude_external_shared_channels": True,
            "exclude_bot_users": True,
        },
    }
    if channel.startswith(("C", "G")):
        where["initial_conversation"] = channel
    held = Plan(plan.cron, plan.tz) if plan else Plan("0 9 * * 1", tz)
    hour: Block = {"type": "timepicker", "action_id": "time", "initial_time": held.time}
    zone: Block = {
        "type": "external_select",
        "action_id": ZONE,
        "min_query_length": 2,
        "placeholder": plain("A city, such as Berlin"),
        "initial_option": option(held.tz, held.tz),
    }
    named = ((code, names[0]) for code, names in LANGUAGES.items())
    language = plan.language if plan else ENGLISH
    languages = dict([*named, (language, _language(language))]) if language not in LANGUAGES else dict(named)
    return {
        "type": "modal",
        "callback_id": DIGEST_VIEW,
        "title": plain(TITLE),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": [
            field("channel", "Channel", where),
            field("days", "On (none: no more)", _days(held), optional=True),
            field("time", "At", hour),
            field("zone", "Time zone", zone),
            field("deals", "Which deals", select("deals", DEALS, plan.accounts if plan else "")),
            field("language", "Language of dates", select("language", [*languages.items()], language)),
        ],
    }


def zone_options(zones: Sequence[str]) -> list[Block]:
    """Time zones that begin to match what was typed."""
    return [option(zone, zone) for zone in zones]


def _days(held: Plan) -> Block:
    options = [option(name.casefold(), name) for name in DAY_NAMES]
    ticked = [one for one in options if one["value"] in held.days]
    box: Block = {"type": "checkboxes", "action_id": "days", "options": options}
    return box | ({"initial_options": ticked} if ticked else {})
