"""A vacancy as schema.org's JobPosting, in JSON-LD: what the record says, and nothing that it does not say.

It stands in the record's page as a data block, `<script type="application/ld+json">`: browsers do not run it, and
`script-src` does not stop it. Our own connector for such pages reads it back to the same values.
"""

import html
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from markupsafe import Markup

from landbridge.find.record import Record
from landbridge.kinds.kind import Kind
from landbridge.kinds.values import Concept, Money, Place
from landbridge.portal.words import outside, tag

KIND: Final = "vacancy"
_AS_IT_IS = {  # theirs = our field
    "title": "title",
    "datePosted": "published",
    "dateModified": "updated",
    "validThrough": "expires",
    "jobStartDate": "starts",
    "totalJobOpenings": "openings",
    "educationRequirements": "education",
    "experienceRequirements": "experience",
}
_AS_HTML = {"description": "description", "jobBenefits": "benefits"}
_AS_WORDS = {"occupationalCategory": "occupation", "industry": "category", "skills": "skills"}
_PERIODS = {"hour": "HOUR", "day": "DAY", "week": "WEEK", "month": "MONTH", "year": "YEAR"}
_EMPLOYMENT = {  # schema.org has one word for contract and hours; what it has no word for is left out
    "full-time": "FULL_TIME",
    "part-time": "PART_TIME",
    "fixed-term": "TEMPORARY",
    "temporary": "TEMPORARY",
    "seasonal": "TEMPORARY",
    "internship": "INTERN",
    "volunteer": "VOLUNTEER",
    "self-employed": "CONTRACTOR",
}


def job_posting(record: Record, kind: Kind, *, base: str, path: str) -> dict[str, Any] | None:
    """The posting of a record that is alive; None for other kinds and for what is gone.

    `base` is the absolute address of this site, `path` that of the record's page on it.
    """
    if kind.name != KIND or kind.personal or record.gone is not None:
        return None
    values = {name: v for name in kind.fields if (v := getattr(record.values, name)) not in (None, "", ())}
    page = f"{base}{path}"
    remote = "remote" in values.get("remote", ())
    places = values.get("places", ())
    posting: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "identifier": {"@type": "PropertyValue", "name": record.source, "value": record.id},
        "url": outside(values.get("url", "")) or page,
        "mainEntityOfPage": page,
        "inLanguage": tag(record.language),
        **{theirs: values.get(ours) for theirs, ours in _AS_IT_IS.items()},
        **{theirs: _as_html(values.get(ours, "")) for theirs, ours in _AS_HTML.items()},
        **{theirs: _words(values.get(ours, ())) for theirs, ours in _AS_WORDS.items()},
        "employmentType": list(dict.fromkeys(_employment(values))),
        "jobLocation": [one for place in places if (one := _location(place))],
        "baseSalary": _salary(values["pay"]) if "pay" in values else None,
        "directApply": False,
    }
    if employer := values.get("employer"):
        posting["hiringOrganization"] = _filled(
            {
                "@type": "Organization",
                "name": employer.name,
                "identifier": employer.id,
                "sameAs": outside(employer.url),
            }
        )
    if remote:
        countries = dict.fromkeys(p.country for p in places if p.country)
        posting["jobLocationType"] = "TELECOMMUTE"
        posting["applicantLocationRequirements"] = [{"@type": "Country", "name": c} for c in countries]
    return _filled(posting)


def block(posting: dict[str, Any]) -> Markup:
    """The posting as it may stand inside a script element: no text of a register can end the element."""
    text = msgspec.json.encode(posting).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def _filled(properties: dict[str, Any]) -> dict[str, Any]:
    """What has a value; of a list with one value, the value."""
    kept = {n: v for n, v in properties.items() if v is False or v not in (None, "", [], {})}
    return {n: v[0] if isinstance(v, list) and len(v) == 1 else v for n, v in kept.items()}


def _as_html(text: str) -> str:
    """schema.org wants HTML: the text escaped, its line ends kept."""
    return html.escape(text, quote=False).replace("\n", "<br>\n")


def _words(concepts: tuple[Concept, ...]) -> list[str]:
    return [c.text for c in concepts if c.text]


def _employment(values: dict[str, Any]) -> Iterator[str]:
    for name in ("hours", "contract"):
        yield from (_EMPLOYMENT[v] for v in values.get(name, ()) if v in _EMPLOYMENT)


def _location(place: Place) -> dict[str, Any] | None:
    address = {
        "addressCountry": place.country,
        "addressRegion": place.region,
        "addressLocality": place.city,
        "streetAddress": "" if place.city or place.region else place.text,
    }
    if not any(address.values()):
        return None
    location: dict[str, Any] = {"@type": "Place", "address": _filled({"@type": "PostalAddress", **address})}
    if place.lat is not None and place.lon is not None:
        location["geo"] = {"@type": "GeoCoordinates", "latitude": place.lat, "longitude": place.lon}
    return location


def _salary(money: Money) -> dict[str, Any] | None:
    """The pay where its currency and period are known; a bound that is not known is not there."""
    low, high = money.low, money.high
    if not money.currency or money.period not in _PERIODS or (low is None and high is None):
        return None
    amounts = {"value": low} if low == high else {"minValue": low, "maxValue": high}
    value = {
        "@type": "QuantitativeValue",
        "unitText": _PERIODS[money.period],
        **{n: v for n, v in amounts.items() if v is not None},
    }
    return {"@type": "MonetaryAmount", "currency": money.currency, "value": value}
