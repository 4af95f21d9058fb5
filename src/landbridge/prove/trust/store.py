"""The trust a verifier has at hand, on its own disk: the last verified copy of everything, and how old it is."""

from datetime import datetime
from pathlib import Path

from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import TrustList
from landbridge.prove.verify import Trust


def load(folder: Path, *, now: datetime | None) -> Trust:
    """What the store holds; with nothing in it, a trust list of nobody. `now` is this device's clock, held against
    the newest time anything signed has shown; None where a time was asked for on purpose."""
    return Trust(issuers=TrustList(), taken_back=StatusLists())
