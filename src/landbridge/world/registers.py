"""The registers of the fictitious union, each with its own format, its own words and its own faults.

The faults are meant: repeats, the same key with other content, rows that cannot be understood, hostile markup,
invisible signs, absurd pay. The words are those of the source files, so the two cannot part.
"""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from html import escape
from typing import Any

from landbridge.world.draw import CLOCK, FOLDER, Draw, Job, Person, phrases, spots
from landbridge.world.formats import as_json, csv_table, element, gzipped, json_list, misread, workbook

_HOSTILE = (
    '<p>{}</p><script>document.title="owned"</script><img src=x onerror="alert(1)">'
    '<a href="javascript:alert(1)">+</a><style>body{{display:none}}</style>'
)
_HIDDEN_SPACE, _OVERRIDE, _POP = "\u200b", "\u202e", "\u202c"


@dataclass
class Recorded:
    """The rows of one register, with what a harvest must make of each."""

    rows: list[Any] = field(default_factory=list)
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    duplicate_key: int = 0
    gone: int = 0
    quarantine: list[tuple[str, str, str]] = field(default_factory=list)  # code, field, why

    def add(self, row: Any) -> None:
        self.rows.append(row)
        self.new += 1

    def repeat(self, row: Any) -> None:
        """The same row once more."""
        self.rows.append(row)
        self.unchanged += 1

    def contradict(self, row: Any) -> None:
        """The same key with other content."""
        self.rows.append(row)
        self.duplicate_key += 1

    def correct(self, row: Any) -> None:
        """A later version, in a register that tells what happened: there the last one counts."""
        self.rows.append(row)
        self.changed += 1

    def withdraw(self, row: Any) -> None:
        """A row that says that an earlier one is gone."""
        self.rows.append(row)
        self.unchanged += 1
        self.gone += 1

    def spoil(self, row: Any, code: str, of: str, why: str) -> None:
        """A row that must be quarantined, for a true reason."""
        self.rows.append(row)
        self.quarantine.append((code, of, why))


Files = dict[str, bytes]
Register = Callable[[Draw], tuple[Recorded, Files]]


@cache
def _share(source: str) -> dict[str, Any]:
    member, name = source.split("/")
    return tomllib.loads((FOLDER / "members" / member / "shares" / f"{name}.toml").read_text("utf-8"))


def _word(source: str, of: str, ours: str, beside: str = "") -> str:
    """The register's own word for one of ours; where it has several, the one in the script of `beside`."""
    theirs = [word for word, code in _share(source)["values"][of].items() if code == ours]
    if beside:
        theirs = [word for word in theirs if ord(word[0]) >> 7 == ord(beside[0]) >> 7]
    return str(theirs[0]) if theirs else ""


def _jobs(draw: Draw, member: str, wanted: Sequence[tuple[str, str, int]]) -> list[Job]:
    """Jobs by language and currency, mixed."""
    found = [
        (draw.number(), draw.job(0, member, language, currency))
        for language, currency, count in wanted
        for _ in range(count)
    ]
    mixed = [job for _, job in sorted(found, key=lambda pair: pair[0])]
    return [replace(job, number=at) for at, job in enumerate(mixed, 1)]


def _people(draw: Draw, member: str, wanted: Sequence[tuple[str, str, int]], home: str = "") -> list[Person]:
    found = [
        (draw.number(), draw.person(0, member, language, currency, home))
        for language, currency, count in wanted
        for _ in range(count)
    ]
    mixed = [person for _, person in sorted(found, key=lambda pair: pair[0])]
    return [replace(person, number=at) for at, person in enumerate(mixed, 1)]


def _study(group: str, low: str, middle: str, high: str) -> str:
    if group in ("health", "teach", "tech", "office"):
        return high
    return middle if group in ("build", "make", "move") else low


def _grouped(amount: float, mark: str) -> str:
    return f"{amount:,.0f}".replace(",", mark)


# Altania


