"""A brief as a thread: under its own parent message, or under the message a shortcut was used on."""

from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.slack import views
from bot.slack.asking import quiet
from bot.wording import counted


def post_brief(
    desk: Desk, viewer: Viewer, who: str, channel: str, client: WebClient, *, thread: str = ""
) -> list[views.Message]:
    """Post the brief in a channel. Where a model words it, a placeholder stands there first and is replaced once.

    Raises what `Desk.brief` raises, before anything is posted. Returns nothing more to say.
    """
    if desk.quick is None:
        value = desk.brief(viewer, who)
        under = thread or _ts(client, channel, views.brief_parent(value))
        for message in views.brief(value):
            client.chat_postMessage(channel=channel, thread_ts=under, **quiet(message))
        return []
    plain = desk.plain_brief(viewer, who)
    under = thread or _ts(client, channel, views.brief_parent(plain))
    waiting = views.sentence(f"Reading {counted(plain.notes, 'note')} about {plain.account}…")
    place = client.chat_postMessage(channel=channel, thread_ts=under, **quiet(waiting))["ts"]
    first, *rest = views.brief(desk.brief(viewer, who))
    client.chat_update(channel=channel, ts=place, **first)
    for message in rest:
        client.chat_postMessage(channel=channel, thread_ts=under, **quiet(message))
    return []


def _ts(client: WebClient, channel: str, message: views.Message) -> str:
    return str(client.chat_postMessage(channel=channel, **quiet(message))["ts"])


def unshared(desk: Desk, viewer: Viewer, everyone: Viewer, who: str) -> list[views.Message]:
    """What is said to the asker alone when they may see more of it than what was posted for everybody."""
    if not (viewer.audience or frozenset()) - (everyone.audience or frozenset()):
        return []
    more = len(desk.timeline(viewer, who)) - len(desk.timeline(everyone, who))
    if more <= 0:
        return []
    return [views.sentence(f"You may see {counted(more, 'more note')} of it: /brief in our direct messages has all.")]
