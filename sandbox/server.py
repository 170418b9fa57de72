"""The sandbox's server: moto's server with the patches, the accounts and the functions, in one process."""

import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from moto.moto_server import werkzeug_app
from werkzeug.exceptions import NotFound
from werkzeug.serving import make_server

from sandbox import call_record, credentials_file, guard, moto_patches, unserved
from sandbox.accounts import CREDENTIALS, REGION, TARGETS, generated_targets
from sandbox.functions.service import FunctionService
from sandbox.world import create_world

HOST = "127.0.0.1"


class Server:
    """Serves from construction until close(). One per process, because moto keeps its state in modules."""

    def __init__(self, port: int, template: Path, extra_accounts: int = 0) -> None:
        # moto warns about error codes that are not in a service model, such as AccessDenied.
        warnings.filterwarnings("ignore", message=r"Exception\(.*does not match an error shape")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # otherwise one line per request
        logging.getLogger("moto.stepfunctions").setLevel(
            logging.CRITICAL
        )  # otherwise pages of text per failed execution
        werkzeug_app.print = lambda *_: None  # type: ignore[attr-defined]  # otherwise a line per call that moto lacks
        self._moto = werkzeug_app.DomainDispatcherApplication(_application_of)
        self._server = make_server(
            HOST, port, self._application, threaded=True, request_handler=werkzeug_app.MotoRequestHandler
        )
        self.endpoint_url = f"http://{HOST}:{self._server.server_port}"
        self._functions = FunctionService(self.endpoint_url)
        moto_patches.apply(self._functions, self.endpoint_url)
        session = create_world(template, extra_accounts)
        secrets = (session.access_key_id, session.secret_access_key, session.session_token)
        credentials = dict(zip(CREDENTIALS, secrets, strict=True))
        targets = [*TARGETS, *generated_targets(extra_accounts)]
        self._folder = credentials_file.write_files(credentials, targets)
        self.environment = {  # to use this sandbox as the developer
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            **credentials,
            **credentials_file.variables(self._folder),
            "PYTHONPATH": str(Path(__file__).with_name("names")),
            "no_proxy": HOST,
        }
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and end every function's process."""
        self._server.shutdown()
        self._functions.close()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        own = guard.refusal_of_a_page(environ) or _record(environ) or guard.refusal_of_a_stranger(environ)
        if own:
            status, headers, body = own
            start_response(status, headers)
            return body
        started: list[Any] = []
        response: Iterable[bytes] = self._moto(environ, lambda *given: started.extend(given))
        if unserved.is_unserved(environ, started[0]):
            *started, response = unserved.response_to(environ)
        start_response(*started[:2])
        return response


def _application_of(service: Any) -> Any:
    """moto's application for a service, or one that finds nothing for what moto does not know: see unserved.py."""
    return werkzeug_app.create_backend_app(service) if service else NotFound()


def _record(environ: dict[str, Any]) -> guard.Response | None:
    path, _, query = environ["REQUEST_URI"].partition("?")
    if path != call_record.PATH:
        return None
    asked = dict(parse_qsl(query))
    calls = call_record.RECORD.as_dicts(asked.get("service", ""), asked.get("action", ""))
    return "200 OK", [("Content-Type", "application/json")], [json.dumps(calls).encode()]
