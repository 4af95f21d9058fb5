"""The trust list: issuers, their keys, and what each key may be believed for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from landbridge.prove.certificates import Certificate, issued_by, read_certificate
from landbridge.prove.envelope import KeyHint
from landbridge.prove.facts import Issuer
from landbridge.prove.keys import PublicKey, from_spki

_MAX_CHAIN = 4
_MAX_UNNAMED = 16


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
    unnamed: bool = False
    """Its list gives the key no name that a credential could use: `ids` are what could be computed of it."""

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
    unnamed: tuple[Signer, ...] = ()
    """Where no listed name fits: keys that were handed over without any name and may be tried. That none of
    them fits says nothing of the credential."""


class TrustList:
    """Signers and authorities, found by what a credential says of its key.

    `known` are the issuers whose set of keys is complete (a key set, a DID document, our own list): a key that
    is not among them is not theirs, while one that is missing from a folder of certificates is merely unknown.
    `names` are issuers a directory names without their keys. `passed_over` says what was not taken in, and why.
    `contexts` are the JSON-LD contexts an operator pinned, URL → JSON: what credentials' words mean is believed too.
    """

    def __init__(
        self,
        signers: Iterable[Signer] = (),
        authorities: Iterable[Authority] = (),
        *,
        known: Iterable[str] = (),
        names: Iterable[Issuer] = (),
        passed_over: Iterable[tuple[str, str]] = (),
        contexts: Mapping[str, bytes] | None = None,
    ) -> None:
        self.signers = tuple(dict.fromkeys(signers))
        self.authorities = tuple(dict.fromkeys(authorities))
        self.known = frozenset(known)
        self.names = tuple(dict.fromkeys(names))
        self.passed_over = tuple(passed_over)
        self.contexts = dict(contexts or {})
        by_id: defaultdict[str, list[Signer]] = defaultdict(list)
        by_issuer: defaultdict[str, list[Signer]] = defaultdict(list)
        for signer in self.signers:
            for name in dict.fromkeys(signer.ids):
                by_id[name].append(signer)
            by_issuer[signer.issuer.id].append(signer)
        self._by_id = {name: tuple(some) for name, some in by_id.items()}
        self._by_issuer = {name: tuple(some) for name, some in by_issuer.items()}
        unnamed = tuple(one for one in self.signers if one.unnamed and not _bound(one))
        self._unnamed = unnamed if len(unnamed) <= _MAX_UNNAMED else ()

    def __len__(self) -> int:
        return len(self.signers) + len(self.authorities)

    @property
    def sources(self) -> tuple[Source, ...]:
        entries: tuple[Signer | Authority, ...] = (*self.signers, *self.authorities)
        return tuple(dict.fromkeys(one.source for one in entries))

    @property
    def leniencies(self) -> Counter[str]:
        """How many certificates needed which forgiveness to be read."""
        entries: tuple[Signer | Authority, ...] = (*self.signers, *self.authorities)
        read = {one.certificate for one in entries if one.certificate is not None}
        return Counter(code for one in read for code in one.leniencies)

    def find(self, hint: KeyHint) -> Found:
        """Every key that may have signed: all those of an identifier, for identifiers collide.

        Without an identifier, every key of the issuer the format names, or of the whole list; keys that its list
        gives no name are tried under any. A certificate that travels along counts where it is listed itself, or named by a listed authority.

        Where the format binds the key to an issuer, a key listed for another is not that issuer's. A key handed
        over without an issuer (a bare key, a key set that does not say whose it is) fits every issuer by its
        identifier alone: whoever hands it over says whose it is. A certificate fits the addresses it names in
        itself, and every issuer where it names none; what is believed then is the certificate's own subject.
        """
        found: tuple[Signer, ...] = self._by_chain(hint.chain) if hint.chain else ()
        one_key = bool(found)
        if not found:
            named = next((name for name in hint.ids if name in self._by_id), "")
            found, one_key = self._by_id.get(named, ()), _names_one_key(named)
        if not hint.ids and not hint.chain:
            found = self._of_issuer(hint.issuer) if hint.issuer else self.signers
        if hint.issuer and not found:
            found = tuple(one for one in self._by_issuer.get(hint.issuer, ()) if one.unnamed)
        if hint.issuer and found:
            mine = tuple(one for one in found if one.issuer.id == hint.issuer) or tuple(
                one for one in found if _may_speak_as(one, hint.issuer, known=hint.issuer in self.known)
            )
            if not mine and one_key:
                return Found((), "not-the-issuer")
            found = mine
        if found:
            return Found(found)
        if not self:
            return Found((), "trust-missing")
        if hint.issuer in self.known:
            return Found((), "key-not-of-issuer")
        if hint.chain:
            return Found((), "issuer-unknown")
        unnamed = (
            tuple(one for one in self._unnamed if one.certificate is None) if hint.exact else self._unnamed
        )
        return Found((), "issuer-unknown", unnamed)

    def _of_issuer(self, issuer: str) -> tuple[Signer, ...]:
        return (
            self._by_issuer.get(issuer, ())
            or self._by_issuer.get("", ())
            or tuple(one for one in self.signers if _may_speak_as(one, issuer, known=issuer in self.known))
        )

    def _by_chain(self, chain: tuple[bytes, ...]) -> tuple[Signer, ...]:
        try:
            certificates = [read_certificate(der) for der in chain[:_MAX_CHAIN]]
        except Exception:  # Of hostile DER its readers raise whatever comes.
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


def _bound(signer: Signer) -> bool:
    """Whether its list says whose it is, by a name of the kind credentials use; a certificate's subject is none."""
    certificate = signer.certificate
    return bool(signer.issuer.id) and (certificate is None or signer.issuer.id != certificate.subject)


def _may_speak_as(signer: Signer, issuer: str, *, known: bool) -> bool:
    """Whether a key that its list binds to nobody may be this issuer's; never beside that issuer's own known keys,
    unless a certificate names it."""
    if _bound(signer):
        return False
    names = signer.certificate.alternative_names if signer.certificate is not None else ()
    if not names:
        return not known
    return issuer in names or _host(issuer) in names


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


def _names_one_key(name: str) -> bool:
    """Whether an identifier belongs to one key in the world: a SHA-256, a DID URL. `1` and `key-1` do not."""
    return len(name) == 43 or name.startswith("did:")


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
