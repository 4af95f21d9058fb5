"""W3C credentials in COSE (W3C Securing Verifiable Credentials using JOSE and COSE, section 3.3; RFC 9052)."""

from landbridge.errors import Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.cose import read_sign1
from landbridge.prove.envelope import Envelope, Signed
from landbridge.prove.formats import tokens, vcdm
from landbridge.prove.jose import read_json
from landbridge.prove.keys import from_base64url
from landbridge.prove.trust.list import Signer

NAME = "cose-vc"
TITLE = "W3C Verifiable Credential in COSE"

_TYPE = 16  # RFC 9596
_TYPES = ("vc+cose", "vc+ld+cose", "vc-ld+cose")
_TAGGED, _BARE = b"\xd2\x84", b"\x84"


def recognise(carried: Carried) -> bool:
    data = carried.data
    return data.startswith((_TAGGED, _BARE)) and b'"credentialSubject"' in data


def decode(carried: Carried) -> Envelope:
    """The envelope of one credential in a COSE_Sign1. Raises Malformed."""
    if len(carried.data) > tokens.MAX_TEXT:
        raise Malformed(f"a credential of {len(carried.data)} bytes is not read", code="too-long")
    cose = read_sign1(carried.data)
    credential = read_json(cose.payload)
    if not isinstance(credential, dict):
        raise Malformed("what this COSE_Sign1 signs is not an object", code="cose-vc")
    faults = vcdm.faults_of(credential)
    stated = cose.protected.get(_TYPE)
    if isinstance(stated, str) and stated.lower().removeprefix("application/") not in _TYPES:
        faults += (("form", f"a COSE_Sign1 of the type {stated[:40]!r} is no credential"),)
    issuer = vcdm.issuer_of(credential)
    header = {"kid": _as_written(cose.kids[0])} if cose.kids else {}
    hint = tokens.hint_of(header, issuer, chain=cose.chain)
    issued, start, end = vcdm.dates_of(credential)
    return Envelope(
        format=NAME,
        claims=credential,
        content=vcdm.content_of(credential),
        signatures=(
            Signed(algorithm=cose.algorithm, message=cose.signed, signature=cose.signature, hint=hint),
        ),
        issuer=issuer,
        issued=issued,
        valid_from=start,
        valid_until=end,
        status=vcdm.status_of(credential),
        leniencies=cose.leniencies,
        faults=faults,
    )


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """None: whose key may sign in an issuer's name is the trust list's to say."""
    return ()


def _as_written(kid: str) -> str:
    """A `kid` that is text in bytes (a DID URL) as that text; any other as base64url."""
    try:
        text = from_base64url(kid).decode("ascii")
    except ValueError:
        return kid
    return text if text.isprintable() and ":" in text else kid
