"""Altania: a state vacancy bank in paged JSON, Russian and Kazakh, and a table of job seekers."""

from datetime import timedelta
from typing import Any

from landbridge.world.draw import CLOCK, Draw, Job, phrases
from landbridge.world.formats import csv_table, json_list
from landbridge.world.registers.recorded import (
    HIDDEN_SPACE,
    HOSTILE,
    OVERRIDE,
    POP,
    Files,
    Recorded,
    draw_jobs,
    draw_people,
    grouped,
    study,
    word_of,
)


def altanian_bank_jobs() -> list[Job]:
    """The jobs of the state vacancy bank; Eastmere passes some of them on."""
    return draw_jobs(
        Draw("xa/vacancies"),
        "xa",
        [("ru", "KZT", 92), ("ru", "RUB", 14), ("ru", "USD", 4), ("kk", "KZT", 50)],
    )


_COINS = {"KZT": "тенге", "RUB": "«руб.»", "USD": "доллары США"}


def _bank_row(draw: Draw, job: Job) -> dict[str, Any]:
    source = "xa/vacancies"
    shown = draw.pick(["range", "range", "from", "upto", "open", "fixed"])
    low = job.low if shown in ("range", "from", "fixed") else 0
    high = {"range": job.high, "upto": job.high, "fixed": job.low}.get(shown, 0)
    said = {
        "range": f"от {low} до {high}",
        "from": f"от {low}",
        "upto": f"до {high}",
        "fixed": f"{low}",
        "open": "по договорённости",
    }[shown]
    kazakh = job.language == "kk"
    text = "<p>" + "</p><p>".join([*job.tasks, job.offer]) + "</p>"
    row: dict[str, Any] = {
        "id": f"xa-{20260000 + job.number * 7}",
        "source": "Служба занятости Алтании",
        "job-name": "" if kazakh else job.title,
        "region": {"code": f"{40 + int(job.spot.lat)}00000000", "name": job.spot.region},
        "company": {
            "name": job.employer,
            "ogrn": f"{sum(map(ord, job.employer)):013}",
            "inn": "0000000000",
        },
        "creation-date": job.published.isoformat(),
        "date_modify": f"{min(CLOCK, job.published + timedelta(days=job.number % 20)).isoformat()}T09:{job.number % 60:02}:00+0500",
        "closing-date": job.expires.isoformat(),
        "salary": said,
        "salary_min": low,
        "salary_max": high,
        "currency": _COINS[job.currency],
        "salary_tax": draw.pick(["до вычета налогов", "на руки", ""]),
        "employment": word_of(source, "contract", job.contract),
        "schedule": "Вахтовый метод"
        if job.trade.group == "build" and job.hours == "shift"
        else word_of(source, "hours", job.hours),
        "workplace": word_of(source, "remote", job.remote),
        "duty": "" if kazakh else text,
        "requirement": {
            "qualification": "" if kazakh else job.need,
            "experience": job.years,
            "education": study(job.trade.group, "Среднее", "Среднее профессиональное", "Высшее"),
        },
        "category": {"specialisation": job.title},
        "code_profession": job.trade.isco,
        "addresses": {
            "address": [
                {"locality": job.spot.city, "lat": f"{job.spot.lat:.4f}", "lng": f"{job.spot.lon:.4f}"}
            ]
        },
        "skills": [],
        "work_places": job.openings,
        "social_protected": "",
        "contact_list": [{"type": "в личном кабинете работодателя"}],
        "vac_url": f"https://work.altania.example/vacancy/{20260000 + job.number * 7}",
    }
    if kazakh:
        row |= {"job-name-kk": job.title, "duty-kk": f"{text}<p>{job.need}</p>"}
    return row


def _also(row: dict[str, Any], job: Job, language: str) -> dict[str, Any]:
    """The same vacancy in a further language."""
    words = phrases(language)
    return row | {
        f"job-name-{language}": words.title[job.trade.name],
        f"duty-{language}": " ".join(words.task[job.trade.group]),
    }


