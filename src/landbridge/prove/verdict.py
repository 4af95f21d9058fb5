"""A verdict: what was found about a credential, in four named parts, each yes, no or open.

| part             | the question                                        |
|------------------|-----------------------------------------------------|
| `authentic`      | Is it as its issuer signed it, and well formed?     |
| `in_time`        | Is it valid at this moment?                         |
| `not_taken_back` | Has its issuer not withdrawn it?                    |
| `entitled`       | May this issuer say this at all?                    |

The outcome is yes only when all four are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from landbridge.prove.envelope import Envelope
from landbridge.prove.facts import Facts, Issuer, Outcome
from landbridge.prove.keys import base64url
from landbridge.prove.trust.list import Source

PARTS = ("authentic", "in_time", "not_taken_back", "entitled")


class Part(msgspec.Struct, frozen=True):
    """One of the four answers: its machine code, and the fact it rests on (a date, a list, a key's name)."""

    outcome: Outcome
    code: str
    rests_on: str | datetime | Source = ""

    @property
    def sentence(self) -> str:
        """The code in plain English; the portal translates the same sentence."""
        return SENTENCES[self.code]


class Step(msgspec.Struct, frozen=True):
    """One numbered step of `verify` that was taken, and how it went."""

    number: int
    name: str
    outcome: Outcome
    code: str
    detail: str | datetime | Source = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one credential. `facts` is there only when the outcome is yes."""

    format: str
    authentic: Part
    in_time: Part
    not_taken_back: Part
    entitled: Part
    steps: tuple[Step, ...]
    leniencies: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What an officer should know and what turns nothing red: an unknown code, a list that is getting old."""
    envelope: Envelope | None = None
    facts: Facts | None = None
    issuer: Issuer | None = None
    """Whose signature it carries, once that is verified."""
    hint: str = ""
    """The next step, where there is one to take."""
    at: datetime
    place: str = ""
    """Where in what was handed over the credential was found."""

    @property
    def outcome(self) -> Outcome:
        return Outcome.of(
            (
                self.authentic.outcome,
                self.in_time.outcome,
                self.not_taken_back.outcome,
                self.entitled.outcome,
            )
        )

    @property
    def parts(self) -> Mapping[str, Part]:
        return {name: getattr(self, name) for name in PARTS}

    @property
    def believed(self) -> bool:
        return self.facts is not None

    def to_json(self) -> dict[str, Any]:
        """The public form: format, outcome, parts, steps, leniencies, and the claims as written."""
        envelope, issuer = self.envelope, self.issuer
        return {
            "format": self.format,
            "outcome": str(self.outcome),
            "parts": {
                name: {
                    "outcome": str(part.outcome),
                    "code": part.code,
                    "sentence": part.sentence,
                    "rests_on": written(part.rests_on),
                }
                for name, part in self.parts.items()
            },
            "steps": [
                {
                    "number": one.number,
                    "name": one.name,
                    "outcome": str(one.outcome),
                    "code": one.code,
                    "detail": written(one.detail),
                }
                for one in self.steps
            ],
            "leniencies": list(self.leniencies),
            "warnings": list(self.warnings),
            "hint": self.hint,
            "at": self.at.isoformat(),
            "place": self.place,
            "kind": envelope.content.kind if envelope else "",
            "issuer": {
                "id": issuer.id if issuer else envelope.issuer if envelope else "",
                "name": issuer.name if issuer else "",
                "territory": issuer.territory if issuer else "",
            },
            "issued": _moment(envelope.issued if envelope else None),
            "valid_from": _moment(envelope.valid_from if envelope else None),
            "valid_until": _moment(envelope.valid_until if envelope else None),
            "believed": self.believed,
            "claims": plain(envelope.claims) if envelope else None,
        }


def whole(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The public form of everything found in one file: its verdict, or of several the whole outcome and each."""
    if len(verdicts) == 1:
        return verdicts[0].to_json()
    return {
        "format": "several",
        "outcome": str(Outcome.of(tuple(one.outcome for one in verdicts))),
        "credentials": [one.to_json() for one in verdicts],
    }


def written(fact: str | datetime | Source) -> str:
    """A fact as text: a date in ISO 8601, a list with its date."""
    if isinstance(fact, str):
        return fact
    if isinstance(fact, datetime):
        return fact.isoformat()
    return f"{fact.name}, {fact.issued.date().isoformat()}" if fact.issued else fact.name


def plain(value: Any) -> Any:
    """Claims of any encoding as JSON: bytes become base64url, dates ISO 8601, map keys text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return base64url(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tag"):
        return plain(value.value)
    return str(value)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


SENTENCES: dict[str, str] = {
    # authentic
    "signature-verified": "It is exactly as its issuer signed it.",
    "signature-wrong": "It was changed after it was signed, or never signed by the issuer it names.",
    "algorithm-mismatch": "It is signed in a way that does not fit the issuer's key.",
    "algorithm-refused": "It is signed in a way that nobody should accept.",
    "not-signed": "It carries no signature.",
    "digest-mismatch": "A part of it is not what its issuer signed.",
    "damaged": "It is damaged: it cannot be read to the end.",
    "form": "Its contents are not as its format requires.",
    "no-key": "The key of its issuer is not at hand, so the signature could not be checked.",
    "key-not-of-issuer": "It is signed with a key that is not one of its issuer's.",
    "unreadable": "Nothing that could be examined was found.",
    "unknown-format": "Something is written here, but in no format that is known.",
    "link-to-fetch": "It is a link to a document, and not the document.",
    "context-unknown": "What its words mean is written elsewhere, and that is not at hand: its signature could not be checked.",
    "suite-unknown": "It is signed in a way that is not known here, so the signature could not be checked.",
    "base-proof": "It is its holder's own copy: what it shows must be taken out of it first.",
    "terms-exchangeable": "Some of its values could have been exchanged without breaking its signature.",
    "dropped-term": "Something in it is not covered by its signature.",
    "disguised-term": "It is written so that a reader could be shown something else than was signed.",
    "qr-part-missing": "A part of it is missing: it is printed as several codes.",
    # in_time
    "within-dates": "It is valid at this time.",
    "no-end-date": "It names no date on which it ends.",
    "expired": "It has expired.",
    "not-yet-valid": "It is not valid yet.",
    "issued-in-future": "It was issued after the time your clock shows.",
    "signer-expired": "The key of its issuer has expired.",
    "signed-outside-key": "It was issued when its issuer's key was not yet, or no longer, to be used.",
    "dates-contradict": "Its own dates contradict each other.",
    "clock-set-back": "Your clock shows a time that has already passed: set it, and ask again.",
    "dates-unread": "Its dates could not be read.",
    # not_taken_back, entitled
    "not-asked": "It is not authentic, so this was not asked.",
    # not_taken_back
    "not-on-list": "Its issuer's list does not name it as withdrawn.",
    "no-list": "Its issuer publishes no list of what was withdrawn.",
    "taken-back": "Its issuer has withdrawn it.",
    "suspended": "Its issuer has suspended it.",
    "possibly-taken-back": "A list says that it may have been withdrawn: ask the issuer.",
    "list-unknown": "Its issuer is not known here, nor whether there is a list of what it withdrew.",
    "list-missing": "The list that says whether it was withdrawn is not at hand.",
    "list-stale": "The list that says whether it was withdrawn is too old.",
    "list-unreadable": "The list that says whether it was withdrawn cannot be read or believed.",
    "status-not-asked": "Whether it was withdrawn was not asked, because it could not be read.",
    # entitled
    "listed": "Its issuer is on the trust list for this.",
    "kind-not-entitled": "Its issuer may not issue this kind of document.",
    "territory-not-entitled": "Its issuer may not speak for this country.",
    "issuer-withdrawn": "Its issuer had been taken off the trust list when it was issued.",
    "outside-period": "Its issuer was not on the trust list when it was issued.",
    "not-the-issuer": "It is signed with a key that belongs to somebody else than the issuer it names.",
    "issuer-unknown": "Its issuer is not on the trust lists you hold.",
    "trust-missing": "You hold no trust list.",
    "trust-stale": "Your trust list is too old to rely on.",
    "issuer-unproven": "Whose signature it carries could not be established.",
    "issuer-not-asked": "Who issued it could not be read.",
}
