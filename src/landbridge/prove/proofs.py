"""From a document and its proof to the bytes that were signed (W3C VC Data Integrity 1.0, VC-DI-EdDSA, VC-DI-ECDSA
with the derived proofs of its selective disclosure, and the older suites Ed25519Signature2020, Ed25519Signature2018, RsaSignature2018 and JsonWebSignature2020).

Nothing here says whether a signature holds or who may sign: the caller takes `Signed` to a key.
"""

import copy
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from landbridge.errors import Malformed
from landbridge.prove import canonical, jsonld
from landbridge.prove.cose import read_cbor
from landbridge.prove.jose import read_json
from landbridge.prove.keys import base64url, from_base64url, verify_signature

MAX_PROOFS = 16
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_MAX_BASE58 = 1_000
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,12})?(Z|[+-]\d\d:\d\d)?")


class ProofRefused(Malformed):
    """A proof that is wrongly made; `code` says how."""


class UnknownSuite(ProofRefused):
    """A proof of a kind that is not read here: open, not no."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"proofs of the kind {name[:60]!r} are not read here",
            code="unknown-suite",
            hint=f"read here are {', '.join(sorted(SUITES.keys() | CRYPTOSUITES.keys()))}",
        )


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of proof turns a document into bytes."""

    form: str
    """`rdfc` (canonical N-Quads), `jcs` (canonical JSON) or `sd` (statements disclosed one by one)."""
    algorithms: tuple[str, ...]
    jws: bool = False
    contexts: tuple[str, ...] = ()
    """What defines the words of the proof where the document's contexts do not."""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """One signature: what was signed, and the name of the key as the proof states it."""

    algorithm: str
    """A name of landbridge.prove.keys.ALGORITHMS."""
    message: bytes
    signature: bytes
    verification_method: str
    suite: str


_EDDSA, _ECDSA = ("EdDSA",), ("ES256", "ES384")
_SECURITY = ("https://w3id.org/security/v2",)
CRYPTOSUITES = {
    "eddsa-rdfc-2022": Suite(form="rdfc", algorithms=_EDDSA),
    "eddsa-jcs-2022": Suite(form="jcs", algorithms=_EDDSA),
    "ecdsa-rdfc-2019": Suite(form="rdfc", algorithms=_ECDSA),
    "ecdsa-jcs-2019": Suite(form="jcs", algorithms=_ECDSA),
    "ecdsa-sd-2023": Suite(form="sd", algorithms=("ES256",)),
    # Names of the drafts, under which badges were issued in 2022 and 2023.
    "eddsa-2022": Suite(form="rdfc", algorithms=_EDDSA),
    "json-eddsa-2022": Suite(form="jcs", algorithms=_EDDSA),
    "jcs-eddsa-2022": Suite(form="jcs", algorithms=_EDDSA),
    "ecdsa-2019": Suite(form="rdfc", algorithms=_ECDSA),
    "jcs-ecdsa-2019": Suite(form="jcs", algorithms=_ECDSA),
}
SUITES = {
    "Ed25519Signature2020": Suite(
        form="rdfc", algorithms=_EDDSA, contexts=("https://w3id.org/security/suites/ed25519-2020/v1",)
    ),
    "Ed25519Signature2018": Suite(form="rdfc", algorithms=_EDDSA, jws=True, contexts=_SECURITY),
    "RsaSignature2018": Suite(form="rdfc", algorithms=("RS256", "PS256"), jws=True, contexts=_SECURITY),
    "EcdsaSecp256k1Signature2019": Suite(form="rdfc", algorithms=("ES256K",), jws=True, contexts=_SECURITY),
    "JsonWebSignature2020": Suite(
        form="rdfc",
        algorithms=(
            "EdDSA",
            "ES256",
            "ES384",
            "ES512",
            "ES256K",
            "PS256",
            "PS384",
            "PS512",
            "RS256",
            "RS384",
        ),
        jws=True,
        contexts=(*_SECURITY, "https://w3id.org/security/suites/jws-2020/v1"),
    ),
}


