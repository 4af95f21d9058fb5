"""Lists of the signers of EU Digital COVID Certificates, in the forms that states hand them out.

| whose                  | form                                                                                       |
|------------------------|--------------------------------------------------------------------------------------------|
| the EU gateway         | JSON array of `kid`, `country`, `certificateType`, `rawData`, `timestamp`                  |
| Germany                | a line with a signature, then `{"certificates": […]}` of the gateway's entries             |
| Austria                | CBOR `{"c": [{"i": kid, "c": certificate}]}`, its COSE signature beside it or around it    |
| Sweden                 | a JWT with `dsc_trust_list`: country → `keys`                                              |
| France, Italy          | kid → certificate, in base64                                                               |
| Netherlands            | `eu_keys`: kid → `[{"subjectPk", "keyUsage"}]`, also inside `{"payload", "signature"}`     |
| Switzerland            | `certs`: `[{"keyId", "subjectPublicKeyInfo" or "n", "e" or "x", "y"}]`                     |

A signature over the list itself is not checked here: who hands the file over vouches for it. Its dates count.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from landbridge.errors import CredentialError
from landbridge.prove.certificates import Certificate, CertificateRefused, read_certificate
from landbridge.prove.cose import MAPS, read_cbor, read_sign1
from landbridge.prove.facts import Issuer
from landbridge.prove.keys import KeyRefused, base64url, from_jwk, from_spki
from landbridge.prove.trust.list import Authority, Signer, Source
from landbridge.prove.trust.material import (
    DCC,
    Material,
    alpha2,
    as_authority,
    from_any_base64,
    kid_forms,
    moment,
    of_certificate,
    of_key,
    subject_of,
    unreadable,
)

_USAGE = {"t": "test", "v": "vaccination", "r": "recovery"}
_CWT_SUBJECT, _CWT_EXPIRES, _CWT_START = 2, 4, 5


def read_gateway(entries: Any, source: Source) -> Material:
    """The gateway's entries: DSC are signers, CSCA are authorities, the keys of its own connections are neither."""
    signers: list[Signer] = []
    authorities: list[Authority] = []
    passed_over: list[tuple[str, str]] = []
    for number, entry in enumerate(_listed(entries)):
        place = f"{source.name} [{number}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("rawData"), str):
            passed_over.append((place, "an entry without rawData"))
            continue
        kind = entry.get("certificateType", "DSC")
        if kind not in ("DSC", "CSCA"):
            passed_over.append((place, f"a certificate of the type {str(kind)[:20]} signs no credential"))
            continue
        try:
            certificate = _certificate(entry["rawData"])
        except CredentialError as wrong:
            passed_over.append((place, str(wrong)))
            continue
        issuer = subject_of(certificate, alpha2(entry.get("country")))
        if kind == "CSCA":
            authorities.append(as_authority(certificate, source, issuer=issuer, kinds=DCC))
        else:
            signers.append(
                of_certificate(certificate, source, issuer=issuer, ids=kid_forms(entry.get("kid")), kinds=DCC)
            )
    return _some(signers, authorities, passed_over, source)


def read_map(entries: Mapping[str, Any], source: Source) -> Material:
    """Identifier → certificate or key in base64, or a list of the Dutch entries."""
    signers: list[Signer] = []
    passed_over: list[tuple[str, str]] = []
    for kid, value in entries.items():
        try:
            for entry in value if isinstance(value, list) else [value]:
                signers.append(_of_entry(kid, entry, source))
        except (CredentialError, ValueError, TypeError, KeyError) as wrong:
            passed_over.append((f"{source.name} {kid[:60]}", str(wrong)[:200]))
    return _some(signers, [], passed_over, source)


def read_swiss(entries: Any, source: Source) -> Material:
    signers: list[Signer] = []
    passed_over: list[tuple[str, str]] = []
    for number, entry in enumerate(_listed(entries)):
        try:
            spki = entry.get("subjectPublicKeyInfo")
            if spki:
                key = from_spki(from_any_base64(spki))
            else:
                kind = "RSA" if entry.get("n") else "EC"
                jwk = {name: entry[name] for name in ("crv", "x", "y", "n", "e") if entry.get(name)}
                for name in jwk.keys() - {"crv"}:
                    jwk[name] = base64url(from_any_base64(jwk[name]))
                key = from_jwk({"kty": kind, **jwk})
            signers.append(
                of_key(key, source, ids=kid_forms(entry["keyId"]), kinds=_usages(entry.get("use")))
            )
        except (CredentialError, ValueError, TypeError, KeyError, AttributeError) as wrong:
            passed_over.append((f"{source.name} [{number}]", str(wrong)[:200]))
    return _some(signers, [], passed_over, source)


def read_swedish(countries: Any, source: Source) -> Material:
    """`dsc_trust_list`: keys by country, each a JWK with `x5c`."""
    signers: list[Signer] = []
    passed_over: list[tuple[str, str]] = []
    if not isinstance(countries, dict):
        raise unreadable("`dsc_trust_list` is an object of countries")
    for country, entry in countries.items():
        for number, jwk in enumerate(_listed(entry.get("keys") if isinstance(entry, dict) else None)):
            try:
                signers.append(_of_swedish(jwk, alpha2(country), source))
            except (CredentialError, ValueError, TypeError, KeyError, AttributeError, IndexError) as wrong:
                passed_over.append((f"{source.name} {country[:20]}[{number}]", str(wrong)[:200]))
    return _some(signers, [], passed_over, source)


