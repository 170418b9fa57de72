"""Authentication, authorization and AssumeRole by the sandbox instead of by moto."""

from random import SystemRandom
from typing import Any

from sandbox import authorization, aws_errors, callers, trust


def make_secrets_that_cannot_be_predicted() -> None:
    # moto makes everything with one Mersenne Twister, of which a few hundred ids tell the secrets that follow. Delete
    # this when moto makes secrets with the secrets module.
    from moto.moto_api._internal.moto_random import MotoRandom

    system = SystemRandom()
    MotoRandom.random = lambda self: system.random()  # type: ignore[method-assign, assignment]
    MotoRandom.getrandbits = lambda self, k: system.getrandbits(k)  # type: ignore[method-assign, assignment]


def find_accounts_by_index() -> None:
    # moto searches all accounts and partitions for every key. Delete this when accounts are few.
    from moto.iam import models
    from moto.sts.models import STSBackend

    models.get_account_id_from = callers.account_of
    STSBackend.get_assumed_role_from_access_key = lambda self, key: callers.session_of(key)  # type: ignore[method-assign, assignment]


def decide_with_our_evaluator() -> None:
    # moto's IAM mode ignores Condition, NotResource, permissions boundaries and nearly all resources, looks for a role
    # in the caller's account, and evaluates nothing if X-Amz-Target names a public call of Cognito, at any service. The
    # signature was verified before, by guard.py. Delete this when moto evaluates these.
    from moto.core.authorization import ActionAuthenticatorMixin
    from moto.iam import access_control

    def create_access_key(account_id: str, partition: str, access_key_id: str, headers: Any) -> callers.Caller:
        if caller := callers.find_caller(access_key_id):
            return caller
        raise access_control.CreateAccessKeyFailure(reason="InvalidId")  # its role was deleted just now

    ActionAuthenticatorMixin.PUBLIC_OPERATIONS = []
    access_control.create_access_key = create_access_key  # type: ignore[assignment]
    access_control.IAMRequestBase.check_signature = lambda self: None  # type: ignore[method-assign]
    access_control.IAMRequest.check_action_permitted = lambda self, resource: authorization.check(self)  # type: ignore[method-assign]
    access_control.S3IAMRequest.check_action_permitted = authorization.check  # type: ignore[method-assign, assignment]


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
            if "json" in protocol:
                refusal.code = refusal.json_code
            _, headers, body = self.serialized(ActionResult(refusal))
            headers["status"] = str(refusal.status)
            headers, body = self._enrich_response(headers, body)
            return refusal.status, headers, body

    BaseResponse.call_action = call_action  # type: ignore[method-assign]


def name_s3_actions_as_iam_does() -> None:
    # Sub-resources that moto's table lacks count as ListBucket or CreateBucket. Delete this when the table has them.
    from moto.s3.responses import ACTION_MAP

    reads = {
        "publicAccessBlock": "GetBucketPublicAccessBlock",
        "encryption": "GetEncryptionConfiguration",
        "ownershipControls": "GetBucketOwnershipControls",
        "object-lock": "GetBucketObjectLockConfiguration",
        "replication": "GetReplicationConfiguration",
        "requestPayment": "GetBucketRequestPayment",
        "inventory": "GetInventoryConfiguration",
    }
    ACTION_MAP["BUCKET"]["GET"].update(reads)
    ACTION_MAP["BUCKET"]["PUT"].update({name: action.replace("Get", "Put") for name, action in reads.items()})
    ACTION_MAP["BUCKET"]["DELETE"].update(
        {
            "publicAccessBlock": "PutBucketPublicAccessBlock",
            "encryption": "PutEncryptionConfiguration",
            "ownershipControls": "PutBucketOwnershipControls",
            "replication": "PutReplicationConfiguration",
        }
    )


def assume_role() -> None:
    # moto accepts every AssumeRole: a role that does not exist, any trust policy, any duration. Delete this when moto
    # evaluates trust policies across accounts.
    from moto.core.responses import ActionResult
    from moto.sts.responses import TokenResponse

    def assume_role(self: Any) -> ActionResult:
        caller = callers.find_caller(self.get_access_key())
        if caller is None:
            raise aws_errors.unknown_credentials()
        session = trust.assume_role(
            caller,
            self._get_param("RoleArn"),
            self._get_param("RoleSessionName"),
            self._get_int_param("DurationSeconds", 3600),
            self._get_param("ExternalId"),
            self._get_param("Policy"),
            self.region,
        )
        user = {"AssumedRoleId": session.user_id, "Arn": session.arn}
        return ActionResult({"Credentials": session, "AssumedRoleUser": user})

    TokenResponse.assume_role = assume_role  # type: ignore[method-assign]
