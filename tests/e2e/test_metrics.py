"""The metrics of a deployed function, in its log."""

from __future__ import annotations

import json

from tests.e2e.conftest import PRODUCTION, Project


def test_an_invocation_leaves_a_line_of_metrics_in_the_log(deployed: Project) -> None:
    deployed.invoke("switch_account", {"account_id": PRODUCTION})
    done = deployed.chalice("logs", "-n", "switch_account")
    found = [json.loads(line[line.index("{") :]) for line in done.stdout.splitlines() if '"_aws"' in line]
    assert [(line["check"], line["stage"], line["checked"]) for line in found] == [("identity", "sandbox", [1.0])]
