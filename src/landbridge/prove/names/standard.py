"""A name as an issuer writes it for machines: Latin capitals and `<`, after ICAO Doc 9303-3, section 6."""

from landbridge.prove.names.spelling import ANY, letters, normal, standards

_LONGEST = 80
_PREFERRED = "icao"


def standardise(name: str) -> str:
    """The first of the spellings of Doc 9303's tables for every letter; where those have none, the usual one.

    Words are parted by `<`; apostrophes fall away (D'Artagnan: DARTAGNAN). What no table knows is left out, so that
    the result may be empty. Whoever issues shows it to the person: a passport may have another spelling.
    """
    parts = "".join(
        " " if not sign.isalpha() and sign not in "'’ʼ`´" and ord(sign) < 0x300 else sign for sign in name
    )
    return "<".join(word for word in map(_word, parts.split()) if word)[:_LONGEST]


def _word(text: str) -> str:
    bit = standards()[_PREFERRED][0]
    spelt = letters([normal(text)])
    found, at = [], 0
    while at < len(spelt.edges):
        options = [(taken, written, mask, price) for taken, (written, mask, price) in spelt.edges[at]]
        if not options:
            at += 1
            continue
        taken, written, _, _ = min(
            options,
            # Of equals the longer: Doc 9303 has Ü as UE before U; XX and YY mark what only machines should read.
            key=lambda one: (
                one[3],
                one[2] == ANY,
                not one[2] & bit,
                "XX" in one[1] or "YY" in one[1],
                -one[0],
                -len(one[1]) if one[2] & bit and one[2] != ANY else 0,
            ),
        )
        found.append(written)
        at += max(1, taken)
    return "".join(sign for sign in "".join(found) if "A" <= sign <= "Z")
