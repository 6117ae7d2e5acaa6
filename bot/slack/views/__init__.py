"""Values as Block Kit: pure functions.

Each answer is a list of messages, `{"text", "blocks"}`, each within Slack's limits, the rest in a second one.
"""

from bot.slack.views.answers import answer, brief, brief_parent, timeline
from bot.slack.views.blocks import MESSAGE_LIMIT, Block, Message, escape, message, section, sentence
from bot.slack.views.notes import BRIEF_CALLBACK, LOG_CALLBACK, LOG_VIEW, log_modal, receipt

__all__ = [
    "BRIEF_CALLBACK",
    "LOG_CALLBACK",
    "LOG_VIEW",
    "MESSAGE_LIMIT",
    "Block",
    "Message",
    "answer",
    "brief",
    "brief_parent",
    "escape",
    "log_modal",
    "message",
    "receipt",
    "section",
    "sentence",
    "timeline",
]
