"""Which place a text means: a gazetteer of towns over GeoNames (CC BY 4.0), with names in many scripts.

Where a text could mean several places, records get none: a wrong place
is worse than a missing one. Queries may ask for the best.
"""

import math
import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from landbridge.codes import country as read_country
from landbridge.codes import fold
from landbridge.find.towns import COLUMNS, cache_folder, data, key, read_table, unglue
from landbridge.kinds.values import Place

_EARTH = 6371.0088  # km, mean radius (IUGG)
_COUNTS = (0.03, 0.5, 1.0)  # what a town counts under another name, one like its first, its first
_UNASKED = 15_000  # inhabitants a town must have to be meant where nothing tells the country
_BY_FAR = 5  # how much more a town must count than its namesakes abroad
_METROPOLIS = 500_000  # inhabitants from which "South …" is taken for a part of the town
_SUBSTANTIAL = 50_000  # inhabitants from which a town is no mere street or quarter of its namesake
_BESIDE = 40.0  # km between a town and a part or suburb of it named in the same text
_REACH = 150.0  # km from a region's main town within which a border town may be counted to it
_FAR_APART = 100.0  # km from which namesakes are not taken for one place
_OTHERS = 6  # namesakes told of
_MANY = 64  # namesakes looked at for one name
_NAMED_ALIKE = frozenset(["SG", "HK", "MO", "MC", "GI", "VA", "DJ", "LU", "SM"])  # the country and its town
_CITY_STATES = {  # wherever it is there, it is in the town
    "SG": "Singapore",
    "HK": "Hong Kong",
    "MO": "Macau",
    "MC": "Monaco",
    "GI": "Gibraltar",
    "VA": "Vatican City",
}
_WITH = {  # territories with a code of their own that their state's registers write under its code
    "CN": ("HK", "MO"),
    "FR": ("GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF"),
    "US": ("PR", "GU", "VI", "AS", "MP"),
    "GB": ("IM", "JE", "GG", "GI"),
    "NL": ("AW", "CW", "SX", "BQ"),
    "DK": ("FO", "GL"),
    "FI": ("AX",),
    "NO": ("SJ",),
}

# What stands around a name, in front of it and behind it. Written as people write it, compared folded.
_TOWN_WORDS = (
    """
    г, гор, город, пгт, пос, поселок, п, рп, р.п, с, село, д, дер, деревня, станица, ст-ца, аул, хутор,
    городской округ, г.о, го, горад, місто, смт, қ, ш, ք, քաղաք, ქ, ქალაქი, tp, t.p, thành phố, tx, thị xã, tt, thị trấn, kota,
    kota adm, kota administrasi, kotamadya, kab, kab adm, kabupaten, kec, kecamatan, bandar raya, bandaraya,
    lungsod ng, bayan ng, city of, town of, municipality of, greater, metro, downtown, stadt, hansestadt, ville de, ciudad de,
    gmina, miasto, comune di, مدينة
    """,
    """
    г, город, қ, қаласы, ауылы, ш, шаары, шаҳри, айылы, sh, shahri, shahar, shahrisi, քաղաք, city, city centre,
    city center, centre, center, downtown, cbd, town, new town, capital, estate, village, municipality,
    metropolitan area, area, raya, stad, kommun, kommune, dept, cedex, arrondissement, n, s, v, ø
    """,
)
_REGION_WORDS = (
    """
    область, обл, край, республика, респ, автономный округ, province of, provinsi, propinsi, prov, region of,
    republic of, state of, tỉnh, negeri, wilayah persekutuan, lalawigan ng, bundesland, land, landkreis, région,
    département, provincia, provincia de, województwo, woj, рэспубліка, провинция, штат, воеводство, вилояти,
    земля, περιφέρεια, محافظة, ولاية
    """,
    """
    область, обл, край, республика, автономный округ, автономная область, ао, вобласць, облысы, облусу, viloyati,
    viloyat, respublikasi, մարզ, провинция, марз, велаят, аймак, аймаг, воеводство, вилояти, welaýaty,
    province, region, oblast, krai, republic, state, governorate, prefecture, voivodeship, county, län, fylke
    """,
)
_DISTRICT_WORDS = (
    """
    район, р-н, рн, мкр, микрорайон, мкрн, округ, жилой массив, quận, q, huyện, phường, p, xã, district, dist, ward,
    borough, kelurahan, kel, desa, daerah, mukim
    """,
    """
    район, р-н, мкр, микрорайон, округ, ауданы, району, tumani, district, dist, ward, borough, township, раён
    """,
)
_SIDES = (  # of a metropolis; "м" is a Ukrainian town or a Russian underground station
    """
    м, north, south, east, west, central, northern, southern, eastern, western, north east, north west,
    south east, south west
    """,
    "selatan, utara, barat, timur, pusat, tengah, north, south, east, west, central",
)
_STREET_WORDS = """
    ул, улица, вул, вулиця, пр, пр-т, пр-кт, просп, проспект, пер, переулок, шоссе, б-р, бульвар, наб, набережная, пл,
    площадь, проезд, тракт, дом, стр, корп, офис, көшесі, даңғылы, көчөсү, ko‘chasi, street, str, road, rd, avenue, ave,
    boulevard, blvd, lane, highway, drive, building, tower, floor, plaza, đường, tầng, tòa nhà, toà nhà, tòa, toà, lô,
    ngõ, hẻm, jalan, jl, jln, lorong, gedung, ruko, lantai, rue, chemin, place, calle, avenida, straße, gate, gata, vei,
    veien, vegen, väg, vägen, gatan, allee, ulica, ul, via, شارع
"""
_GLUED_DISTRICT = ("区", "區", "구")
_GLUED_REGION = ("省", "自治区", "自治區", "特别自治道", "도", "边疆区", "大区", "共和国", "州", "邦", "府")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_UNSPACED = r"[\u0e00-\u109f\u1780-\u17ff\u3400-\u9fff]"
_BREAK = re.compile(
    rf"[,;/|&\n\t•·:：，、；،؛()\[\]（）【】]+|\s[-–—]+|[-–—]+\s|—|(?<=[{_CJK}])[-–](?=[{_CJK}])|(?<=[시도구군])\s"
    rf"|(?<={_UNSPACED})\s+(?={_UNSPACED})"
    r"|\s(?:and|et|und|y|и|va|và|dan|at|og|och)\s"
)
_LEVELS = re.compile(r"(?:(?<=[省市区區州盟县縣])|(?<=東京都)|(?<=自治区))(?=[\u3400-\u9fff]{2})")


