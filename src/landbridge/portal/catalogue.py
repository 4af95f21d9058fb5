"""The catalogues of the interface, kept in step with the texts: `./run texts`.

Messages are gathered from templates and code into `catalogues/landbridge.pot`; each language's file then gains
what is new, without a translation, and loses what is gone. A test holds that no hole is left.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from landbridge.kinds.kind import LANGUAGES
from landbridge.prove.verdict import SENTENCES
from landbridge.prove.verify import HINTS

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE / "catalogues"
_CALLS: Final[dict[str, Any]] = {"_": None, "text": None, "ngettext": (1, 2), "plural": (1, 2)}
_FILES: Final = [("templates/operate/**", "ignore"), ("templates/**.html", "jinja2"), ("**.py", "python")]


def template() -> Catalog:
    """All messages, with the places where they stand."""
    found = Catalog(project="Landbridge", fuzzy=False, header_comment="# Landbridge")
    for path, line, message, _, _ in extract_from_dir(HERE, _FILES, keywords=_CALLS):
        found.add(message, locations=[(path, line)])
    for message in (*SENTENCES.values(), *HINTS.values()):
        found.add(message)
    return found


def read(language: str) -> Catalog:
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(catalogue: Catalog, path: Path) -> None:
    text = io.BytesIO()
    catalogue.fuzzy = False
    write_po(text, catalogue, width=0, sort_output=True, no_location=True, omit_header=False)
    kept = [
        line
        for line in text.getvalue().decode().splitlines()
        if not line.startswith(('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Report-Msgid'))
    ]
    path.write_text("\n".join(kept) + "\n", "utf-8")


def holes(language: str) -> Iterator[str]:
    """What a catalogue lacks."""
    own = read(language)
    for message in template():
        if not message.id:
            continue
        name = message.id[0] if isinstance(message.id, tuple) else message.id
        there = own.get(name)
        said = there.string if there else ""
        parts = said if isinstance(said, tuple) else (said,)
        wanted = own.num_plurals if isinstance(message.id, tuple) else 1
        if len(parts) < wanted or not all(parts):
            yield str(name)


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    whole = template()
    write(whole, FOLDER / "landbridge.pot")
    missing = 0
    for language in LANGUAGES:
        if language == "en":
            continue
        own = read(language)
        own.update(whole, no_fuzzy_matching=True)
        own.obsolete.clear()
        write(own, FOLDER / f"{language}.po")
        lacking = list(holes(language))
        missing += len(lacking)
        print(f"{language}: {len(whole)} messages, {len(lacking)} without translation")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
