"""What was taken back: lists of every mechanism behind one question, `StatusLists.ask`.

`bits.py` reads and makes the lists a credential points into by number (IETF Token Status List, W3C Bitstring Status
List); `hashes.py` and `bloom.py` those that hold hashes (EU DCC); `shc.py` those of SMART Health Cards. A list counts
only when its own signature was made by the credential's issuer, or by somebody listed for the kind `status`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from landbridge.prove.envelope import Envelope, StatusClaim
from landbridge.prove.facts import Outcome
from landbridge.prove.trust.list import Signer, Source


class Ages(Protocol):
    """What `landbridge.prove.verify.Policy` says of ages."""

    def warns(self, kind: str, age: timedelta) -> bool: ...

    def refuses(self, kind: str, age: timedelta) -> bool: ...


class StatusList(Protocol):
    """One list, of any mechanism."""

    @property
    def mechanism(self) -> str: ...

    @property
    def uri(self) -> str:
        """The address it is published at: how credentials and issuers' entries name it."""
        ...

    @property
    def source(self) -> Source:
        """Its name, when it was signed, and when it ends."""
        ...

    @property
    def signer(self) -> Signer | None:
        """Who signed it, once that is verified; None where it came from a source that was itself verified."""
        ...

    def look_up(self, claim: StatusClaim) -> str:
        """`not-on-list`, `taken-back`, `suspended`, `possibly-taken-back` where it names a few by accident, or
        `list-unreadable` where it does not reach that far."""
        ...


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Whose credentials a list of hashes speaks of, and until when: those of a country, or of a key."""

    country: str = ""
    kids: frozenset[str] = frozenset()
    keys: frozenset[bytes] = frozenset()
    """The same keys, DER SubjectPublicKeyInfo: a name may be exchanged outside the signature, the key may not."""
    until: datetime | None = None

    def holds(self, envelope: Envelope, signer: Signer | None, at: datetime) -> bool:
        if self.until is not None and at > self.until:
            return False
        if self.kids:
            named = {name for signed in envelope.signatures for name in signed.hint.ids}
            if signer is not None:
                named.update(signer.ids)
            return not self.kids.isdisjoint(named) or (signer is not None and signer.spki in self.keys)
        issuing = {envelope.issuer, signer.issuer.territory if signer is not None else ""} - {""}
        return not self.country or not issuing or self.country in issuing


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the lists: an outcome of step 9, its code, the list it rests on."""

    outcome: Outcome
    code: str
    rests_on: str | Source = ""
    warnings: tuple[str, ...] = ()


_NO_LIST = Asked(outcome=Outcome.YES, code="no-list")
_UNKNOWN = Asked(outcome=Outcome.OPEN, code="list-unknown")
# What a credential can be asked about although it names no list: only what is at hand, or what its issuer's entry
# in the trust list says must be at hand.
_UNNAMED = frozenset({"dcc-revocation", "shc-revocation"})


class StatusLists:
    """Lists at hand, found by the address that a credential or its issuer's entry names."""

    def __init__(self, lists: Iterable[StatusList] = ()) -> None:
        self.lists = tuple(lists)
        self._at: dict[str, list[StatusList]] = {}
        self._unnamed: dict[str, list[StatusList]] = {}
        for one in self.lists:
            self._at.setdefault(one.uri, []).append(one)
            if one.mechanism in _UNNAMED:
                self._unnamed.setdefault(one.mechanism, []).append(one)

    def ask(self, envelope: Envelope, signer: Signer | None, at: datetime, policy: Ages) -> Asked:
        """Whether any list that speaks of this credential names it.

        A list the credential or its issuer's entry names must be at hand, and fresh: otherwise the answer is open.
        """
        required = signer.lists if signer is not None else ()
        if not envelope.status and not required:
            return _NO_LIST if signer is not None else _UNKNOWN
        answers: list[Asked] = []
        decided = False
        for claim in envelope.status:
            if claim.mechanism in _UNNAMED:
                answers.extend(
                    _answer(one, claim, envelope, signer, at, policy)
                    for one in self._unnamed.get(claim.mechanism, ())
                    if _speaks_of(one, envelope, signer, at)
                )
            elif claim.purpose in ("revocation", "suspension"):
                named = self._named(claim, envelope, signer, at, policy)
                decided = decided or named.outcome is Outcome.YES
                answers.append(named)
        if decided:
            # The list that a credential points into tells it from every other: no guess stands against that.
            answers = [one for one in answers if one.code != "possibly-taken-back"]
        answers.extend(
            Asked(outcome=Outcome.OPEN, code="list-missing", rests_on=uri)
            for uri in required
            if uri not in self._at
        )
        if not answers:
            return _NO_LIST if signer is not None else _UNKNOWN
        for outcome in (Outcome.NO, Outcome.OPEN):
            for one in answers:
                if one.outcome is outcome:
                    return one
        return Asked(
            outcome=Outcome.YES,
            code="not-on-list",
            rests_on=answers[0].rests_on,
            warnings=tuple(dict.fromkeys(text for one in answers for text in one.warnings)),
        )

    def _named(
        self, claim: StatusClaim, envelope: Envelope, signer: Signer | None, at: datetime, policy: Ages
    ) -> Asked:
        lists = [one for one in self._at.get(claim.uri, ()) if one.mechanism == claim.mechanism]
        if not lists:
            return Asked(outcome=Outcome.OPEN, code="list-missing", rests_on=claim.uri)
        newest = max(lists, key=lambda one: one.source.issued.timestamp() if one.source.issued else 0.0)
        return _answer(newest, claim, envelope, signer, at, policy)


def _answer(
    one: StatusList, claim: StatusClaim, envelope: Envelope, signer: Signer | None, at: datetime, policy: Ages
) -> Asked:
    source = one.source
    if not _may_speak(one, signer):
        return Asked(outcome=Outcome.OPEN, code="list-unreadable", rests_on=source)
    found = one.look_up(claim)
    if found in ("taken-back", "suspended"):
        # Old news of a withdrawal is still news; a suspension may have ended since.
        return Asked(outcome=Outcome.NO, code=found, rests_on=source)
    if found == "possibly-taken-back":
        return Asked(outcome=Outcome.OPEN, code=found, rests_on=source)
    if found != "not-on-list":
        return Asked(outcome=Outcome.OPEN, code="list-unreadable", rests_on=source)
    age = max(at - source.issued, timedelta(0)) if source.issued else timedelta(0)
    if (source.expires is not None and at > source.expires) or policy.refuses(envelope.content.kind, age):
        return Asked(outcome=Outcome.OPEN, code="list-stale", rests_on=source)
    warned = ("list-ageing",) if policy.warns(envelope.content.kind, age) else ()
    return Asked(outcome=Outcome.YES, code="not-on-list", rests_on=source, warnings=warned)


def _speaks_of(one: StatusList, envelope: Envelope, signer: Signer | None, at: datetime) -> bool:
    """Lists of hashes say whom they are about; every other list is about those that it is asked of."""
    scope = getattr(one, "scope", None)
    return not isinstance(scope, Scope) or scope.holds(envelope, signer, at)


def _may_speak(one: StatusList, signer: Signer | None) -> bool:
    by = one.signer
    if by is None or signer is None:
        return by is None
    if by.issuer.id == signer.issuer.id or by.spki == signer.spki:
        return True
    listed = by.kinds is not None and "status" in by.kinds
    return listed and (by.territories is None or signer.issuer.territory in by.territories)
