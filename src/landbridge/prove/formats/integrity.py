"""W3C credentials with the proof inside them: Data Integrity and the suites before it, Open Badges 3.0 as JSON.

W3C VC Data Integrity 1.0, section 4; VC Data Model 2.0 and 1.1; Open Badges 3.0, section 8.3. Presentations have been
taken apart before (`containers.py`); baked badges come unpacked (`carrier.py`).

Three things leave the answer open, for the signature cannot be said to hold and nothing is wrong with it: a context
that is not at hand, a suite that is not read here, and a holder's own copy of a credential that is shown in part.

DIVOC's certificates stay open too, though their signature is checked and a wrong one is no. Their contexts give a
batch and a vaccine, or three dates, one meaning, so whoever holds one may exchange these under the same signature.
To answer yes and hide the exchangeable words would put a green sign beside a sheet on which they can be read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from landbridge.errors import CredentialError, Malformed
from landbridge.prove import canonical, jsonld, proofs
from landbridge.prove.carrier import Carried
from landbridge.prove.envelope import Envelope, KeyHint, Signed
from landbridge.prove.formats import tokens, vcdm
from landbridge.prove.keys import from_jwk, thumbprint
from landbridge.prove.trust.did import key_of_did
from landbridge.prove.trust.list import Signer

NAME = "data-integrity"
TITLE = "W3C Verifiable Credential with its proof inside"

MAX_PROOFS = 4
"""Each proof puts the whole document in order once more."""
_PURPOSE = "assertionMethod"


def recognise(carried: Carried) -> bool:
    text = (carried.text or "").lstrip()
    if not text.startswith("{") or ('"proof"' not in text and '"@context"' not in text):
        return False
    try:
        document = canonical.read(text)
    except Malformed:
        # Cut short, or with a name written twice: still a credential, and a wrong one.
        return '"proof"' in text and '"@context"' in text
    if _names(document, "VerifiablePresentation") or _is_credential(document):
        return "@context" in document or "proof" in document
    return "@context" in document and "proof" in document


def decode(carried: Carried, *, contexts: Mapping[str, bytes] | None = None) -> Envelope:
    """The envelope of one credential; `contexts` are those an operator pinned, URL → JSON-LD. Raises Malformed."""
    document = canonical.read((carried.text or "").strip())
    if not isinstance(document, dict):
        raise Malformed("a credential is an object", code="data-integrity")
    if _names(document, "VerifiablePresentation") and not _is_credential(document):
        raise Malformed("this is a presentation that holds no credential", code="presentation")
    issuer = vcdm.issuer_of(document)
    # The issuer's own proofs come last: theirs is the signer that is asked what it may say.
    listed = sorted(_proofs(document), key=lambda proof: _belongs(_method(proof), issuer))
    signatures: list[Signed] = []
    unchecked: tuple[str, str] | None = None
    for proof in listed:
        forms, left_open = _forms(document, proof, contexts)
        unchecked = unchecked or left_open or _unknown_beyond(document, proof, contexts or {})
        if forms:
            signatures.append(_signed(forms, _controller(proof, listed, issuer)))
    issued, start, end = vcdm.dates_of(document)
    for proof in listed:
        issued = tokens.later(issued, vcdm.read_date(proof.get("created")))
        end = tokens.earlier(end, vcdm.read_date(proof.get("expires")))
    return Envelope(
        format=NAME,
        claims=document,
        content=vcdm.content_of(document),
        signatures=tuple(signatures),
        unchecked=unchecked,
        issuer=issuer,
        issued=issued,
        valid_from=start,
        valid_until=end,
        status=vcdm.status_of(document),
        faults=(*vcdm.faults_of(document), *(("form", one) for one in _faults(document, listed))),
    )


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """An issuer that is its own key (did:key, did:jwk) signs with no other, whoever listed that one. Whose key may
    sign in any other issuer's name is the trust list's to say."""
    own = key_of_did(envelope.issuer)
    if own is None or thumbprint(from_jwk(own)) == thumbprint(signer.key):
        return ()
    return (("authentic", "key-not-of-issuer", envelope.issuer),)


def _names(document: Any, kind: str) -> bool:
    types = document.get("type") if isinstance(document, dict) else None
    return kind in (types if isinstance(types, list) else [types])


def _is_credential(document: Any) -> bool:
    return isinstance(document, dict) and (
        "credentialSubject" in document or _names(document, "VerifiableCredential")
    )


def _proofs(document: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    if document.get("proof") in (None, [], {}):
        return ()
    found = proofs.proofs(document)
    if len(found) > MAX_PROOFS:
        raise Malformed(f"a credential with more than {MAX_PROOFS} proofs is not read", code="proof")
    return found


def _forms(
    document: dict[str, Any], proof: dict[str, Any], contexts: Mapping[str, bytes] | None
) -> tuple[tuple[proofs.Signed, ...], tuple[str, str] | None]:
    """What the proof may sign, and what leaves the answer open: (code, detail). Raises Malformed."""
    shared: tuple[str, str] | None = None
    for unsafe in (False, True):
        try:
            return proofs.forms(document, proof, contexts=contexts, unsafe_exchangeable=unsafe), shared
        except jsonld.ExchangeableTerms as wrong:
            shared = "terms-exchangeable", ", ".join(wrong.terms)[:300]
        except jsonld.UnknownContext as wrong:
            return (), ("context-unknown", wrong.url)
        except proofs.UnknownSuite:
            return (), ("suite-unknown", str(proof.get("cryptosuite") or proof.get("type"))[:60])
        except proofs.ProofRefused as wrong:
            if wrong.code != "base-proof":
                raise
            return (), ("base-proof", str(proof.get("cryptosuite"))[:60])
        except Malformed:
            raise
        except CredentialError as wrong:
            raise Malformed(str(wrong), code=wrong.code, hint=wrong.hint) from None
    return (), shared


def _signed(forms: tuple[proofs.Signed, ...], controller: str) -> Signed:
    first, *others = forms
    method = first.verification_method
    fragment = method.partition("#")[2]
    ids = [f"{controller}{method}" if method.startswith("#") else method]
    if fragment:
        ids += [f"{controller}#{fragment}", fragment]
    # A key that is its own name may be listed as a bare key; an issuer's own is the one that counts.
    own = key_of_did(controller)
    for jwk in (key_of_did(method), own):
        if jwk is not None:
            ids.append(thumbprint(from_jwk(jwk)))
    return Signed(
        algorithm=first.algorithm,
        message=first.message,
        signature=first.signature,
        hint=KeyHint(ids=tuple(dict.fromkeys(ids)), issuer=controller, jwk=own),
        alternatives=tuple((one.algorithm, one.message) for one in others),
    )


def _controller(proof: dict[str, Any], listed: list[dict[str, Any]], issuer: str) -> str:
    """Whose key the proof must be made with: the issuer's; where a proof of the issuer's stands beside it, the one
    that a witness's own proof names."""
    method = _method(proof)
    if _belongs(method, issuer) or not any(_belongs(_method(one), issuer) for one in listed):
        return issuer
    return method.partition("#")[0]


