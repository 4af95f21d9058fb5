"""The registers of the fictitious union, each with its own format, its own words and its own faults.

The faults are meant: repeats, the same key with other content, rows that cannot be understood, hostile markup,
invisible signs, absurd pay. The words are those of the source files, so the two cannot part.
"""

from landbridge.world.registers.altania import resumes, vacancy_bank
from landbridge.world.registers.bambusia import open_table
from landbridge.world.registers.coraland import eastern_islands, internships, job_seekers, western_islands
from landbridge.world.registers.dunmark import applicants, service_feed, southern_board
from landbridge.world.registers.eastmere import mirror_coast, southern_valley, western_towns
from landbridge.world.registers.recorded import Recorded, Register

__all__ = ["REGISTERS", "Recorded"]

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
