"""Folders of a WHO GDHCN trust network: `XXX/onboarding/DOMAIN/USE/…`, one folder a participant.

SCA certificates name signers, DSC are signers; TLS certificates and UP keys secure the connection to the gateway
and sign no credential. Issuers by DID (`ISSUER/Trusted_Issuer.json`) are names whose documents come on their own.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from landbridge.codes import country
from landbridge.prove.facts import Issuer
from landbridge.prove.trust.list import Authority, Signer
from landbridge.prove.trust.material import DCC, HEALTH, Material

_Entry = TypeVar("_Entry", Signer, Authority)
# The network's own folder, and the codes that ISO 3166-1 leaves to its users.
_NO_COUNTRY = re.compile(r"WHO|AA[A-Z]|Q[M-Z][A-Z]|X[A-Z]{2}|ZZ[A-Z]")
_NOT_ISSUERS = {
    "TLS": "a TLS certificate secures a connection and signs no credential",
    "UP": "an upload key signs lists for the gateway and no credential",
    "DECA": "a decoupled upload key signs lists for the gateway and no credential",
    "signing": "a key of the network signs its lists and no credential",
    "signed": "a signature over another file of this folder",
    "REFERENCES": "a reference to somebody's service, no key",
}


class Place(msgspec.Struct, frozen=True):
    """Where in such a folder a file lies."""

    participant: str
    """ISO 3166-1 alpha-3, or a code of a test participant."""
    domain: str
    use: str

    @property
    def territory(self) -> str:
        """Alpha-2, or empty for what is no country."""
        return "" if _NO_COUNTRY.fullmatch(self.participant) else country(self.participant)

    @property
    def kinds(self) -> frozenset[str]:
        return DCC if self.domain == "DCC" else HEALTH


def place_of(parts: Sequence[str]) -> Place | None:
    """The place a path names; None for a path outside such folders."""
    if len(parts) > 3 and parts[-3] == "signing" and re.fullmatch(r"[A-Z]{3}", parts[-4]):
        return Place(parts[-4], parts[-2], "signing")
    for number in range(len(parts) - 4, 0, -1):
        if parts[number] == "onboarding" and len(parts[number - 1]) == 3 and parts[number - 1].isupper():
            use = "signed" if "signed" in parts[number + 2 : -1] else parts[number + 2]
            return Place(parts[number - 1], parts[number + 1], use)
    return None


def not_an_issuer(place: Place) -> str:
    """Why nothing under this place may issue; empty where it may."""
    return _NOT_ISSUERS.get(place.use, "")


def limited(material: Material, place: Place) -> Material:
    """What was read at a place, with the territory and the kinds it stands for; an SCA names signers and is none."""
    return Material(
        signers=() if place.use == "SCA" else tuple(_limited(one, place) for one in material.signers),
        authorities=tuple(_limited(one, place) for one in material.authorities),
        known=material.known,
        names=tuple(
            msgspec.structs.replace(one, territory=one.territory or place.territory) for one in material.names
        ),
        passed_over=material.passed_over,
    )


def read_trusted_issuer(document: dict[str, Any]) -> Material:
    """`Trusted_Issuer.json`: an issuer by its DID or address; an empty one names nobody."""
    url, name = document.get("url"), document.get("name")
    if not isinstance(url, str) or not url:
        return Material()
    return Material(names=(Issuer(id=url, name=name if isinstance(name, str) else ""),))


def _limited(entry: _Entry, place: Place) -> _Entry:
    issuer = msgspec.structs.replace(entry.issuer, territory=place.territory or entry.issuer.territory)
    return msgspec.structs.replace(entry, issuer=issuer, kinds=place.kinds)
