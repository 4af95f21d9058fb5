"""What a reader forgives, code and sentence: harmless slips of living issuers, each counted and told with the verdict.

Nothing here touches what was signed, by whom, or until when: what would is a fault, and the answer is no.
"""

LENIENCIES: dict[str, str] = {
    # COSE and CBOR
    "alg-unprotected": "The signature's algorithm stands where it is not signed; it must fit the issuer's key all the same.",
    "kid-unprotected": "The name of the issuer's key stands where it is not signed; the signature shows whether it is right.",
    "cose-trailing-bytes": "Bytes follow its end. They are not read.",
    "payload-trailing-bytes": "Bytes follow the end of its claims. They are not read.",
    "date-not-integer": "A date is written as something else than a whole number of seconds.",
    # certificates
    "certificate-trailing-bytes": "Bytes follow the end of the issuer's certificate. They are not read.",
    "certificate-serial": "The serial number of the issuer's certificate is not above zero.",
    "certificate-not-strict": "The issuer's certificate is not encoded by the rules; its key, names and dates can be read.",
    "certificate-empty-usage": "The issuer's certificate has a list of what it is for, and nothing is on it.",
    # EU certificates
    "array-null": "A group it does not use is there and empty.",
    "several-entries": "It holds several entries of one kind; the latest is the one that counts.",
    "date-tagged": "A date is written as CBOR's own kind of date and not as text.",
    "date-with-time": "A day is written with a time.",
    "time-without-zone": "A time is written without its zone.",
    "dose-not-integer": "A number of doses is written with a decimal point.",
    "dose-odd": "A number of doses is zero, or above 99.",
    "code-with-blanks": "Blanks surround a code.",
    "code-misspelt": "A code is one sign away from one that exists; it stays unknown.",
    "name-not-standardised": "The name for passports has other signs than A to Z.",
    "text-too-long": "A text is longer than 80 characters.",
    # SMART Health Cards
    "qr-in-parts": "It is printed as several codes, which is no longer done.",
    "qr-part-alone": "It is printed as part 1 of 1.",
    "qr-part-twice": "One of its codes was read twice.",
    "qr-parts-needless": "It is printed as several codes although one would hold it.",
    "qr-parts-uneven": "Its codes are of different sizes.",
    "blanks-around": "Blanks surround it.",
    "jws-too-long": "It is longer than one code may hold.",
    "deflate-trailing-bytes": "Bytes follow the end of the compressed part. They are not read.",
    "payload-not-minified": "It was signed with blanks between its parts.",
    "exp-milliseconds": "Its end is written in milliseconds; it is read as the earlier date that is meant.",
    "vc-type-missing": "Its types do not name all it holds.",
    "vc-type-needless": "Its types name what it does not hold.",
    "vc-type-unknown": "One of its types is not one of the framework's.",
    "fhir-version": "It names another version of FHIR than 4.",
    "beyond-profile": "It says more than the smallest card needs.",
    "beyond-profile-form": "What it says beyond that is not well formed; nothing rests on it.",
    "subject-not-named": "An entry does not say whom it is about; the card names one person.",
    "resource-id": "An entry has an identifier.",
    "resource-meta": "An entry says things about itself that no card needs.",
    "resource-text": "An entry carries a text for reading.",
    "concept-text": "A code carries a text beside it.",
    "coding-display": "A code carries its name beside it.",
    "url-not-short": "The address of an entry is not of the short form.",
    "url-twice": "Two entries have the same address.",
    "reference-not-short": "An entry names another by a long address.",
    "reference-unresolved": "An entry names another that is not on the card.",
    # seals
    "base64-alphabet": "Its signature or certificate is written in the older alphabet of base64.",
    # mobile documents
    "device-not-checked": "Whether it was shown from its holder's own device was not checked: only its issuer's part is read.",
    "short-random": "An element is hidden by fewer random bytes than the standard asks for.",
    "valid-before-signed": "It is valid from a moment before it was signed.",
    # SD-JWT
    "key-binding-unchecked": "Its holder's signature was not checked: the issuer names the holder's key in an unknown way.",
}

WARNINGS: dict[str, str] = {
    "code-unknown": "A code in it is in no list held here; a rule that needs that value stays open.",
    "trust-ageing": "The trust list is getting old.",
    "list-ageing": "The list of what was taken back is getting old.",
}


def sentence(code: str) -> str:
    """The sentence of a leniency or a warning, also of one that names a field: `code-unknown: tt`."""
    bare = code.partition(":")[0]
    return LENIENCIES.get(bare) or WARNINGS[bare]
