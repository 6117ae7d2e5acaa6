"""Briefs, answers and digests where they are shown: in a thread, a channel, or to the asker alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from slack_sdk import WebClient

from bot.desk import Answer, Desk, Viewer
from bot.scribe import Brief
from bot.slack import views
from bot.slack.asking import quiet
from bot.slack.guard import Guard
from bot.slack.slowly import InChannel, Place, Slowly
from bot.slack.views import digests
from bot.wording import counted
from storage.errors import BadInput

NOT_HERE = (
    "Nothing is posted here: guests or people of another organisation may read along, or I am not in this channel."
)
Again = Callable[[], Viewer]
"""Who may see it now; raises when nobody may any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, who they are when the answer comes, and where it is shown. `then` is called once it is."""

    viewer: Viewer
    again: Again
    place: Place
    then: Callable[[], object] = lambda: None

    def show(self, messages: Sequence[views.Message]) -> None:
        """Show an answer that is there at once."""
        self.place.show(messages)
        self.then()


def everyone_still(guard: Guard, viewer: Viewer, client: WebClient) -> Again:
    """What everybody in the viewer's channel may see by the time an answer is posted there. Raises BadInput."""

    def again() -> Viewer:
        everyone = guard.everyone_in(viewer.channel, viewer, client)
        if everyone is None:
            raise BadInput(NOT_HERE)
        return everyone

    return again


def post_brief(
    desk: Desk,
    slowly: Slowly,
    viewer: Viewer,
    who: str,
    client: WebClient,
    *,
    again: Again,
    thread: str = "",
    then: Callable[[], object] = lambda: None,
) -> None:
    """Post the brief in the viewer's channel, under its own parent message or in the thread of another.

    `then` is called once it is there. Raises what `Desk.brief` raises, before anything is posted.
    """
    value = desk.brief(viewer, who) if desk.quick is None else desk.plain_brief(viewer, who)
    under = thread or _ts(client, viewer.channel, views.brief_parent(value))
    _show_brief(desk, slowly, Asked(viewer, again, InChannel(client, viewer.channel, under), then), who, value)


def show_brief(desk: Desk, slowly: Slowly, asked: Asked, who: str) -> None:
    """Show the brief; where a model words it, slowly. Raises what `Desk.brief` raises."""
    value = desk.brief(asked.viewer, who) if desk.quick is None else desk.plain_brief(asked.viewer, who)
    _show_brief(desk, slowly, asked, who, value)


def _show_brief(desk: Desk, slowly: Slowly, asked: Asked, who: str, value: Brief) -> None:
    if desk.quick is None or value.is_cold_start:
        asked.show(views.brief(value))
        return
    slowly.answer(
        asked.place,
        f"Reading {counted(value.notes, 'note')} about {value.account}…",
        plain=lambda notice: views.brief(replace(desk.plain_brief(asked.again(), who), notice=notice)),
        worded=lambda: views.brief(desk.brief(asked.viewer, who, again=asked.again)),
        then=asked.then,
    )


def show_answer(desk: Desk, slowly: Slowly, asked: Asked, found: Answer, *, share: str = "") -> None:
    """Show what was found for a question; where a model words it, slowly."""

    def plain(notice: str) -> list[views.Message]:
        still = desk.still(asked.again(), found)
        return views.answer(replace(still, notice=f"{notice} {still.notice}".strip()), share=share)

    if not desk.is_worded(found):
        asked.show(views.answer(found, share=share))
        return
    slowly.answer(
        asked.place,
        f"Reading {counted(len(found.found.hits), 'note')} about {found.who}…",
        plain=plain,
        worded=lambda: views.answer(desk.in_words(asked.viewer, found, again=asked.again), share=share),
        then=asked.then,
    )


def show_digest(desk: Desk, slowly: Slowly, asked: Asked, *, mine: bool = False, share: bool = False) -> None:
    """Show the week; where a model words it, slowly."""
    now = desk.plain_digest(asked.viewer, mine=mine)

    def plain(notice: str) -> list[views.Message]:
        return digests.digest(replace(desk.plain_digest(asked.again(), mine=mine), notice=notice), share=share)

    if desk.quick is None or now.week.is_quiet:
        asked.show(digests.digest(now, share=share))
        return
    slowly.answer(
        asked.place,
        f"Reading the week of {counted(len(now.week.cards), 'deal')}…",
        plain=plain,
        worded=lambda: digests.digest(desk.digest(asked.viewer, mine=mine, again=asked.again), share=share),
        then=asked.then,
    )


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