def _method(proof: dict[str, Any]) -> str:
    method = proof.get("verificationMethod")
    method = method.get("id") if isinstance(method, dict) else method
    return method if isinstance(method, str) else ""


def _belongs(method: str, issuer: str) -> bool:
    """Whether a key's name is one of the issuer's own: its name and a fragment, or an address below it."""
    if not issuer:
        return False
    rest = method[len(issuer) :] if method.startswith(issuer) else None
    return method.startswith("#") or rest == "" or (rest is not None and rest[0] in "#/?")


def _beyond(document: dict[str, Any], proof: dict[str, Any]) -> list[Any]:
    """The contexts that no signature covers: those after the ones a proof over canonical JSON was made under, so that
    a later proof can bring its own (VC-DI-EdDSA, section 3.3.2); any other proof's own, which its suite replaces by
    the document's (section 3.2.5)."""
    if "@context" not in proof:
        return []
    whole, own = (
        one if isinstance(one, list) else [one] for one in (document.get("@context"), proof["@context"])
    )
    suite = proofs.CRYPTOSUITES.get(str(proof.get("cryptosuite")))
    if suite is not None and suite.form == "jcs":
        return whole[len(own) :]
    return [one for one in own if one not in whole]


def _unknown_beyond(
    document: dict[str, Any], proof: dict[str, Any], contexts: Mapping[str, bytes]
) -> tuple[str, str] | None:
    for one in _beyond(document, proof):
        if isinstance(one, str) and one not in jsonld.bundled() and one not in contexts:
            return "context-unknown", one[:200]
    return None


def _faults(document: dict[str, Any], listed: list[dict[str, Any]]) -> Iterator[str]:
    for proof in listed:
        if not all(isinstance(one, str) for one in _beyond(document, proof)):
            yield "a context with words of its own was added, which a proof does not cover"
        purpose = proof.get("proofPurpose")
        if purpose != _PURPOSE:
            yield f"a proof is made for {str(purpose)[:40]!r}, and a credential needs {_PURPOSE}"
        made, ends = vcdm.read_date(proof.get("created")), vcdm.read_date(proof.get("expires"))
        if made is not None and ends is not None and ends < made:
            yield "a proof ends before it was made"
