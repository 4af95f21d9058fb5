"""Dunmark: an event feed with removals, pages with JSON-LD, and applicants; in five languages and English."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from html import escape
from typing import Any

from landbridge.world.draw import CLOCK, Draw, Job
from landbridge.world.formats import as_json, json_list
from landbridge.world.registers.recorded import (
    HOSTILE,
    Files,
    Recorded,
    draw_jobs,
    draw_people,
    study,
    word_of,
)


def dunmark_jobs() -> list[Job]:
    """The jobs in the feed of the employment service; the board of the south posts some of them again."""
    return draw_jobs(Draw("xd/feed"), "xd", [("nb", "NOK", 66), ("de", "EUR", 54), ("en", "NOK", 20)])


def _salary(draw: Draw, job: Job) -> dict[str, Any]:
    source = "xd/feed"
    unit = draw.pick(["month", "month", "hour", "year", ""])
    if not unit:
        text = {"nb": "Lønn etter avtale", "de": "nach Vereinbarung"}.get(job.language, "By agreement")
        return {"from": None, "to": None, "currency": job.currency, "unit": "", "text": text}
    share = {"month": 1.0, "hour": 1 / 173, "year": 12.0}[unit]
    digits = 1 if unit == "hour" else None
    low, high = (round(amount * share, digits) for amount in (job.low, job.high))
    word = word_of(source, "pay.period", unit)
    text = f"{low} - {high} {job.currency} / {word}"
    return {"from": low, "to": high, "currency": job.currency, "unit": word, "text": text}


def service_feed(draw: Draw) -> tuple[Recorded, Files]:
    """The feed of Dunmark's employment service: what came and what went, in two pages."""
    source = "xd/feed"
    made = Recorded()
    rows: dict[int, dict[str, Any]] = {}
    for job in dunmark_jobs():
        title = f"{job.title} (m/w/d)" if job.language == "de" and job.number % 2 else job.title
        row = {
            "uuid": f"d0{job.number:06}-0000-4000-8000-{job.number * 7919:012}",
            "event": job.number,
            "sistEndret": f"{min(CLOCK, job.published + timedelta(days=1)).isoformat()}T06:30:00+01:00",
            "removed": False,
            "ad": {
                "title": title,
                # escaped twice on its way through two systems
                "description": escape(escape("<ul>" + "".join(f"<li>{t}</li>" for t in job.tasks) + f"</ul><p>{job.need} {job.offer}</p>")),
                "employer": {"name": job.employer, "orgnr": f"9{sum(map(ord, job.employer)):08}"},
                "workLocations": [
                    {"city": job.spot.city, "county": job.spot.region, "lat": job.spot.lat, "lon": job.spot.lon}
                ],
                "salary": _salary(draw, job),
                "category": {"code": job.trade.isco, "name": job.title},
                "engagementtype": word_of(source, "contract", job.contract),
                "extent": word_of(source, "hours", job.hours),
                "remote": word_of(source, "remote", job.remote),
                "positioncount": job.openings,
                "published": f"{job.published.isoformat()}T06:00:00+01:00",
                "expires": f"{job.expires.isoformat()}T23:59:59+01:00",
                "medium": "Dunmark",
                "contactList": [],
                "link": f"https://arbeid.dunmark.example/stilling/{job.number}",
            },
        }  # fmt: skip
        rows[job.number] = row
        made.add(row)
        if job.number in (33, 101):
            made.repeat(row)
        if job.number in (48, 84):
            made.correct(row | {"ad": row["ad"] | {"positioncount": 400}})  # type: ignore[operator]
        if job.number == 70:
            made.spoil(
                row | {"uuid": "bad-1", "ad": row["ad"] | {"horoscope": "Fisch"}},  # type: ignore[operator]
                "unmapped-field", "ad.horoscope", "a field that nobody has accounted for",
            )  # fmt: skip
        if job.number == 92:
            made.spoil(
                row | {"uuid": "bad-2", "ad": row["ad"] | {"engagementtype": "Livstid"}},  # type: ignore[operator]
                "unknown-value", "contract", "a word that is in no table",
            )  # fmt: skip
        if job.number % 12 == 0 and job.number > 20:
            earlier = rows[job.number - 15]
            made.withdraw(
                {
                    "uuid": earlier["uuid"],
                    "event": 1000 + job.number,
                    "removed": True,
                    "removed_date": CLOCK.isoformat(),
                }
            )
    half = len(made.rows) // 2
    return made, {
        "feed-1.json": json_list(
            '{"version":"1.0","next_url":"/api/v1/feed/2","items":', made.rows[:half], "}"
        ),
        "feed-2.json": json_list('{"version":"1.0","next_url":null,"items":', made.rows[half:], "}"),
    }


