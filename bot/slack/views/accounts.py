"""Accounts, choices, help."""

from collections.abc import Sequence

from bot.slack.views.blocks import Block, Message, button, escape, lines, message, messages, section, sentence
from bot.wording import counted
from storage import Account

CHOOSE, MERGE, UNDO_MERGE = "choose", "merge", "undo_merge"
MOST_BUTTONS = 10


def which(asked: str, candidates: Sequence[str], number: str) -> Message:
    """A name that could be several: a button for each. The value is the question's number and the place."""
    buttons: list[Block] = [
        button(escape(candidate), f"{CHOOSE}_{place}", f"{number}:{place}")
        for place, candidate in enumerate(candidates[:MOST_BUTTONS])
    ]
    text = f"“{escape(asked[:80])}” could be several. Which one?"
    return message([section(text), {"type": "actions", "elements": buttons}], "Which one?")


def created(account: Account) -> Message:
    """An account that was made, or was there."""
    return sentence(f"{account.name} is on record. Log the first note: /log {account.name}: what was said")


def linked(account: Account | None) -> Message:
    """What the channel stands for now."""
    if account is None:
        return sentence("This channel stands for no account now.")
    return sentence(f"This channel stands for {account.name} now: /brief, /recall and /log need no name here.")


def renamed(account: Account) -> Message:
    """Another name."""
    return sentence(f"It is called {account.name} now. The old name goes on finding it.")


def merge_question(gone: Account, kept: Account, notes: int) -> Message:
    """What a merge would do, and the button that does it."""
    names = f"*{escape(gone.name[:200])}*", f"*{escape(kept.name[:200])}*"
    moves = f"{counted(notes, 'note')}, people, deals, next steps and channels move. The old name goes on finding it"
    text = f"Merge {names[0]} into {names[1]}? {moves}, and it can be taken back for thirty days."
    confirm = button("Merge", MERGE, f"{gone.id}:{kept.id}", style="danger")
    return message([section(text), {"type": "actions", "elements": [confirm]}], "Merge?")


def merged(account: Account, number: int) -> Message:
    """Two accounts made one, and the way back."""
    text = f"All is on *{escape(account.name[:200])}* now. It can be taken back for thirty days."
    undo = button("Take it back", UNDO_MERGE, str(number))
    return message([section(text), {"type": "actions", "elements": [undo]}], "Merged")


def listing(names: Sequence[tuple[str, str]]) -> list[Message]:
    """Every account."""
    if not names:
        return [sentence("No accounts yet: /account create Acme Corp")]
    return messages(lines("Accounts", [f"• {escape(name)} ({escape(key)})" for key, name in names]), "Accounts")


def help_() -> Message:
    """What Rapport does, in the words to type."""
    rows = (
        "`/log Acme Corp: what was said` keeps a note. So does the shortcut *Log to Rapport* on any message.",
        "`/brief Priya Sharma` what to know before the next touch, in a thread.",
        "`/recall Acme: what pricing objections came up?` the notes that answer.",
        "`/timeline Acme Corp` every note, newest first.",
        "`/next` your open promises. `/next add Acme: send the report by Friday`.",
        "`/digest` the week. `/digest here weekly monday 9:00` posts it in this channel, `/digest settings` asks.",
        "`/handoff Acme @ana` gives an account on. `/pipeline` deals by stage.",
        "`/account` create, link to this channel, rename, merge, list.",
        "`/rapport privacy` who sees what. `/rapport settings` how it is set here.",
        "`/rapport reminders off`, or your quiet hours: `/rapport reminders 19-8`.",
    )
    return message(lines("Rapport remembers your accounts", [f"• {row}" for row in rows]), "Help")


def privacy() -> Message:
    """Who sees what."""
    rows = (
        "Answers are for you alone until you share them; briefs in a channel hold what everybody there may see.",
        "A message captured in a private channel is recalled only for that channel's members.",
        "Guests and people of other organisations get nothing, and nothing is posted where they read along.",
        "Rapport reads no channel history: it knows what is logged, what it is asked, and what it is mentioned in.",
        "A retracted note leaves recall and health at once. Uninstalling deletes tokens at once, data after 30 days.",
    )
    return message(lines("Who sees what", [f"• {row}" for row in rows]), "Privacy")


def settings(tz: str, account: Account | None, reader: str) -> Message:
    """How it is set here."""
    rows = (
        f"Time zone of your dates: {escape(tz)} (your Slack profile)",
        f"This channel stands for: {escape(account.name) if account else 'no account (/account link Acme Corp)'}",
        f"Notes are read by: {escape(reader)}",
    )
    return message(lines("Settings", [f"• {row}" for row in rows]), "Settings")