def proofs(document: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The proofs a document carries, as written. Each holds by itself: all of them must.

    Raises ProofRefused where there is none, or more than MAX_PROOFS.
    """
    found = document.get("proof")
    found = found if isinstance(found, list) else [found]
    if not found or not all(isinstance(one, dict) for one in found):
        raise ProofRefused("there is no proof in this document", code="no-proof")
    if len(found) > MAX_PROOFS:
        raise ProofRefused(f"this document carries more than {MAX_PROOFS} proofs", code="proof")
    return tuple(found)


def signed(
    document: dict[str, Any], proof: dict[str, Any], *, contexts: Mapping[str, bytes] | None = None
) -> Signed:
    """The bytes that `proof` signs, where the suite knows one way to find them: the first of `forms`."""
    return forms(document, proof, contexts=contexts)[0]


def forms(
    document: dict[str, Any],
    proof: dict[str, Any],
    *,
    contexts: Mapping[str, bytes] | None = None,
    unsafe_exchangeable: bool = False,
) -> tuple[Signed, ...]:
    """The bytes that `proof`, one of `proofs(document)`, signs: one form, or two of which either may hold.

    1. find the suite                                  4. put the options' and the document's one form side by side
    2. take the signature out of the proof             5. hash them, the options first
    3. set the proofs it builds on beside the document (VC Data Integrity 1.0, section 4.5)

    Two only for the older suites, whose libraries read the options under the suite's context or the document's:
    with RsaSignature2018 the first credentials context leaves `sec:` undefined, and the two differ.
    `contexts` are the operator's own JSON-LD contexts, URL → bytes. With `unsafe_exchangeable` no value may be
    believed of the words that jsonld.exchangeable names: they could be exchanged.
    A derived proof of ecdsa-sd-2023 comes with a signature for every statement disclosed; those are checked here,
    with the key made for this one credential that the issuer's signature covers (VC-DI-ECDSA, section 3.5).
    Raises UnknownSuite, ProofRefused, keys.SignatureWrong, jsonld.UnknownContext, jsonld.DroppedTerm,
    jsonld.DisguisedTerm, jsonld.ExchangeableTerms, jsonld.Poisoned, jsonld.LinkedDataRefused,
    canonical.NotCanonical: CredentialErrors all.
    """
    canonical.measure(document)
    canonical.measure(proof)
    name, suite = _suite(proof)
    method = _stated(proof)
    if suite.form == "sd":
        return (_derived(document, proof, method, contexts),)
    if suite.jws:
        header, algorithm, signature = _detached(proof, suite)
    else:
        signature = _multibase(proof.get("proofValue"), "z")
        header, algorithm = "", _by_length(suite, signature)
    options = _options(proof, suite)
    return tuple(
        Signed(
            algorithm=algorithm,
            message=_jws_message(header, data) if suite.jws else data,
            signature=signature,
            verification_method=method,
            suite=name,
        )
        for data in _hashed(
            _covered(document, proof),
            options,
            suite,
            algorithm,
            contexts,
            unsafe_exchangeable=unsafe_exchangeable,
        )
    )


def create(
    document: dict[str, Any],
    options: dict[str, Any],
    sign: Callable[[bytes], bytes],
    *,
    algorithm: str = "EdDSA",
    contexts: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """The document with one more proof: `options` with the signature that `sign` makes of the bytes.

    `sign` answers with a raw signature (ECDSA as r and s, RFC 7518). The proofs already there stay; name them in
    `options["previousProof"]` to sign them too. Raises as `signed` does.
    """
    _, suite = _suite(options)
    _stated(options)
    if algorithm not in suite.algorithms or suite.form == "sd":
        raise ProofRefused(f"this suite does not sign with {algorithm}", code="algorithm-refused")
    made = _options(options, suite)
    if suite.form == "jcs" and "@context" in document:
        made["@context"] = copy.deepcopy(document["@context"])
    data = _hashed(_covered(document, made), made, suite, algorithm, contexts)[0]
    if suite.jws:
        header = base64url(b'{"alg":"%s","b64":false,"crit":["b64"]}' % algorithm.encode())
        made["jws"] = f"{header}..{base64url(sign(_jws_message(header, data)))}"
    else:
        made["proofValue"] = f"z{to_base58(sign(data))}"
    if "proof" not in document:
        return {**document, "proof": made}
    return {**document, "proof": [*proofs(document), made]}


def to_base58(data: bytes) -> str:
    """Base58 as Bitcoin's (draft-msporny-base58)."""
    number, text = int.from_bytes(data), ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58(text: str) -> bytes:
    """The bytes. Raises ValueError for other characters, and for more than a thousand of them."""
    if len(text) > _MAX_BASE58:
        raise ValueError("too long for base58")
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


def _suite(proof: dict[str, Any]) -> tuple[str, Suite]:
    kind = proof.get("type")
    if not isinstance(kind, str):
        raise ProofRefused("a proof does not say of which type it is", code="proof")
    if kind != "DataIntegrityProof":
        if kind not in SUITES:
            raise UnknownSuite(kind)
        return kind, SUITES[kind]
    name = proof.get("cryptosuite")
    if not isinstance(name, str):
        raise ProofRefused("a proof does not say of which cryptosuite it is", code="proof")
    if name not in CRYPTOSUITES:
        raise UnknownSuite(name)
    return name, CRYPTOSUITES[name]


def _stated(proof: dict[str, Any]) -> str:
    """What every proof must say (VC Data Integrity 1.0, section 2.1): answers with the name of its key."""
    method = proof.get("verificationMethod")
    if isinstance(method, dict):
        method = method.get("id")
    if not isinstance(method, str) or not method:
        raise ProofRefused("a proof does not name its key (verificationMethod)", code="proof")
    if not isinstance(proof.get("proofPurpose"), str):
        raise ProofRefused("a proof does not say what it is for (proofPurpose)", code="proof")
    for name in ("created", "expires"):
        if name in proof:
            _check_date(name, proof[name])
    return method


def _options(proof: dict[str, Any], suite: Suite) -> dict[str, Any]:
    """The proof without its signature."""
    signature = "jws" if suite.jws else "proofValue"
    return {name: value for name, value in proof.items() if name != signature}


def _check_date(name: str, value: Any) -> None:
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError
        datetime.fromisoformat(found[1] + (found[3] or "Z"))
    except ValueError:
        raise ProofRefused(f"the proof's {name} is not a date and time", code="proof-date") from None


def _multibase(value: Any, prefix: str) -> bytes:
    if not isinstance(value, str) or not value.startswith(prefix):
        raise ProofRefused(
            f"a proofValue of this suite is text that begins with {prefix!r}", code="proof-value"
        )
    try:
        return from_base58(value[1:]) if prefix == "z" else from_base64url(value[1:])
    except ValueError:
        raise ProofRefused(
            "a proofValue with characters that its encoding does not have", code="proof-value"
        ) from None


def _by_length(suite: Suite, signature: bytes) -> str:
    # ECDSA's hash follows the curve of the key (VC-DI-ECDSA, section 3), and so does the length of r and s.
    lengths = {"EdDSA": 64, "ES256": 64, "ES384": 96}
    for algorithm in suite.algorithms:
        if lengths[algorithm] == len(signature):
            return algorithm
    raise ProofRefused(f"a signature of {len(signature)} bytes is none of this suite", code="proof-value")


def _detached(proof: dict[str, Any], suite: Suite) -> tuple[str, str, bytes]:
    """(protected header as written, algorithm, signature) of a detached JWS (RFC 7515, appendix F; RFC 7797)."""
    jws = proof.get("jws")
    parts = jws.split(".") if isinstance(jws, str) else []
    if len(parts) != 3 or parts[1]:
        raise ProofRefused(
            "this suite's signature is a detached JWS: a header, two dots, a signature", code="jws"
        )
    try:
        header, signature = read_json(from_base64url(parts[0])), from_base64url(parts[2])
    except ValueError:
        raise ProofRefused("a part of the JWS is not base64url", code="jws") from None
    if not isinstance(header, dict):
        raise ProofRefused("the header of the JWS is not an object", code="jws-header")
    encoded = header.get("b64", True)
    if header.get("crit", ["b64"]) != ["b64"] or not isinstance(encoded, bool):
        raise ProofRefused("a header marked critical is not known here", code="jws-critical")
    if ("b64" in header) != ("crit" in header):
        raise ProofRefused("`b64` must be marked critical (RFC 7797, section 6)", code="jws-critical")
    algorithm = header.get("alg")
    if algorithm not in suite.algorithms or suite.form == "sd":
        raise ProofRefused(f"this suite does not sign with {str(algorithm)[:20]!r}", code="algorithm-refused")
    return parts[0], str(algorithm), signature


class _Disclosure(msgspec.Struct, frozen=True):
    """A derived proof's value, taken apart (VC-DI-ECDSA, section 3.5.4)."""

    base: bytes
    key: bytes
    signatures: tuple[bytes, ...]
    labels: dict[int, bytes]
    mandatory: frozenset[int]


_BASE, _DERIVED, _P256 = b"\xd9\x5d\x00", b"\xd9\x5d\x01", b"\x80\x24"


def _derived(
    document: dict[str, Any], proof: dict[str, Any], method: str, contexts: Mapping[str, bytes] | None
) -> Signed:
    found = _disclosure(_multibase(proof.get("proofValue"), "u"))
    under = {**_options(proof, CRYPTOSUITES["ecdsa-sd-2023"]), "@context": document.get("@context")}
    quads = jsonld.statements(_covered(document, proof), contexts=contexts)
    order = jsonld.canonicalise(quads).labels
    try:
        names = {label: f"_:u{base64url(found.labels[int(name[6:])])}" for label, name in order.items()}
    except KeyError:
        raise ProofRefused(
            "a derived proof does not name every part it discloses", code="proof-value"
        ) from None
    if len(set(names.values())) < len(names):
        raise ProofRefused("a derived proof gives two parts one name", code="proof-value")
    lines = jsonld.renamed(quads, names)
    disclosed = [line.encode() for index, line in enumerate(lines) if index not in found.mandatory]
    if len(disclosed) != len(found.signatures):
        raise ProofRefused(
            "a derived proof has not one signature for every statement disclosed", code="proof-value"
        )
    if found.mandatory and max(found.mandatory) >= len(lines):
        raise ProofRefused("a derived proof points at statements that are not there", code="proof-value")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), found.key[len(_P256) :])
    except ValueError:
        raise ProofRefused("the key of a derived proof is none", code="proof-value") from None
    for line, signature in zip(disclosed, found.signatures, strict=True):
        verify_signature(key, "ES256", line, signature)
    mandatory = "".join(line for index, line in enumerate(lines) if index in found.mandatory).encode()
    options_hash = hashlib.sha256(jsonld.canonical_text(under, contexts=contexts)).digest()
    return Signed(
        algorithm="ES256",
        message=options_hash + found.key + hashlib.sha256(mandatory).digest(),
        signature=found.base,
        verification_method=method,
        suite="ecdsa-sd-2023",
    )