_UNITS = {"month": "MONTH", "hour": "HOUR", "year": "YEAR"}


def southern_board(draw: Draw) -> tuple[Recorded, Files]:
    """The job board of Dunmark's south: pages with JSON-LD, some of it for jobs that the feed has too."""
    made = Recorded()
    jobs = draw_jobs(draw, "xd", [("fr", "EUR", 48), ("es", "EUR", 20), ("ar", "EUR", 16)])
    again = [replace(job, number=900 + job.number) for job in dunmark_jobs() if job.number % 15 == 7]
    for job in [*jobs, *again]:
        title = f"{job.title} (H/F)" if job.language == "fr" and job.number % 2 else job.title
        kind = "INTERN" if job.number % 17 == 3 else "TEMPORARY" if job.contract == "temporary" else ""
        value: dict[str, Any] = {
            "@type": "QuantitativeValue",
            "minValue": job.low,
            "maxValue": job.high,
            "unitText": "MONTH",
        }
        if job.number % 4 == 1:
            value |= {
                "minValue": round(job.low / 152, 2),
                "maxValue": round(job.high / 152, 2),
                "unitText": "HOUR",
            }
        if job.number > 900:  # the board says more than the employer does
            value = {
                "@type": "QuantitativeValue",
                "minValue": job.high * 12,
                "maxValue": job.high * 15,
                "unitText": "YEAR",
            }
        row: dict[str, Any] = {
            "@context": "https://schema.org/",
            "@type": "JobPosting",
            "title": title,
            "identifier": {"@type": "PropertyValue", "name": "emplois-du-sud", "value": f"S-{job.number:04}"},
            "description": escape("<p>" + "</p><p>".join([*job.tasks, job.need, job.offer]) + "</p>"),
            "datePosted": f"{job.published:%d/%m/%Y}",
            "validThrough": f"{job.expires:%d/%m/%Y}",
            "employmentType": [
                t for t in ({"part-time": "PART_TIME"}.get(job.hours, "FULL_TIME"), kind) if t
            ],
            "hiringOrganization": {
                "@type": "Organization",
                "name": job.employer,
                "sameAs": "https://employer.dunmark.example/",
            },
            "jobLocation": {
                "@type": "Place",
                "address": {
                    "@type": "PostalAddress",
                    "addressLocality": job.spot.city,
                    "addressRegion": job.spot.region,
                    "addressCountry": "XD",
                },
                "geo": {"@type": "GeoCoordinates", "latitude": job.spot.lat, "longitude": job.spot.lon},
            },
            "totalJobOpenings": job.openings,
            "directApply": False,
            "url": f"https://emplois-du-sud.dunmark.example/offre/{job.number}",
        }
        if job.number % 5:
            row["baseSalary"] = {"@type": "MonetaryAmount", "currency": job.currency, "value": value}
        if job.remote == "remote":
            row["jobLocationType"] = "TELECOMMUTE"
        if job.number == 12:
            row["description"] = HOSTILE.format(job.tasks[0])
        made.add(row)
        if job.number == 40:  # the first one again, on another page
            made.repeat(made.rows[0])
        if job.number == 42:
            made.spoil(
                row | {"identifier": {"@type": "PropertyValue", "value": "S-bad-1"}, "validThrough": "15/14/2026"},
                "bad-value", "expires", "no such month",
            )  # fmt: skip
        if job.number == 57:
            made.spoil(
                row | {"identifier": {"@type": "PropertyValue", "value": "S-bad-2"}, "title": "<b></b>"},
                "missing-field", "title", "a title of markup alone",
            )  # fmt: skip
        if job.number == 73:
            made.spoil(None, "row", "", "the block of JSON-LD is cut")
    pages = [made.rows[at : at + 12] for at in range(0, len(made.rows), 12)]
    return made, {f"offres-{n:02}.html": _page(page) for n, page in enumerate(pages, 1)}


