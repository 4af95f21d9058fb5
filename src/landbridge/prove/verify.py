"""The verifier: numbered steps from what was handed over to a verdict, and to Facts where every part is yes.

 1. read        what was handed over: text, picture, PDF or file
 2. format      which format knows it
 3. decode      to an Envelope: read, not believed
 4. form        its contents are as the format requires
 5. issuer      whose key signed it: the trust list
 6. signature   over the exact bytes, with every key that may have signed
 7. entitled    may this issuer say this, there, at that time
 8. in time     its dates, and the key's, at this moment
 9. taken back  its issuer's lists
10. facts       made only when all four parts are yes
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from landbridge.errors import CredentialError, Malformed, UnknownFormat, Unreadable
from landbridge.prove.carrier import Carried, read
from landbridge.prove.envelope import Envelope, Signed
from landbridge.prove.facts import SEAL, Facts, Outcome
from landbridge.prove.formats import FORMATS, Format, containers, decode
from landbridge.prove.keys import PublicKey, SignatureWrong, from_jwk, verify_signature
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import Signer, Source, TrustList
from landbridge.prove.verdict import SENTENCES, Part, Step, Verdict

AT_ONCE = 64
YES, NO, OPEN = Outcome.YES, Outcome.NO, Outcome.OPEN


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How old the lists may be before an answer says so, and before it no longer rests on them."""

    warn_after: timedelta = timedelta(days=1)
    refuse_after: timedelta = timedelta(days=30)
    kinds: Mapping[str, tuple[timedelta, timedelta]] = {}
    """(warn after, refuse after) of the kinds that have their own."""
    tolerance: timedelta = timedelta(minutes=5)
    """What two clocks may differ by."""

    def warns(self, kind: str, age: timedelta) -> bool:
        return age > self.kinds.get(kind, (self.warn_after, self.refuse_after))[0]

    def refuses(self, kind: str, age: timedelta) -> bool:
        return age > self.kinds.get(kind, (self.warn_after, self.refuse_after))[1]


DEFAULT_POLICY = Policy()


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """All that a verifier believes: the list, what was taken back, how old either may be, and the newest time
    anything signed has told it (`floor`: a clock that shows less was set back)."""

    issuers: TrustList
    taken_back: StatusLists
    policy: Policy = DEFAULT_POLICY
    floor: datetime | None = None


def verify(data: bytes | str, *, trust: Trust, at: datetime) -> Facts:
    """The Facts of the one credential in `data` (text, picture, PDF or file), at `at` (aware).

    Raises CredentialError, whose `step` and `code` say which step was not passed, and why.
    """
    verdicts = examine(data, trust=trust, at=at)
    if len(verdicts) > 1:
        raise Unreadable(
            f"{len(verdicts)} credentials were found", code="several", hint="Hand over one, or use `examine`."
        )
    return believe(verdicts[0])


def believe(verdict: Verdict) -> Facts:
    """The Facts of a verdict. Raises CredentialError where its outcome is not yes."""
    if verdict.facts is not None:
        return verdict.facts
    failed = next(part for wanted in (NO, OPEN) for part in verdict.parts.values() if part.outcome is wanted)
    raise CredentialError(failed.sentence, code=failed.code, hint=verdict.hint)


def examine(data: bytes | str, *, trust: Trust, at: datetime) -> tuple[Verdict, ...]:
    """A verdict on every credential in `data`, at least one: whatever it is, an answer and never an exception."""
    if at.tzinfo is None:
        raise TypeError("`at` must be aware: examine(..., at=datetime.now(UTC))")
    found = _read(data)
    if isinstance(found, CredentialError):
        return (_unread(found, number=1, name="read", at=at),)
    return tuple(examine_all(found, trust=trust, at=at))


def examine_many(
    files: Iterable[bytes | str], *, trust: Trust, at: datetime
) -> Iterator[tuple[Verdict, ...]]:
    """What `examine` says of each, in their order, a sixth sooner.

    A few dozen are read, then those are verified: reading and signatures drive each other out of the processor's
    caches, so they take turns seldom.
    """
    waiting = iter(files)
    while some := list(islice(waiting, AT_ONCE)):
        read_already = [_read(data) for data in some]
        carried = [one for found in read_already if isinstance(found, tuple) for one in found]
        verdicts = iter(examine_all(carried, trust=trust, at=at))
        for found in read_already:
            if isinstance(found, CredentialError):
                yield (_unread(found, number=1, name="read", at=at),)
            else:
                yield tuple(islice(verdicts, len(found)))


def examine_all(carried: Iterable[Carried], *, trust: Trust, at: datetime) -> list[Verdict]:
    """A verdict on each text or run of bytes: steps 2 and 3 for all of them, then the rest."""
    decoded = [_decoded(one, trust, at) for one in carried]
    return [
        one
        if isinstance(one, Verdict)
        else examine_envelope(one[0], one[1], trust=trust, at=at, place=one[2])
        for one in decoded
    ]


