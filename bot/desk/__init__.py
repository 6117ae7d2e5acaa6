"""The desk: the verbs of the product. Slack is one face of it, the terminal another; both call these.

    desk.log_line(viewer, "Acme Corp: they want quarterly billing")
    desk.brief(viewer, "Dana Reed")
    desk.recall_line(viewer, "acme: what pricing objections came up?")

No Slack, no SQL, no SDK: values in, values out.
"""

from bot.desk.accounts import AccountVerbs
from bot.desk.asking import OBJECTIONS, PROMISES, RECALL_USAGE, REST, Answer, AskVerbs
from bot.desk.base import Viewer
from bot.desk.home import Home, HomeVerbs
from bot.desk.ledger import NEXT_USAGE, REMINDERS_USAGE, Ledger
from bot.desk.notes import LOG_USAGE, ChangedSince, NoteVerbs, Receipt
from bot.desk.week import Course, Digest, Pack


class Desk(NoteVerbs, AskVerbs, AccountVerbs, HomeVerbs):
    """Every verb, over one memory and one scribe."""


__all__ = [
    "LOG_USAGE",
    "NEXT_USAGE",
    "OBJECTIONS",
    "PROMISES",
    "RECALL_USAGE",
    "REMINDERS_USAGE",
    "REST",
    "Answer",
    "ChangedSince",
    "Course",
    "Desk",
    "Digest",
    "Home",
    "Ledger",
    "Pack",
    "Receipt",
    "Viewer",
]
