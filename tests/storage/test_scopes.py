"""Recall's promises over many scopes: nobody else's rows, the sources' paraphrases, people by their role."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import Memory, NewNote, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from storage.roles import meant

TOPICS = ("pricing", "migration", "onboarding", "security", "the pilot", "the contract", "budget", "support")


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Memory]:
    """Three workspaces of six accounts, all speaking of the same things, some in private channels, some not indexed."""
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        draw = random.Random(7)
        for n, (workspace, account) in enumerate((w, a) for w in range(3) for a in range(6)):
            team = memory.of(f"T{workspace}")
            made = team.create_account(f"Account {account}", key=f"acc-{account}")
            for number in range(5):
                place = draw.choice(["", "", "G1", "G2"])
                words = f"{draw.choice(TOPICS)} worries them, mark-{workspace}-{account}-{place or 'open'}, {number}"
                team.log(made.id, NewNote(words, rep=f"U{number}", visibility=place))
            if n % 3 == 0:
                memory.catch_up()
        yield memory


def test_no_row_of_another_scope_in_two_thousand_random_ones(crowded: Memory) -> None:
    """Workspace, account and audience drawn at random: every hit and every nearest note bears the scope's own mark."""
    draw = random.Random(11)
    for _ in range(2000):
        workspace, account = draw.randrange(3), draw.randrange(6)
        audience = frozenset(draw.sample(["G1", "G2"], draw.randrange(3)))
        everywhere = draw.random() < 0.2
        team = crowded.of(f"T{workspace}", audience)
        where = None if everywhere else f"acc-{account}"
        found = team.recall(f"who worries about {draw.choice(TOPICS)}?", account=where, abstain=draw.random() < 0.5)
        for hit in (*found.hits, *found.nearest):
            _, of_workspace, of_account, place = hit.text.split(",")[1].strip().split("-")
            assert of_workspace == str(workspace)
            assert everywhere or of_account == str(account)
            assert place == "open" or place in audience


PAIRS = [
    ("What timing concerns came up?", "She pushed back on timing"),
    ("What timing concerns came up?", "onboarding timeline is a concern"),
    ("implementation timeline concerns", "They worry about onboarding delays"),
    ("What pricing objections came up?", "Buyer pushed back on annual pricing; wants quarterly billing."),
    ("Is there budget for this?", "The CFO says spending is frozen until Q3"),
    ("Are they worried about moving their data?", "Nervous about data migration from the old CRM"),
]
OTHERS = (
    "Sent the case study of a hospital chain.", "Met at the trade fair, good chat about sailing.",
    "Their head of support leaves in May.", "Asked for a German invoice address.", "Demo went well, liked the charts.",
    "They use spreadsheets and a homemade tool today.", "Legal wants our standard contract as a Word file.",
    "Voicemail, no answer.", "The API returned errors in the sandbox on Tuesday.", "They compare us with Corvid.",
)  # fmt: skip


def test_the_sources_paraphrases_are_found_in_the_first_three(tmp_path: Path) -> None:
    """With the bundled model: what is asked in other words than it was written in comes back among the first three."""
    with open_memory(StorageConfig(data_dir=tmp_path)) as memory:
        team = memory.of("T1")
        account = team.create_account("Acme")
        at = datetime(2026, 3, 1, tzinfo=UTC)
        for text in (*OTHERS, *(note for _, note in PAIRS)):
            team.log(account.id, NewNote(text, rep="U1", occurred_at=at))
        memory.catch_up()
        for question, note in PAIRS:
            first = [hit.text for hit in team.recall(question, account="acme", abstain=False).hits[:3]]
            assert note in first, (question, first)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What worries the CFO?", ("Ines Caldera",)),
        ("Is the lawyer satisfied now?", ("Klaus Hemmer",)),
        ("What did the head of nursing say?", ("Marguerite Asante",)),
        ("Did the nursing chief answer?", ("Marguerite Asante",)),
        ("What does the legal contract say?", ()),
        ("When is the delivery due?", ()),
    ],
)
def test_people_are_meant_by_their_role(question: str, names: tuple[str, ...]) -> None:
    """A role beside a rank, or a word that is a person; a topic alone is nobody."""
    people = [
        ("Ines Caldera", "Finance Director"),
        ("Klaus Hemmer", "Legal Counsel"),
        ("Marguerite Asante", "Chief Nursing Officer"),
    ]
    assert meant(question, people) == names