def altanian_bank_jobs() -> list[Job]:
    """The jobs of the state vacancy bank; Eastmere passes some of them on."""
    return _jobs(
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
        "employment": _word(source, "contract", job.contract),
        "schedule": "Вахтовый метод"
        if job.trade.group == "build" and job.hours == "shift"
        else _word(source, "hours", job.hours),
        "workplace": _word(source, "remote", job.remote),
        "duty": "" if kazakh else text,
        "requirement": {
            "qualification": "" if kazakh else job.need,
            "experience": job.years,
            "education": _study(job.trade.group, "Среднее", "Среднее профессиональное", "Высшее"),
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
                row["duty"] = _HOSTILE.format(job.tasks[0])
            case 24:  # signs that nobody sees, and one that turns the rest round
                row["job-name"] = (
                    f"{_HIDDEN_SPACE}{row['job-name'] or row['job-name-kk']}\ufeff{_OVERRIDE}!{_POP}"
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
    people = _people(
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
                    f"от {_grouped(who.pay, ' ')} тенге",
                    f"{_grouped(who.pay, ' ')} тг в месяц на руки",
                    "по договорённости",
                ]
            ),
            "договор": draw.pick(["постоянная", "постоянная", "временная", "сезонная", "любая"]),
            "график": draw.pick(["полный день", "полный день", "неполный день", "смены", "вахта"]),
            "готовность": draw.pick(["сразу", "сразу", "в течение месяца", "позднее"]),
            "переезд": draw.pick(["не готов", "по стране", "за границу"]),
            "стаж": str(who.years),
            "образование": _study(who.trade.group, "среднее", "среднее профессиональное", "высшее"),
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


# Bambusia


def _dong(draw: Draw, job: Job) -> str:
    low, high = job.low / 1e6, job.high / 1e6
    return draw.pick(
        [
            f"{low:g} - {high:g} triệu",
            f"{low:g} - {high:g} triệu/tháng",
            f"Tới {high:g} triệu",
            f"Từ {low:g} triệu",
            f"{_grouped(job.low, '.')} - {_grouped(job.high, '.')} đ/tháng",
            f"{_grouped(round(job.low / 26, -4), '.')} đ/ngày",
            f"Trên {_grouped(job.low, ',')} VND",
            "Thương lượng",
            "Thỏa thuận",
        ]
    )


def open_table(draw: Draw) -> tuple[Recorded, Files]:
    """Bambusia's open table: CSV in UTF-8 that is declared as something else, with rows that were misread before."""
    source = "xb/jobs"
    made = Recorded()
    for job in _jobs(draw, "xb", [("vi", "VND", 112), ("en", "USD", 40)]):
        vietnamese = job.language == "vi"
        key = f"BM{job.number * 31 + 4000}"
        row = {
            "STT": str(job.number),
            "Ma_tin": key,
            "Chuc_danh": job.title,
            "Cong_ty": job.employer,
            "Noi_lam_viec": job.spot.city,
            "Tinh": job.spot.region,
            "Toa_do": f"{job.spot.lat:.2f}, {job.spot.lon:.2f}",
            "Muc_luong": _dong(draw, job) if vietnamese else f"{job.low} - {job.high} USD",
            "Nganh_nghe": "",
            "Loai_hop_dong": _word(source, "contract", job.contract),
            "Hinh_thuc": _word(source, "hours", job.hours),
            "Dia_diem_lam_viec": _word(source, "remote", job.remote),
            "Kinh_nghiem": f"{job.years} năm" if job.years else "Không yêu cầu",
            "So_luong": str(job.openings),
            "Mo_ta": "\n".join(f"- {task}" for task in job.tasks),
            "Yeu_cau": job.need,
            "Quyen_loi": job.offer,
            "Ngay_dang": f"{job.published:%d/%m/%Y}",
            "Han_nop": f"{job.expires:%d/%m/%Y}",
            "Luot_xem": str(draw.between(0, 900)),
            "Lien_ket": f"https://jobs.bambusia.example/tin/{key}",
        }
        if vietnamese and job.number % 12 == 5:
            row |= {name: misread(row[name]) for name in ("Chuc_danh", "Mo_ta", "Yeu_cau", "Quyen_loi")}
        match job.number:
            case 16:
                row["Mo_ta"] = _HOSTILE.format(job.tasks[0])
            case 44:  # a slip: dollars for dong
                row["Muc_luong"] = "30,000,000 - 40,000,000 USD"
            case 83:  # neither of the two languages
                words = phrases("ru")
                row |= {
                    "Chuc_danh": words.title[job.trade.name],
                    "Mo_ta": " ".join(words.task[job.trade.group]),
                    "Yeu_cau": words.need[0],
                    "Quyen_loi": words.offer[1],
                }
            case _:
                pass
        made.add(row)
        if job.number in (27, 90):
            made.repeat(row)
        if job.number == 59:
            made.contradict(row | {"Muc_luong": "Tới 95 triệu"})
        if job.number == 35:
            made.spoil(
                row | {"Ma_tin": "BM1", "Ngay_dang": "31/02/2026"}, "bad-value", "published", "no such day"
            )
        if job.number == 71:
            made.spoil(row | {"Ma_tin": ""}, "missing-field", "id", "a row without its number")
        if job.number == 99:
            made.spoil(
                row | {"Ma_tin": "BM2", "Hinh_thuc": "Khi nào rảnh"},
                "unknown-value", "hours", "a word that is in no table",
            )  # fmt: skip
        if job.number == 120:
            cut = {name: row[name] for name in ("STT", "Chuc_danh")}
            made.spoil(cut, "row", "", "the row has fewer cells than the table has columns")
    return made, {"viec-lam.csv": csv_table(made.rows).encode()}


# Coraland


def _rupiah(draw: Draw, job: Job) -> str:
    if job.currency == "MYR":
        return draw.pick(
            [
                f"RM {job.low:,} - RM {job.high:,} sebulan",
                f"RM{job.low:,} sebulan",
                f"RM {job.low // 26} sehari",
                "Boleh runding",
            ]
        )
    low, high = _grouped(job.low, "."), _grouped(job.high, ".")
    return draw.pick(
        [
            f"Rp {low} – Rp {high} per bulan",
            f"Rp{low} – Rp{high} per bulan",
            f"Rp {job.low / 1e6:g} - {job.high / 1e6:g} juta/bulan".replace(".", ","),
            f"Rp {_grouped(round(job.low / 25, -3), '.')} per hari",
            f"Mulai Rp {low} per bulan",
            "Negosiasi",
            "Gaji dirahasiakan",
        ]
    )


_BULAN = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
]


def _tanggal(day: date) -> str:
    return f"{day.day} {_BULAN[day.month - 1]} {day.year}"


def western_islands(draw: Draw) -> tuple[Recorded, Files]:
    """The workbook of Coraland's western islands."""
    source = "xc/lowongan"
    made = Recorded()
    for job in _jobs(draw, "xc", [("id", "IDR", 72), ("ms", "MYR", 40)]):
        row: dict[str, str | int | float] = {
            "No": job.number,
            "Bahasa": job.language,
            "Kode lowongan": f"KB/{2026}/{job.number * 17:05}",
            "Jabatan": job.title,
            "Perusahaan": job.employer,
            "Kota": job.spot.city,
            "Provinsi": job.spot.region,
            "Lintang": job.spot.lat,
            "Bujur": job.spot.lon,
            "Gaji": _rupiah(draw, job),
            "Status kerja": _word(source, "contract", job.contract),
            "Waktu kerja": _word(source, "hours", job.hours),
            "Tempat kerja": _word(source, "remote", job.remote),
            "Pengalaman (tahun)": job.years,
            "Pendidikan": _study(job.trade.group, "SMA", "SMK", "S1"),
            "Kebutuhan": job.openings,
            "Uraian tugas": "\n".join(job.tasks),
            "Syarat": job.need,
            "Fasilitas": job.offer,
            "Tanggal tayang": _tanggal(job.published),
            "Batas lamaran": _tanggal(job.expires),
            "Tautan": f"https://barat.kerja.coraland.example/l/{job.number * 17}",
        }
        if job.number == 9:
            row["Uraian tugas"] = _HOSTILE.format(job.tasks[0])
        made.add(row)
        if job.number in (20, 80):
            made.repeat(row)
        if job.number == 31:
            made.contradict(row | {"Kebutuhan": 250})
        if job.number == 45:
            made.spoil(
                row | {"Kode lowongan": "KB/0/1", "Tanggal tayang": "45 Oktober 2026"},
                "bad-value", "published", "no such day",
            )  # fmt: skip
        if job.number == 60:
            made.spoil(
                row | {"Kode lowongan": "KB/0/2", "Lintang": 512.0},
                "bad-value", "places.lat", "no such latitude",
            )  # fmt: skip
        if job.number == 75:
            made.spoil(
                row | {"Kode lowongan": "KB/0/3", "Jabatan": ""}, "missing-field", "title", "it names no job"
            )
    sheets: dict[str, Sequence[Sequence[str | int | float]]] = {
        "Petunjuk": [["Daftar lowongan kerja kepulauan barat"], ["Diperbarui setiap hari kerja"]],
        "Lowongan": [
            ["Daftar lowongan kerja"],
            ["Keadaan: 1 November 2026"],
            list(made.rows[0]),
            *(list(row.values()) for row in made.rows),
        ],
    }
    return made, {"lowongan.xlsx": workbook(sheets)}


def internships(draw: Draw) -> tuple[Recorded, Files]:
    """Coraland's internships: packed JSON, one a line, with occupation codes."""
    source = "xc/magang"
    made = Recorded()
    for job in _jobs(draw, "xc", [("id", "IDR", 52)]):
        key = f"MG-{job.number * 11 + 700}"
        row = {
            "id_lowongan": key,
            "posisi": f"Magang {job.title}",
            "perusahaan": {"nama": job.employer, "nib": f"{sum(map(ord, job.employer)):013}"},
            "lokasi": {
                "kota": job.spot.city, "provinsi": job.spot.region, "lat": job.spot.lat, "lon": job.spot.lon,
            },
            "jabatan": {"kode": job.trade.isco, "nama": job.title},
            "uang_saku": {"nominal": draw.pick([0, 1_500_000, 2_000_000, 2_500_000]), "mata_uang": "IDR", "per": "bulan"},
            "cara_kerja": _word(source, "remote", job.remote),
            "kuota": job.openings,
            "kuota_terisi": 0,
            "deskripsi": " ".join(job.tasks),
            "syarat": job.need,
            "tanggal_buka": job.published.isoformat(),
            "tanggal_tutup": (job.expires + timedelta(days=60)).isoformat(),
            "mulai_magang": (job.expires + timedelta(days=75)).isoformat(),
            "tautan": f"https://magang.coraland.example/{key}",
        }  # fmt: skip
        made.add(row)
        if job.number == 14:
            made.repeat(row)
        if job.number == 22:
            made.contradict(row | {"kuota": 99})
        if job.number == 30:
            made.spoil(
                row | {"id_lowongan": "MG-1", "cara_kerja": "dari bulan"},
                "unknown-value", "remote", "a word that is in no table",
            )  # fmt: skip
        if job.number == 41:
            made.spoil(None, "row", "", "the line is cut in the middle of its object")
    lines = [as_json(row) if row else as_json(made.rows[0])[:90] for row in made.rows]
    return made, {"magang.ndjson.gz": gzipped(("\n".join(lines) + "\n").encode())}


def eastern_islands(draw: Draw) -> tuple[Recorded, Files]:
    """Coraland's eastern islands: one JSON list; most are open until filled."""
    source = "xc/trabaho"
    made = Recorded()
    for job in _jobs(draw, "xc", [("fil", "PHP", 48), ("en", "PHP", 24)]):
        job = _on(job, draw, "fil") if job.language == "en" else job
        key = f"T{job.number * 9 + 1000}"
        closes = job.published + timedelta(days=25) if job.number % 8 == 3 else None
        row = {
            "jobId": key,
            "position": job.title,
            "company": {"name": job.employer},
            "location": {
                "city": job.spot.city, "province": job.spot.region,
                "latitude": f"{job.spot.lat:.3f}", "longitude": f"{job.spot.lon:.3f}",
            },
            "salary": draw.pick(
                [
                    f"₱{job.low:,} - ₱{job.high:,} kada buwan",
                    f"₱{job.low:,}/month",
                    f"₱{round(job.low / 26, -1):,.0f} kada araw",
                    f"PHP {job.low // 1000}k-{job.high // 1000}k per month",
                    "Maaaring pag-usapan",
                ]
            ),
            "psoc": job.trade.isco,
            "employmentType": _word(source, "contract", job.contract),
            "schedule": _word(source, "hours", job.hours),
            "workSetup": _word(source, "remote", job.remote),
            "minYears": job.years,
            "slots": job.openings,
            "description": "<ul>" + "".join(f"<li>{task}</li>" for task in job.tasks) + "</ul>",
            "qualifications": job.need,
            "benefits": job.offer,
            "postedAt": f"{job.published:%m/%d/%Y}",
            "closesAt": f"{closes:%m/%d/%Y}" if closes else None,
            "link": f"https://silangan.kerja.coraland.example/jobs/{key}",
        }  # fmt: skip
        if job.number == 10:
            row["description"] = _HOSTILE.format(job.tasks[0])
        made.add(row)
        if job.number == 17:
            made.repeat(row)
        if job.number == 26:
            made.contradict(row | {"salary": "₱999,000 kada buwan"})
        if job.number == 38:
            made.spoil(
                row | {"jobId": "T1", "link": "javascript:alert(document.cookie)"},
                "bad-value", "url", "an address that is a script",
            )  # fmt: skip
        if job.number == 50:
            made.spoil(
                row | {"jobId": "T2", "minYears": "mga lima"}, "bad-value", "years", "a number in words"
            )
    return made, {
        "trabaho.json": json_list(f'{{"data":{{"count":{len(made.rows)},"jobs":', made.rows, "}}"),
    }


def _on(job: Job, draw: Draw, language: str) -> Job:
    """The job where advertisements are in `language` and it is in another."""
    return replace(job, spot=draw.pick(spots(job.spot.member, language)))


def job_seekers(draw: Draw) -> tuple[Recorded, Files]:
    """Coraland's job seekers: JSON lines, some of them taken back."""
    made = Recorded()
    wanted = [("id", "IDR", 42), ("ms", "MYR", 22), ("fil", "PHP", 22), ("en", "PHP", 6)]
    tongues = {"id": "Bahasa Indonesia", "ms": "Bahasa Melayu", "fil": "Filipino", "en": "English"}
    for who in _people(draw, "xc", wanted):
        key = f"PK{who.number * 5 + 300}"
        row = {
            "nomor": key,
            "bahasa": who.language,
            "jabatan": {"kode": who.trade.isco, "nama": who.title},
            "domisili": {
                "kota": who.spot.city, "provinsi": who.spot.region, "lat": who.spot.lat, "lon": who.spot.lon,
            },
            "gaji_harapan": {"IDR": f"Rp {_grouped(who.pay, '.')}", "MYR": f"RM {who.pay}", "PHP": f"PHP {who.pay:,}"}[who.currency],
            "waktu": draw.pick(["penuh waktu", "penuh waktu", "paruh waktu", "sif"]),
            "siap": draw.pick(["segera", "segera", "satu bulan", "nanti"]),
            "pindah": draw.pick(["tidak", "dalam negeri", "luar negeri", "luar negeri"]),
            "pengalaman_tahun": who.years,
            "keterampilan": who.skills,
            "bahasa_dikuasai": list(dict.fromkeys([tongues[who.language], "English"])),
            "ringkasan": who.summary,
            "diperbarui": f"{who.confirmed.isoformat()}T08:00:00+08:00",
            "tautan": f"https://kerja.coraland.example/pk/{key}",
        }  # fmt: skip
        made.add(row)
        if who.number == 13:
            made.repeat(row)
        if who.number == 28:
            made.correct(row | {"pengalaman_tahun": 61})
        if who.number == 52:
            made.spoil(
                row | {"nomor": "PK1", "pindah": "ke bulan"},
                "unknown-value", "relocation", "a word that is in no table",
            )  # fmt: skip
        if who.number in (60, 75):
            made.withdraw({"nomor": f"PK{(who.number - 20) * 5 + 300}", "ditarik": True})
    return made, {"pencari-kerja.ndjson": "".join(as_json(row) + "\n" for row in made.rows).encode()}


# Dunmark


def dunmark_jobs() -> list[Job]:
    """The jobs in the feed of the employment service; the board of the south posts some of them again."""
    return _jobs(Draw("xd/feed"), "xd", [("nb", "NOK", 66), ("de", "EUR", 54), ("en", "NOK", 20)])


def _salary(draw: Draw, job: Job) -> dict[str, Any]:
    source = "xd/feed"
    unit = draw.pick(["month", "month", "hour", "year", ""])
    if not unit:
        text = {"nb": "Lønn etter avtale", "de": "nach Vereinbarung"}.get(job.language, "By agreement")
        return {"from": None, "to": None, "currency": job.currency, "unit": "", "text": text}
    share = {"month": 1.0, "hour": 1 / 173, "year": 12.0}[unit]
    digits = 1 if unit == "hour" else None
    low, high = (round(amount * share, digits) for amount in (job.low, job.high))
    word = _word(source, "pay.period", unit)
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
                "engagementtype": _word(source, "contract", job.contract),
                "extent": _word(source, "hours", job.hours),
                "remote": _word(source, "remote", job.remote),
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
    jobs = _jobs(draw, "xd", [("fr", "EUR", 48), ("es", "EUR", 20), ("ar", "EUR", 16)])
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
            row["description"] = _HOSTILE.format(job.tasks[0])
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
    for who in _people(draw, "xd", wanted):
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
            "remote": _word(source, "remote", "on-site"),
            "availability": later,
            "mobility": draw.pick(["NONE", "DUNMARK", "ABROAD", "ABROAD"]),
            "availableFrom": {"NOW": None, "MONTH": "2026-12-01", "LATER": "2027-03-01"}[later],
            "experienceYears": who.years,
            "education": _study(who.trade.group, "ISCED 2", "ISCED 3", "ISCED 6"),
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


# Eastmere


def _yuan(draw: Draw, job: Job) -> str:
    low, high = job.low, job.high
    return draw.pick(
        [
            f"{low / 1e4:g}-{high / 1e4:g}万/月",
            f"{low / 1e3:g}-{high / 1e3:g}千/月",
            f"{low}-{high}元/月",
            f"{low * 12 / 1e4:g}-{high * 12 / 1e4:g}万/年",
            f"{round(low / 22, -1):.0f}元/天",
            f"{high / 1e3:g}千以下/月",
            "面议",
        ]
    )


def mirror_coast(draw: Draw) -> tuple[Recorded, Files]:
    """The table of Eastmere's coast, in GBK."""
    source = "xe/zhaopin"
    made = Recorded()
    for job in _jobs(draw, "xe", [("zh", "CNY", 92)]):
        key = f"JZ{job.number * 19 + 20000}"
        day = "%Y-%m-%d" if job.number % 3 else "%Y/%m/%d"
        row = {
            "编号": key,
            "职位": job.title,
            "职位英文": phrases("en").title[job.trade.name] if job.number % 3 == 0 else "",
            "单位": job.employer,
            "城市": job.spot.city,
            "省份": job.spot.region,
            "纬度": f"{job.spot.lat:.2f}",
            "经度": f"{job.spot.lon:.2f}",
            "薪资": _yuan(draw, job),
            "行业": "",
            "用工": _word(source, "contract", job.contract),
            "工时": _word(source, "hours", job.hours),
            "办公方式": _word(source, "remote", job.remote),
            "经验": f"{job.years}年以上" if job.years else "经验不限",
            "学历": _study(job.trade.group, "高中", "中专", "本科"),
            "人数": f"招{job.openings}人",
            "职责": "".join(job.tasks),
            "要求": job.need,
            "福利": job.offer,
            "发布日期": f"{job.published:{day}}"
            if job.number % 7
            else f"{job.published.year}年{job.published.month}月{job.published.day}日",
            "截止日期": f"{job.expires:{day}}",
            "浏览量": str(draw.between(0, 9999)),
            "链接": f"https://zhaopin.eastmere.example/zhiwei/{key}",
        }
        if job.number == 15:
            row["职责"] = _HOSTILE.format(job.tasks[0])
        if job.number == 30:  # in English, in a register that says it writes Chinese
            words = phrases("en")
            row |= {
                "职位": words.title[job.trade.name],
                "职责": " ".join(words.task[job.trade.group]),
                "要求": words.need[0],
                "福利": words.offer[0],
            }
        made.add(row)
        if job.number in (12, 66):
            made.repeat(row)
        if job.number == 24:
            made.contradict(row | {"薪资": "99-199万/月"})
        if job.number == 40:
            made.spoil(row | {"编号": "JZ1", "薪资": "-3000元/月"}, "bad-value", "pay", "pay below zero")
        if job.number == 55:
            made.spoil(
                row | {"编号": "JZ2", "职位": f"{job.title}\x00"}, "row", "", "a byte that GBK does not know"
            )
        if job.number == 71:
            made.spoil(
                row | {"编号": "JZ3", "工时": "看心情"},
                "unknown-value",
                "hours",
                "a word that is in no table",
            )
    data = csv_table(made.rows).encode("gbk").replace(b"\x00", b"\xff")
    return made, {"zhiwei.csv": data}


_THAI_MONTHS = [
    "ม.ค.",
    "ก.พ.",
    "มี.ค.",
    "เม.ย.",
    "พ.ค.",
    "มิ.ย.",
    "ก.ค.",
    "ส.ค.",
    "ก.ย.",
    "ต.ค.",
    "พ.ย.",
    "ธ.ค.",
]


def _valley_day(day: date, language: str) -> str:
    if language == "th":
        return f"{day.day} {_THAI_MONTHS[day.month - 1]} {day.year + 543}"
    if language == "lo":
        return f"{day.day:02}/{day.month:02}/{day.year + 543}"
    return f"{day.day:02}/{day.month:02}/{day.year}"


def _valley_pay(draw: Draw, job: Job) -> str:
    low, high = job.low, job.high
    return draw.pick(
        {
            "th": [
                f"{low:,} - {high:,} บาท/เดือน",
                f"{low:,} บาทต่อเดือน",
                f"วันละ {round(low / 26, -1):.0f} บาท",
                "ตามตกลง",
            ],
            "lo": [
                f"{_grouped(low, '.')} - {_grouped(high, '.')} ກີບ/ເດືອນ",
                f"{_grouped(low, '.')} ກີບຕໍ່ເດືອນ",
                "ຕາມຕົກລົງ",
            ],
            "km": [f"{low} - {high} USD ក្នុងមួយខែ", f"{low} USD/ខែ", "អាចចរចាបាន"],
            "my": [f"{low:,} - {high:,} ကျပ်/လ", f"{low:,} MMK", "ညှိနှိုင်း"],
        }[job.language]
    )


def _valley_row(job: Job, pay: str, **other: str) -> str:
    source = "xe/valley"
    said = {
        "id": f"V{job.number * 3 + 100}",
        "title": job.title,
        "hours": _word(source, "hours", job.hours, job.title)
        or _word(source, "hours", "full-time", job.title),
        "posted": _valley_day(job.published, job.language),
        "duties": " ".join(job.tasks),
    } | other
    contract = _word(source, "contract", job.contract, job.title) or _word(
        source, "contract", "permanent", job.title
    )
    place = element("name", job.spot.city) + element("region", job.spot.region)
    parts = [
        element("title", said["title"]),
        element("employer", job.employer),
        f'<place lat="{job.spot.lat}" lon="{job.spot.lon}">{place}</place>',
        element("pay", pay),
        element("contract", contract),
        element("hours", said["hours"]),
        element("openings", str(job.openings)),
        element("duties", said["duties"]),
        element("requirements", job.need),
        element("benefits", job.offer),
        element("posted", said["posted"]),
        element("closes", _valley_day(job.expires, job.language)),
        element("office", "7"),
        element("link", f"https://valley.eastmere.example/job/{said['id']}"),
    ]
    return f'<job id="{said["id"]}" lang="{job.language}" revision="1">' + "".join(parts) + "</job>"


def southern_valley(draw: Draw) -> tuple[Recorded, Files]:
    """The XML of Eastmere's southern valley: Thai, Lao, Khmer, Burmese; two calendars."""
    made = Recorded()
    wanted = [("th", "THB", 46), ("lo", "LAK", 30), ("km", "USD", 32), ("my", "MMK", 30)]
    for job in _jobs(draw, "xe", wanted):
        pay = _valley_pay(draw, job)
        row = _valley_row(job, pay)
        if job.number == 20:
            row = _valley_row(job, pay, duties=_HOSTILE.format(job.tasks[0]))
        made.add(row)
        if job.number in (26, 97):
            made.repeat(row)
        if job.number == 44:
            made.contradict(_valley_row(job, "USD 9000"))
        if job.number == 58:
            made.spoil(
                _valley_row(job, pay, id="V1", posted="30/02/2569"),
                "bad-value", "published", "no such day in any calendar",
            )  # fmt: skip
        if job.number == 83:
            made.spoil(
                _valley_row(job, pay, id="V2", hours="ตามใจ"),
                "unknown-value",
                "hours",
                "a word that is in no table",
            )
        if job.number == 111:
            made.spoil(_valley_row(job, pay, id="V3", title=""), "missing-field", "title", "it names no job")
    return made, {"valley.xml": _document("jobs", made.rows)}


def _document(name: str, rows: Sequence[str]) -> bytes:
    body = "\n".join(rows)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}>\n{body}\n</{name}>\n'.encode()