def examine_carried(carried: Carried, *, trust: Trust, at: datetime) -> Verdict:
    """A verdict on one text or one run of bytes: steps 2 to 10."""
    return examine_all((carried,), trust=trust, at=at)[0]


def _read(data: bytes | str) -> tuple[Carried, ...] | CredentialError:
    try:
        return containers.unpack(read(data.encode(errors="replace") if isinstance(data, str) else data))
    except CredentialError as wrong:
        return wrong


def _decoded(carried: Carried, trust: Trust, at: datetime) -> Verdict | tuple[Envelope, Format, str]:
    try:
        form = recognise(carried)
    except UnknownFormat as wrong:
        return _unread(wrong, number=2, name="format", at=at, place=carried.place)
    try:
        envelope = decode(form, carried, contexts=trust.issuers.contexts)
    except CredentialError as wrong:
        return _unread(wrong, number=3, name="decode", at=at, place=carried.place, form=form.NAME)
    return envelope, form, carried.place


def recognise(carried: Carried) -> Format:
    """Step 2. Raises UnknownFormat."""
    for form in FORMATS:
        if form.recognise(carried):
            return form
    raise UnknownFormat(
        "something is written here, but in no format that is known",
        code="unknown-format",
        hint="Ask for the credential's own QR code or file; a link or a receipt cannot be examined.",
    )


def examine_envelope(
    envelope: Envelope, form: Format, *, trust: Trust, at: datetime, place: str = ""
) -> Verdict:
    """Steps 4 to 10, on what was decoded."""
    steps = [Step(2, "format", YES, form.NAME), Step(3, "decode", YES, "decoded")]
    for code, sentence in envelope.faults:
        steps.append(Step(4, "form", NO, code, sentence))
    if not envelope.faults:
        steps.append(Step(4, "form", YES, "as-required"))

    signer, authentic = find_signer(envelope, trust.issuers, steps)
    warnings = list(envelope.warnings)
    own = form.steps(envelope, signer) if signer else ()
    if envelope.faults:
        authentic = Part(NO, "form", envelope.faults[0][0])
    entitled = _entitled(envelope, signer, authentic, trust, at, warnings)
    in_time = _in_time(envelope, signer, trust, at)
    not_taken_back = (
        Part(OPEN, "not-asked")
        if signer is None and authentic.outcome is NO
        else _not_taken_back(envelope, signer, trust, at, warnings)
    )
    for part, code, detail in own:
        if part == "authentic":
            authentic = Part(NO, code, detail)
        elif part == "entitled":
            entitled = Part(NO, code, detail)
        elif part == "in_time":
            in_time = Part(NO, code, detail)
    for number, name, part_ in (
        (7, "entitled", entitled),
        (8, "in time", in_time),
        (9, "taken back", not_taken_back),
    ):
        steps.append(Step(number, name, part_.outcome, part_.code, part_.rests_on))

    facts = None
    if (
        signer is not None
        and authentic.outcome is YES
        and entitled.outcome is YES
        and in_time.outcome is YES
        and not_taken_back.outcome is YES
    ):
        facts = Facts(
            format=form.NAME,
            content=envelope.content,
            issuer=signer.issuer,
            claims=envelope.claims,
            issued=envelope.issued,
            valid_from=envelope.valid_from,
            valid_until=envelope.valid_until,
            verified_at=at,
            seal=SEAL,
        )
        steps.append(Step(10, "facts", YES, "believed"))
    leniencies = envelope.leniencies
    if signer is not None and signer.certificate is not None:
        leniencies += signer.certificate.leniencies
    return Verdict(
        format=form.NAME,
        authentic=authentic,
        in_time=in_time,
        not_taken_back=not_taken_back,
        entitled=entitled,
        steps=tuple(steps),
        leniencies=leniencies,
        warnings=tuple(warnings),
        envelope=envelope,
        facts=facts,
        issuer=signer.issuer if signer else None,
        hint=_next_step(authentic, in_time, not_taken_back, entitled),
        at=at,
        place=place,
    )


