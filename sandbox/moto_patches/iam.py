"""IAM: whom policies name, names and paths, boundaries of users, AWS's managed policies, the policy simulator."""

import copy
import json
import re
from collections.abc import Callable, Mapping
from functools import cache, partial, wraps
from typing import Any

from sandbox import aws_errors, callers, simulation
from sandbox.inventory.identity import root_of
from sandbox.pinned_policies import InvalidPrincipal, PinnedPolicy, statements_of

_ATTACHING = ("attach_role_policy", "attach_user_policy", "attach_group_policy")


def pin_principals() -> None:
    # moto keeps a policy as it was sent, even if the roles and users that it names do not exist, and its users have ids
    # without AWS's prefix. Delete this when moto checks the names and keeps unique ids.
    from moto.iam.models import Role, User
    from moto.kms.models import Key
    from moto.s3.exceptions import S3ClientError
    from moto.s3.models import FakeBucket
    from moto.secretsmanager.models import FakeSecret
    from moto.sns.models import Topic
    from moto.sqs.models import Queue

    original = User.__init__

    def with_prefix(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.id = f"AIDA{self.id[4:].upper()}"

    User.__init__ = with_prefix  # type: ignore[method-assign]
    errors: Mapping[type, str] = {
        Queue: "InvalidAttributeValue",
        Topic: "InvalidParameter",
        Key: "MalformedPolicyDocumentException",
        FakeSecret: "MalformedPolicyDocumentException",
    }
    for kind, code in errors.items():
        _pin(kind, "policy", partial(aws_errors.AwsError, code))
    _pin(FakeBucket, "policy", partial(S3ClientError, "MalformedPolicy"))
    _pin(Role, "assume_role_policy_document", partial(aws_errors.AwsError, "MalformedPolicyDocument"))


def _pin(kind: type, attribute: str, error: Callable[[str], Exception]) -> None:
    """Keep this policy of all objects of a class with the ids of the roles and users that it names."""
    moto_s = kind.__dict__.get(attribute)  # a property, or None for a plain attribute
    pinned = f"_pinned_{attribute}"

    def save(self: Any, policy: Any) -> None:
        text = policy.decode() if isinstance(policy, bytes) else policy
        try:
            kept = PinnedPolicy.of(text) if text else None
        except InvalidPrincipal as invalid:
            raise error(str(invalid)) from invalid
        except ValueError as invalid:
            raise error("This policy contains invalid Json") from invalid
        if kept and attribute == "assume_role_policy_document":
            _check_trust_policy(text)
        if moto_s:
            moto_s.fset(self, policy)
        else:
            self.__dict__[attribute] = policy
        self.__dict__[pinned] = kept  # last: moto may refuse the policy

    def current(self: Any) -> Any:
        policy = moto_s.fget(self) if moto_s else self.__dict__[attribute]
        kept: PinnedPolicy | None = self.__dict__.get(pinned)
        text = policy.decode() if isinstance(policy, bytes) else policy
        if not text or kept is None or not kept.ids:
            return policy
        shown = PinnedPolicy(text, kept.ids).current()
        return shown.encode() if isinstance(policy, bytes) else shown

    setattr(kind, attribute, property(current, save))


def _check_trust_policy(document: str) -> None:
    # moto's own validator, which CreateRole does not use, wants Version, and AWS does not.
    for statement in statements_of(json.loads(document)):
        has = statement.keys()
        if statement.get("Effect") not in ("Allow", "Deny") or not has & {"Action", "NotAction"}:
            raise aws_errors.AwsError("MalformedPolicyDocument", "Syntax errors in policy.")
        if has & {"Resource", "NotResource"}:
            raise aws_errors.AwsError("MalformedPolicyDocument", "Has prohibited field Resource.")
        if "Principal" not in has or "NotPrincipal" in has:
            raise aws_errors.AwsError("MalformedPolicyDocument", "AssumeRole policy must have Principal, and only it.")


def check_names() -> None:
    # moto takes every name and path: with a slash or a colon, they make an ARN that belongs to others. Delete this when
    # moto checks them.
    from moto.iam.responses import IamResponse

    def checking(original: Callable[[Any], Any], parameter: str, longest: int) -> Callable[[Any], Any]:
        @wraps(original)
        def call(self: Any) -> Any:
            name, path = self._get_param(parameter), self._get_param("Path") or self._get_param("NewPath")
            if name is not None and not re.fullmatch(rf"[\w+=,.@-]{{1,{longest}}}", name, re.ASCII):
                called = parameter[0].lower() + parameter[1:]
                message = f"The specified value for {called} is invalid. It must contain only alphanumeric characters"
                raise aws_errors.AwsError("ValidationError", f"{message} and/or the following: +=,.@_-")
            if path and not re.fullmatch(r"/([!-~]+/)?", path):
                message = "The specified value for path is invalid. It must begin and end with / and contain only"
                raise aws_errors.AwsError("ValidationError", f"{message} alphanumeric characters and/or / characters.")
            return original(self)

        return call

    for operation, (parameter, longest) in _NAMES.items():
        setattr(IamResponse, operation, checking(getattr(IamResponse, operation), parameter, longest))


_NAMES = {
    "create_role": ("RoleName", 64),
    "create_user": ("UserName", 64),
    "update_user": ("NewUserName", 64),
    "create_group": ("GroupName", 128),
    "update_group": ("NewGroupName", 128),
    "create_policy": ("PolicyName", 128),
    "create_instance_profile": ("InstanceProfileName", 128),
}


def keep_boundaries_of_users() -> None:
    # moto has permissions boundaries of roles alone. Delete this when it has those of users.
    from moto.core.responses import ActionResult, EmptyResult
    from moto.iam.responses import IamResponse

    def boundary(response: Any) -> str:
        arn: str = response._get_param("PermissionsBoundary")
        if callers.managed_policy(response.current_account, arn) is None:
            raise aws_errors.AwsError("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.")
        return arn

    def put(self: Any) -> ActionResult:
        self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = boundary(self)
        return EmptyResult()

    def delete(self: Any) -> ActionResult:
        self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = None
        return EmptyResult()

    original, original_get = IamResponse.create_user, IamResponse.get_user

    def create(self: Any) -> ActionResult:
        arn = boundary(self) if self._get_param("PermissionsBoundary") else None
        created = original(self)
        self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = arn
        return created

    def get(self: Any) -> ActionResult:
        user = copy.copy(original_get(self).result["User"])  # a copy, as ListUsers does not tell it
        if arn := getattr(user, "permissions_boundary_arn", None):
            of_boundary = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
            user.permissions_boundary = of_boundary
        return ActionResult({"User": user})

    IamResponse.put_user_permissions_boundary = put  # type: ignore[attr-defined]
    IamResponse.delete_user_permissions_boundary = delete  # type: ignore[attr-defined]
    IamResponse.create_user, IamResponse.get_user = create, get  # type: ignore[method-assign]


def load_aws_managed_policies() -> None:
    # moto loads either all of AWS's managed policies into every account, which takes a second for each, or none. This
    # loads a policy when it is named. Delete this when moto loads them lazily.
    from moto.iam import models
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    @cache
    def documents() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(aws_managed_policies_data)
        return found

    def with_loading(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def loaded(self: Any, policy_arn: str, *args: Any, **kwargs: Any) -> Any:
            name = policy_arn.rpartition("/")[2]
            if ":iam::aws:policy/" in policy_arn and policy_arn not in self.managed_policies and name in documents():
                policy = models.AWSManagedPolicy.from_data(name, self.account_id, self.region_name, documents()[name])
                self.managed_policies[policy.arn] = policy
            return original(self, policy_arn, *args, **kwargs)

        return loaded

    backend = models.IAMBackend
    for name in ("get_policy", "get_policy_version", "list_policy_versions", *_ATTACHING):
        setattr(backend, name, with_loading(getattr(backend, name)))


def simulate_policies() -> None:
    # moto lacks both operations. Delete this when it has them.
    from moto.core.responses import ActionResult
    from moto.iam.responses import IamResponse

    def simulate_principal_policy(self: Any) -> ActionResult:
        results = simulation.simulate_principal_policy(self.current_account, self.params)
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    def simulate_custom_policy(self: Any) -> ActionResult:
        results = simulation.simulate_custom_policy(self.current_account, self.params)
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    IamResponse.simulate_principal_policy = simulate_principal_policy  # type: ignore[attr-defined]
    IamResponse.simulate_custom_policy = simulate_custom_policy  # type: ignore[attr-defined]


def have_root_users() -> None:
    # In moto 5.2.5 a root user has no password, no MFA and no keys; AccountPasswordPresent is missing; the credential
    # report is of 2015, has no root user, and says not_supported where AWS says N/A. Delete this when moto is right.
    from moto.core.responses import ActionResult
    from moto.core.utils import utcnow
    from moto.iam.models import AccountSummary, IAMBackend
    from moto.iam.responses import IamResponse

    summary, report = AccountSummary.summary_map.fget, IAMBackend.get_credential_report  # type: ignore[attr-defined]

    def summary_map(self: Any) -> dict[str, Any]:
        root = root_of(self._iam_backend.account_id)
        has = {"PasswordPresent": root.password, "MFAEnabled": root.mfa, "AccessKeysPresent": root.key}
        return {**summary(self), **{f"Account{name}": int(has_it) for name, has_it in has.items()}}

    def get_credential_report(self: Any) -> str:
        header, *users = report(self).splitlines(keepends=True)
        return header + _row_of_root(self.account_id) + "".join(users).replace("not_supported", "N/A")

    def response(self: Any) -> ActionResult:
        content = self.backend.get_credential_report()
        return ActionResult({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": utcnow()})

    AccountSummary.summary_map = property(summary_map)  # type: ignore[method-assign, assignment]
    IAMBackend.get_credential_report = get_credential_report  # type: ignore[method-assign]
    IamResponse.get_credential_report = response  # type: ignore[method-assign]


def _row_of_root(account: str) -> str:
    root, made = root_of(account), "2020-01-01T00:00:00+00:00"
    key = ["true", made, made, "us-east-1", "iam"] if root.key else ["false", "N/A", "N/A", "N/A", "N/A"]
    password = [str(root.password).lower(), made if root.password else "N/A"]
    about = ["<root_account>", f"arn:aws:iam::{account}:root", made, *password, "not_supported", "not_supported"]
    none = ["false", "N/A", "N/A", "N/A", "N/A", "false", "N/A", "false", "N/A"]
    return ",".join([*about, str(root.mfa).lower(), *key, *none]) + "\n"
