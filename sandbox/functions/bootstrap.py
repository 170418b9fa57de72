"""The script of a function's process: sets sys.path as Lambda does, then runs AWS's runtime client.

It runs in an isolated Python without site-packages, so it may import only the standard library before sys.path is set.
"""

import sys


def main() -> None:
    """sys.path has Lambda's order: the code, the layers, the runtime, and the standard library last."""
    # Since Python 3.11 Lambda's boto3 has its own directory before the runtime client's; here one directory has both.
    task, layers, runtime, handler = sys.argv[1:5]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path[:0] = [task, f"{layers}/python/lib/{version}/site-packages", f"{layers}/python", runtime]
    sys.argv = [sys.argv[0], handler]

    from awslambdaric.__main__ import main as serve  # type: ignore[import-untyped]  # reads the API's address from the environment

    serve(sys.argv)


main()