def find_signer(envelope: Envelope, issuers: TrustList, steps: list[Step]) -> tuple[Signer | None, Part]:
    """Steps 5 and 6: every signature must hold, each with one of the keys that may have made it."""
    if not envelope.signatures and envelope.unchecked is None:
        steps.append(Step(6, "signature", NO, "not-signed"))
        return None, Part(NO, "not-signed")
    signer: Signer | None = None
    without: list[Part] = []
    for signed in envelope.signatures:
        found = issuers.find(signed.hint)
        if not found.signers and (by := _first_fitting(signed, found.unnamed)[0]) is not None:
            signer = by  # A key handed over without a name: that it fits is all there is to know.
            continue
        if not found.signers:
            steps.append(Step(5, "issuer", OPEN, found.code, ", ".join(signed.hint.ids)))
            part = _without_key(signed, found.code, steps)
            if part.outcome is NO:
                return None, part
            without.append(part)
            continue
        signer, wrong = _first_fitting(signed, found.signers)
        if signer is None:
            steps.append(Step(5, "issuer", YES, "key-found", found.signers[0].source))
            steps.append(Step(6, "signature", NO, wrong))
            return None, Part(NO, wrong, _key_name(signed))
        if len(found.signers) > 1:
            signer = _entitled_first(signer, found.signers, envelope.content.kind)
    if envelope.unchecked is not None:
        steps.append(Step(6, "signature", OPEN, *envelope.unchecked))
        return None, Part(OPEN, *envelope.unchecked)
    if without:
        return None, next((part for part in without if part.outcome is OPEN), without[0])
    assert signer is not None
    steps.append(Step(5, "issuer", YES, "key-found", signer.source))
    steps.append(Step(6, "signature", YES, "signature-verified"))
    return signer, Part(YES, "signature-verified", _key_name(envelope.signatures[0]))


def _entitled_first(fitting: Signer, signers: Iterable[Signer], kind: str) -> Signer:
    """Of several entries of the key that fits, the one that is listed for this kind."""
    same = [one for one in signers if one.spki == fitting.spki]
    return next((one for one in same if one.kinds is None or kind in one.kinds), fitting)


def _first_fitting(signed: Signed, signers: Iterable[Signer]) -> tuple[Signer | None, str]:
    code = "signature-wrong"
    for signer in signers:
        try:
            _check(signer.key, signed)
        except SignatureWrong as wrong:
            code = wrong.code
            continue
        except CredentialError:
            code = "algorithm-mismatch"
            continue
        return signer, ""
    return None, code


def _check(key: PublicKey, signed: Signed) -> None:
    """One signature, as any of the ways it may be read. Raises as verify_signature does, for the first."""
    try:
        verify_signature(key, signed.algorithm, signed.message, signed.signature)
    except SignatureWrong:
        for algorithm, message in signed.alternatives:
            with suppress(SignatureWrong):
                return verify_signature(key, algorithm, message, signed.signature)
        raise


def _without_key(signed: Signed, code: str, steps: list[Step]) -> Part:
    """No listed key: still no where the issuer's keys are known and this is none of them, and still authentic
    where the issuer's name is its key (did:key, did:jwk), which entitles nobody to anything."""
    if code in ("key-not-of-issuer", "not-the-issuer"):
        return Part(NO, "key-not-of-issuer", _key_name(signed))
    if signed.hint.jwk is None:
        return Part(OPEN, "no-key", _key_name(signed))
    try:
        _check(from_jwk(signed.hint.jwk), signed)
    except CredentialError as wrong:
        steps.append(Step(6, "signature", NO, "signature-wrong", str(wrong)))
        return Part(NO, "signature-wrong", _key_name(signed))
    steps.append(Step(6, "signature", YES, "signature-verified"))
    return Part(YES, "signature-verified", _key_name(signed))


def _entitled(
    envelope: Envelope,
    signer: Signer | None,
    authentic: Part,
    trust: Trust,
    at: datetime,
    warnings: list[str],
) -> Part:
    """Step 7."""
    if signer is None:
        if authentic.code == "key-not-of-issuer":
            return Part(NO, "not-the-issuer", authentic.rests_on)
        if authentic.outcome is NO:
            return Part(OPEN, "not-asked")
        if envelope.unchecked is not None:
            return Part(OPEN, "issuer-unproven", envelope.unchecked[0])
        return Part(OPEN, "trust-missing" if not len(trust.issuers) else "issuer-unknown", authentic.rests_on)
    kind = envelope.content.kind
    if signer.kinds is not None and kind not in signer.kinds:
        return Part(NO, "kind-not-entitled", f"{kind}: {', '.join(sorted(signer.kinds))}")
    territory = envelope.content.territory
    if signer.territories is not None and territory and territory not in signer.territories:
        return Part(NO, "territory-not-entitled", f"{territory}: {', '.join(sorted(signer.territories))}")
    issued = envelope.issued or envelope.valid_from
    if signer.withdrawn is not None and (issued is None or issued >= signer.withdrawn):
        return Part(NO, "issuer-withdrawn", signer.withdrawn)
    if issued is not None and (
        (signer.since is not None and issued < signer.since)
        or (signer.until is not None and issued > signer.until)
    ):
        return Part(NO, "outside-period", f"{signer.since or ''}/{signer.until or ''}")
    age = _age(signer.source, at)
    if age is not None:
        if trust.policy.refuses(kind, age) or _lapsed(signer.source, at):
            return Part(OPEN, "trust-stale", f"{signer.source.name}, {age.days} days old")
        if trust.policy.warns(kind, age):
            warnings.append("trust-ageing")
    return Part(YES, "listed", signer.source)


