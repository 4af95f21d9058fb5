"""The formats credentials come in: one module each, all behind one protocol, asked in turn.

A format is a module with these names:

| name                        | what it is                                                                          |
|-----------------------------|-------------------------------------------------------------------------------------|
| `NAME`, `TITLE`             | its name in answers, and in words                                                   |
| `recognise(carried)`        | True where it is this format's to read, right or wrong                              |
| `decode(carried)`           | the Envelope; raises Malformed                                                      |
| `steps(envelope, signer)`   | the format's own checks once the signer is known: `(part, code, detail)` for each   |
|                             | that fails; `part` is one of the verdict's four                                     |

What it says goes into `Envelope.content` at decoding; `verify` makes Facts of it once it is believed.
"""

from collections.abc import Mapping
from typing import Protocol

from landbridge.prove.carrier import Carried
from landbridge.prove.envelope import Envelope
from landbridge.prove.formats import cosevc, hcert, integrity, jwtvc, mdoc, sdjwt, shc, vdsnc
from landbridge.prove.formats.shc import link as shlink
from landbridge.prove.trust.list import Signer


class Format(Protocol):
    """What every module of this folder is."""

    NAME: str
    TITLE: str

    def recognise(self, carried: Carried) -> bool: ...

    def decode(self, carried: Carried) -> Envelope: ...

    def steps(self, envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]: ...


FORMATS: tuple[Format, ...] = (hcert, mdoc, vdsnc, shc, shlink, sdjwt, jwtvc, cosevc, integrity)
"""Asked in this order; the first that recognises a text reads it."""


def decode(form: Format, carried: Carried, *, contexts: Mapping[str, bytes]) -> Envelope:
    """What the format reads; `contexts`, URL → JSON-LD, are an operator's own, for the one format made of such words.

    Raises CredentialError.
    """
    return integrity.decode(carried, contexts=contexts) if form is integrity else form.decode(carried)
