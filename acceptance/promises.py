"""What is promised, in the order in which it is tried. The docstring of each is its line in the table."""

import re
from collections.abc import Callable

from acceptance.remains import remains
from acceptance.trial import NotKept, Trial, shortly

NO_ACCOUNT = "000000000000"
"""No account has this id; to AWS it is one that denies access."""

CREDENTIAL = re.compile(
    r"\bA[KS]IA[A-Z0-9]{16}\b"  # the id of an access key
    r"|(?<![\w/+-])(?=(?:[a-z0-9/+=_-]*[A-Z]){6})"  # with capitals, unlike an ARN or a hash
    r"(?:[A-Za-z0-9/+]{40}|[\w/+=-]{80,})(?![\w/+=-])"  # as long as a secret key, or as a session token
)


def deploys(trial: Trial) -> None:
    """chalice deploy brings the app into the hub"""
    trial.copy_project()
    said = trial.chalice("deploy")
    for function in ("switch_account", "sweep", "list_accounts"):
        _expect(f":function:{trial.name}-acceptance-{function}" in said, f"a function {function}", said)


def refuses_bad_input(trial: Trial) -> None:
    """a malformed account id is a 400 and reaches no account"""
    status, body = trial.ask(account_id="12")
    _expect((status, body.get("error", {}).get("type")) == (400, "InvalidAccountId"), "400 InvalidAccountId", body)


def denied_without_role(trial: Trial) -> None:
    """without the role in the target: AssumeRoleDenied, with a hint what to do in which account"""
    _expect_denied(trial)


def denied_by_trust(trial: Trial) -> None:
    """a role that trusts other roles of the hub: AssumeRoleDenied"""
    trial.give_role(HubRoleName=f"{trial.name}-another-app")
    _expect_denied(trial)


def denied_by_external_id(trial: Trial) -> None:
    """a role that requires another external ID: AssumeRoleDenied"""
    trial.give_role(ExternalId=f"another-{trial.external_id}")
    _expect_denied(trial)


def invokes(trial: Trial) -> None:
    """with the role: 200, and the identity is one of the target"""
    trial.give_role()

    def identity() -> None:
        status, body = trial.ask()
        _expect(status == 200, "200", body)
        arn = f"arn:aws:sts::{trial.target.id}:assumed-role/{trial.name}/cross-account-"
        _expect(body["result"]["arn"].startswith(arn), f"{arn}...", body)

    trial.settle(identity)


def sees_the_targets_buckets(trial: Trial) -> None:
    """s3_buckets lists the buckets that the target's own administrator sees"""
    status, body = trial.ask(check="s3_buckets")
    _expect(status == 200, "200", body)
    found = sorted(bucket["name"] for bucket in body["result"]["buckets"])
    there = sorted(bucket["Name"] for bucket in trial.target.client("s3").list_buckets()["Buckets"])
    _expect(found == there, f"{len(there)} buckets", body)


def asks_any_operation(trial: Trial) -> None:
    """an operation that the role allows is asked by api_call"""
    status, body = trial.ask(check="api_call", params={"operation": "iam:ListRoles", "query": "length(Roles)"})
    _expect(status == 200, "200", body)


def session_policy_holds(trial: Trial) -> None:
    """a check that has not declared that operation is denied it by its session policy"""
    status, body = trial.ask(check="undeclared")
    _expect((status, body.get("error", {}).get("type")) == (500, "CheckDenied"), "500 CheckDenied", body)
    _expect("session policy" in body["error"]["hint"], "a hint that names the session policy", body)


def sweeps(trial: Trial) -> None:
    """a sweep of two accounts answers for both: one is ok, and one that denies access is told apart"""
    answer = trial.invoke("sweep", check="preflight", accounts=[trial.target.id, NO_ACCOUNT])
    outcomes = {item["account_id"]: item["ok"] or item["error"]["type"] for item in answer["results"]}
    _expect(
        outcomes == {trial.target.id: True, NO_ACCOUNT: "AssumeRoleDenied"}, "one ok and one AssumeRoleDenied", answer
    )


def logs_and_keeps_secrets(trial: Trial) -> None:
    """the log has the checks, and neither it nor any response has an external ID or a credential"""

    def logged() -> None:
        log = trial.chalice("logs", "-n", "switch_account")
        _expect('"checked","timestamp"' in log, "a line of a check in the log", log[-500:])

    trial.settle(logged)
    trial.chalice("logs", "-n", "sweep")
    said = "\n".join(trial.said)
    _expect(trial.external_id not in said, "no secret", "the external ID is in the log or in a response")
    _expect(not CREDENTIAL.search(said), "no secret", "a credential is in the log or in a response")


def deletes(trial: Trial) -> None:
    """chalice delete and delete-stack leave neither function nor role nor API in the two accounts"""
    trial.chalice("delete")
    trial.delete_role()

    def nothing_is_left() -> None:
        # Lambda made the log of the routes; chalice does not delete it.
        left = [one.name for one in remains(trial) if not one.is_log]
        _expect(not left, "nothing left", ", ".join(left))

    trial.settle(nothing_is_left)


PROMISES: tuple[Callable[[Trial], None], ...] = (
    deploys,
    refuses_bad_input,
    denied_without_role,
    denied_by_trust,
    denied_by_external_id,
    invokes,
    sees_the_targets_buckets,
    asks_any_operation,
    session_policy_holds,
    sweeps,
    logs_and_keeps_secrets,
    deletes,
)


def _expect_denied(trial: Trial) -> None:
    status, body = trial.ask()
    error = body.get("error", {})
    _expect((status, error.get("type"), error.get("stage")) == (500, "AssumeRoleDenied", "assume"), "a denial", body)
    _expect(trial.target.id in error["hint"], f"a hint that names {trial.target.id}", body)


def _expect(condition: bool, expected: str, answer: object) -> None:
    if not condition:
        raise NotKept(f"Expected: {expected}. But: {shortly(answer) if isinstance(answer, dict) else answer}")
