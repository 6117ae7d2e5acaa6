"""Message shortcuts and their form."""

import json

from tests.scenarios.conftest import REP, Slack

WORDS = "Acme Corp just told me that the annual price is too high"


def test_a_message_becomes_a_note_after_a_person_confirmed_it(slack: Slack) -> None:
    """The form opens with the words and the guessed account; sending it keeps the note, once."""
    assert slack.shortcut("log_message", WORDS).status == 200
    view = slack.stub.wait_for("views.open")[0]["view"]
    assert WORDS in json.dumps(view["blocks"])
    assert view["blocks"][0]["element"]["initial_option"]["value"] == "acme-01"
    assert WORDS not in view["private_metadata"]
    for expected in ("Logged", "Already logged"):
        answer = slack.submission(view, account="acme-01", text=WORDS)
        assert json.loads(answer.body)["view"]["title"]["text"] == expected
    note = slack.desk.timeline(REP, "acme-01")[-1]
    assert (note.text, note.external, note.channel) == (WORDS, True, "slack")
    assert note.occurred_at.timestamp() == 1700000050.0001, "it was said when it was written"
    assert note.permalink == "https://sales.slack.com/archives/C0001/p1700000050000100"


def test_a_form_without_an_account_or_words_stays_open_and_says_why(slack: Slack) -> None:
    """What is missing is said at its field, and nothing is kept."""
    slack.shortcut("log_message", "hello there")
    view = slack.stub.wait_for("views.open")[0]["view"]
    nameless = json.loads(slack.submission(view, text="words").body)
    wordless = json.loads(slack.submission(view, account="acme-01").body)
    assert "name" in nameless["errors"]
    assert "empty" in wordless["errors"]["text"]
    assert len(slack.desk.timeline(REP, "acme-01")) == 1


def test_a_brief_is_a_reply_under_the_message_it_was_asked_on(slack: Slack) -> None:
    """`Brief me` finds the account in the message and answers in that message's thread."""
    slack.shortcut("brief_message", "call with Acme Corp in an hour")
    reply = slack.stub.wait_for("chat.postMessage")[0]
    assert reply["thread_ts"] == "1700000050.000100"
    assert "int-204" in json.dumps(reply)


def test_a_message_about_nobody_known_is_not_guessed(slack: Slack) -> None:
    """Without a name in the message the asker is told what to do instead."""
    slack.shortcut("brief_message", "lunch?")
    assert "/brief" in json.dumps(slack.stub.wait_for("respond")[0])
