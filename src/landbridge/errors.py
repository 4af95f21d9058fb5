"""What can go wrong, and what to do next.

LandbridgeError                 500
├── UsageError                  400  the request is malformed; `parameter` names the part
├── NotFound                    404  no such record, member, source or kind
├── Gone                        410  the record was there and was withdrawn
├── ConfigError                 500  a file or setting of ours is wrong
├── StorageError                507  our disk or database refuses: nothing half-written is kept
├── SourceError                 502  a member's register
│   ├── SourceFileError              its TOML cannot be used
│   ├── RowError                     one row cannot be read: it is quarantined
│   │   ├── UnmappedField            a field nobody has accounted for
│   │   ├── UnknownValue             a word that is not in [values.…]
│   │   ├── MissingField             a required value is not there
│   │   └── BadValue                 a value that cannot be read as its type
│   └── FetchError                   the register could not be read: the run stops, good data stays
│       ├── Refused                  it does not answer, or answers with a failure
│       ├── Forbidden                an address or redirect that may not be reached, or a refused login
│       ├── Slowdown                 429 or 503: come back after `retry_after` seconds
│       ├── Drift                    it answers in another shape than before (HTML for JSON, a path that moved)
│       ├── Broken                   the body is cut, is not what it says, or is too large
│       └── Looping                  a page or token that came before
├── HeldRun                     409  a run that waits for a person
├── CredentialError             422  a credential cannot be believed; `step` says where it failed, `code` why
│   ├── Unreadable                   the file, picture or text carries nothing that could be examined
│   ├── UnknownFormat                something is there, and no format knows it
│   └── Malformed                    a format knows it and cannot read it: cut, altered, or wrongly made
└── RuleError                   422  a rule cannot be decided

Every error carries an HTTP `status` and, where there is one, a `hint`: the next step in plain words.
"""

from typing import ClassVar


class LandbridgeError(Exception):
    """The root: `str(error)` says what is wrong, `hint` says what to do."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(LandbridgeError):
    """A request that cannot be understood; `parameter` is its part."""

    status = 400

    def __init__(self, message: str, *, parameter: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.parameter = parameter


class NotFound(LandbridgeError):
    status = 404


class Gone(LandbridgeError):
    status = 410


class ConfigError(LandbridgeError):
    """A file or setting of this instance."""


class StorageError(LandbridgeError):
    """Our own disk or database refuses."""

    status = 507


class SourceError(LandbridgeError):
    """A member's register; `source` is `member/name`."""

    status = 502

    def __init__(self, source: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{source}: {message}" if source else message, hint=hint)
        self.source = source
        self.reason = message


class SourceFileError(SourceError):
    """The TOML of a source cannot be used."""


class RowError(SourceError):
    """One row cannot be read. `code`, `field` and `value` group the quarantine."""

    code: ClassVar[str] = "row"

    def __init__(
        self, source: str, message: str, *, field: str = "", value: str = "", hint: str = ""
    ) -> None:
        super().__init__(source, message, hint=hint)
        self.field = field
        self.value = value[:200]


class UnmappedField(RowError):
    code = "unmapped-field"


class UnknownValue(RowError):
    code = "unknown-value"


class MissingField(RowError):
    code = "missing-field"


class BadValue(RowError):
    code = "bad-value"


class FetchError(SourceError):
    """The register could not be read; what was harvested before stays."""

    code: ClassVar[str] = "fetch"


class Refused(FetchError):
    code = "refused"


class Forbidden(FetchError):
    code = "forbidden"


class Slowdown(FetchError):
    code = "slow-down"

    def __init__(
        self, source: str, message: str, *, retry_after: float | None = None, hint: str = ""
    ) -> None:
        super().__init__(source, message, hint=hint)
        self.retry_after = retry_after


class Drift(FetchError):
    code = "drift"


class Broken(FetchError):
    code = "broken"


class Looping(FetchError):
    code = "looping"


class HeldRun(SourceError):
    """A run that would do something a person must see first."""

    status = 409


class CredentialError(LandbridgeError):
    """A credential that cannot be believed: `code` says why, `step` at which step of `verify` it was seen."""

    status = 422
    step: ClassVar[str] = "verify"

    def __init__(self, message: str, *, code: str = "refused", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class Unreadable(CredentialError):
    """Nothing could be taken from what was handed over."""

    step = "read"


class UnknownFormat(CredentialError):
    step = "format"


class Malformed(CredentialError):
    step = "decode"


class RuleError(LandbridgeError):
    status = 422