def _disclosure(value: bytes) -> _Disclosure:
    if value.startswith(_BASE):
        raise ProofRefused(
            "this is a base proof, which is its holder's alone",
            code="base-proof",
            hint="ask the holder to derive a proof from it that shows what you need",
        )
    if not value.startswith(_DERIVED):
        raise ProofRefused("a derived proof begins with other bytes", code="proof-value")
    try:
        base, key, signatures, labels, mandatory = read_cbor(value[len(_DERIVED) :])
        found = msgspec.convert(
            {
                "base": base,
                "key": key,
                "signatures": tuple(signatures),
                "labels": dict(labels),
                "mandatory": list(mandatory),
            },
            _Disclosure,
        )
    except (TypeError, ValueError, Malformed):
        raise ProofRefused("a derived proof holds other than it must", code="proof-value") from None
    lengths = {len(found.base), *map(len, found.signatures)} | {
        len(one) + 32 for one in found.labels.values()
    }
    if lengths != {64} or len(found.key) != 35 or not found.key.startswith(_P256):
        raise ProofRefused(
            "a derived proof holds signatures, names or a key of a wrong length", code="proof-value"
        )
    if min(found.mandatory, default=0) < 0 or len(found.mandatory) != len(mandatory):
        raise ProofRefused("a derived proof points at a statement twice, or at none", code="proof-value")
    return found