def _board_row(job: Job, pay: str, *, country: str = "XE", **other: str) -> str:
    source = "xe/settlers"
    said = {
        "number": f"{job.number:04}",
        "lat": str(job.spot.lat),
        "contract": _word(source, "contract", job.contract),
    }
    said |= {"text": "\n".join([*job.tasks, job.need, job.offer])} | other
    town = element("name", job.spot.city) + element("district", job.spot.region)
    terms = element(
        "terms",
        contract=said["contract"],
        hours=_word(source, "hours", job.hours),
        place=_word(source, "remote", job.remote),
    )
    parts = [
        element("number", said["number"]),
        element("date", job.published.isoformat()),
        element("title", job.title),
        f"<company>{element('name', job.employer)}</company>",
        f'<town country="{country}" lat="{said["lat"]}" lon="{job.spot.lon}">{town}</town>',
        pay,
        element("isco", job.trade.isco),
        terms,
        element("seats", str(job.openings)),
        element("text", said["text"]),
        element("link", f"https://towns.eastmere.example/offer/{said['number']}"),
    ]
    return "<offer>" + "".join(parts) + "</offer>"


def _settlers_pay(draw: Draw, job: Job) -> str:
    """Pay as numbers, or as the people there say it."""
    low, high, at = job.low, job.high, job.currency
    written = {
        "hy": [f"{_grouped(low, ' ')} - {_grouped(high, ' ')} դրամ ամսական", "պայմանագրային"],
        "ky": [f"{low}–{high} сом айына", "келишим боюнча"],
        "uz": [f"{_grouped(low, ' ')} so‘m oyiga", "kelishilgan holda"],
        "be": [f"ад {low} да {high} BYN у месяц", "дамоўная"],
    }.get(job.language, [])
    if written and draw.chance(0.5):
        return element("pay", draw.pick(written), currency=at)
    return element(
        "pay", currency=at, to=high, per="month", tax=draw.pick(["gross", "net", ""]), **{"from": str(low)}
    )


