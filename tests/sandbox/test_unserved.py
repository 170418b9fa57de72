"""What moto does not have: a policy decides first, and who may call it is told that it is not there."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Client

LACKING = {
    ("lambda", "list_code_signing_configs"): "lambda:ListCodeSigningConfigs",  # a path that moto does not route
    ("sesv2", "get_account"): "ses:GetAccount",  # one of two services that sign with one name
    ("detective", "list_graphs"): "detective:ListGraphs",  # a service that moto does not know
    ("cloudtrail", "lookup_events"): "cloudtrail:LookupEvents",  # an operation without a handler
    ("es", "list_domain_names"): "es:ListDomainNames",  # a handler without authorization
}


def error_of(call: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call()
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(("service", "operation"), LACKING, ids=str)
def test_an_operation_that_moto_lacks_is_authorized_and_not_implemented(
    client: Client, hub_session: Any, service: str, operation: str
) -> None:
    action = LACKING[service, operation]
    may = hub_session({"Effect": "Allow", "Action": action, "Resource": "*"})
    may_not = hub_session({"Effect": "Allow", "NotAction": action, "Resource": "*"})
    code, message = error_of(getattr(client(service, may), operation))
    assert (code, message.endswith("moto 5.2.5 lacks it")) == ("NotImplemented", True)
    code, message = error_of(getattr(client(service, may_not), operation))
    assert code in ("AccessDenied", "AccessDeniedException")
    assert f"is not authorized to perform: {action}" in message
