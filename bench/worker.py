"""One measurement in a separate process: `python -m bench.worker '{"job": ..., ...}'` prints its result as JSON."""

from __future__ import annotations

import json
import os
import sys

from bench import jobs

JOBS = {
    job.__name__: job
    for job in (
        jobs.list_buckets,
        jobs.memory_of_sweep,
        jobs.sweeps_one_after_another,
        jobs.second_invocation,
        jobs.rows_as_they_come,
        jobs.posture,
    )
}


def main() -> None:
    arguments = json.loads(sys.argv[1])
    # Only the result goes to the real standard output; the logs of the measured code are discarded.
    results = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with results:
        json.dump(JOBS[arguments.pop("job")](**arguments), results)


if __name__ == "__main__":
    main()
