"""Authentication and authorization by the sandbox instead of by moto."""

from random import SystemRandom
from typing import Any

from sandbox import authorization, aws_errors


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
    # code "403" without a message; and what it lacks is a page with status 500. Delete this when moto uses the client's
    # protocol for both.
    from moto.core.responses import ActionResult, BaseResponse
    from moto.core.utils import get_service_model

    original = BaseResponse.call_action

    def call_action(self: Any) -> Any:
        try:
            return original(self)
        except NotImplementedError:
            refusal = aws_errors.not_implemented(f"{self.boto3_service_name}:{self._get_action()}")
        except aws_errors.Refused as refused:
            refusal = refused
        protocol = self.determine_response_protocol(get_service_model(self.boto3_service_name))
        refusal.speak(self.boto3_service_name, protocol)
        _, headers, body = self.serialized(ActionResult(refusal))
        headers["status"] = str(refusal.status)
        headers, body = self._enrich_response(headers, body)
        return refusal.status, headers, body

    BaseResponse.call_action = call_action  # type: ignore[method-assign]
