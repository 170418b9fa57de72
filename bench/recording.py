"""What the checks that judge ask of an account, and what AWS answers: recorded once, of an account in moto.

The stub repeats the answers for every account, and the floor the calls.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

from bench.peers_environment import BUILD
from bench.stub import RECORDED_ACCOUNT as ACCOUNT
from bench.stub import key_of
from bench.stub_process import PROJECT

FILE = BUILD / "posture.json"
REGION = "eu-west-1"
ONCE = {"ListAccounts", "GetCallerIdentity"}
"""What a sweep asks once, and not of each account."""

_WHEN = dict.fromkeys(("analyzedAt", "createdAt", "updatedAt"), "2026-01-01T00:00:00Z")
_ANALYZER = {"arn": f"arn:aws:access-analyzer:{REGION}:{ACCOUNT}:analyzer/own", "name": "own", "type": "ACCOUNT"}
_FINDING = {"resourceType": "AWS::S3::Bucket", "resourceOwnerAccount": ACCOUNT, "findingType": "ExternalAccess"}
_MOTO_LACKS = {
    "GET /analyzer": {"analyzers": [_ANALYZER | _WHEN | {"status": "ACTIVE"}]},
    "POST /findingv2": {"findings": [_FINDING | _WHEN | {"id": f"{id}", "status": "ACTIVE"} for id in range(10)]},
}
"""Access Analyzer."""

Call = tuple[str, str, dict[str, Any]]
"""Service, operation and parameters, as botocore has them."""


def calls(account_id: str) -> list[Call]:
    """What an account is asked, AssumeRole first."""
    return [tuple(call) for call in json.loads(FILE.read_text().replace(ACCOUNT, account_id))["calls"]]


def record() -> None:
    """Write FILE, in a process of its own, for botocore is patched."""
    keys = {"AWS_ACCESS_KEY_ID": "hub", "AWS_SECRET_ACCESS_KEY": "no-secret", "AWS_DEFAULT_REGION": REGION}
    environment = {"PATH": os.environ["PATH"], "HOME": os.devnull, **keys}
    command = [sys.executable, "-m", "bench.recording"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-4000:]}")


def _record_here() -> None:
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.httpsession import URLLib3Session
    from moto.server import ThreadedMotoServer

    from bench import world
    from sandbox.moto_patches import ec2, services
    from sandbox.names import accounts_as_hosts  # noqa: F401

    for mend in (ec2.keep_metadata_defaults, ec2.tell_who_may_restore, ec2.let_default_groups_in):
        mend()
    services.mark_keys_of_aws()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # otherwise one line per request
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    os.environ["AWS_ENDPOINT_URL"] = "http://{}:{}".format(*server.get_host_and_port())
    import app
    from bench.contenders.this import Context
    from chalicelib.cross_account import Hub

    world.build(Hub().account(ACCOUNT).session())
    made: list[Call] = []
    answered: dict[str, tuple[int, str]] = {}
    call, send = BaseClient._make_api_call, URLLib3Session.send

    def note_call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation not in ONCE:
            made.append((self.meta.service_model.service_name, operation, parameters))
        return call(self, operation, parameters)

    def note_answer(self: Any, request: Any) -> Any:
        path = urlsplit(request.url)._replace(scheme="", netloc="").geturl()
        target, body = (_text(one) for one in (request.headers.get("X-Amz-Target"), request.body))
        asked = key_of(request.method, path, target, body)
        if by_hand := _MOTO_LACKS.get(f"{request.method} {path}"):
            answer = AWSResponse(request.url, 200, {}, None)
            answer._content = json.dumps(by_hand).encode()
        else:
            answer = send(self, request)
        if "Version=2011-06-15" not in body:  # STS is the stub's own
            answered[asked] = answer.status_code, answer.text
        return answer

    BaseClient._make_api_call, URLLib3Session.send = note_call, note_answer
    response = app.sweep({"check": "posture", "accounts": [ACCOUNT], "regions": [REGION]}, Context())
    assert response["summary"]["ok"] == 1, response["results"]
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps({"calls": made, "answers": answered}))


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


if __name__ == "__main__":
    _record_here()