def _in_time(envelope: Envelope, signer: Signer | None, trust: Trust, at: datetime) -> Part:
    """Step 8: the clock, the credential's dates, then those of its signer's certificate."""
    slack = trust.policy.tolerance
    if trust.floor is not None and at < trust.floor - slack:
        return Part(OPEN, "clock-set-back", trust.floor)
    start, end, issued = envelope.valid_from, envelope.valid_until, envelope.issued
    if end is not None and ((start or issued) or end) > end:
        return Part(NO, "dates-contradict", f"{(start or issued)}/{end}")
    if issued is not None and issued > at + slack:
        return Part(NO, "issued-in-future", issued)
    if start is not None and start > at + slack:
        return Part(NO, "not-yet-valid", start)
    if end is not None and end < at:
        return Part(NO, "expired", end)
    if signer is not None and signer.certificate is not None:
        certificate = signer.certificate
        if at > certificate.not_after:
            return Part(NO, "signer-expired", certificate.not_after)
        if at + slack < certificate.not_before:
            return Part(NO, "not-yet-valid", certificate.not_before)
        if issued is not None and not certificate.not_before - slack <= issued <= certificate.not_after:
            return Part(NO, "signed-outside-key", certificate.not_before)
    if end is None:
        return Part(YES, "no-end-date", issued or "")
    return Part(YES, "within-dates", end)


def _not_taken_back(
    envelope: Envelope, signer: Signer | None, trust: Trust, at: datetime, warnings: list[str]
) -> Part:
    """Step 9: every list the credential names, and every list its issuer is known to publish."""
    asked = trust.taken_back.ask(envelope, signer, at, trust.policy)
    warnings.extend(asked.warnings)
    return Part(asked.outcome, asked.code, asked.rests_on)


def _age(source: Source, at: datetime) -> timedelta | None:
    return None if source.issued is None else max(at - source.issued, timedelta(0))


def _lapsed(source: Source, at: datetime) -> bool:
    return source.expires is not None and at > source.expires


def _key_name(signed: Signed) -> str:
    hint = signed.hint
    return next(iter(hint.ids), "") or hint.issuer


def _next_step(*parts: Part) -> str:
    for outcome in (NO, OPEN):
        for part in parts:
            if part.outcome is outcome and part.code in HINTS:
                return HINTS[part.code]
    return ""


HINTS: dict[str, str] = {
    "signature-wrong": "Do not accept it. Ask for the original from the issuer.",
    "form": "Ask its holder for a corrected one: the issuer must make it again.",
    "no-key": "Bring the trust list up to date (`landbridge trust update`), or give the issuer's key with --trust.",
    "issuer-unknown": "Bring the trust list up to date, or ask the secretariat whether this issuer has joined.",
    "trust-missing": "Fetch a trust list with `landbridge trust update`, or give one with --trust.",
    "trust-stale": "Bring the trust list up to date with `landbridge trust update`.",
    "expired": "Ask for one that has not expired.",
    "list-missing": "Bring the lists up to date with `landbridge trust update`.",
    "list-stale": "Bring the lists up to date with `landbridge trust update`.",
    "possibly-taken-back": "Ask its issuer: lists of this kind are short, and name a few by accident.",
    "clock-set-back": "Set the clock of this device.",
    "context-unknown": "Nothing is fetched: give a copy of the context named here that you trust with --trust, "
    'as {"documentUrl": "https://…", "document": {"@context": …}}.',
    "suite-unknown": "Ask its holder for the same credential with another proof.",
    "base-proof": "Ask its holder to derive from it what he wants to show.",
    "terms-exchangeable": "Ask its holder for the same certificate in another form, such as an EU digital certificate.",
}


def _unread(
    wrong: CredentialError, *, number: int, name: str, at: datetime, place: str = "", form: str = ""
) -> Verdict:
    """Where reading ended: a known format that cannot be decoded is refused, anything else stays open."""
    refused = isinstance(wrong, Malformed)
    code = "damaged" if refused else "unknown-format" if isinstance(wrong, UnknownFormat) else "unreadable"
    if wrong.code in SENTENCES:
        code = wrong.code
    return Verdict(
        format=form,
        authentic=Part(NO if refused else OPEN, code, wrong.code),
        in_time=Part(OPEN, "dates-unread"),
        not_taken_back=Part(OPEN, "status-not-asked"),
        entitled=Part(OPEN, "issuer-not-asked"),
        steps=(Step(number, name, NO if refused else OPEN, wrong.code, str(wrong)),),
        hint=wrong.hint,
        at=at,
        place=place,
    )
