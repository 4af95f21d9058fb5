"""Bambusia: one table in Vietnamese and English, in another encoding than it says."""

from landbridge.world.draw import Draw, Job, phrases
from landbridge.world.formats import csv_table, misread
from landbridge.world.registers.recorded import HOSTILE, Files, Recorded, draw_jobs, grouped, word_of


def _dong(draw: Draw, job: Job) -> str:
    low, high = job.low / 1e6, job.high / 1e6
    return draw.pick(
        [
            f"{low:g} - {high:g} triệu",
            f"{low:g} - {high:g} triệu/tháng",
            f"Tới {high:g} triệu",
            f"Từ {low:g} triệu",
            f"{grouped(job.low, '.')} - {grouped(job.high, '.')} đ/tháng",
            f"{grouped(round(job.low / 26, -4), '.')} đ/ngày",
            f"Trên {grouped(job.low, ',')} VND",
            "Thương lượng",
            "Thỏa thuận",
        ]
    )


def open_table(draw: Draw) -> tuple[Recorded, Files]:
    """Bambusia's open table: CSV in UTF-8 that is declared as something else, with rows that were misread before."""
    source = "xb/jobs"
    made = Recorded()
    for job in draw_jobs(draw, "xb", [("vi", "VND", 112), ("en", "USD", 40)]):
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
            "Loai_hop_dong": word_of(source, "contract", job.contract),
            "Hinh_thuc": word_of(source, "hours", job.hours),
            "Dia_diem_lam_viec": word_of(source, "remote", job.remote),
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
                row["Mo_ta"] = HOSTILE.format(job.tasks[0])
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
