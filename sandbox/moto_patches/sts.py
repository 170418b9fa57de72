"""STS: AssumeRole and its like, by the sandbox."""

from typing import Any

from sandbox import authorization
from sandbox.case import keys_of_request
from sandbox.sts import assume_role, user_sessions
from sandbox.sts.session_parameters import packed_policy_size


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