def _page(rows: Sequence[Any]) -> bytes:
    blocks = [
        f'<script type="application/ld+json">\n{as_json(row).replace("</", "<" + chr(92) + "/") if row else _CUT}\n</script>'
        for row in rows
    ]
    head = (
        '<!doctype html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n<title>Emplois du Sud</title>\n'
    )
    return (head + "\n".join(blocks) + "\n</head>\n<body><p>Emplois du Sud</p></body>\n</html>\n").encode()


_CUT = '{"@context": "https://schema.org/", "@type": "JobPosting", "title": "Boulanger", "identifier": {"value": "S-'


def applicants(draw: Draw) -> tuple[Recorded, Files]:
    """Dunmark's applicants: one page of JSON."""
    source = "xd/kandidaten"
    made = Recorded()
    names = {
        "de": "Deutsch",
        "fr": "français",
        "nb": "norsk",
        "es": "español",
        "ar": "العربية",
        "en": "English",
    }
    wanted = [("de", "EUR", 32), ("fr", "EUR", 22), ("nb", "NOK", 20), ("es", "EUR", 10), ("ar", "EUR", 6)]
    for who in draw_people(draw, "xd", wanted):
        ref = f"A-{who.number * 3 + 5000}"
        later = draw.pick(["NOW", "NOW", "MONTH", "LATER"])
        hourly = draw.chance(0.2)
        row = {
            "ref": ref,
            "language": who.language,
            "occupation": {"isco": who.trade.isco, "label": who.title},
            "home": {"city": who.spot.city, "region": who.spot.region, "lat": who.spot.lat, "lon": who.spot.lon},
            "expected": {
                "amount": round(who.pay / 160) if hourly else who.pay,
                "currency": who.currency,
                "per": "hour" if hourly else "month",
            },
            "contract": draw.pick(["PERMANENT", "PERMANENT", "FIXED", "SEASONAL", "ANY"]),
            "hours": draw.pick(["FULL", "FULL", "PART", "SHIFT"]),
            "remote": word_of(source, "remote", "on-site"),
            "availability": later,
            "mobility": draw.pick(["NONE", "DUNMARK", "ABROAD", "ABROAD"]),
            "availableFrom": {"NOW": None, "MONTH": "2026-12-01", "LATER": "2027-03-01"}[later],
            "experienceYears": who.years,
            "education": study(who.trade.group, "ISCED 2", "ISCED 3", "ISCED 6"),
            "skills": who.skills,
            "spoken": [{"name": names[code], "code": code} for code in dict.fromkeys([who.language, draw.pick(["de", "en"])])],
            "summary": who.summary,
            "confirmed": who.confirmed.isoformat(),
            "listedUntil": (who.confirmed + timedelta(days=90)).isoformat(),
            "link": f"https://arbeid.dunmark.example/applicants/{ref}",
        }  # fmt: skip
        made.add(row)
        if who.number == 17:
            made.repeat(row)
        if who.number == 36:
            made.contradict(row | {"experienceYears": 45})
        if who.number == 55:
            made.spoil(
                row | {"ref": "A-1", "experienceYears": "seit gestern"},
                "bad-value",
                "years",
                "a number in words",
            )
        if who.number == 68:
            made.spoil(
                row | {"ref": "A-2", "occupation": {"isco": "9999", "label": None}},
                "missing-field", "title", "it names no occupation",
            )  # fmt: skip
    return made, {
        "applicants.json": json_list(f'{{"total":{len(made.rows)},"applicants":', made.rows, "}"),
    }
