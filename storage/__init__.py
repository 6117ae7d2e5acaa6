"""The door of Rapport's memory.

with open_memory(StorageConfig(data_dir=Path("data"))) as memory:
    team = memory.of("T0001")
    team.import_payload({"label": "ACCOUNT", "data": {...}})
    memory.catch_up()
    found = team.recall("What pricing objections came up?", account="acme-01")
"""

from storage.memory import Memory, TeamMemory
from storage.opening import StorageConfig, look_into, open_memory
from storage.payload import parse_json
from storage.people import Preferences
from storage.records import (
    Account,
    CaughtUp,
    Contact,
    Facts,
    Found,
    Handoff,
    Hit,
    Imported,
    Interaction,
    Kind,
    Logged,
    NewNote,
    NextStep,
    NoteReading,
    Opportunity,
    Resolved,
    Side,
    Signal,
    State,
    Topic,
)
from storage.schedules import DigestPlan, DigestRun, Schedules

__all__ = [
    "Account",
    "CaughtUp",
    "Contact",
    "DigestPlan",
    "DigestRun",
    "Facts",
    "Found",
    "Handoff",
    "Hit",
    "Imported",
    "Interaction",
    "Kind",
    "Logged",
    "Memory",
    "NewNote",
    "NextStep",
    "NoteReading",
    "Opportunity",
    "Preferences",
    "Resolved",
    "Schedules",
    "Side",
    "Signal",
    "State",
    "StorageConfig",
    "TeamMemory",
    "Topic",
    "look_into",
    "open_memory",
    "parse_json",
]
