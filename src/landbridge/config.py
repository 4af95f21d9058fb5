"""The settings of an instance: where its data lives, and what its operator decides.

Every setting is an environment variable; none holds a secret of a source (those are named by the source).
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from landbridge.errors import ConfigError

SETTINGS: dict[str, str] = {
    "LANDBRIDGE_DATA": "the data directory (journal, index, own members and kinds); default ~/.local/share/landbridge",
    "LANDBRIDGE_JOURNAL": "postgresql://user@host/database instead of the SQLite file in the data directory",
    "LANDBRIDGE_INDEX": "opensearch, as the http address of a node, instead of the embedded index",
    "LANDBRIDGE_MEMBERS": "further folders of members, separated by colons",
    "LANDBRIDGE_CONTACT": "an address that registers see in our User-Agent",
    "LANDBRIDGE_PRIVATE": "1 to let connectors reach private and loopback addresses",
    "LANDBRIDGE_HOST": "the address to serve on; default 127.0.0.1",
    "LANDBRIDGE_PORT": "the port to serve on; default 8000",
    "LANDBRIDGE_WORKERS": "how many processes serve; default 1",
    "LANDBRIDGE_RATE": "what a visitor may ask for, in requests a second to each process; 0 without limit; default 20",
    "LANDBRIDGE_BURST": "how many of them at once; default 200",
    "LANDBRIDGE_OPERATOR_TOKEN": "what an operator signs in with, 16 characters or more; default the file operator.token in the data directory",
    "LANDBRIDGE_OIDC_ISSUER": "the OpenID Connect provider that operators sign in at, instead of a token",
    "LANDBRIDGE_OIDC_CLIENT_ID": "as what this instance is known there",
    "LANDBRIDGE_OIDC_CLIENT_SECRET": "its secret there",
    "LANDBRIDGE_OIDC_ROLES": "the claim that holds operator or viewer; default roles",
    "LANDBRIDGE_ISSUE_PASSPHRASE": "what the keys of this instance's issuing offices open with; asked for where it is not set",
    "LANDBRIDGE_TRUST_PASSPHRASE": "what the keys of a trust repository open with; asked for where it is not set",
    "LANDBRIDGE_PROXIES": "addresses of proxies whose X-Forwarded-For is believed, separated by commas; default loopback",
}


class Settings(msgspec.Struct, frozen=True):
    """The settings, read once."""

    data: Path
    journal: str
    index: str = ""
    members: tuple[Path, ...] = ()
    contact: str = ""
    private: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    rate: int = 0
    burst: int = 200
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")


def read_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises ConfigError for an unknown LANDBRIDGE_… of ours or a bad number."""
    env = os.environ if env is None else env
    data = Path(env.get("LANDBRIDGE_DATA") or Path.home() / ".local" / "share" / "landbridge")
    numbers = {}
    for name, default in (("PORT", 8000), ("WORKERS", 1), ("RATE", 20), ("BURST", 200)):
        text = env.get(f"LANDBRIDGE_{name}") or str(default)
        if not text.isdigit():
            raise ConfigError(f"LANDBRIDGE_{name}={text!r} is no number")
        numbers[name.lower()] = int(text)
    return Settings(
        data=data,
        journal=env.get("LANDBRIDGE_JOURNAL") or str(data / "journal.db"),
        index=env.get("LANDBRIDGE_INDEX", ""),
        members=tuple(Path(p) for p in env.get("LANDBRIDGE_MEMBERS", "").split(":") if p),
        contact=env.get("LANDBRIDGE_CONTACT", ""),
        private=env.get("LANDBRIDGE_PRIVATE", "") in {"1", "true", "yes"},
        host=env.get("LANDBRIDGE_HOST") or "127.0.0.1",
        port=numbers["port"],
        workers=numbers["workers"],
        rate=numbers["rate"],
        burst=max(1, numbers["burst"]),
        proxies=tuple(
            p.strip() for p in (env.get("LANDBRIDGE_PROXIES") or "127.0.0.1,::1").split(",") if p.strip()
        ),
    )
