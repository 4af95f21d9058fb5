"""The trust list: issuers, their keys, and what each key may be believed for."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from landbridge.prove.certificates import Certificate, CertificateRefused, issued_by, read_certificate
from landbridge.prove.envelope import KeyHint
from landbridge.prove.facts import Issuer
from landbridge.prove.keys import PublicKey, from_spki

_MAX_CHAIN = 4


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where entries come from: a file, a member's signed list. Its age is part of every answer."""

    name: str
    issued: datetime | None = None
    """When its publisher signed it; None where it does not say, as with a bare certificate."""
    expires: datetime | None = None


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """One key of one issuer, and what it may be believed for."""

    issuer: Issuer
    spki: bytes
    """The key, DER SubjectPublicKeyInfo."""
    ids: tuple[str, ...]
    """Every identifier a credential may use for it: `kid` as text or base64url, DID URL, thumbprint."""
    source: Source
    kinds: frozenset[str] | None = None
    """None: every kind."""
    territories: frozenset[str] | None = None
    """Countries whose matters it may attest; None: every one."""
    since: datetime | None = None
    until: datetime | None = None
    withdrawn: datetime | None = None
    """From this moment on nothing it signed is believed; what was issued before stays."""
    reason: str = ""
    certificate: Certificate | None = None
    lists: tuple[str, ...] = ()
    """Addresses of the lists of withdrawn credentials its issuer publishes: each must be at hand."""

    @property
    def key(self) -> PublicKey:
        return from_spki(self.spki)


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that may name signers (CSCA, IACA): what it vouches for is limited by its own entry."""

    certificate: Certificate
    issuer: Issuer
    source: Source
    kinds: frozenset[str] | None = None
    territories: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    withdrawn: datetime | None = None
    reason: str = ""
    lists: tuple[str, ...] = ()


class Found(msgspec.Struct, frozen=True):
    """The keys that may have signed; none, with the code that says why."""

    signers: tuple[Signer, ...]
    code: str = ""


class TrustList:
    """Signers and authorities, found by what a credential says of its key.

    `known` are the issuers whose set of keys is complete (a key set, a DID document, our own list): a key that
    is not among them is not theirs, while one that is missing from a folder of certificates is merely unknown.
    """

    def __init__(
        self,
        signers: Iterable[Signer] = (),
        authorities: Iterable[Authority] = (),
        *,
        known: Iterable[str] = (),
    ) -> None:
        self.signers = tuple(dict.fromkeys(signers))
        self.authorities = tuple(dict.fromkeys(authorities))
        self.known = frozenset(known)
        self._by_id: dict[str, tuple[Signer, ...]] = {}
        self._by_issuer: dict[str, tuple[Signer, ...]] = {}
        for signer in self.signers:
            for name in dict.fromkeys(signer.ids):
                self._by_id[name] = (*self._by_id.get(name, ()), signer)
            self._by_issuer[signer.issuer.id] = (*self._by_issuer.get(signer.issuer.id, ()), signer)

    def __len__(self) -> int:
        return len(self.signers) + len(self.authorities)

    @property
    def sources(self) -> tuple[Source, ...]:
        entries: tuple[Signer | Authority, ...] = (*self.signers, *self.authorities)
        return tuple(dict.fromkeys(one.source for one in entries))

    def find(self, hint: KeyHint) -> Found:
        """Every key that may have signed: all those of an identifier, for identifiers collide.

        Without an identifier, every key of the issuer the format names, or of the whole list.
        A certificate that travels along counts where it is listed itself, or named by a listed authority.
        """
        found: tuple[Signer, ...] = ()
        if hint.chain:
            found = self._by_chain(hint.chain)
        for name in hint.ids:
            if found:
                break
            found = self._by_id.get(name, ())
        if not hint.ids and not hint.chain:
            found = self._by_issuer.get(hint.issuer, ()) if hint.issuer else self.signers
        if hint.issuer:
            mine = tuple(one for one in found if one.issuer.id == hint.issuer)
            if found and not mine:
                return Found((), "not-the-issuer")
            found = mine
        if found:
            return Found(found)
        if not self:
            return Found((), "trust-missing")
        if hint.issuer in self.known:
            return Found((), "key-not-of-issuer")
        return Found((), "issuer-unknown")

    def _by_chain(self, chain: tuple[bytes, ...]) -> tuple[Signer, ...]:
        try:
            certificates = [read_certificate(der) for der in chain[:_MAX_CHAIN]]
        except CertificateRefused:
            return ()
        first = certificates[0]
        listed = tuple(one for one in self._by_id.get(first.fingerprint, ()) if one.spki == first.spki)
        if listed:
            return listed
        link = first
        for higher in (*certificates[1:], None):
            for authority in self.authorities:
                if issued_by(link, authority.certificate):
                    return (_named_by(authority, first),)
            if higher is None or not higher.authority or not issued_by(link, higher):
                return ()
            link = higher
        return ()


def _named_by(authority: Authority, certificate: Certificate) -> Signer:
    return Signer(
        issuer=Issuer(
            id=certificate.subject,
            name=certificate.subject,
            territory=authority.issuer.territory or certificate.country,
        ),
        spki=certificate.spki,
        ids=(certificate.kid, certificate.fingerprint),
        source=authority.source,
        kinds=authority.kinds,
        territories=authority.territories,
        since=authority.since,
        until=authority.until,
        withdrawn=authority.withdrawn,
        reason=authority.reason,
        certificate=certificate,
        lists=authority.lists,
    )
