"""The errors a person can meet, each a sentence they can act on.

    RapportError
    ├── BadInput                 what was given cannot be used as it stands
    │   ├── EmptyNote
    │   ├── NoteTooLong
    │   ├── BadPayload           an import or query that does not parse or does not fit
    │   └── UnknownField         a filter on something that is not there
    ├── NotFound
    │   ├── UnknownAccount
    │   └── UnknownNote
    ├── AmbiguousName            several fit; the candidates are listed, never guessed between
    ├── NotAllowed               the asker may not see or do this
    ├── NotSaved                 the words could not be written (disk full, database away)
    ├── IndexDown                recall by meaning is away; the words are not
    └── CannotOpen               the memory cannot be opened at all
        ├── FolderInUse
        ├── ModelMissing
        └── SchemaTooNew

`str(error)` is the sentence the user reads. It may repeat a name the user typed, never the text of a note.
"""

from collections.abc import Sequence


class RapportError(Exception):
    """Anything that has a sentence for the user."""


class BadInput(RapportError):
    """What was given cannot be used as it stands."""


class EmptyNote(BadInput):
    """The note has no words in it."""

    def __init__(self) -> None:
        super().__init__("The note is empty. Write a sentence or two about what was said.")


class NoteTooLong(BadInput):
    """The note is longer than the limit; nothing of it was stored."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            f"The note has {length:,} characters and {limit:,} is the limit. Nothing was saved; "
            "split it and log the parts."
        )


class BadPayload(BadInput):
    """An import or a query that does not parse or does not fit; nothing of it was stored."""


class UnknownField(BadInput):
    """A filter names a field or an operator that does not exist."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        super().__init__(f"Unknown {kind} '{name}'. Known: {', '.join(known)}.")


class NotFound(RapportError):
    """Nothing by that name or id."""


class UnknownAccount(NotFound):
    """No account or person by that name yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"No account or person called '{name[:80]}' yet.")


class UnknownNote(NotFound):
    """No such note, or not one the asker may see."""

    def __init__(self) -> None:
        super().__init__("There is no such note here.")


class AmbiguousName(RapportError):
    """Several accounts or people fit the name. `candidates` holds them, best first."""

    def __init__(self, name: str, candidates: Sequence[str]) -> None:
        self.name, self.candidates = name, tuple(candidates)
        super().__init__(f"'{name[:80]}' could be {_either(self.candidates)}. Say which one.")


class NotAllowed(RapportError):
    """The asker may not see or do this."""


class NotSaved(RapportError):
    """The words could not be written, and whoever sent them must know at once."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Not saved: {why}. Please keep your words and try again.")


class IndexDown(RapportError):
    """Recall by meaning is away. Notes are safe in SQL and are indexed when it comes back."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The search index is away ({why}). Notes are safe and will be indexed when it is back.")


class CannotOpen(RapportError):
    """The memory cannot be opened."""


class FolderInUse(CannotOpen):
    """Another process holds the data folder."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"The data folder {folder} is in use by another Rapport process. Stop that one first.")


class ModelMissing(CannotOpen):
    """The embedding model's files are missing or damaged."""


class SchemaTooNew(CannotOpen):
    """The database was written by a newer Rapport."""


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