def _any_of(words: str) -> str:
    folded = {fold(word) for word in words.replace("\n", " ").split(",")}
    return "|".join(sorted((w for w in folded if w), key=lambda w: (-len(w), w)))


def _around(words: tuple[str, str]) -> re.Pattern[str]:
    front, behind = map(_any_of, words)
    return re.compile(rf"^(?:{front}) (?=\S)|(?<=\S) (?:{behind})$")


_TOWN = _around(_TOWN_WORDS)
_REGION = _around(_REGION_WORDS)
_DISTRICT = _around(_DISTRICT_WORDS)
_SIDE = _around(_SIDES)
_STREET = re.compile(rf"(?:^|(?<= ))(?:{_any_of(_STREET_WORDS)})(?= |$)")
_NUMBERED = re.compile(r"^(?:[a-z]{1,3} )?(?:(?=\S*\d)\S+(?: |$))+(?:[a-z]{2} )?|(?: (?=\S*\d)\S+)+$")
_HAN = re.compile(r"[\u3400-\u9fff]{2,}")
_BEFORE_NUMBER = re.compile(r"([^,]+)(?=,\s*(?:д\.?\s*|дом\s*)?\d{1,3}\s?\w?\s*(?:,|$))")  # "…, Lenina, 29 A"
_AFTER_NUMBER = re.compile(r"(?:^|,)\s*\d{1,3}\w?(?:/\w+)*\s*,([^,]+)")  # "677/2A, Điện Biên Phủ, …"
_CJK_STREET = re.compile(r"[\u3400-\u9fff](?:路|街|大道|号|號|大厦|大廈|楼|樓|园区|广场)")


class _Area(msgspec.Struct, frozen=True):
    """A region that a text names."""

    name: str
    country: str
    region: int  # into Table.regions
    seat: int  # a town of it


class _Part(msgspec.Struct):
    """What a part of a text may mean: some of these, or nothing."""

    towns: list[tuple[float, int]] = []  # (what it counts, town), most first
    areas: tuple[_Area, ...] = ()
    country: str = ""
    within: bool = False  # a district: a town only beside the town it is in
    short: bool = False  # "CA": too short to contradict the rest

    @property
    def known(self) -> bool:
        return bool(self.towns or self.areas or self.country)


