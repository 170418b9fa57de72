"""Ways past the authorization of a request, which moto has and AWS does not. Each is closed.

What moto does is told at each; all of it can go when moto authorizes what it does.
"""

import copy
import functools
import json
from typing import Any
from urllib.parse import parse_qs

from sandbox import resources
from sandbox.aws_errors import AwsError
from sandbox.moto_patches.other_accounts import lets_in

_AUTHORIZED = {"dispatch", "bucket_dispatch", "key_dispatch", "ambiguous_dispatch", "api_version_elb_backend"}
_MESSAGE = {"__type": "AccessDeniedException", "message": "The sandbox does not serve this."}
_REFUSAL = (403, {"Content-Type": "application/json"}, json.dumps(_MESSAGE))


def refuse_what_is_not_authorized() -> None:
    # moto answers some paths without authorization: domains of Elasticsearch, WorkSpaces Web, tags of CodeDeploy,
    # messages to API Gateway's connections, instance metadata, and DynamoDB's API of 2011. It also lets one call SQS as
    # "queue", or S3 as "any.s3", and then authorizes queue:SendMessage or any.s3:GetObject.
    from moto.core.utils import get_service_model
    from moto.moto_server import werkzeug_app

    view_of = werkzeug_app.convert_to_flask_response  # type: ignore[attr-defined]

    def view(handler: Any) -> Any:
        kind = getattr(handler, "__self__", None)
        if handler.__name__ not in _AUTHORIZED or "v20111205" in getattr(kind, "__module__", ""):
            return view_of(functools.wraps(handler)(lambda *_: (404, {}, "")))  # see unserved.py
        signing_name = kind and get_service_model(kind().boto3_service_name).signing_name

        @functools.wraps(handler)
        def answer(request: Any, url: str, headers: Any) -> Any:
            scope = request.headers["Authorization"].split("/")
            return handler(request, url, headers) if signing_name in (None, scope[3]) else _REFUSAL

        return view_of(answer)

    werkzeug_app.convert_to_flask_response = view  # type: ignore[attr-defined, assignment]


def take_parameters_from_one_place() -> None:
    # moto takes a parameter from the URL where a form has another one, from anything like "name=value" in a JSON body,
    # or from a header, before it looks into the JSON; and the region from the User-Agent, whatever was signed. What is
    # authorized would be the one, and what is done the other.
    from moto.core.responses import BaseResponse
    from moto.core.utils import get_service_model

    set_up = BaseResponse.setup_class

    def setup_class(self: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        if "x-www-form-urlencoded" in (request.content_type or "") and self.service_name != "s3":
            request.args = type(request.args)()
        set_up(self, request, *args, **kwargs)
        self.region = request.headers["Authorization"].split("/")[2]
        protocol = "query" if request.form else get_service_model(self.boto3_service_name).protocol
        if protocol not in ("query", "ec2"):
            guessed = self.querystring.get("Action")
            query = {} if protocol == "json" else parse_qs(self.parsed_url.query, keep_blank_values=True)
            self.querystring = self.data = query
            if guessed != query.get("Action") and self.automated_parameter_parsing and self._get_action():
                self.parse_parameters(request)

    BaseResponse.setup_class = setup_class  # type: ignore[method-assign]


def keep_to_the_account() -> None:
    # In moto any caller learns when any access key was used, puts events on any bus, and copies logs to the log group
    # of any account.
    from moto.events.models import Rule
    from moto.iam.models import IAMBackend
    from moto.logs.models import LogsBackend

    send, put_filter = Rule.send_to_targets, LogsBackend.put_subscription_filter

    def access_keys(self: Any) -> list[Any]:
        return [key for user in list(self.users) for key in self.list_access_keys(user)]

    def send_to_targets(self: Any, *args: Any, **kwargs: Any) -> None:
        rule = copy.copy(self)
        rule.targets = [target for target in self.targets if _is_reached(self.account_id, target)]
        send(rule, *args, **kwargs)

    def put_subscription_filter(self: Any, group: str, name: str, pattern: str, destination: str, role: str) -> None:
        if resources.owner_of(destination, self.account_id) != self.account_id:
            message = "Could not deliver test message to specified destination. Check if the destination is valid."
            raise AwsError("InvalidParameterException", message)
        put_filter(self, group, name, pattern, destination, role)

    IAMBackend.get_all_access_keys_for_all_users = access_keys  # type: ignore[method-assign]
    Rule.send_to_targets = send_to_targets  # type: ignore[method-assign]
    LogsBackend.put_subscription_filter = put_subscription_filter  # type: ignore[method-assign, assignment]


def _is_reached(account: str, target: Any) -> bool:
    """Of other accounts only a bus whose policy lets this account in; the rest would be looked for in this account."""
    arn = target["Arn"]
    if resources.owner_of(arn, account) == account:
        return True
    role = target.get("RoleArn") or ""
    sender = role if role.startswith(f"arn:aws:iam::{account}:role/") else f"arn:aws:iam::{account}:root"
    return lets_in(resources.policy_of(arn), sender, "events:PutEvents", arn)
