"""Eastmere: Chinese in GBK, Thai, Lao, Khmer and Burmese in two calendars, and the settlers' board in XML."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from landbridge.world.draw import Draw, Job, phrases
from landbridge.world.formats import csv_table, element
from landbridge.world.registers.altania import altanian_bank_jobs
from landbridge.world.registers.recorded import HOSTILE, Files, Recorded, draw_jobs, grouped, study, word_of


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
    for job in draw_jobs(draw, "xe", [("zh", "CNY", 92)]):
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
            "用工": word_of(source, "contract", job.contract),
            "工时": word_of(source, "hours", job.hours),
            "办公方式": word_of(source, "remote", job.remote),
            "经验": f"{job.years}年以上" if job.years else "经验不限",
            "学历": study(job.trade.group, "高中", "中专", "本科"),
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
            row["职责"] = HOSTILE.format(job.tasks[0])
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
                f"{grouped(low, '.')} - {grouped(high, '.')} ກີບ/ເດືອນ",
                f"{grouped(low, '.')} ກີບຕໍ່ເດືອນ",
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
        "hours": word_of(source, "hours", job.hours, job.title)
        or word_of(source, "hours", "full-time", job.title),
        "posted": _valley_day(job.published, job.language),
        "duties": " ".join(job.tasks),
    } | other
    contract = word_of(source, "contract", job.contract, job.title) or word_of(
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
    for job in draw_jobs(draw, "xe", wanted):
        pay = _valley_pay(draw, job)
        row = _valley_row(job, pay)
        if job.number == 20:
            row = _valley_row(job, pay, duties=HOSTILE.format(job.tasks[0]))
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
        "contract": word_of(source, "contract", job.contract),
    }
    said |= {"text": "\n".join([*job.tasks, job.need, job.offer])} | other
    town = element("name", job.spot.city) + element("district", job.spot.region)
    terms = element(
        "terms",
        contract=said["contract"],
        hours=word_of(source, "hours", job.hours),
        place=word_of(source, "remote", job.remote),
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
        "hy": [f"{grouped(low, ' ')} - {grouped(high, ' ')} դրամ ամսական", "պայմանագրային"],
        "ky": [f"{low}–{high} сом айына", "келишим боюнча"],
        "uz": [f"{grouped(low, ' ')} so‘m oyiga", "kelishilgan holda"],
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
    for job in draw_jobs(draw, "xe", wanted):
        row = _board_row(job, _settlers_pay(draw, job))
        if job.number == 25:
            row = _board_row(job, _settlers_pay(draw, job), text=HOSTILE.format(job.tasks[0]))
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
