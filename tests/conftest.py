"""What every test shares: no network but loopback, and the real inputs where they are present."""

import os
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _no_network_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and not ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real inputs, or a skip that says so."""
    found = Path(os.environ.get("LANDBRIDGE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not found.is_dir():
        pytest.skip("not run: no shared data here")
    return found
