"""Servers that tests start for themselves from packages, on loopback, and stop again."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _postgresql_bin() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if folders:
        return folders[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL of our own; yields its address. Skips where the package is not installed."""
    programs = _postgresql_bin()
    if programs is None:
        pytest.skip("not run: PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="landbridge-pg-"))
    port = free_port()
    # PostgreSQL refuses to run as root
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    data = folder / "data"

    def call(*words: str) -> None:
        subprocess.run([*user, *words], check=True, capture_output=True, cwd=folder, timeout=60)

    call(
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "landbridge",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
    )
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    call(str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://landbridge@127.0.0.1:{port}/postgres"
    finally:
        call(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _full_jdk() -> Path | None:
    """A JDK of 21 or newer: OpenSearch needs one, and a trimmed runtime lacks its locale data."""
    places = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    places += sorted(Path("/usr/lib/jvm").glob("*"))
    for place in places:
        release = place / "release"
        if not (place / "bin" / "javac").exists() or not release.exists():
            continue
        version = re.search(r'JAVA_VERSION="(\d+)', release.read_text())
        if version and int(version[1]) >= 21:
            return place
    return None


@contextlib.contextmanager
def opensearch(*, heap: str = "512m") -> Iterator[str]:
    """One OpenSearch node of our own; yields its address. Skips where there is no Maven or JDK ≥ 21."""
    jdk = _full_jdk()
    if jdk is None or shutil.which("mvn") is None:
        pytest.skip("not run: OpenSearch, no JDK ≥ 21")
    folder = Path(tempfile.mkdtemp(prefix="landbridge-os-"))
    jars = folder / "jars.txt"
    pom = Path(__file__).parent / "opensearch" / "pom.xml"
    words = ["mvn", "-q", "-B", "-f", str(pom), "dependency:build-classpath", f"-Dmdep.outputFile={jars}"]
    subprocess.run(words, check=True, capture_output=True, timeout=300, cwd=folder)
    port = free_port()
    log = (folder / "node.log").open("wb")
    node = subprocess.Popen(
        [
            str(jdk / "bin" / "java"),
            f"-Xms{heap}",
            f"-Xmx{heap}",
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            jars.read_text(),
            str(Path(__file__).parent / "opensearch" / "Node.java"),
            str(folder / "data"),
            str(port),
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, node, folder / "node.log")
        yield address
    finally:
        node.kill()
        node.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"the node did not start: {log.read_text(errors='replace')[-800:]}")
