"""`./run train-encoder`: trains the encoder, makes the concepts, and writes both into the package.

--hold-out leaves a third of the titles of unit groups out, in the languages that ESCO has not, and says how many of
those are led to their group all the same; what it writes goes to --into, not into the package.
"""

import argparse
import json
import time
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch

from landbridge.codes.occupations.encoder import Encoder
from landbridge.codes.occupations.link import Calibration, Linker, load
from landbridge.codes.occupations.vocabulary import check, vocabulary
from training.concepts import calibrated, concepts, held_back, titles_of
from training.encoder import train
from training.labels import ESCO, Label, around, descriptions, esco_labels, our_labels

OUTSIDE_ESCO = [
    "ru",
    "kk",
    "ky",
    "be",
    "hy",
    "uz",
    "tg",
    "az",
    "ka",
    "uk",
    "vi",
    "id",
    "ms",
    "th",
    "km",
    "lo",
    "my",
    "fil",
    "zh",
]
NONE = Path(__file__).with_name("none.txt")
MODEL = Path(str(resources.files("landbridge.codes.occupations"))) / "model"


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run train-encoder", description=__doc__)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, default=MODEL)
    parser.add_argument("--hold-out", action="store_true")
    parser.add_argument("--titles", action="store_true", help="no training: the list of titles alone")
    asked = parser.parse_args()
    if asked.titles:
        path = MODEL / "concepts.npz"
        np.savez(path, **load(path)._replace(**titles_of(vocabulary()))._asdict())
        return
    if not (ESCO / "labels.tsv.gz").is_file():
        raise SystemExit("train-encoder: not run: ESCO's labels are not at ../shared/data/esco")
    if asked.hold_out and asked.into == MODEL:
        raise SystemExit("train-encoder: --hold-out needs --into, so that the package keeps its whole model")
    torch.set_num_threads(max(1, torch.get_num_threads()))
    known = vocabulary()
    codes = frozenset(known.labels("en")) | frozenset(known.esco)
    for language in known.languages:
        path = resources.files("landbridge.codes.occupations") / f"data/titles/{language}.tsv"
        check(language, path.read_text("utf-8").splitlines(), codes)
    labels = [*esco_labels(), *our_labels(known)]
    some = [one for one in OUTSIDE_ESCO if one in known.languages]
    out = held_back(known, some) if asked.hold_out else frozenset()
    trained = train(
        (one for one in labels if one not in out),
        descriptions(),
        around(),
        steps=asked.steps,
        seed=asked.seed,
    )
    encoder = Encoder(trained.weights)
    made = concepts(encoder, labels, (trained.concepts, trained.proxies), known, without=out)
    negative = NONE.read_text("utf-8").splitlines()
    if asked.hold_out:
        linker = Linker(encoder, made)
        rng = np.random.default_rng(1)  # as many titles that are known as are not: people type both
        seen = [one for one in our_labels(known) if len(one.concept) == 4 and one not in out]
        positive = [some[n] for some in (sorted(out), seen) for n in rng.permutation(len(some))[:2_000]]
        beside = list(around())  # and half of them among words that say nothing
        for n in range(0, len(positive), 2):
            words = [positive[n].text, beside[rng.integers(len(beside))]]
            positive[n] = positive[n]._replace(text=" ".join(words[:: 1 if n % 4 else -1]))
        calibration = calibrated(linker, positive, negative)
        made = made._replace(calibration=np.array(calibration, np.float32))
        print(calibration)
        print(json.dumps(reached(Linker(encoder, made), sorted(out)), indent=1))
    else:
        made = made._replace(calibration=np.array(CALIBRATION, np.float32))
    asked.into.mkdir(parents=True, exist_ok=True)
    np.savez(asked.into / "encoder.npz", **trained.weights._asdict())
    np.savez(asked.into / "concepts.npz", **made._asdict())


def reached(linker: Linker, out: list[Label]) -> dict[str, Any]:
    """Of held-back titles, by language: how many have their unit group first, and among the first five."""
    found: dict[str, Any] = {}
    for language in sorted({label.language for label in out}):
        some = [label for label in out if label.language == language]
        began = time.monotonic()
        ranked = linker.groups([label.text for label in some], [language] * len(some))
        took = time.monotonic() - began
        at = [
            codes.index(label.concept) if label.concept in codes else 99
            for label, codes in zip(some, ranked, strict=True)
        ]
        found[language] = {
            "titles": len(some),
            "first": round(sum(n == 0 for n in at) / len(at), 3),
            "top 5": round(sum(n < 5 for n in at) / len(at), 3),
            "a second": round(len(some) / took),
        }
    return found


CALIBRATION = Calibration(0.05, 0.3, 0.05, 0.7, 0.18)  # as --hold-out found it

if __name__ == "__main__":
    main()
