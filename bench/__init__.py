"""The benchmark: one question of many accounts, by this project and by the others, against a stub of AWS on loopback.

    python -m bench            all of it, into bench/results.md
    python -m bench --quick    smaller numbers and one run, to see that it works; writes nothing

Absolute times depend on the machine; the goals are ratios within one run, mostly of CPU time.
"""
