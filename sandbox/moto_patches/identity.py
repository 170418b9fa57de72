"""Authentication, authorization and STS by the sandbox instead of by moto."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial, wraps
from random import SystemRandom
from typing import Any

from sandbox import authorization, aws_errors, callers
from sandbox.case import keys_of_request
from sandbox.pinned_policies import InvalidPrincipal, PinnedPolicy, statements_of
from sandbox.sts import assume_role, user_sessions
from sandbox.sts.session_parameters import packed_policy_size


def make_secrets_that_cannot_be_predicted() -> None:
    # moto makes everything with one Mersenne Twister, of which a few hundred ids tell the secrets that follow. Delete
    # this when moto makes secrets with the secrets module.
    from moto.moto_api._internal.moto_random import MotoRandom

    system = SystemRandom()
    MotoRandom.random = lambda self: system.random()  # type: ignore[method-assign]
    MotoRandom.getrandbits = lambda self, k: system.getrandbits(k)  # type: ignore[method-assign]


def take_accounts_from_signatures() -> None:
    # moto searches all accounts and partitions for every key, and believes a header that names another account. Delete
    # this when it has an index and no such header.
    from moto.core.responses import BaseResponse

    BaseResponse.get_current_account = lambda self: authorization.caller_of(self).account  # type: ignore[method-assign]


def decide_with_our_evaluator() -> None:
    # moto's IAM mode ignores Condition, NotResource, permissions boundaries and nearly all resources, looks for a role
    # in the caller's account, and evaluates nothing if X-Amz-Target names a public call of Cognito, at any service. The
    # signature was verified before, by guard.py. Delete this when moto evaluates these.
    from moto.core.authorization import ActionAuthenticatorMixin
    from moto.s3.exceptions import S3ClientError

    def authorize(self: Any, resource: str = "*") -> None:
        authorization.authorize(self)

    def authorize_at_s3(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        try:
            authorization.authorize(self, bucket_name or "", key_name or "")
        except aws_errors.Refused as refused:
            raise S3ClientError(refused.code, refused.message) from refused  # which its handlers expect

    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = authorize  # type: ignore[method-assign]
    ActionAuthenticatorMixin._authenticate_and_authorize_s3_action = authorize_at_s3  # type: ignore[method-assign]


def refuse_in_the_client_s_protocol() -> None:
    # moto's refusals are always XML, which clients of JSON services (Lambda, Logs, Organizations) cannot read: they get
    # code "403" without a message. Delete this when moto uses the client's protocol.
    from moto.core.responses import ActionResult, BaseResponse
    from moto.core.utils import get_service_model

    original = BaseResponse.call_action

    def call_action(self: Any) -> Any:
        try:
            return original(self)
        except aws_errors.Refused as refusal:
            protocol = self.determine_response_protocol(get_service_model(self.boto3_service_name))
            refusal.speak(self.boto3_service_name, protocol)
            _, headers, body = self.serialized(ActionResult(refusal))
            headers["status"] = str(refusal.status)
            headers, body = self._enrich_response(headers, body)
            return refusal.status, headers, body

    BaseResponse.call_action = call_action  # type: ignore[method-assign]


def issue_sessions() -> None:
    # moto accepts every AssumeRole: a role that does not exist, any trust policy, any duration. Its GetSessionToken and
    # GetFederationToken return constants. Delete this when moto has sessions, and evaluates trust policies across
    # accounts.
    from moto.core.responses import ActionResult
    from moto.sts.responses import TokenResponse

    def assume(self: Any) -> ActionResult:
        keys = keys_of_request(self.normalized_request.environ, self.region)
        session = assume_role.assume_role(authorization.caller_of(self), self.params, keys)
        user = {"AssumedRoleId": session.user_id, "Arn": session.arn}
        kept = {"SourceIdentity": session.source_identity} if session.source_identity else {}
        result = {
            "Credentials": session.credentials(),
            "AssumedRoleUser": user,
            **packed_policy_size(self.params),
            **kept,
        }
        return ActionResult(result)

    def get_session_token(self: Any) -> ActionResult:
        session = user_sessions.session_token(authorization.caller_of(self), self.params)
        return ActionResult({"Credentials": session.credentials()})

    def get_federation_token(self: Any) -> ActionResult:
        session = user_sessions.federation_token(authorization.caller_of(self), self.params)
        user = {"FederatedUserId": session.user_id, "Arn": session.arn}
        return ActionResult(
            {"Credentials": session.credentials(), "FederatedUser": user, **packed_policy_size(self.params)}
        )

    def get_caller_identity(self: Any) -> ActionResult:
        caller = authorization.caller_of(self)
        return ActionResult({"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn})

    TokenResponse.assume_role = assume  # type: ignore[method-assign]
    TokenResponse.get_session_token = get_session_token  # type: ignore[method-assign]
    TokenResponse.get_federation_token = get_federation_token  # type: ignore[method-assign]
    TokenResponse.get_caller_identity = get_caller_identity  # type: ignore[method-assign]


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

    original = IamResponse.create_user

    def create(self: Any) -> ActionResult:
        arn = boundary(self) if self._get_param("PermissionsBoundary") else None
        created = original(self)
        self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = arn
        return created

    IamResponse.put_user_permissions_boundary = put  # type: ignore[attr-defined]
    IamResponse.delete_user_permissions_boundary = delete  # type: ignore[attr-defined]
    IamResponse.create_user = create  # type: ignore[method-assign]
