"""Until authorization.py asks accesses_of: what it imports today. Delete this file then.

moto's IAM mode uses the API operation as the IAM action and "*" for nearly every resource. This module translates where
the IAM action has another name or where policies name resources. All other requests have resource "*", which only a
policy with Resource "*" allows: that is stricter than AWS. The condition keys that AWS takes from a request's content
are also here: only the tags of Lambda's resources so far.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sandbox.policy_conditions import ContextValue

_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "lambda:GetLayerVersionByArn": "lambda:GetLayerVersion",
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
    "s3:HeadBucket": "s3:ListBucket",
    # Only S3 Control comes here, and its operations concern the account.
    "s3:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutAccountPublicAccessBlock",
    "s3:DeletePublicAccessBlock": "s3:PutAccountPublicAccessBlock",
}

_LAMBDA_TAGGING = {"CreateFunction", "CreateEventSourceMapping", "CreateCodeSigningConfig", "TagResource"}


@dataclass(frozen=True)
class Request:
    """The parts of an HTTP request that name a resource."""

    service: str
    operation: str
    method: str
    path: str
    form: Mapping[str, Any]
    body: bytes
    account: str
    region: str

    def value(self, name: str) -> str:
        found = self.form.get(name, "")
        return str(found[0]) if isinstance(found, list) and found else str(found or "")

    def json(self) -> Mapping[str, Any]:
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def arn(self, resource: str, service: str = "") -> str:
        return f"arn:aws:{service or self.service}:{self.region}:{self.account}:{resource}"


def action_of(request: Request) -> str:
    """The IAM action."""
    if request.service == "apigateway":
        return f"apigateway:{request.method}"  # this service's IAM actions are HTTP methods
    return _ACTIONS.get(f"{request.service}:{request.operation}", f"{request.service}:{request.operation}")


def resource_of(request: Request) -> str:
    """The resource's ARN, or "*"."""
    finder = _FINDERS.get(request.service)
    return (finder(request) if finder else "") or "*"


def tag_keys(request: Request) -> dict[str, ContextValue]:
    """The condition keys aws:RequestTag/…, if it is known which tags the request has."""
    if request.service != "lambda" or request.operation not in _LAMBDA_TAGGING:
        return {}
    tags = request.json().get("Tags", {})
    # IAM ignores the case of these keys; it is not known which of two such tags it would use.
    if not isinstance(tags, Mapping) or len({name.lower() for name in tags}) < len(tags):
        return {}
    return {"aws:RequestTag/": (), **{f"aws:RequestTag/{name}": str(value) for name, value in tags.items()}}


def _iam(request: Request) -> str:
    prefix = f"arn:aws:iam::{request.account}"
    if name := request.value("RoleName"):
        return f"{prefix}:role{request.value('Path') or _role_path(request.account, name)}{name}"
    if name := request.value("UserName"):
        return f"{prefix}:user/{name}"
    return request.value("PolicyArn")


def _role_path(account: str, name: str) -> str:
    from moto.iam.models import iam_backends

    roles = list(iam_backends[account]["aws"].roles.values())
    return next((role.path for role in roles if role.name == name), "/")


def _lambda(request: Request) -> str:
    if request.operation == "GetLayerVersionByArn":
        return request.value("Arn")
    path = unquote(request.path.partition("?")[0])
    if layer := re.search(r"/layers/([^/]+)(?:/versions/(\d+))?", path):
        return request.arn(f"layer:{layer[1]}" + (f":{layer[2]}" if layer[2] else ""))
    function = re.search(r"/functions/([^/]+)", path)
    name = function[1] if function else request.json().get("FunctionName", "")
    if not isinstance(name, str) or not name:
        return ""
    return name if name.startswith("arn:") else request.arn(f"function:{name.rpartition('function:')[2]}")


def _logs(request: Request) -> str:
    group = request.json().get("logGroupName") or request.json().get("logGroupIdentifier")
    if not isinstance(group, str):
        return ""
    return f"{group.removesuffix(':*')}:*" if group.startswith("arn:") else request.arn(f"log-group:{group}:*")


def _bedrock(request: Request) -> str:
    model = re.search(r"/model/([^/?]+)/", request.path)
    name = unquote(model[1]) if model else ""
    if not name or name.startswith("arn:"):
        return name
    if re.match(r"(us|eu|apac|global|jp|au|us-gov)\.", name):
        return request.arn(f"inference-profile/{name}")
    return f"arn:aws:bedrock:{request.region}::foundation-model/{name}"


def _states(request: Request) -> str:
    body = request.json()
    if body.get("name") and request.operation == "CreateStateMachine":
        return request.arn(f"stateMachine:{body['name']}")
    return str(body.get("stateMachineArn") or body.get("executionArn") or "")


def _cloudformation(request: Request) -> str:
    name = request.value("StackName")
    return name if name.startswith("arn:") or not name else request.arn(f"stack/{name}/*")


_FINDERS = {
    "sts": lambda request: request.value("RoleArn"),
    "sns": lambda request: request.value("TopicArn"),
    "iam": _iam,
    "lambda": _lambda,
    "logs": _logs,
    "bedrock": _bedrock,
    "states": _states,
    "cloudformation": _cloudformation,
}