def vacancy_bank(draw: Draw) -> tuple[Recorded, Files]:
    """Altania's state vacancy bank: three pages of JSON."""
    made = Recorded()
    jobs = altanian_bank_jobs()
    for job in jobs:
        row = _bank_row(draw, job)
        if job.language == "ru" and job.number % 3 == 0:
            row = _also(row, job, "kk")
        if job.number % 4 == 1:
            row = _also(row, job, "en")
        match job.number:
            case 11:  # markup that would like to run
                row["duty"] = HOSTILE.format(job.tasks[0])
            case 24:  # signs that nobody sees, and one that turns the rest round
                row["job-name"] = (
                    f"{HIDDEN_SPACE}{row['job-name'] or row['job-name-kk']}\ufeff{OVERRIDE}!{POP}"
                )
            case 37:  # dollars where tenge were meant
                row |= {"salary_min": 30_000_000, "salary_max": 30_000_000, "currency": "доллары США"}
            case 52:  # an advertisement in a third language, under the Russian name
                words = phrases("en")
                row |= {
                    "job-name": words.title[job.trade.name],
                    "job-name-kk": "",
                    "duty": " ".join([*words.task[job.trade.group], *words.need[:2], words.offer[0]]),
                    "duty-kk": "",
                    "requirement": {"qualification": words.need[2], "experience": 1, "education": ""},
                }
            case _:
                pass
        made.add(row)
        if job.number in (18, 61, 95):
            made.repeat(row)
        if job.number in (29, 77):  # posted twice under one number, with other pay
            made.contradict(row | {"salary": "до 990000", "salary_min": 0, "salary_max": 990_000})
        if job.number == 40:
            made.spoil(
                row | {"id": "xa-bad-1", "schedule": "Сутки через трое"},
                "unknown-value", "hours", "a word that is in no table",
            )  # fmt: skip
        if job.number == 66:
            made.spoil(
                row | {"id": "xa-bad-2", "job-name": "", "job-name-kk": " "},
                "missing-field", "title", "it names no job in either language",
            )  # fmt: skip
        if job.number == 88:
            made.spoil(
                row | {"id": "xa-bad-3", "salary_min": -5000},
                "bad-value", "pay", "pay below zero",
            )  # fmt: skip
        if job.number == 104:
            made.spoil(
                row | {"id": "xa-bad-4", "mood_score": 0.93},
                "unmapped-field", "mood_score", "a field that nobody has accounted for",
            )  # fmt: skip
    pages = [made.rows[at : at + 60] for at in range(0, len(made.rows), 60)]
    return made, {
        f"vacancies-{n}.json": json_list(
            f'{{"status":"200","meta":{{"total":{len(made.rows)},"limit":60}},"results":{{"vacancies":',
            [{"vacancy": row} for row in page],
            "}}",
        )
        for n, page in enumerate(pages)
    }


_TONGUES = {
    "ru": "русский", "kk": "казахский", "ky": "киргизский", "uz": "узбекский", "en": "английский",
}  # fmt: skip


def resumes(draw: Draw) -> tuple[Recorded, Files]:
    """Altania's cards of job seekers: a table with semicolons."""
    made = Recorded()
    people = draw_people(
        draw,
        "xa",
        [("ru", "KZT", 50), ("kk", "KZT", 26), ("ky", "KZT", 12), ("uz", "KZT", 10), ("en", "KZT", 4)],
        "ru",
    )
    for who in people:
        row = {
            "номер": f"CV{100000 + who.number * 13}",
            "категория_учета": draw.pick(["1", "2", "3"]),
            "язык_анкеты": who.language,
            "профессия": who.title,
            "код": who.trade.isco,
            "город": who.spot.city,
            "регион": who.spot.region,
            "широта": f"{who.spot.lat:.2f}".replace(".", ","),
            "долгота": f"{who.spot.lon:.2f}".replace(".", ","),
            "зарплата": draw.pick(
                [
                    f"от {grouped(who.pay, ' ')} тенге",
                    f"{grouped(who.pay, ' ')} тг в месяц на руки",
                    "по договорённости",
                ]
            ),
            "договор": draw.pick(["постоянная", "постоянная", "временная", "сезонная", "любая"]),
            "график": draw.pick(["полный день", "полный день", "неполный день", "смены", "вахта"]),
            "готовность": draw.pick(["сразу", "сразу", "в течение месяца", "позднее"]),
            "переезд": draw.pick(["не готов", "по стране", "за границу"]),
            "стаж": str(who.years),
            "образование": study(who.trade.group, "среднее", "среднее профессиональное", "высшее"),
            "навыки": ", ".join(who.skills),
            "языки": ", ".join(
                dict.fromkeys([_TONGUES[who.language], "русский", draw.pick(["английский", "казахский"])])
            ),
            "о_себе": who.summary,
            "подтверждено": f"{who.confirmed:%d.%m.%Y}",
            "ссылка": f"https://work.altania.example/cv/{100000 + who.number * 13}",
        }
        made.add(row)
        if who.number == 21:
            made.repeat(row)
        if who.number == 33:
            made.contradict(row | {"зарплата": "900 000 тенге"})
        if who.number == 47:
            made.spoil(
                row | {"номер": "CV1", "готовность": "после дождичка в четверг"},
                "unknown-value", "availability", "a word that is in no table",
            )  # fmt: skip
        if who.number == 58:
            made.spoil(
                row | {"номер": "CV2", "подтверждено": "31.02.2026"},
                "bad-value", "updated", "no such day",
            )  # fmt: skip
    return made, {"cv.csv": csv_table(made.rows, ";").encode()}
