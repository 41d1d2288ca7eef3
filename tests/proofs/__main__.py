"""`python -m tests.proofs [NAME …]`: run proofs; without a name all of them. See `make prove`."""

import argparse
import importlib
import sys
import time

from tests.proofs.common import ROOT, Outcome, Scale, prepare

NAMES = (
    "crashpoints",
    "two-schedulers",
    "catchup",
    "punctual",
    "clock",
    "lights",
    "mail-down",
    "contention",
    "import",
    "roundtrip",
    "formula",
    "burden",
    "queries",
    "tags",
    "frame",
    "headers",
    "plain",
    "freshness",
    "elder",
    "a11y",
    "cvd",
    "availability",
    "public-set",
    "withdraw",
    "release-gate",
)
# A module cannot be called by a word of the language.
MODULES = {"import": "imports"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make prove")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--quick", action="store_true", help="small numbers, for the test suite")
    parser.add_argument("--aim", action="store_true", help="the aim instead of the first release")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no such proof: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    scale = Scale.QUICK if options.quick else Scale.AIM if options.aim else Scale.FIRST
    failed = []
    for name in options.names or NAMES:
        prepare(name)
        module = importlib.import_module(
            f"tests.proofs.{MODULES.get(name, name).replace('-', '_')}"
        )
        started = time.monotonic()
        outcome: Outcome = module.prove(seed=options.seed, scale=scale)
        outcome.finish(name, options.seed, scale, time.monotonic() - started)
        if not outcome.holds:
            failed.append(name)
    if failed:
        print(f"not proved: {', '.join(failed)}", file=sys.stderr)
    else:
        print(f"figures: {(ROOT / 'proof').relative_to(ROOT)}/")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
