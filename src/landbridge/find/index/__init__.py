"""The search index: one a member and kind, so that a query opens only what it names; thrown away and
rebuilt from the journal at will."""

from pathlib import Path

from landbridge.errors import ConfigError
from landbridge.find.index.protocol import Index, Plan, Removal
from landbridge.find.index.tantivy import TantivyIndex
from landbridge.find.rates import Rates
from landbridge.kinds.kind import Kind

__all__ = ["Index", "Plan", "Removal", "open_index"]


def open_index(where: str | Path, member: str, kind: Kind, rates: Rates) -> Index:
    """The index of a member and kind under `where`, a folder. It is made when first written to."""
    if str(where).startswith(("http://", "https://")):
        raise ConfigError(f"index {str(where)!r} is no folder")
    return TantivyIndex(Path(where) / member / kind.name, member, kind, rates)
