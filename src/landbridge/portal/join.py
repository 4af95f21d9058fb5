"""/join: an engineer gives an address or a file, and gets a proposed source file and what it makes of ten rows.

Nothing changes and nothing is stored: the file is read in memory, by a process of its own that may write none. An
address must be public; private ones, where the instance allows them at all, are for operators only, or a visitor
could look around in the network of whoever runs this.
"""

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import landbridge
from landbridge.find.doctor import Preview, Report
from landbridge.find.query import default_kind
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind
from landbridge.portal import words
from landbridge.portal.examining import SECONDS, Task
from landbridge.portal.forms import Unusable, read_form
from landbridge.portal.languages import Reader
from landbridge.portal.login import Door
from landbridge.portal.rendering import Site

MOST: Final = 10  # MB of a file, or of what an address answers
PATIENCE: Final = SECONDS + 15  # seconds until a look is broken off, whatever it does
_SLOTS = 3  # looks at the same time
_BYTES = MOST * 1_000_000
_MEMBER = re.compile(r"[a-z][a-z0-9-]{1,19}")
_HEADERS: Final = {"Cache-Control": "no-store"}


class Shown(msgspec.Struct, frozen=True):
    """A row of the preview: as it came, and what was made of it or why nothing was."""

    came: list[tuple[str, str]]
    made: list[tuple[str, str]]
    why: str


def routes(site: Site, door: Door | None = None) -> list[Route]:
    """The form, and what the doctor says."""
    counter = _Counter(site, door or Door(site.instance.settings.data))
    return [
        *site.routes({"/join": counter.show}),
        *site.routes({"/join": counter.look}, methods=("POST",)),
    ]


class _Counter:
    def __init__(self, site: Site, door: Door) -> None:
        self.site = site
        self.door = door
        self._looking = 0

    async def show(self, request: Request) -> Response:
        return self._form(request, {})

    async def look(self, request: Request) -> Response:
        """Reads the form, lets the doctor look, and shows the report; or the form again with what is wrong."""
        reader = self.site.reader(request)
        fields: dict[str, str] = {}
        if self._looking >= _SLOTS:
            said = reader.text("Several files are being looked at just now. Please try again in a minute.")
            return self._form(request, fields, said, 503, headers={"Retry-After": "60"})
        self._looking += 1
        try:
            fields, upload = await read_form(
                request, reader, most=MOST, lacking=reader.text("Please give an address or a file.")
            )
            task = self._task(request, fields, upload, reader)
            report = await _examine(task)
        except Unusable as error:
            return self._form(request, fields, error.words, error.status)
        finally:
            self._looking -= 1
        if report is None:
            said = reader.text("It could not be looked at in time. Please give a smaller part of it.")
            return self._form(request, fields, said, 422)
        return self._report(request, task, report)

    def _task(
        self, request: Request, fields: Mapping[str, str], upload: tuple[str, bytes] | None, reader: Reader
    ) -> Task:
        """What is asked for. Raises Unusable."""
        settings, kinds = self.site.instance.settings, self.site.instance.kinds
        kind = fields.get("kind") or default_kind(kinds)
        member, url = fields.get("member", "").strip() or "xx", fields.get("url", "").strip()
        if kind not in kinds:
            raise Unusable(reader.text("Please choose what it holds from the list."))
        if not _MEMBER.fullmatch(member):
            raise Unusable(reader.text("The short name has 2 to 20 small letters or digits, such as xa."))
        own = Task(kind, member, str(settings.data / "kinds"))
        if upload is not None:
            return msgspec.structs.replace(own, name=upload[0], data=upload[1])
        if not url:
            raise Unusable(reader.text("Please give an address or a file."))
        if not _is_address(url):
            raise Unusable(
                reader.text("The address must begin with https:// or http:// and hold no name or password.")
            )
        private = settings.private and self.door.session(request) is not None
        return msgspec.structs.replace(own, url=url, most=_BYTES, contact=settings.contact, private=private)

    def _form(
        self,
        request: Request,
        fields: Mapping[str, str],
        wrong: str = "",
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        kinds = self.site.instance.kinds
        return self.site.page(
            request,
            "join.html",
            status,
            headers={**_HEADERS, **(headers or {})},
            kinds=list(kinds.values()),
            asked={"url": "", "member": "", "kind": default_kind(kinds), **fields},
            wrong=wrong,
            most=MOST,
        )

    def _report(self, request: Request, task: Task, report: Report) -> Response:
        kind, reader = self.site.instance.kinds[task.kind], self.site.reader(request)
        place = PurePosixPath(urlsplit(task.url).path if task.url else task.name).name
        stem = re.sub(r"[^a-z0-9]+", "-", place.split(".")[0].lower()).strip("-") or "register"
        return self.site.page(
            request,
            "join_report.html",
            200 if report.rows else 422,
            headers=_HEADERS,
            report=report,
            shown=[_show(one, kind, self.site.instance, reader) for one in report.preview],
            file=f"members/{task.member}/shares/{stem}.toml",
            name=f"{stem}.toml",
            download="data:application/toml;charset=utf-8," + quote(report.proposal),
            member=task.member,
            kind=kind,
            source=f"{task.member}/{stem}",
            sample="" if task.url else task.name,
        )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


async def _examine(task: Task) -> Report | None:
    """The doctor's report; None where it took too long or needed too much."""
    root = str(Path(landbridge.__file__).parents[1])
    env = {name: value for name, value in os.environ.items() if not name.startswith("LANDBRIDGE_")}
    env["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [env.get("PYTHONPATH")])])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-B",
        "-m",
        "landbridge.portal.examining",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=env,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate(msgspec.msgpack.encode(task))
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return msgspec.json.decode(said, type=Report) if process.returncode == 0 else None


def _show(one: Preview, kind: Kind, instance: Instance, reader: Reader) -> Shown:
    try:
        row = msgspec.json.decode(one.row)
    except msgspec.DecodeError:
        row = one.row
    came = (
        [(name, _text(value)) for name, value in row.items()] if isinstance(row, dict) else [("", _text(row))]
    )
    return Shown([(n, t) for n, t in came if t], _made(one, kind, instance, reader), one.why)


def _made(one: Preview, kind: Kind, instance: Instance, reader: Reader) -> list[tuple[str, str]]:
    """The record as its page would show it."""
    if one.values is None:
        return []
    values = msgspec.convert({n: v for n, v in one.values.items() if n in kind.fields}, kind.struct)
    title = reader.label(kind.fields[kind.title].label)
    fields = words.show_fields(values, kind, instance, "EUR", reader)
    return [
        ("id", str(one.values["key"])),
        (title, _text(getattr(values, kind.title))),
        *((f["label"], _text([p["text"] or p["link"] for p in f["parts"]])) for f in fields),
        (words.filter_label("lang", kind, reader), reader.language_name(str(one.values["language"]))),
    ]


def _text(value: Any) -> str:
    """A value in words; of a long one, its beginning."""
    if isinstance(value, dict):
        text = ", ".join(part for part in map(_text, value.values()) if part)
    elif isinstance(value, list):
        text = "; ".join(part for part in map(_text, value) if part)
    else:
        text = "" if value is None else str(value)
    return text if len(text) <= 300 else text[:300] + "…"
