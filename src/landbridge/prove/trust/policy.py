"""How old a list may be here: `trust.toml` in the data directory, for all kinds and for each.

```toml
tolerance = "5m"            # what two clocks may differ by

[ages]
warn_after   = "1d"         # from then on an answer says so
refuse_after = "30d"        # from then on it is open

[ages.test]                 # a test result lives three days: so should the list behind it
refuse_after = "7d"
```
"""

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from landbridge.errors import ConfigError
from landbridge.prove.verify import DEFAULT_POLICY, Policy

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_NAMES = ("warn_after", "refuse_after")


def read_policy(path: Path) -> Policy:
    """The policy of an instance; the default without such a file. Raises ConfigError, naming the field."""
    if not path.is_file():
        return DEFAULT_POLICY
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigError(f"{path.name}: {wrong}") from None
    ages = given.pop("ages", {})
    tolerance = _duration(path.name, "tolerance", given.pop("tolerance", None), DEFAULT_POLICY.tolerance)
    if given or not isinstance(ages, dict):
        raise ConfigError(
            f"{path.name}: {next(iter(given), 'ages')!r} is not known: `tolerance` and `[ages]` are"
        )
    every = _ages(path.name, "ages", {name: ages[name] for name in _NAMES if name in ages}, DEFAULT_POLICY)
    base = Policy(warn_after=every[0], refuse_after=every[1], tolerance=tolerance)
    kinds = {
        kind: _ages(path.name, f"ages.{kind}", own, base) for kind, own in ages.items() if kind not in _NAMES
    }
    return Policy(warn_after=every[0], refuse_after=every[1], tolerance=tolerance, kinds=kinds)


def _ages(file: str, place: str, given: Any, otherwise: Policy) -> tuple[timedelta, timedelta]:
    if not isinstance(given, dict) or set(given) - set(_NAMES):
        raise ConfigError(f'{file}: [{place}] has warn_after and refuse_after, such as "7d"')
    warn = _duration(file, f"{place}.warn_after", given.get("warn_after"), otherwise.warn_after)
    refuse = _duration(file, f"{place}.refuse_after", given.get("refuse_after"), otherwise.refuse_after)
    return min(warn, refuse), refuse


def _duration(file: str, place: str, given: Any, otherwise: timedelta) -> timedelta:
    if given is None:
        return otherwise
    found = re.fullmatch(r"(\d{1,5})([smhd])", given) if isinstance(given, str) else None
    if found is None:
        raise ConfigError(f"{file}: {place}={str(given)[:20]!r} is no duration; write 36h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
