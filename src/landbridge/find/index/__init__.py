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
    """The index of a member and kind under `where`: a folder, or the http address of an OpenSearch node.

    It is made when first written to. Raises ConfigError where OpenSearch is asked for and its client is not
    installed.
    """
    if not str(where).startswith(("http://", "https://")):
        return TantivyIndex(Path(where) / member / kind.name, member, kind, rates)
    try:
        # here and not above, because its client is an extra
        from landbridge.find.index.opensearch import OpenSearchIndex
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the index is on OpenSearch ({error.name} is missing here)",
            hint="pip install landbridge[opensearch]",
        ) from error
    return OpenSearchIndex(str(where), member, kind, rates)
