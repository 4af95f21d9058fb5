"""The journal: the truth about every record, run, quarantined row and incident.

SQLite in WAL mode by default, PostgreSQL through the same SQLAlchemy Core statements. A page of a
harvest, its cursor and its counts commit in one transaction; each change gets the next number of one
sequence, and an index follows the journal by that number. Whatever else is lost can be rebuilt from here.
"""

from landbridge.find.journal.reading import JournalReader, moment
from landbridge.find.journal.states import (
    Change,
    Counts,
    Incident,
    Quarantined,
    Run,
    RunState,
    Seen,
    SourceState,
    Step,
)
from landbridge.find.journal.writing import LEASE, RESUME, Journal, worker

__all__ = [
    "LEASE",
    "RESUME",
    "Change",
    "Counts",
    "Incident",
    "Journal",
    "JournalReader",
    "Quarantined",
    "Run",
    "RunState",
    "Seen",
    "SourceState",
    "Step",
    "moment",
    "worker",
]