def _text(name: str) -> str:
    return (files("landbridge.find") / "data" / name).read_text("utf-8")


def _strip(words: re.Pattern[str], folded: str) -> tuple[str, bool]:
    """A name without the first such word in front of it or behind it, and whether there was one."""
    bare = words.sub("", folded, count=1)
    return bare, bare != folded


class Gazetteer:
    """The towns, ready to be asked."""

    def __init__(self, folder: Path | None) -> None:
        table = read_table(folder)
        self._countries = table.countries
        self._regions = table.regions
        self._names = table.names
        columns: dict[str, Any] = {name: getattr(table, name).cast(kind) for name, kind in COLUMNS.items()}
        self._id: Sequence[int] = columns["id"]
        self._country: Sequence[int] = columns["country"]
        self._region: Sequence[int] = columns["region"]
        self._lat: Sequence[float] = columns["lat"]
        self._lon: Sequence[float] = columns["lon"]
        self._people: Sequence[int] = columns["people"]
        self._name_end: Sequence[int] = columns["name_end"]
        self._keys: Sequence[int] = columns["keys"]
        self._towns: Sequence[int] = columns["towns"]
        self._known = frozenset(self._countries)
        self._points = np.column_stack(
            [np.frombuffer(table.lat, np.float32), np.frombuffer(table.lon, np.float32)]
        )
        self._more_names: dict[str, list[int]] = {}
        self._more_names = self._read_names()
        self._area_of: dict[int, _Area] = {}
        self._areas, self._marked_areas = self._read_areas()
        self.resolve = lru_cache(1 << 15)(self._resolve)

    # -- names --------------------------------------------------------------------------------------------

    def _name(self, town: int) -> str:
        start = self._name_end[town - 1] if town else 0
        return bytes(self._names[start : self._name_end[town]]).decode()

    def _named(self, folded: str) -> Iterator[tuple[float, int]]:
        """The towns of a name, each with what it counts under it."""
        for town in self._more_names.get(folded, ()):
            yield self._people[town] * 1.0, town
        wanted = key(folded)
        at = bisect_left(self._keys, wanted)
        while at < len(self._keys) and self._keys[at] == wanted:
            town, like = divmod(self._towns[at], 4)
            yield self._people[town] * _COUNTS[like], town
            at += 1

    def _towns_of(self, folded: str, countries: frozenset[str]) -> list[tuple[float, int]]:
        found = sorted(self._named(folded), reverse=True)
        if countries:
            found = [f for f in found if self._countries[self._country[f[1]]] in countries]
        elif len(folded) <= 2 and folded.isascii():
            return []
        return found

    def _read_names(self) -> dict[str, list[int]]:
        """The names of data/names.toml."""
        more: dict[str, list[int]] = {}
        for country, towns in tomllib.loads(_text("names.toml")).items():
            for first, names in towns.items():
                for name in names:
                    more.setdefault(fold(name), []).append(self._first(first, country))
        return more

    def _first(self, name: str, country: str) -> int:
        """The largest town of a country that GeoNames calls so."""
        towns = self._towns_of(fold(name), frozenset([country]))
        return max(((c, t) for c, t in towns if self._name(t) == name))[1]

    def _read_areas(self) -> tuple[dict[str, list[_Area]], dict[str, list[_Area]]]:
        """Regions by their folded names as they stand, and by what is left without "область", "省", …"""
        plain: dict[str, list[_Area]] = {}
        marked: dict[str, list[_Area]] = {}
        states = msgspec.json.decode(data("us_states.json"), type=dict[str, dict[str, Any]])
        for line in _text("regions.tsv").splitlines():
            if line.startswith("#"):
                continue
            country, seat, codes, said = line.split("\t")
            names = said.split(" | ")
            town = self._first(seat, country)
            area = _Area(names[0], country, self._region[town], town)
            self._area_of.setdefault(area.region, area)
            self._add_area(plain, marked, area, [*names, *codes.split()])
        biggest: dict[int, int] = {}
        us = np.flatnonzero(np.asarray(self._country) == self._countries.index("US"))
        for town in us.tolist():
            region = self._region[town]
            if region not in biggest or self._people[town] > self._people[biggest[region]]:
                biggest[region] = town
        for code, state in states.items():
            if f"US.{code}" in self._regions:
                region = self._regions.index(f"US.{code}")
                area = _Area(state["name"], "US", region, biggest[region])
                self._area_of[region] = area
                self._add_area(plain, marked, area, [state["name"], code, f"US-{code}"])
        return plain, marked

    @staticmethod
    def _add_area(
        plain: dict[str, list[_Area]], marked: dict[str, list[_Area]], area: _Area, names: Sequence[str]
    ) -> None:
        for name in names:
            whole = fold(name)
            bare, was_marked = _strip(_REGION, whole)
            plain.setdefault(whole, []).append(area)
            marked.setdefault(bare, []).append(area)
            if was_marked and ("республика" in whole or "respublik" in whole):
                plain.setdefault(bare, []).append(area)

    # -- parts of a text ----------------------------------------------------------------------------------

    def _read_part(self, text: str, countries: frozenset[str], *, alone: bool, guess: bool = False) -> _Part:
        """One part of a text, between commas."""
        folded = fold(text)
        short = len(folded) <= 3 and folded.isascii()
        part = _Part(short=short and not folded.isdigit())
        told = bool(countries) or guess
        if not (short and alone) or (told and len(folded) == 3 and text.strip().isupper()):  # "NTB", "DE2"
            part.areas = _within(self._areas.get(folded, ()), countries)
        if folded.isdigit() and not countries:
            part.areas = ()
        if (not short or text.strip().isupper()) and not (
            alone and len(folded) == 2 and folded in self._areas
        ):
            part.country = read_country(text)
        part.towns = self._towns_of(folded, countries)
        if part.areas and part.towns:  # "New York" is the city, "Bali" the island, "Selangor" the state
            if part.towns[0][0] < _METROPOLIS:
                part.towns = []
            elif alone:
                part.areas = ()
        return part

    def _read_parts(self, text: str, countries: frozenset[str]) -> list[_Part]:
        """The parts of an address or list, in its order."""
        pieces = [p for piece in _BREAK.split(text) for p in _LEVELS.split(piece) if p.strip()][:12]
        parts = [self._read_part(p, countries, alone=len(pieces) == 1) for p in pieces]
        for n, part in enumerate(parts):
            if not part.known:
                parts[n] = self._read_words(fold(pieces[n]), countries)
        if len(parts) == 1 and not parts[0].known:
            parts = self._read_pair(text.split(), countries) or parts
        for street in _BEFORE_NUMBER.findall(text) + _AFTER_NUMBER.findall(text):
            if street in pieces:
                part = parts[pieces.index(street)]
                part.towns = [t for t in part.towns if self._people[t[1]] >= _METROPOLIS]
        if not any(p.towns or p.areas for p in parts) and countries:
            parts += [self._read_ends(fold(p), countries) for p in pieces]
        return parts

    def _read_pair(self, words: list[str], countries: frozenset[str]) -> list[_Part]:
        """A town and what it lies in without a comma between: "Sydney NSW", "Kyiv Ukraine"."""
        for at in range(len(words) - 1, max(len(words) - 3, 0), -1):
            tail = self._read_part(" ".join(words[at:]), countries, alone=False)
            if tail.areas or tail.country:
                head = self._read_part(" ".join(words[:at]), countries, alone=False)
                tail.short = False
                return [head, tail] if head.towns else []
        return []

    def _read_ends(self, folded: str, countries: frozenset[str]) -> _Part:
        """A great town at the end or start of a part that is more: "17 Duy Tân Cầu Giấy Hà Nội"."""
        words = folded.split()
        for length in range(min(4, len(words) - 1), 0, -1):
            for some in (words[-length:], words[:length]):
                towns = self._towns_of(" ".join(some), countries)
                if towns and self._people[towns[0][1]] >= _METROPOLIS and len("".join(some)) > 2:
                    return _Part(towns=towns[:1])
        return _Part()

    def _read_words(self, folded: str, countries: frozenset[str]) -> _Part:
        """A part that as a whole is no name: what is left of it without the words around the name."""
        street = _STREET.search(folded)
        if street:  # "Москва ул Ленина 5": the town stands before it, if at all
            folded = folded[: street.start()] if folded[street.end() :].strip(" 0123456789") else ""
        folded = folded.strip()
        if _CJK_STREET.search(folded):
            return _Part()
        bare, is_district = _strip(_DISTRICT, folded)
        numbers = "".join(_NUMBERED.findall(bare))
        bare = _NUMBERED.sub("", bare).strip()
        in_street = bool(numbers) and sum(c.isdigit() for c in numbers) < 4  # more is a postal code
        unglued = unglue(bare, (), _GLUED_DISTRICT)
        part = _Part(within=is_district or unglued != bare)
        if not part.within:
            bare, is_region = _strip(_REGION, bare)
            unglued = unglue(bare, (), _GLUED_REGION)
            if is_region or unglued != bare:
                part.areas = _within(self._marked_areas.get(unglued, ()), countries)
                if part.areas:
                    return part
        # a region without a name of its own bears that of its main town
        name = unglued
        towns: list[tuple[float, int]] = []
        while name and not (towns := self._towns_of(name, countries)):
            shorter = _NUMBERED.sub("", unglue(_strip(_TOWN, name)[0])).strip()
            if shorter == name:
                break
            name = shorter
        if not towns and _HAN.fullmatch(name):
            towns = self._towns_of(name + "市", countries) or self._towns_of(name + "县", countries)
        if not towns:
            side, has_side = _strip(_SIDE, name)
            if has_side:
                towns = [t for t in self._towns_of(side, countries) if self._people[t[1]] >= _METROPOLIS]
        part.towns = [t for t in towns if not in_street or self._people[t[1]] >= _METROPOLIS]
        return part

    # -- the answer ---------------------------------------------------------------------------------------

    def _resolve(self, text: str, country: str = "", *, best: bool = False) -> Place | None:
        """See `resolve`."""
        text = text.strip()[:300]
        if not text or (country and country not in self._known):
            return None
        place, elsewhere = self._read(text, country, best=best)
        if elsewhere:  # the text names another country
            place, _ = self._read(text, elsewhere, best=best)
            return place or Place(text=text, country=elsewhere)
        return place

    def _read(self, text: str, country: str, *, best: bool) -> tuple[Place | None, str]:
        """The place, or another country that the text names."""
        countries = frozenset([country, *_WITH.get(country, ())]) if country else frozenset()
        whole = [self._read_part(text, countries, alone=True, guess=best)]
        if whole[0].known:
            place, elsewhere = self._answer(text, whole, country, countries, best=best)
            if place or elsewhere:
                return place, elsewhere
        parts = self._read_parts(text, countries)
        if whole[0].known and not any(p.known for p in parts):
            return None, ""
        return self._answer(text, parts, country, countries, best=best)

    def _answer(
        self, text: str, parts: list[_Part], country: str, countries: frozenset[str], *, best: bool
    ) -> tuple[Place | None, str]:
        for part in parts:  # "Armenia" in Colombia, "Georgia" in "Atlanta, Georgia, USA"
            beside = {p.country for p in parts if p is not part}
            if (country and (part.towns or part.areas)) or any(a.country in beside for a in part.areas):
                part.country = ""
        told = [p.country for p in parts if p.country and not p.short]
        if countries and told and countries.isdisjoint(told):
            return None, told[0]
        return self._choose(text, parts, country, best=best), ""

    def _choose(self, text: str, parts: list[_Part], country: str, *, best: bool) -> Place | None:
        for part in parts:
            part.towns = [t for t in part.towns if self._fits(t[1], part, parts)][:_MANY]
        areas = [a for p in parts for a in p.areas]
        found = self._town(parts, guess=best, told=bool(country))
        if found is not None:
            town, exact = found
            region = next((a.name for a in areas if a.region == self._region[town]), "")
            return self._place(town, text, region or self._region_name(town), exact)
        named = next((p.country for p in parts if p.country), "")
        if country in _CITY_STATES:
            return self._place(self._city_state(country), text)
        inside = [a for a in areas if a.country == named]
        if inside and (best or len({a.region for a in inside}) == 1):
            return self._region_place(inside[0], text, best=best)
        if named and (best or not areas):
            return Place(text=text, country=named)
        if areas and not named and (best or len({a.region for a in areas}) == 1):
            return self._region_place(areas[0], text, best=best)
        return None

    def _fits(self, town: int, own: _Part, parts: list[_Part]) -> bool:
        """Whether nothing in the text speaks against this town."""
        country = self._countries[self._country[town]]
        if own.country and not (own.country == country and country in _NAMED_ALIKE):
            return False  # "Mexico" is the country
        for part in parts:
            says = part.country or part.areas
            if part is own or part.short or part.towns or not says or part.country == country:
                continue
            if not any(self._in_area(town, a) for a in part.areas):
                return False
        return True

    def _in_area(self, town: int, area: _Area) -> int:
        """2 in the region, 1 near its main town and in its country, else 0."""
        if self._region[town] == area.region:
            return 2
        same = self._country[town] == self._country[area.seat]
        return int(same and self._apart(town, area.seat) <= _REACH)

    def _apart(self, one: int, other: int) -> float:
        return distance(self._lat[one], self._lon[one], self._lat[other], self._lon[other])

    def _support(self, town: int, own: _Part, parts: list[_Part]) -> int:
        """How much of the rest of the text speaks for this town."""
        support = 0
        country = self._countries[self._country[town]]
        for part in parts:
            if part is own:
                continue
            found = max((self._in_area(town, a) for a in part.areas), default=0)
            if part.country == country:
                found = 2
            for _, other in part.towns:
                if self._region[other] == self._region[town]:
                    found = max(found, 1)
            support += found
        return support

    def _town(self, parts: list[_Part], *, guess: bool, told: bool) -> tuple[int, int] | None:
        """The town that the parts mean together, and the town that tells its degrees.

        Of the best supported the one that counts most. A quarter or suburb named beside it is more exact
        ("Quận 1, TP. Hồ Chí Minh"); a town of its own takes its place ("Братск, Иркутск").
        """
        one = len(parts) == 1
        found: list[tuple[int, int, float, int, _Part]] = []
        for part in parts:
            if part.towns and not part.within:
                support, weight, town = max(
                    (0 if one else self._support(t, part, parts), w, t) for w, t in part.towns
                )
                found.append((support, self._people[town], weight, town, part))
        if not found:
            return None
        support, _, weight, town, part = max(found, key=lambda f: f[:2])
        country = self._country[town]
        rivals = (w for w, t in part.towns if self._country[t] != country)
        unasked = not (told or guess or support)
        if unasked and (self._people[town] < _UNASKED or any(w * _BY_FAR > weight for w in rivals)):
            return None
        others = [t for p in parts if p is not part for _, t in p.towns[:8] if self._country[t] == country]
        beside = [t for t in others if self._apart(t, town) <= _BESIDE]
        if beside:
            return town, min([town, *beside], key=self._people.__getitem__)
        own = [t for t in others if self._region[t] == self._region[town] and self._people[t] >= _SUBSTANTIAL]
        town = min([town, *own], key=self._people.__getitem__)
        return town, town

    def _region_name(self, town: int) -> str:
        """The region that a town lies in; "" where the table has none, or the town is its own (Moscow)."""
        area = self._area_of.get(self._region[town])
        return area.name if area else ""

    def _city_state(self, country: str) -> int:
        return self._towns_of(fold(_CITY_STATES[country]), frozenset([country]))[0][1]

    def _place(self, town: int, text: str, region: str = "", exact: int | None = None) -> Place:
        exact = town if exact is None else exact
        return Place(
            text=text,
            country=self._countries[self._country[town]],
            region=region,
            city=self._name(town),
            id=f"geonames:{self._id[town]}",
            lat=round(self._lat[exact], 5),
            lon=round(self._lon[exact], 5),
        )

    def _region_place(self, area: _Area, text: str, *, best: bool) -> Place:
        """A region has no one point; a query is taken to its main town."""
        if not best:
            return Place(text=text, country=area.country, region=area.name)
        lat, lon = round(self._lat[area.seat], 5), round(self._lon[area.seat], 5)
        return Place(text=text, country=area.country, region=area.name, lat=lat, lon=lon)

    # -- what else it could be ----------------------------------------------------------------------------

    def namesakes(self, text: str, taken: Place, country: str = "") -> list[Place]:
        """See `namesakes`."""
        countries = frozenset([country, *_WITH.get(country, ())]) if country else frozenset()
        folded = fold(text)
        if not (folded in self._areas or self._towns_of(folded, countries)):
            parts = self._read_parts(text, countries)
            if len(parts) != 1 or not parts[0].towns:
                return []  # an address, or a town and what it lies in
            towns = parts[0].towns
        else:
            towns = self._towns_of(folded, countries)
        areas = _within(self._areas.get(folded, ()), countries)
        weight = next((w for w, t in towns if f"geonames:{self._id[t]}" == taken.id), 0.0)
        seats = [self._people[a.seat] for a in areas if (a.name, a.country) == (taken.region, taken.country)]
        weight = max([weight, *seats]) if not taken.id else weight
        found: list[Place] = []
        for area in areas:
            one = self._region_place(area, area.name, best=True)
            if (area.country, area.name) != (taken.country, taken.region):
                found.append(one)
        if taken.id or taken.region:  # a country is not asked for towns of its name abroad
            for counts, town in towns[:_MANY]:
                if counts * _BY_FAR > weight:
                    found.append(self._place(town, self._name(town), self._region_name(town)))
        others: list[Place] = []
        for one in found:
            if all(_apart(one, o) for o in (taken, *others)):
                others.append(one)
        return others[:_OTHERS]

    def written(self, place: Place) -> str:
        """What to write for this place and no other: with its region, its country, or as a point."""
        name = place.city or place.region or place.text
        region, country = place.region if place.city else "", place.country
        for parts in ((name, region), (name, country), (name, region, country)):
            text = ", ".join(dict.fromkeys(p for p in parts if p))
            again = self.resolve(text, "", best=True) if text != name else None
            if again is not None and _key_of(again) == _key_of(place):
                return text
        return f"{place.lat:.2f},{place.lon:.2f}" if place.lat is not None else name

    def near(self, lat: float, lon: float, km: float) -> list[Place]:
        """The towns within `km` of a point, the nearest first."""
        far = within(self._points, lat, lon, km)
        found = np.flatnonzero(np.isfinite(far))
        return [self._place(int(t), self._name(int(t))) for t in found[np.argsort(far[found])]]