def read_austrian(document: Mapping[Any, Any], source: Source) -> Material:
    """The CBOR map with `c`; of its entries `i` is the kid, `c` a certificate, `p` a bare key, `t` kinds."""
    signers: list[Signer] = []
    passed_over: list[tuple[str, str]] = []
    source = Source(
        name=source.name,
        issued=source.issued or moment(document.get("f")),
        expires=source.expires or moment(document.get("u")),
    )
    for number, entry in enumerate(_listed(document.get("c"))):
        try:
            ids = kid_forms(entry["i"])
            if "c" in entry:
                certificate = read_certificate(entry["c"])
                signers.append(of_certificate(certificate, source, ids=ids, kinds=DCC))
            else:
                signers.append(
                    of_key(
                        from_spki(entry["p"]),
                        source,
                        ids=ids,
                        kinds=_usages(entry.get("t")),
                        since=moment(entry.get("f")),
                        until=moment(entry.get("u")),
                    )
                )
        except (CredentialError, ValueError, TypeError, KeyError, AttributeError) as wrong:
            passed_over.append((f"{source.name} [{number}]", str(wrong)[:200]))
    return _some(signers, [], passed_over, source)


def dates_beside(data: bytes) -> tuple[str, Source] | None:
    """Of a signature that lies beside its list: the SHA-256 of the list (base64url), and its dates.

    A COSE_Sign1 over a CWT whose subject is the hash of the list (the Austrian form); None for anything else.
    """
    try:
        claims = read_cbor(read_sign1(data).payload)
    except CredentialError:
        return None
    if not isinstance(claims, MAPS) or not isinstance(claims.get(_CWT_SUBJECT), bytes):
        return None
    if len(claims[_CWT_SUBJECT]) != hashlib.sha256().digest_size:
        return None
    dates = Source(name="", issued=moment(claims.get(_CWT_START)), expires=moment(claims.get(_CWT_EXPIRES)))
    return base64url(claims[_CWT_SUBJECT]), dates


def is_map_of_keys(document: Mapping[Any, Any]) -> bool:
    """Whether every value could be a certificate or a key in base64, or a list of Dutch entries."""
    return bool(document) and all(_could_be_key(value) for value in document.values())


def _could_be_key(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) and "subjectPk" in one for one in value)
    return (
        isinstance(value, str) and len(value) > 40 and value[:2] in ("MI", "MF", "MH", "MC", "MD", "LS", "TU")
    )


def _of_entry(kid: str, entry: Any, source: Source) -> Signer:
    if isinstance(entry, dict):
        key = from_spki(from_any_base64(entry["subjectPk"]))
        return of_key(key, source, ids=kid_forms(kid), kinds=_usages(entry.get("keyUsage")))
    der = _der(entry)
    try:
        return of_certificate(read_certificate(der), source, ids=kid_forms(kid), kinds=DCC)
    except CertificateRefused as wrong:
        try:
            return of_key(from_spki(der), source, ids=kid_forms(kid), kinds=DCC)
        except KeyRefused:
            raise wrong from None


def _of_swedish(jwk: Any, country: str, source: Source) -> Signer:
    ids = (*kid_forms(jwk.get("kid")), *kid_forms(jwk.get("x5t#S256")))
    chain = jwk.get("x5c")
    if chain:
        certificate = _certificate(chain[0])
        return of_certificate(
            certificate, source, issuer=subject_of(certificate, country), ids=ids, kinds=DCC
        )
    plain = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    issuer = Issuer(id=country, name=country, territory=country)
    return of_key(from_jwk(plain), source, issuer=issuer, ids=ids, kinds=DCC)


def _certificate(text: Any) -> Certificate:
    return read_certificate(_der(text))


def _der(text: Any) -> bytes:
    """DER under base64, base64 of PEM, or base64 twice. Raises CertificateRefused."""
    try:
        data = text if isinstance(text, bytes) else from_any_base64(text)
        if data[:1] != b"\x30":
            inner = b"".join(line for line in data.splitlines() if not line.startswith(b"-----"))
            data = from_any_base64(inner)
    except (ValueError, TypeError, AttributeError):
        raise CertificateRefused("a certificate of this list is not base64") from None
    return data


def _usages(letters: Any) -> frozenset[str]:
    """Kinds by the letters t, v, r (Netherlands, Switzerland) or words (Austria); all of them where it says nothing."""
    if isinstance(letters, str):
        letters = list(letters)
    if not isinstance(letters, list | tuple):
        return DCC
    named = {kind for one in letters if isinstance(one, str) and (kind := _USAGE.get(one[:1].lower()))}
    return frozenset(named) or DCC


def _listed(entries: Any) -> Iterator[Any]:
    if not isinstance(entries, list | tuple):
        raise unreadable("the entries of this trust list are not a list")
    yield from entries


def _some(
    signers: list[Signer], authorities: list[Authority], passed_over: list[tuple[str, str]], source: Source
) -> Material:
    if passed_over and not signers and not authorities:
        raise unreadable(f"no entry of {source.name or 'this list'} can be used: {passed_over[0][1]}")
    return Material(signers=tuple(signers), authorities=tuple(authorities), passed_over=tuple(passed_over))