def _jws_message(header: str, data: bytes) -> bytes:
    if read_json(from_base64url(header)).get("b64", True):
        data = base64url(data).encode()
    return f"{header}.".encode() + data


def _covered(document: dict[str, Any], proof: dict[str, Any]) -> dict[str, Any]:
    """The document without its proofs, save those that `proof` says it builds on."""
    bare = {name: value for name, value in document.items() if name != "proof"}
    named = proof.get("previousProof")
    if named is None:
        return bare
    named = named if isinstance(named, list) else [named]
    if not named or len(named) > MAX_PROOFS or not all(isinstance(one, str) for one in named):
        raise ProofRefused("previousProof names no proof", code="proof-chain")
    by_id: dict[str, dict[str, Any]] = {}
    for one in proofs(document):
        if isinstance(one.get("id"), str):
            if one["id"] in by_id:
                raise ProofRefused("two proofs have the same id", code="proof-chain")
            by_id[one["id"]] = one
    if not by_id.keys() >= set(named):
        raise ProofRefused("a proof builds on another that is not there", code="proof-chain")
    return {**bare, "proof": [by_id[one] for one in named]}


def _hashed(
    document: dict[str, Any],
    options: dict[str, Any],
    suite: Suite,
    algorithm: str,
    contexts: Mapping[str, bytes] | None,
    *,
    unsafe_exchangeable: bool = False,
) -> list[bytes]:
    digest = "sha384" if algorithm == "ES384" and not suite.jws else "sha256"

    def hashed(text: bytes) -> bytes:
        return hashlib.new(digest, text).digest()

    if suite.form == "jcs":
        return [
            hashed(canonical.canonicalise(options))
            + hashed(canonical.canonicalise(_under(document, options)))
        ]
    whole = hashed(
        jsonld.canonical_text(
            document, contexts=contexts, digest=digest, unsafe_exchangeable=unsafe_exchangeable
        )
    )
    return [hashed(text) + whole for text in _options_texts(document, options, suite, digest, contexts)]


def _under(document: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The document with the contexts of its proof: they must be the first of its own (VC-DI-EdDSA, section 3.3.2)."""
    if "@context" not in options:
        return document
    ours, theirs = _listed(document.get("@context")), _listed(options["@context"])
    if canonical.canonicalise(ours[: len(theirs)]) != canonical.canonicalise(theirs):
        raise ProofRefused(
            "the proof was made under other contexts than the document's", code="proof-context"
        )
    return {**document, "@context": options["@context"]}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _options_texts(
    document: dict[str, Any],
    options: dict[str, Any],
    suite: Suite,
    digest: str,
    contexts: Mapping[str, bytes] | None,
) -> list[bytes]:
    """The canonical proof options: under the suite's own contexts, if it has some, and under the document's."""
    found: dict[bytes, None] = {}
    missed: jsonld.LinkedDataRefused | None = None
    for under in [*([list(suite.contexts)] if suite.contexts else []), document.get("@context")]:
        try:
            text = jsonld.canonical_text({**options, "@context": under}, contexts=contexts, digest=digest)
        except jsonld.LinkedDataRefused as wrong:
            missed = wrong
        else:
            found[text] = None
    if not found and missed is not None:
        raise missed
    return list(found)
