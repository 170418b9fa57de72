"""Permissions boundaries, of roles and of users.

Sources: IAM User Guide, access_policies_boundaries.html and
reference_policies_evaluation-logic_policy-eval-basics.html ("permissions boundaries").
"""

from __future__ import annotations

from sandbox.accounts import HUB

from .conftest import ALIASES, EVERYTHING, OPEN_ID, READS, SAML, Cloud, allow, deny, of, session_arn, trusting

ASSUME = "sts:AssumeRole"


def test_a_boundary_caps_what_the_role_s_policies_allow(cloud: Cloud) -> None:
    boundary = cloud.policy(allow(ALIASES, OPEN_ID))
    session = cloud.enter(cloud.role(allow(ALIASES, SAML), PermissionsBoundary=boundary))
    assert cloud.may(session, *READS) == {ALIASES}
    assert cloud.why_not(session, SAML).endswith(f"because no permissions boundary allows the {SAML} action")
    assert cloud.why_not(session, OPEN_ID).endswith(f"because no identity-based policy allows the {OPEN_ID} action")


def test_a_boundary_caps_what_a_user_s_policies_allow(cloud: Cloud) -> None:
    boundary = cloud.policy(allow(ALIASES, OPEN_ID))
    assert cloud.may(cloud.user(allow(ALIASES, SAML), PermissionsBoundary=boundary).credentials) == {ALIASES}


def test_a_user_s_boundary_is_shown(cloud: Cloud) -> None:
    boundary, iam = cloud.policy(EVERYTHING), cloud.client("iam")
    user = iam.get_user(UserName=cloud.user(PermissionsBoundary=boundary).name)["User"]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert "PermissionsBoundary" not in iam.get_user(UserName=cloud.user().name)["User"]


def test_an_explicit_deny_in_a_boundary_is_named(cloud: Cloud) -> None:
    boundary = cloud.policy(EVERYTHING, deny(SAML))
    session = cloud.enter(cloud.role(allow(ALIASES, SAML), PermissionsBoundary=boundary))
    assert cloud.may(session) == {ALIASES}
    assert cloud.why_not(session, SAML).endswith("with an explicit deny in a permissions boundary")


def test_a_boundary_counts_from_the_next_request_on(cloud: Cloud) -> None:
    role = cloud.role(allow(ALIASES, SAML))
    session, iam, name = cloud.enter(role), cloud.client("iam"), of(role)[1]
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=cloud.policy(allow(SAML)))
    assert cloud.may(session) == {SAML}
    iam.delete_role_permissions_boundary(RoleName=name)
    assert cloud.may(session) == {ALIASES, SAML}


def test_an_explicit_deny_in_a_boundary_holds_where_the_trust_policy_alone_would_do(cloud: Cloud) -> None:
    boundary = cloud.policy(EVERYTHING, deny(ASSUME))
    caller = cloud.role(allow("iam:*"), PermissionsBoundary=boundary)
    for principal in (caller, session_arn(caller)):
        assert not cloud.is_let_in(cloud.role(trust=trusting({"AWS": principal})), cloud.enter(caller))
    user = cloud.user(PermissionsBoundary=boundary)
    assert not cloud.is_let_in(cloud.role(trust=trusting({"AWS": user.arn})), user.credentials)


def test_what_a_resource_policy_gives_a_role_s_arn_is_capped_by_the_role_s_boundary(cloud: Cloud) -> None:
    for boundary, expected in ((allow("iam:*"), False), (allow("iam:*", ASSUME), True)):
        caller = cloud.role(allow("iam:*"), PermissionsBoundary=cloud.policy(boundary))
        target = cloud.role(trust=trusting({"AWS": caller}))
        assert cloud.is_let_in(target, cloud.enter(caller)) is expected


def test_what_a_resource_policy_gives_a_session_or_a_user_is_not(cloud: Cloud) -> None:
    """A boundary that says nothing of it is no obstacle to what is given to the session or the user itself."""
    silent = cloud.policy(allow("iam:*"))
    caller = cloud.role(allow("iam:*"), PermissionsBoundary=silent)
    assert cloud.is_let_in(cloud.role(trust=trusting({"AWS": session_arn(caller)})), cloud.enter(caller))
    user = cloud.user(PermissionsBoundary=silent)
    assert cloud.is_let_in(cloud.role(trust=trusting({"AWS": user.arn})), user.credentials)


def test_across_accounts_a_boundary_caps_whomever_the_trust_policy_names(cloud: Cloud, member: str) -> None:
    caller = cloud.role(EVERYTHING, PermissionsBoundary=cloud.policy(allow("iam:*")))
    target = cloud.role(trust=trusting({"AWS": [HUB, caller, session_arn(caller)]}), account=member)
    assert not cloud.is_let_in(target, cloud.enter(caller))
