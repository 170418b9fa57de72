"""What our checks find and what Prowler finds in the same accounts, into audit/prowler/results.md.

The accounts are in moto, on loopback. Prowler is an independent implementation, so where both agree, neither is likely
to be wrong; where they do not, pairs.py has to say why. It runs in a venv of its own, and nothing of it is used here.
"""

from __future__ import annotations

import csv
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from audit.prowler.page import Judged, Place, page
from audit.prowler.pairs import PAIRS, Pair
from audit.prowler.world import BUSY, FIRST, REGIONS, fill, mend
from chalicelib.checks import CHECKS
from chalicelib.cross_account import Hub

HERE = Path(__file__).parent
PROWLER = HERE.parents[1] / "build" / "prowler" / "bin" / "prowler"

STATUS = {"ok": "PASS", "alarm": "FAIL", "info": "FAIL", "unknown": "unknown"}
"""Ours in Prowler's words. In these checks, an info is what would be an alarm if anything used it, and Prowler is told
to judge also what nothing uses. A skip is not judged."""

Findings = list[tuple[str, str, dict[str, Any]]]
"""Each with its account and region; "" if the check is global."""


def environment(endpoint: str) -> dict[str, str]:
    """To ask moto alone: whatever is not for moto finds no way out.

    moto is the proxy, too, because S3 Control puts the account before the endpoint's host, and no DNS knows that name.
    """
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), endpoint)
    nothing = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": BUSY}
    settings = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    return {"PATH": os.defpath, "AWS_ENDPOINT_URL": endpoint, **proxies, **nothing, **keys, **settings}


def asked(account: str) -> list[Pair]:
    """In the first account all; in the second about what an account has one of."""
    return [pair for pair in PAIRS if account == FIRST or pair.whole]


def found_by_prowler(session: boto3.Session, pairs: Iterable[Pair]) -> list[dict[str, str]]:
    """Its findings. What moto cannot answer it logs, and goes on."""
    keys = session.get_credentials().get_frozen_credentials()
    signing = zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), keys, strict=False)
    with tempfile.TemporaryDirectory() as output:
        command = [PROWLER, "aws", "--region", *REGIONS, "--scan-unused-services", "--ignore-exit-code-3"]
        command += ["-M", "csv", "-o", output, "-F", "found", "--only-logs", "--log-level", "CRITICAL"]
        command += ["--checks", *(check for pair in pairs for check in pair.theirs)]
        subprocess.run(command, check=True, env={**os.environ, **dict(signing), "HOME": output})
        with (Path(output) / "found.csv").open(newline="") as file:
            return list(csv.DictReader(file, delimiter=";"))


def found_by_us(hub: Hub, account: str, name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for region in [""] if CHECKS[name].scope == "global" else REGIONS:
        for finding in CHECKS[name].asked({}).run(hub.account(account, region=region or BUSY)):
            yield account, region, finding


def ours(pair: Pair, findings: Findings) -> Judged:
    return worst(
        ((account, region, key(pair, finding["resource"])), STATUS[finding["verdict"]])
        for account, region, finding in findings
        if finding["verdict"] in STATUS and re.match(pair.begins, finding["resource"])
    )


def theirs(pair: Pair, findings: Iterable[dict[str, str]]) -> Judged:
    is_global = CHECKS[pair.ours].scope == "global"
    return worst(
        ((one["ACCOUNT_UID"], "" if is_global else one["REGION"], key(pair, one["RESOURCE_UID"])), one["STATUS"])
        for one in findings
        if one["CHECK_ID"] in pair.theirs
    )


def key(pair: Pair, resource: str) -> str:
    """The id alone: an ARN's last part."""
    return "the account" if pair.whole else resource.rpartition(":")[2].rpartition("/")[2]


def worst(found: Iterable[tuple[Place, str]]) -> Judged:
    """A resource with several findings fails if one fails."""
    judged: dict[Place, str] = {}
    for place, status in found:
        if judged.get(place) != "FAIL":
            judged[place] = status
    return judged


def compare() -> int:
    """Returns the exit status: 1 if a result is not what pairs.py says."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # moto lacks some of what Prowler also asks for
    mend()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    os.environ.clear()
    os.environ.update(environment("http://{}:{}".format(*server.get_host_and_port())))
    sessions = fill()
    hub = Hub()
    mine = {
        name: [one for account in sessions for one in found_by_us(hub, account, name)]
        for name in dict.fromkeys(pair.ours for pair in PAIRS)
    }
    found = [one for account, session in sessions.items() for one in found_by_prowler(session, asked(account))]
    server.stop()
    compared = []
    for pair in PAIRS:
        found_of_it = [one for one in mine[pair.ours] if pair in asked(one[0])]
        compared.append((pair, ours(pair, found_of_it), theirs(pair, found)))
    names = {one["resource"]: one["group"] for _, _, one in mine["open_security_groups"] if "group" in one}
    versions = f"Prowler {found[0]['PROWLER_VERSION']}, moto {version('moto')}, on {datetime.now(UTC).date()}"
    (HERE / "results.md").write_text(page(compared, versions, names))
    wrong = [pair for pair, our, their in compared if (our == their) == bool(pair.why)]
    for pair in wrong:
        sys.stdout.write(f"{pair.ours} and {', '.join(pair.theirs)}: pairs.py says otherwise; see results.md.\n")
    equal = sum(our == their for _, our, their in compared)
    sys.stdout.write(f"{len(compared)} compared, {equal} equal; all in audit/prowler/results.md.\n")
    return int(bool(wrong))
