"""Bundles of certificates: PKCS #7, ICAO's master lists, the AAMVA's list of mobile driving licence authorities.

RFC 5652 (SignedData); ICAO Doc 9303 part 12 section 9 (CscaMasterList); ISO/IEC 18013-5 annex C (VICAL).
The signature over a bundle is not checked here: who hands the file over vouches for it.
"""

from collections.abc import Mapping
from typing import Any

from asn1crypto import cms, core
from asn1crypto import x509 as lenient

from landbridge.errors import CredentialError
from landbridge.prove.certificates import Certificate, read_certificate
from landbridge.prove.trust.list import Authority, Source
from landbridge.prove.trust.material import (
    Material,
    alpha2,
    as_authority,
    bare,
    joined,
    moment,
    subject_of,
    unreadable,
)

_MASTER_LIST = "2.23.136.1.1.2"
_DOCTYPE_KINDS = {"org.iso.18013.5.1.mDL": "licence"}


class _CscaMasterList(core.Sequence):  # type: ignore[misc]
    class _Certificates(core.SetOf):  # type: ignore[misc]
        _child_spec = lenient.Certificate

    _fields = [("version", core.Integer), ("cert_list", _Certificates)]  # noqa: RUF012


def read_signed_data(der: bytes, source: Source) -> Material:
    """A CMS SignedData: the certificates of a master list it signs, or, where it signs nothing, those it carries.

    Raises TrustUnreadable.
    """
    try:
        info = cms.ContentInfo.load(der)
        if info["content_type"].native != "signed_data":
            raise unreadable("this CMS message is not a bundle of certificates")
        signed = info["content"]
        inner = signed["encap_content_info"]
        if inner["content_type"].dotted == _MASTER_LIST:
            listed = _CscaMasterList.load(bytes(inner["content"]))
            certificates = [one.dump() for one in listed["cert_list"]]
            source = Source(name=source.name, issued=_signing_time(signed) or source.issued)
            return _authorities(certificates, source)
        if inner["content"].native is not None:
            raise unreadable(
                "this CMS message signs something that is no list of certificates",
                hint="Hand over the certificates themselves (PEM, DER or .p7b).",
            )
        carried = [one.chosen.dump() for one in signed["certificates"] or ()]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise unreadable("this bundle of certificates (CMS) cannot be read") from None
    found, passed_over = _each(carried, source)
    if not found:
        raise unreadable(f"none of the {len(carried)} certificates in this bundle can be read")
    material = joined(bare(one, source) for one in found)
    return joined((material, Material(passed_over=tuple(passed_over))))


def read_vical(document: Mapping[Any, Any], source: Source) -> Material:
    """A list of issuing authority certificates (IACA); `docType` limits what each may name signers of."""
    source = Source(
        name=source.name, issued=moment(document.get("date")), expires=moment(document.get("nextUpdate"))
    )
    authorities: list[Authority] = []
    passed_over: list[tuple[str, str]] = []
    entries = document.get("certificateInfos")
    if not isinstance(entries, list | tuple):
        raise unreadable("`certificateInfos` of this list is not a list")
    for number, entry in enumerate(entries):
        try:
            certificate = read_certificate(entry["certificate"])
            doctypes = entry.get("docType") or ()
            kinds = {_DOCTYPE_KINDS.get(one) for one in doctypes}
            authorities.append(
                as_authority(
                    certificate,
                    source,
                    issuer=subject_of(certificate, alpha2(entry.get("issuingCountry"))),
                    kinds=None if None in kinds or not kinds else frozenset(one for one in kinds if one),
                )
            )
        except (CredentialError, TypeError, KeyError, AttributeError, ValueError) as wrong:
            passed_over.append((f"{source.name} [{number}]", str(wrong)[:200]))
    return Material(authorities=tuple(authorities), passed_over=tuple(passed_over))


def _authorities(certificates: list[bytes], source: Source) -> Material:
    found, passed_over = _each(certificates, source)
    if not found:
        raise unreadable(f"none of the {len(certificates)} certificates in this master list can be read")
    return Material(
        authorities=tuple(as_authority(one, source) for one in found), passed_over=tuple(passed_over)
    )


def _each(ders: list[bytes], source: Source) -> tuple[list[Certificate], list[tuple[str, str]]]:
    found: list[Certificate] = []
    passed_over: list[tuple[str, str]] = []
    for number, der in enumerate(ders):
        try:
            found.append(read_certificate(der))
        except CredentialError as wrong:
            passed_over.append((f"{source.name} [{number}]", str(wrong)))
    return found, passed_over


def _signing_time(signed: Any) -> Any:
    for signer in signed["signer_infos"]:
        for attribute in signer["signed_attrs"] or ():
            if attribute["type"].native == "signing_time":
                return moment(attribute["values"][0].native)
    return None
