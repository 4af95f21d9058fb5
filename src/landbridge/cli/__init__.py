"""The command line: `landbridge WORD …`.

Exit codes: 0 done, 1 the answer is no (nothing found, nothing to do, a finding), 2 it cannot be said or
it failed, 64 the command is wrong. `--json` prints one JSON document, or one a line where a command says so.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from landbridge import __version__
from landbridge.errors import LandbridgeError, NotFound, UsageError

DONE, NO, FAILED, USAGE = 0, 1, 2, 64
_ROOMS = {
    "decide": "clearing",
    "rules": "clearing",
    "verify": "proving",
    "trust": "trusting",
    "issue": "issuing",
    "status": "issuing",
}


class Parser(argparse.ArgumentParser):
    """argparse that exits with 64 for a wrong command."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"landbridge: {message}\n")


def parser() -> Parser:
    """All commands and their words."""
    top = Parser(
        prog="landbridge",
        description="One search over many national registers, with credentials and rules to follow.",
    )
    top.add_argument("--version", action="version", version=f"landbridge {__version__}")
    words = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def command(name: str, text: str, *, json: bool = True) -> Parser:
        made = words.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if json:
            made.add_argument("--json", action="store_true", help="print JSON")
        return made

    find = command("find", "search the members' registers")
    find.add_argument("text", nargs="*", metavar="TEXT", help='words, "a phrase", -without')
    find.add_argument("--in", dest="in_", metavar="LIST", help="countries or members: ru,kz,vn")
    find.add_argument("--kind", help="vacancy (the default), candidate, …")
    find.add_argument("--place", help="a city, or LAT,LON")
    find.add_argument("--radius", metavar="KM", help="around the place")
    find.add_argument("--occupation", metavar="CODES", help="occupation codes, such as isco-08:7212")
    find.add_argument("--pay", metavar="AMOUNT", help="at least this much")
    find.add_argument("--currency", help="of --pay, ISO 4217")
    find.add_argument("--period", help="of --pay: hour, day, week, month, year")
    find.add_argument("--unknown", metavar="LIST", help="filters that let records without a value through")
    find.add_argument("--lang", metavar="LIST", help="languages of the records")
    find.add_argument("--source", metavar="LIST", help="member/source")
    find.add_argument("--since", metavar="DATE", help="published on or after, or 7d")
    find.add_argument("--sort", help="relevance, date, pay or distance")
    find.add_argument("--limit", metavar="N", help="how many to show")
    find.add_argument("--cursor", help="where the last page stopped")
    find.add_argument("--facets", metavar="LIST", help="what to count: country,employer,contract,…")
    find.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="FIELD=CODE",
        help="any code field: contract=permanent",
    )
    find.add_argument("--explain", action="store_true", help="say why each hit is where it is")
    find.add_argument(
        "--literal", action="store_true", help="the words as typed, not the occupation that they name"
    )

    occupation = command("occupation", "say which occupation a title names, in any language")
    occupation.add_argument("text", nargs="*", metavar="TEXT", help="a title, such as: electric welder")
    occupation.add_argument("--file", type=Path, metavar="CSV", help="read the titles out of a table instead")
    occupation.add_argument("--title", metavar="COLUMN", help="of the table: its titles")
    occupation.add_argument("--text", dest="more", metavar="COLUMN", help="of the table: further words")
    occupation.add_argument("--lang", default="en", metavar="CODE", help="of the names in the answer")

    verify = command("verify", "say whether a credential can be believed, from text, picture, PDF or file")
    verify.add_argument("files", nargs="*", metavar="FILE", help="a file, or - for standard input")
    verify.add_argument(
        "--trust",
        action="append",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="certificates, keys, trust lists or folders of them, instead of the trust store",
    )
    verify.add_argument(
        "--status",
        action="append",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="lists of withdrawn credentials, with --trust",
    )
    verify.add_argument("--at", metavar="TIME", help="as if it were then: 2026-11-24T18:00:00Z")
    verify.add_argument("--batch", action="store_true", help="many files, on all cores, one line each")

    issue = command("issue", "sign credentials as an issuing office", json=False)
    verbs = issue.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, text in (
        ("office", "found an office: its profile and first key"),
        ("key", "make a new key, which signs from now on"),
        ("token", "make a new token for its systems and officers; the one before ends"),
        ("sign", "one credential, from JSON"),
        ("batch", "one credential a row, from CSV"),
        ("show", "an office: keys, log, and the entry a trust list needs"),
        ("log", "say whether a credential is in the log, and prove it; or that the log was only added to"),
    ):
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.add_argument("office", metavar="OFFICE", help="its short name, such as xa-laboratory")
        made.add_argument("--json", action="store_true", help="print JSON")
        if name == "office":
            made.add_argument("--title", required=True, help="the issuer's name, as an officer reads it")
            made.add_argument("--id", required=True, metavar="URL", help="its https address")
            made.add_argument("--country", required=True, metavar="CODE", help="ISO 3166-1, two letters")
            made.add_argument(
                "--kinds", required=True, metavar="LIST", help="test,vaccination,recovery,qualification"
            )
            made.add_argument(
                "--status", default="", metavar="URL", help="where its status list will be published"
            )
        if name in ("office", "key"):
            made.add_argument("--algorithm", default="ES256", help="ES256, ES384, EdDSA or PS256")
            made.add_argument(
                "--key-days",
                type=int,
                default=730,
                metavar="N",
                help="how long its signatures can be checked",
            )
        if name == "log":
            made.add_argument(
                "file", nargs="?", type=Path, metavar="FILE", help="a credential: text, picture, PDF or file"
            )
            made.add_argument("--since", type=int, metavar="SIZE", help="of the log, when --root was noted")
            made.add_argument("--root", metavar="HEX", help="of the log at that size")
        if name in ("sign", "batch"):
            made.add_argument(
                "file", type=Path, metavar="FILE", help="the case as JSON (- reads it), or the table"
            )
            made.add_argument("--format", required=True, help="hcert, shc, sd-jwt-vc or jwt-vc")
            made.add_argument("--kind", required=True, help="test, vaccination, recovery or qualification")
            made.add_argument("--days", type=int, metavar="N", help="how long it is valid")
            made.add_argument("--sheet", type=Path, metavar="HTML", help="write a sheet to print")
            made.add_argument("--paper", default="a4", choices=["a4", "a6"], help="of the sheet")
            made.add_argument("--lang", default="en", metavar="CODE", help="of the sheet: ru, ar, th, …")
        if name == "sign":
            made.add_argument("--qr", type=Path, metavar="PNG|SVG", help="write its QR code")
            made.add_argument(
                "--conceal", metavar="LIST", help="claims its holder may keep back (sd-jwt-vc); all without"
            )
            made.add_argument(
                "--holder", type=Path, metavar="JWK", help="the public key it is bound to (sd-jwt-vc)"
            )
        if name == "batch":
            made.add_argument(
                "--out", type=Path, required=True, metavar="FOLDER", help="a text and a QR code a row"
            )
            made.add_argument(
                "--errors", type=Path, metavar="CSV", help="the rows refused; default errors.csv in it"
            )

    trust = command("trust", "who may issue what: the list, and the repository it comes from", json=False)
    verbs = trust.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, text in (
        ("update", "bring the list up to date, from an address or a folder"),
        ("show", "every issuer believed here, and how old each list is"),
        ("export", "write the list as it stands into a folder, such as a stick"),
        ("key", "make a key for a repository: an officer's, a member's, or its own"),
        ("create", "a new repository, signed by its officers"),
        ("admit", "a member, by its public key"),
        ("publish", "a member's issuers and lists, signed by its key"),
        ("timestamp", "sign, every day, that nothing newer is there"),
    ):
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name in ("update", "show", "export"):
            made.add_argument("--json", action="store_true", help="print JSON")
        if name == "update":
            made.add_argument("source", metavar="URL|FOLDER", help="the repository, or a stick with it")
            made.add_argument("--root", type=Path, metavar="FILE", help="its root.json, the first time")
        if name == "key":
            made.add_argument("file", type=Path, metavar="FILE", help="where the private key goes")
        if name in ("export", "create", "admit", "publish", "timestamp"):
            made.add_argument("folder", type=Path, metavar="FOLDER")
        if name in ("admit", "publish"):
            made.add_argument("member", metavar="MEMBER", help="its short name, such as xa")
        if name == "admit":
            made.add_argument("key", type=Path, metavar="PUB", help="its public key")
            made.add_argument(
                "--territories", default="", metavar="LIST", help="countries its issuers may be of"
            )
        if name == "publish":
            made.add_argument(
                "files", nargs="+", type=Path, metavar="FILE", help="issuers (TOML, or their folder), lists"
            )
            made.add_argument(
                "--key", type=Path, required=True, metavar="KEY", help="the member's private key"
            )
        if name == "create":
            made.add_argument(
                "--officer", action="append", type=Path, required=True, metavar="PUB", help="three of them"
            )
            made.add_argument("--threshold", type=int, default=2, metavar="N", help="how many must sign")
        if name in ("create", "admit"):
            made.add_argument(
                "--sign", action="append", type=Path, required=True, metavar="KEY", help="an officer's, twice"
            )
        if name in ("create", "admit", "publish", "timestamp"):
            made.add_argument(
                "--online", type=Path, required=True, metavar="KEY", help="the repository's own"
            )

    status = command("status", "lists of what was taken back", json=False)
    verbs = status.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, text in (
        ("set", "mark a credential by its number: invalid, suspended or valid again"),
        ("publish", "write the signed lists of an office into a folder"),
        ("show", "say what a list is, who signed it, and how old it is"),
    ):
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.add_argument("--json", action="store_true", help="print JSON")
        if name != "show":
            made.add_argument("office", metavar="OFFICE", help="its short name")
        if name == "set":
            made.add_argument("place", type=int, metavar="NUMBER", help="in the list; `issue sign` says it")
            made.add_argument(
                "--as", dest="value", default="invalid", choices=["invalid", "suspended", "valid"]
            )
        if name == "publish":
            made.add_argument(
                "--out", type=Path, required=True, metavar="FOLDER", help="to be put on the web"
            )
            made.add_argument("--days", type=int, default=7, help="until when it is good")
        if name == "show":
            made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="lists, or folders of them")
            made.add_argument("--trust", action="append", nargs="+", type=Path, default=[], metavar="PATH")

    decide = command("decide", "may I, by a destination's own rules, on these facts")
    decide.add_argument("--to", required=True, metavar="CC", help="the destination, ISO 3166-1")
    decide.add_argument(
        "--facts", required=True, type=Path, metavar="FILE", help="JSON: a payload, or payload and external"
    )
    decide.add_argument(
        "--rules",
        action="append",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="rules, or folders of them",
    )
    decide.add_argument("--values", type=Path, metavar="FILE", help="value sets by name, as JSON")
    decide.add_argument("--at", metavar="TIME", help="as if it were then: 2026-11-24T18:00:00Z")
    decide.add_argument(
        "--kind", default="", help="test, vaccination, recovery, …; told by the facts otherwise"
    )
    decide.add_argument("--subject", default="travel", help="travel, work, qualification or goods")
    decide.add_argument("--region", default="", help="of the destination")
    decide.add_argument("--within", default="", metavar="LIST", help="unions the destination belongs to: EU")
    decide.add_argument("--lang", default="en", metavar="CODE", help="of the rules' words")

    rules = command("rules", "the rules themselves", json=False)
    verbs = rules.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    made = verbs.add_parser(
        "test", help="run the cases beside rules", description="Run the cases beside rules."
    )
    made.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="rules, or folders of them")
    made.add_argument("--json", action="store_true", help="print JSON")

    harvest = command("harvest", "read the members' registers into the journal")
    harvest.add_argument("names", nargs="*", metavar="MEMBER", help="members or member/source; all without")
    harvest.add_argument("--replay", nargs="+", type=Path, metavar="PATH", help="recorded files instead")
    harvest.add_argument("--due", action="store_true", help="only the sources whose time has come")
    harvest.add_argument("--forever", action="store_true", help="go on, each source at its own pace")
    harvest.add_argument("--release", type=int, metavar="RUN", help="carry out a held run's removals")

    member = command("member", "list, show or test members and their sources", json=False)
    verbs = member.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, text in (
        ("list", "every member and how it stands"),
        ("show", "one member or source: its file, runs, incidents"),
        ("test", "the doctor for a source file, an unknown file, or an address"),
    ):
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.add_argument("--json", action="store_true", help="print JSON")
        if name == "show":
            made.add_argument("name", metavar="NAME", help="member or member/source")
        if name == "test":
            made.add_argument("target", metavar="FILE|URL", help="a source file, a data file or an address")
            made.add_argument("--kind", default="vacancy", help="what its records are")
            made.add_argument("--member", default="xx", help="the member the proposal is for")
            made.add_argument("--write", type=Path, metavar="PATH", help="write the proposal here")

    quarantine = command("quarantine", "rows that could not be understood", json=False)
    verbs = quarantine.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, text in (
        ("list", "grouped by reason"),
        ("replay", "try them again, after a source was mended"),
    ):
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.add_argument("source", nargs="?", default="", metavar="MEMBER/SOURCE")
        made.add_argument("--json", action="store_true", help="print JSON")

    index = command("index", "the search index", json=False)
    verbs = index.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for name, text in (
        ("rebuild", "make it again from the journal"),
        ("follow", "keep it up to the journal until the input ends: a worker beside a harvest"),
    ):
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.add_argument("--json", action="store_true", help="print JSON")

    serve = command("serve", "serve the pages and the API", json=False)
    demo = command("demo", "load a fictitious union, show three answers, and serve it", json=False)
    for one in (serve, demo):
        one.add_argument("--host", help="address to listen on")
        one.add_argument("--port", type=int, help="port to listen on")
    serve.add_argument("--workers", type=int, help="processes")
    demo.add_argument("--no-serve", action="store_true", help="stop after printing")

    export = command("export", "write records out", json=False)
    export.add_argument("--in", dest="in_", metavar="LIST", help="members; all without")
    export.add_argument("--kind", default="", help="one kind only")
    export.add_argument("--format", choices=["ndjson", "csv"], default="ndjson")
    export.add_argument("-o", "--output", type=Path, help="a file; standard output without")

    backup = command("backup", "the whole instance into one file")
    backup.add_argument("file", type=Path, metavar="FILE.tar")
    restore = command("restore", "an instance from such a file; also into PostgreSQL")
    restore.add_argument("file", type=Path, metavar="FILE.tar")

    command("doctor", "look this instance over")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    arguments = parser().parse_args(argv)
    # commands bring in the engine, the database and the web server: --help and `verify` must not wait for them
    room = _ROOMS.get(arguments.command, "commands")
    commands = importlib.import_module(f"landbridge.cli.{room}")
    try:
        return int(commands.run(arguments))
    except UsageError as error:
        _say(error, f"{error.parameter}: " if error.parameter else "")
        return USAGE
    except NotFound as error:
        _say(error)
        return USAGE
    except LandbridgeError as error:
        _say(error)
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _say(error: LandbridgeError, before: str = "") -> None:
    print(f"landbridge: {before}{error}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
