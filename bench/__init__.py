"""The benchmark: one check in many accounts, by this project and by others, against a stub of AWS on loopback.

    python -m bench            everything; writes bench/results.md
    python -m bench --quick    smaller numbers and one round, to test the benchmark; writes nothing

It needs the packages of the others, which it installs into build/ once. Absolute times depend on the machine; the goals
are ratios within one round, mostly of CPU time.
"""
