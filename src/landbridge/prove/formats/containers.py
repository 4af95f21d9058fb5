"""What holds several credentials at once, taken apart before any format is asked."""

from collections.abc import Iterable

from landbridge.prove.carrier import Carried


def unpack(carried: Iterable[Carried]) -> tuple[Carried, ...]:
    return tuple(carried)