def _key_of(place: Place) -> tuple[str, str, str]:
    return place.id, place.country, "" if place.id else place.region


def _apart(one: Place, other: Place) -> bool:
    """Whether two are different places, and not a town and the region or country around it."""
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return one.country != other.country
    return distance(one.lat, one.lon, other.lat, other.lon) > _FAR_APART


def _within(areas: Sequence[_Area], countries: frozenset[str]) -> tuple[_Area, ...]:
    return tuple(a for a in areas if not countries or a.country in countries)


def distance(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Kilometres between two points (haversine)."""
    a, b = math.radians(lat1), math.radians(lat2)
    h = math.sin((b - a) / 2) ** 2
    h += math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(h)))


def within(points: NDArray[Any], lat: float, lon: float, km: float) -> NDArray[np.float64]:
    """Kilometres from each of `points` (n × [latitude, longitude]; NaN where unknown) to a point;
    infinite where that is more than `km`, or unknown."""
    out = np.full(len(points), np.inf)
    near = np.flatnonzero(np.abs(points[:, 0] - lat) <= math.degrees(km / _EARTH) + 1e-9)
    lats, lons = (
        np.radians(points[near, 0].astype(np.float64)),
        np.radians(points[near, 1].astype(np.float64)),
    )
    h = np.sin((lats - math.radians(lat)) / 2) ** 2
    h += np.cos(lats) * math.cos(math.radians(lat)) * np.sin((lons - math.radians(lon)) / 2) ** 2
    far = 2 * _EARTH * np.arcsin(np.minimum(1.0, np.sqrt(h)))
    inside = far <= km
    out[near[inside]] = far[inside]
    return out


@cache
def gazetteer() -> Gazetteer:
    """The gazetteer of this process, its table kept in `cache_folder()`."""
    return Gazetteer(cache_folder())


def resolve(text: str, country: str = "", *, best: bool = False) -> Place | None:
    """The place that a text means, in any language and with what people write around a name.

    With `country` (ISO 3166-1 alpha-2) only places there are meant, unless the text names another country.
    Of equal names in a country the largest town is taken; of equal names in several the one that counts
    most by far, else none, or the largest after all with `best` (for queries). A region or a country alone
    comes back without `id`, `city` and degrees; with `best` a region has the degrees of its main town.
    `city` is GeoNames' own name, `id` is "geonames:" and its number.
    """
    return gazetteer().resolve(text, country, best=best)


def namesakes(text: str, taken: Place, country: str = "") -> list[Place]:
    """What else a query's text could mean than the place `taken` for it: the far namesakes that count at
    least a fifth of it, the greatest first; none where one is meant by far, or the text says which."""
    return gazetteer().namesakes(text, taken, country)


def written(place: Place) -> str:
    """What to write for this place, so that no namesake is meant: "Springfield, Missouri"."""
    return gazetteer().written(place)


def near(lat: float, lon: float, km: float) -> list[Place]:
    """The towns within `km` of a point, the nearest first."""
    return gazetteer().near(lat, lon, km)
