"""QR codes made and read: `python -m bench.qr [--repeat N] [--photographs N] [--json]`.

Makes the code of a certificate of 604 characters at level Q and reads it from a clean picture, beside segno and zbar
where they are installed. Then reads every picture of the conformance suites, and photographs simulated from a seed
(small, turned, in perspective, blurred, noisy, in uneven light, pressed by JPEG) beside one bare call of zxing-cpp.
"""

import argparse
import base64
import importlib
import io
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zxingcpp
from PIL import Image, ImageFilter

from landbridge.prove import carrier, qr

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
CHARACTERS = 604


def certificate(dice: random.Random, characters: int) -> str:
    """As long as a certificate, and of its alphabet; it says nothing."""
    return "HC1:" + "".join(dice.choices(ALPHANUMERIC, k=characters - 4))


def milliseconds(work: Callable[[], object], repeat: int) -> float:
    work()
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return round(statistics.median(times) * 1e3, 3)


def made(text: str, repeat: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "png": milliseconds(lambda: qr.png(text), repeat),
        "svg": milliseconds(lambda: qr.svg(text), repeat),
    }
    try:
        segno = importlib.import_module("segno")
    except ImportError:
        return found | {"segno": "not installed"}

    def peer() -> None:
        segno.make(text, error="q", boost_error=False, micro=False).save(io.BytesIO(), kind="png", scale=4)

    took = milliseconds(peer, max(5, repeat // 10))
    return found | {"segno": took, "times faster than segno": round(took / found["png"], 1)}


def read(text: str, repeat: int) -> dict[str, Any]:
    picture = qr.png(text)
    assert carrier.read(picture)[0].text == text
    found: dict[str, Any] = {"landbridge": milliseconds(lambda: carrier.read(picture), repeat)}
    try:
        zbar = importlib.import_module("pyzbar.pyzbar")
    except ImportError:
        return found | {"zbar": "not installed"}
    took = milliseconds(lambda: zbar.decode(Image.open(io.BytesIO(picture))), max(5, repeat // 10))
    return found | {"zbar": took, "times faster than zbar": round(took / found["landbridge"], 1)}


def suites(data: Path) -> dict[str, Any]:
    """What the pictures of the suites carry against what they should."""
    found: dict[str, Any] = {}
    expected = right = refused = none = 0
    for file in sorted((data / "prove" / "dgc-testdata").rglob("*.json")):
        case = json.loads(file.read_text("utf-8-sig"))
        wanted = case.get("EXPECTEDRESULTS", {}).get("EXPECTEDPICTUREDECODE")
        if wanted is None or "2DCODE" not in case:
            continue
        try:
            texts = [one.text for one in carrier.read(base64.b64decode(case["2DCODE"]))]
        except carrier.UnreadableCarrier:
            texts = []
        if wanted:
            expected += 1
            right += case.get("PREFIX") in texts
        else:
            none += 1
            refused += case.get("PREFIX") not in texts
    if expected + none:
        found["dgc-testdata"] = f"{right} of {expected} read, {refused} of {none} refused"
    drawn = [
        file
        for folder in ("shc-dev-tools", "shc-spec-examples")
        for kind in ("png", "jpg", "svg")
        for file in (data / "prove" / folder).rglob(f"*.{kind}")
    ]
    if drawn:
        count = 0
        for file in drawn:
            try:
                count += bool(carrier.read(file.read_bytes())[0].text)
            except carrier.UnreadableCarrier as error:
                found[file.name] = error.code
        found["smart health cards"] = f"{count} of {len(drawn)} read"
    return found


# simulated photographs

Corners = list[tuple[float, float]]


def _perspective(corners: Corners, side: int) -> tuple[float, ...]:
    """The eight numbers by which Pillow draws a square of this side onto these corners."""
    square = [(0, 0), (side, 0), (side, side), (0, side)]
    lines, values = [], []
    for (x, y), (u, v) in zip(corners, square, strict=True):
        lines += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(np.linalg.solve(np.array(lines, float), np.array(values, float)))


def photograph(seed: int) -> tuple[str, bytes]:
    """A text, and a JPEG that shows its code as badly as a hurried hand would; most of them are beyond reading."""
    dice, noise = random.Random(seed), np.random.default_rng(seed)
    text = certificate(dice, dice.choice([40, 120, 200, 350, 600]))
    modules = np.pad(qr.matrix(text, error_correction=dice.choice(["L", "M", "Q"])), 4)
    point = dice.choice([1.6, 2, 2.5, 3, 4, 6])
    code = Image.fromarray(np.where(modules, 0, 255).astype(np.uint8).repeat(8, 0).repeat(8, 1))
    side = round(len(modules) * point)
    width, height = (round(side * dice.uniform(1.3, 2.5)) for _ in range(2))
    ground = noise.integers(60, 200, (height // 16 + 1, width // 16 + 1)).astype(np.uint8)
    scene = Image.fromarray(ground).resize((width, height), Image.Resampling.BICUBIC)
    left, top = dice.uniform(0, width - side), dice.uniform(0, height - side)
    lean = dice.choice([0, 0.03, 0.08, 0.15]) * side
    corners = [
        (
            left + x * side + (1 - 2 * x) * dice.uniform(0, lean),
            top + y * side + (1 - 2 * y) * dice.uniform(0, lean),
        )
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    numbers = _perspective([(3 * x, 3 * y) for x, y in corners], code.width)
    drawn, mask = (
        one.transform(
            (3 * width, 3 * height), Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BILINEAR
        ).resize((width, height), Image.Resampling.BOX)
        for one in (code, Image.new("L", code.size, 255))
    )
    scene.paste(drawn, (0, 0), mask)
    scene = scene.rotate(
        dice.choice([0, 0, 7, 20, 45, 90, 137]), Image.Resampling.BICUBIC, expand=True, fillcolor=120
    )
    scene = scene.filter(ImageFilter.GaussianBlur(dice.choice([0, 0.3, 0.5, 0.7]) * point))
    light = np.asarray(scene, np.float32) / 255
    contrast = dice.choice([1, 0.7, 0.4, 0.2])
    light = light * contrast + dice.uniform(0, 1 - contrast)
    down, across = np.mgrid[0 : light.shape[0], 0 : light.shape[1]]
    angle, shadow = dice.uniform(0, 6.28), dice.choice([0, 0, 0.4, 0.7])
    far = (across / light.shape[1] - 0.5) * np.cos(angle) + (down / light.shape[0] - 0.5) * np.sin(angle)
    light = light * (1 - shadow * ((far > 0) if dice.random() < 0.4 else (far + 0.5).clip(0, 1)))
    light = light + noise.normal(0, dice.choice([0, 0.01, 0.03, 0.06]), light.shape)
    out = io.BytesIO()
    Image.fromarray((light.clip(0, 1) * 255).astype(np.uint8)).save(
        out, "JPEG", quality=dice.choice([40, 60, 80, 95])
    )
    return text, out.getvalue()


def photographs(count: int) -> dict[str, Any]:
    ours = bare = wrong = 0
    slow = 0.0
    for seed in range(count):
        text, picture = photograph(seed)
        bare += any(
            one.text == text for one in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))
        )
        started = time.perf_counter()
        try:
            found = [one.text for one in carrier.read(picture)]
        except carrier.UnreadableCarrier:
            found = []
        slow = max(slow, time.perf_counter() - started)
        ours += text in found
        wrong += any(other != text for other in found)
    return {
        "photographs": count,
        "read": ours,
        "read by one call of zxing-cpp": bare,
        "ratio": round(ours / max(bare, 1), 2),
        "read wrongly": wrong,
        "slowest, s": round(slow, 2),
    }


def main() -> int:
    words = argparse.ArgumentParser(prog="bench qr", description="QR codes made and read.")
    words.add_argument("--repeat", type=int, default=100, help="of each timing")
    words.add_argument("--photographs", type=int, default=150, help="simulated; 0 for none")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    text = certificate(random.Random(1), CHARACTERS)
    figures: dict[str, Any] = {
        f"made, {CHARACTERS} characters at level Q, ms": made(text, asked.repeat),
        "read from a clean picture, ms": read(text, asked.repeat),
    }
    data = Path(
        os.environ.get("LANDBRIDGE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    )
    figures["pictures of the suites"] = suites(data) if data.is_dir() else "not run: no shared data here"
    if asked.photographs:
        figures["simulated photographs"] = photographs(asked.photographs)
    if asked.json:
        print(json.dumps(figures))
        return 0
    for what, one in figures.items():
        print(what)
        for name, value in one.items() if isinstance(one, dict) else [("", one)]:
            print(f"    {name:30} {value}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