def western_towns(draw: Draw) -> tuple[Recorded, Files]:
    """The board of Eastmere's western towns; it also passes on jobs in Altania, with other pay."""
    made = Recorded()
    wanted = [("hy", "AMD", 32), ("ky", "KGS", 32), ("uz", "UZS", 28), ("be", "BYN", 26)]
    for job in _jobs(draw, "xe", wanted):
        row = _board_row(job, _settlers_pay(draw, job))
        if job.number == 25:
            row = _board_row(job, _settlers_pay(draw, job), text=_HOSTILE.format(job.tasks[0]))
        made.add(row)
        if job.number in (14, 50):
            made.repeat(row)
        if job.number == 33:
            made.contradict(_board_row(job, element("pay", "1 USD")))
        if job.number == 62:
            made.spoil(
                _board_row(job, "", number="b1", lat="222.75"), "bad-value", "places.lat", "no such latitude"
            )
        if job.number == 78:
            made.spoil(
                _board_row(job, "", number="b2", contract="forever"),
                "unknown-value", "contract", "a word that is in no table",
            )  # fmt: skip
        if job.number == 91:
            made.spoil(
                _board_row(job, element("pay", currency="XQX", per="month", **{"from": "900"}), number="b3"),
                "bad-value", "pay", "a currency that does not exist",
            )  # fmt: skip
    for job in altanian_bank_jobs():
        if job.language == "ru" and job.number % 12 == 1:
            more = {"from": str(round(job.low * 1.3)), "to": str(round(job.high * 1.4))}
            pay = element("pay", currency=job.currency, per="month", **more)
            made.add(_board_row(replace(job, number=9000 + job.number), pay, country="XA"))
    return made, {"board.xml": _document("board", made.rows)}


REGISTERS: dict[str, Register] = {
    "xa/vacancies": vacancy_bank,
    "xa/resumes": resumes,
    "xb/jobs": open_table,
    "xc/lowongan": western_islands,
    "xc/magang": internships,
    "xc/trabaho": eastern_islands,
    "xc/pencari-kerja": job_seekers,
    "xd/feed": service_feed,
    "xd/annonces": southern_board,
    "xd/kandidaten": applicants,
    "xe/zhaopin": mirror_coast,
    "xe/valley": southern_valley,
    "xe/settlers": western_towns,
}
