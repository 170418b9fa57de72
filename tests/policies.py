"""Cases for sandbox/decide.py in few words."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
ACCOUNT = "123456789012"


def policy(effect: str = "Allow", **elements: Any) -> Json:
    """A policy of one statement."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, **elements}]}


ANYTHING = policy(Action="*", Resource="*")
BY_ACCOUNT = policy(Action="*", Resource="*", Principal={"AWS": ACCOUNT})


def caller(arn: str, external_id: str | None = None, org_id: str | None = None, **context: Any) -> Json:
    """Who asks: a user, a session of a role, or an AWS service; with the keys that AWS derives from it."""
    keys = {"sts:ExternalId": external_id, "aws:PrincipalOrgID": org_id, **context}
    principal = arn
    if arn.startswith("arn:"):
        account = arn.split(":")[4]
        keys = {"aws:PrincipalArn": arn, "aws:PrincipalAccount": account, **keys}
        if ":role/" in arn:
            principal = f"arn:aws:sts::{account}:assumed-role/{arn.split('/')[-1]}/session"
    return {"principal": principal, "context": {key: value for key, value in keys.items() if value is not None}}


def own(policies: Any, action: str, resource: str | None, context: Json | None = None, **layers: Any) -> Json:
    """A user with these policies, who asks for a resource of the own account whose policy leaves it to the account."""
    request = {
        **caller(f"arn:aws:iam::{ACCOUNT}:user/alice"),
        "action": action,
        "resource": {"resource": resource, "accountId": ACCOUNT},
    }
    request["context"] |= context or {}
    listed = policies if isinstance(policies, list) else [policies]
    return {"request": request, "identityPolicies": listed, "resourcePolicy": BY_ACCOUNT, **layers}


def assume(trust: Any, who: Json, action: str = "sts:AssumeRole", policies: Any = ANYTHING, **layers: Any) -> Json:
    """Who asks for a role with this trust policy, by default with a policy that allows everything."""
    role = f"arn:aws:iam::{ACCOUNT}:role/external-role"
    request = {**who, "action": action, "resource": {"resource": role, "accountId": ACCOUNT}}
    return {"request": request, "identityPolicies": [policies], "resourcePolicy": trust, **layers}
