"""A typed client of the HTTP API, for programs that ask a Landbridge: `Client`, and `AsyncClient` for event loops."""

from landbridge.client.aio import AsyncClient, AsyncExport
from landbridge.client.answers import (
    Facet,
    FeedItem,
    FeedPage,
    Hit,
    Kind,
    Member,
    MemberAnswer,
    Occupation,
    ReadAs,
    Record,
    Result,
    Source,
    Suggestion,
)
from landbridge.client.errors import ClientError, Gone, Problem, Unreachable, Unreadable
from landbridge.client.sync import Client, Export

__all__ = [
    "AsyncClient",
    "AsyncExport",
    "Client",
    "ClientError",
    "Export",
    "Facet",
    "FeedItem",
    "FeedPage",
    "Gone",
    "Hit",
    "Kind",
    "Member",
    "MemberAnswer",
    "Occupation",
    "Problem",
    "ReadAs",
    "Record",
    "Result",
    "Source",
    "Suggestion",
    "Unreachable",
    "Unreadable",
]
