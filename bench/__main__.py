"""`python -m bench`: see the package's docstring."""

from __future__ import annotations

if __name__ == "__main__":
    from terminal.command import end_at_signals

    end_at_signals()

import json
import sys
import time
from dataclasses import asdict

from rich.console import Console

import bench
from bench import deployed, recording, results_page
from bench.goals import wrong_answers
from bench.peers_environment import BUILD, lock, peers_python
from bench.plan import QUICK, Round, Scale, one_round
from terminal.command import Parser, run

MEASUREMENTS = BUILD / "measurements.json"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = Parser("python -m bench", bench.__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers, one round; writes nothing")
    parser.add_argument("--again", action="store_true", help="make the tables from the last measurements")
    parser.add_argument("--lock", action="store_true", help="make requirements.txt from requirements.in")
    options = parser.parse_args(arguments)
    if options.lock:
        lock()
        return 0
    if options.again and not MEASUREMENTS.exists():
        parser.error("there are no measurements yet: make bench")
    if options.again:
        kept = json.loads(MEASUREMENTS.read_text())
        scale, rounds = Scale(**kept["scale"]), kept["rounds"]
    else:
        scale = QUICK if options.quick else Scale()
        rounds = measure_all(scale)
    made = results_page.all_tables(rounds, scale)
    results_page.show(made, Console(width=None if sys.stdout.isatty() else 140))
    if not options.quick:
        MEASUREMENTS.write_text(json.dumps({"scale": asdict(scale), "rounds": rounds}))
        results_page.write(made, scale.rounds)
    wrong = wrong_answers(rounds, scale)
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    return 1 if wrong else 0


def measure_all(scale: Scale) -> list[Round]:
    python = peers_python()
    recording.record()
    deployed.deploy()
    rounds = []
    for number in range(1, scale.rounds + 1):
        measured: Round = {}
        for name, take in one_round(scale, python):
            began = time.monotonic()
            measured[name] = take()
            seconds = time.monotonic() - began
            print(f"round {number} of {scale.rounds}  {name:<24} {seconds:6.1f} s", file=sys.stderr)
        rounds.append(measured)
    return rounds


if __name__ == "__main__":
    run(main)
