"""The first lines of a function's process: lay out sys.path as Lambda does, then hand over to AWS's runtime client.

Run as a script in an isolated Python without site-packages; it must import nothing but the standard library
before the path stands.
"""

import sys


def main() -> None:
    """Order as in Lambda: the code, the layers, the runtime, and the standard library last."""
    # Since Python 3.11 Lambda's boto3 has a directory of its own, just before the runtime client's; here one has both.
    task, layers, runtime, handler = sys.argv[1:5]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path[:0] = [task, f"{layers}/python/lib/{version}/site-packages", f"{layers}/python", runtime]
    sys.argv = [sys.argv[0], handler]

    from awslambdaric.__main__ import main as serve  # type: ignore[import-untyped]  # finds the API's address in the environment

    serve(sys.argv)


main()
