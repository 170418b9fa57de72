"""The script of a function's process: sets sys.path as Lambda does, then runs AWS's runtime client.

It runs in an isolated Python without site-packages, so it may import only the standard library before sys.path is set.
"""

import os
import runpy
import signal
import sys
import threading
from pathlib import Path
from typing import Any


def main() -> None:
    """sys.path has Lambda's order: the code, the layers, the runtime, and the standard library last."""
    _end_with_the_sandbox()
    runpy.run_path(str(Path(__file__).parents[1] / "names" / "accounts_as_hosts.py"))
    # Since Python 3.11 Lambda's boto3 has its own directory before the runtime client's; here one directory has both.
    task, layers, runtime, declared, handler = sys.argv[1:6]
    versions = dict.fromkeys((declared, f"python{sys.version_info.major}.{sys.version_info.minor}"))
    packages = [f"{layers}/python/lib/{version}/site-packages" for version in versions]
    sys.path[:0] = [task, *packages, f"{layers}/python", runtime]
    sys.meta_path.append(ForeignExtensions(task, layers))
    sys.argv = [sys.argv[0], handler]

    from awslambdaric.__main__ import main as serve  # type: ignore[import-untyped]  # reads the API's address from the environment
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient  # type: ignore[import-untyped]

    call = LambdaRuntimeClient.call_rapid

    def call_rapid(self: Any, method: str, endpoint: str, *rest: Any, **more: Any) -> None:
        """For errors of the initialisation; unlike the rest of the client it takes no path in the address."""
        self.lambda_runtime_address, slash, path = self.lambda_runtime_address.partition("/")
        call(self, method, slash + path + endpoint, *rest, **more)

    LambdaRuntimeClient.call_rapid = call_rapid
    sys.dont_write_bytecode = True  # in Lambda the code and the layers are read-only
    serve(sys.argv)


class ForeignExtensions:
    """Asked last: is what cannot be imported in the code or a layer, but compiled for another Python or machine?"""

    def __init__(self, *places: str) -> None:
        self._places = places

    def find_spec(self, name: str, path: Any = None, _target: Any = None) -> None:
        start = f"{name.rpartition('.')[2]}."
        for folder in sys.path if path is None else path:
            if not folder.startswith(self._places) or not os.path.isdir(folder):
                continue
            for file in os.listdir(folder):
                if file.startswith(start) and file.endswith((".so", ".pyd")):
                    # Without its attribute "name", or "from package import module" would go on without this sentence.
                    raise ModuleNotFoundError(
                        f"{file} was compiled for another Python or another machine than the sandbox's, which is "
                        f"Python {sys.version.split()[0]} on {sys.platform}. Build the package for this one, or run "
                        "the sandbox on the other Python."
                    )


def _end_with_the_sandbox() -> None:
    """Also if that was killed, and whatever the handler does then. The handler's own stdin is empty, as in Lambda."""
    sandbox = os.dup(0)  # which programs that the handler starts do not inherit
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def end() -> None:
        os.read(sandbox, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=end, daemon=True).start()


main()
