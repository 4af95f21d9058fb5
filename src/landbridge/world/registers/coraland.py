"""Coraland: a workbook, packed JSON lines and a JSON list, in Indonesian, Malay, Filipino and English."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from landbridge.world.draw import Draw, Job, spots
from landbridge.world.formats import as_json, gzipped, json_list, workbook
from landbridge.world.registers.recorded import (
    HOSTILE,
    Files,
    Recorded,
    draw_jobs,
    draw_people,
    grouped,
    study,
    word_of,
)


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
    low, high = grouped(job.low, "."), grouped(job.high, ".")
    return draw.pick(
        [
            f"Rp {low} – Rp {high} per bulan",
            f"Rp{low} – Rp{high} per bulan",
            f"Rp {job.low / 1e6:g} - {job.high / 1e6:g} juta/bulan".replace(".", ","),
            f"Rp {grouped(round(job.low / 25, -3), '.')} per hari",
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
    for job in draw_jobs(draw, "xc", [("id", "IDR", 72), ("ms", "MYR", 40)]):
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
            "Status kerja": word_of(source, "contract", job.contract),
            "Waktu kerja": word_of(source, "hours", job.hours),
            "Tempat kerja": word_of(source, "remote", job.remote),
            "Pengalaman (tahun)": job.years,
            "Pendidikan": study(job.trade.group, "SMA", "SMK", "S1"),
            "Kebutuhan": job.openings,
            "Uraian tugas": "\n".join(job.tasks),
            "Syarat": job.need,
            "Fasilitas": job.offer,
            "Tanggal tayang": _tanggal(job.published),
            "Batas lamaran": _tanggal(job.expires),
            "Tautan": f"https://barat.kerja.coraland.example/l/{job.number * 17}",
        }
        if job.number == 9:
            row["Uraian tugas"] = HOSTILE.format(job.tasks[0])
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
    for job in draw_jobs(draw, "xc", [("id", "IDR", 52)]):
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
            "cara_kerja": word_of(source, "remote", job.remote),
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
    for job in draw_jobs(draw, "xc", [("fil", "PHP", 48), ("en", "PHP", 24)]):
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
            "employmentType": word_of(source, "contract", job.contract),
            "schedule": word_of(source, "hours", job.hours),
            "workSetup": word_of(source, "remote", job.remote),
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
            row["description"] = HOSTILE.format(job.tasks[0])
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
    for who in draw_people(draw, "xc", wanted):
        key = f"PK{who.number * 5 + 300}"
        row = {
            "nomor": key,
            "bahasa": who.language,
            "jabatan": {"kode": who.trade.isco, "nama": who.title},
            "domisili": {
                "kota": who.spot.city, "provinsi": who.spot.region, "lat": who.spot.lat, "lon": who.spot.lon,
            },
            "gaji_harapan": {"IDR": f"Rp {grouped(who.pay, '.')}", "MYR": f"RM {who.pay}", "PHP": f"PHP {who.pay:,}"}[who.currency],
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
