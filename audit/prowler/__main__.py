"""Compare what our checks find with what Prowler finds in the same accounts, and write audit/prowler/results.md.

    make compare

It needs Prowler, which `make compare` installs into an environment of its own (2 GB, once). The accounts are in moto.
"""

from __future__ import annotations

from terminal.command import Parser, end_at_signals, run, stop_at_signals


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = Parser("python -m audit.prowler", __doc__)
    parser.parse_args(arguments)
    end_at_signals()
    from audit.prowler.compare import PROWLER, compare  # here, because moto takes seconds and --help needs none of it

    stop_at_signals()
    if not PROWLER.exists():
        parser.error("Prowler is not installed: make compare")
    return compare()


if __name__ == "__main__":
    run(main)
