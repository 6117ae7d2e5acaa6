"""Promises of the passage splitter."""

from hypothesis import given
from hypothesis import strategies as st

from storage import passages

TEXTS = st.text(st.sampled_from("ab Z.!?\n\r-•,;:$1 é😀"), max_size=400)


def test_sentences_are_passages() -> None:
    """Each sentence of a note is a passage of its own."""
    note = (
        "She pushed back on the onboarding timeline. Budget is frozen until Q3 at least! Could there be a small pilot?"
    )
    assert passages.split(note) == (
        "She pushed back on the onboarding timeline.",
        "Budget is frozen until Q3 at least!",
        "Could there be a small pilot?",
    )


def test_bullets_lose_their_mark() -> None:
    """A bullet is a passage without its mark."""
    assert passages.split("- wants quarterly billing from us\n* asked for the security report") == (
        "wants quarterly billing from us",
        "asked for the security report",
    )


def test_abbreviations_end_no_sentence() -> None:
    """ "Dr.", "approx." and initials do not cut a sentence in two."""
    note = "Met Dr. Reed and J. Okafor of Acme Corp. Ltd at 3 p.m. Monday about approx. $40k."
    assert passages.split(note) == (note,)


def test_a_turn_is_one_passage() -> None:
    """A turn of a transcript stays whole, so that all its sentences keep their speaker."""
    turn = "Dana Reed: We looked at the quote again yesterday. It is too high for us. Can you come down?"
    assert passages.split(turn + "\nSam: Let me check that with my manager today.") == (
        turn,
        "Sam: Let me check that with my manager today.",
    )


def test_short_pieces_join_their_neighbour() -> None:
    """Scraps such as "Ok." are no passages: alone they would match everything and nothing."""
    assert passages.split("Ok. She will send the signed order form on Friday. Thanks.") == (
        "Ok. She will send the signed order form on Friday. Thanks.",
    )


def test_an_empty_note_has_no_passage() -> None:
    """White space alone gives no passage."""
    assert passages.split(" \n\t ") == ()


def test_endless_prose_is_cut() -> None:
    """Prose without full stops is cut into pieces of a bounded length."""
    parts = passages.split("word " * 2_000)
    assert max(map(len, parts)) <= passages.MAX_CHARS
    assert sum(part.count("word") for part in parts) == 2_000


def test_no_note_has_too_many_passages() -> None:
    """A note of 40,000 characters keeps under the limit of a point id."""
    note = "\n".join(f"line {n} says something quite short" for n in range(3_000))
    assert len(passages.split(note)) <= passages.MAX_PASSAGES


@given(TEXTS)
def test_passages_are_disjoint_and_ordered(text: str) -> None:
    """Passages follow one another, never overlap, and none is blank."""
    at = 0
    for start, end in passages.spans(text):
        assert at <= start < end <= len(text)
        assert text[start:end].strip()
        at = end


@given(TEXTS)
def test_no_word_is_lost(text: str) -> None:
    """Every letter of the note is in some passage."""
    assert sum(c.isalpha() for c in text) == sum(c.isalpha() for part in passages.split(text) for c in part)
