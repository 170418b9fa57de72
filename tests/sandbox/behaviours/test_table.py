"""What AWS does, sentence by sentence, and the test that holds the sandbox to it; and what the sandbox does not do."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

BEHAVIOURS = {
    # session policies
    "A session may do only what role and session policy both allow.": (
        "test_session_policies.py::test_a_session_may_do_only_what_role_and_session_policy_both_allow"
    ),
    "An explicit Deny in a session policy holds.": (
        "test_session_policies.py::test_an_explicit_deny_in_a_session_policy_holds"
    ),
    "A session policy cannot give what the role lacks.": (
        "test_session_policies.py::test_a_session_policy_cannot_give_what_the_role_lacks"
    ),
    "PolicyArns narrow like Policy.": (
        "test_session_policies.py::test_managed_session_policies_narrow_like_an_inline_one"
    ),
    "A session policy also rules sts:AssumeRole of the next role.": (
        "test_session_policies.py::test_a_session_policy_also_rules_who_may_be_assumed_next"
    ),
    "More than 2,048 characters is a ValidationError.": (
        "test_session_policies.py::test_a_session_policy_has_at_most_2048_characters"
    ),
    "A session policy that is no policy is MalformedPolicyDocument.": (
        "test_session_policies.py::test_a_session_policy_that_is_no_policy_is_malformed"
    ),
    "The answer tells PackedPolicySize when a session policy was sent.": (
        "test_session_policies.py::test_the_response_tells_how_much_of_the_limit_policies_and_tags_take"
    ),
    # sessions
    "After DurationSeconds a session's calls fail with ExpiredToken.": (
        "test_expiry.py::test_a_session_that_is_over_is_refused_in_the_words_of_the_service"
    ),
    "A role session cannot assume a role for more than an hour.": (
        "test_sessions.py::test_a_role_session_cannot_assume_a_role_for_more_than_an_hour"
    ),
    "A user may ask for MaxSessionDuration and no more.": (
        "test_sessions.py::test_a_user_may_ask_for_the_role_s_maximum_and_no_more"
    ),
    "899 and 43,201 seconds are ValidationErrors.": (
        "test_sessions.py::test_what_does_not_have_the_form_is_a_validation_error"
    ),
    r"RoleSessionName: 2 to 64 of [\w+=,.@-].": "test_sessions.py::test_a_session_has_the_name_that_it_was_given",
    "SourceIdentity without sts:SetSourceIdentity in the trust policy is AccessDenied.": (
        "test_sessions.py::test_a_source_identity_needs_a_permission_in_the_trust_policy"
    ),
    "sts:SourceIdentity in a trust policy sees what was sent.": (
        "test_sessions.py::test_a_trust_policy_sees_the_source_identity_that_was_sent"
    ),
    "Tags without sts:TagSession in the trust policy is AccessDenied.": (
        "test_sessions.py::test_session_tags_need_a_permission_in_the_trust_policy"
    ),
    "aws:PrincipalTag sees session tags.": "test_sessions.py::test_a_policy_sees_the_session_s_tags",
    "aws:PrincipalTag sees the role's own tags.": (
        "test_sessions.py::test_a_policy_sees_the_role_s_own_tags_and_the_session_s_before_them"
    ),
    "Credentials of GetSessionToken are those of the user.": (
        "test_credentials.py::test_credentials_of_get_session_token_are_those_of_the_user"
    ),
    # trust
    "Across accounts caller's policy and trust must both allow.": (
        "test_trust.py::test_across_accounts_the_caller_s_policy_and_the_trust_policy_must_both_allow"
    ),
    "Within an account a trust policy that names the role itself is enough; one that names the account is not.": (
        "test_trust.py::test_within_an_account_a_trust_policy_that_names_the_role_is_enough"
    ),
    "Within an account too, a role's trust policy must name caller or account, whatever the caller's policy allows.": (
        "test_trust.py::test_within_an_account_too_the_trust_policy_must_name_caller_or_account"
    ),
    "sts:ExternalId: right is let in; wrong and absent are refused alike.": (
        "test_trust.py::test_the_external_id_must_be_the_right_one"
    ),
    "A trust policy may name one session of a role.": (
        "test_trust.py::test_a_trust_policy_may_name_one_session_of_a_role"
    ),
    "aws:PrincipalOrgID in a trust policy.": "test_trust.py::test_a_trust_policy_may_ask_for_the_organization",
    "aws:PrincipalOrgPaths in a trust policy.": (
        "test_trust.py::test_a_trust_policy_may_ask_for_a_place_in_the_organization"
    ),
    "aws:SourceIp with IpAddress.": "test_trust.py::test_a_trust_policy_sees_the_keys_that_aws_sets",
    "aws:CurrentTime with DateLessThan.": "test_trust.py::test_a_trust_policy_sees_the_keys_that_aws_sets",
    "aws:TokenIssueTime: revoking active sessions ends older sessions and spares newer.": (
        "test_principals.py::test_a_revocation_ends_older_sessions_and_spares_newer_ones"
    ),
    "sts:RoleSessionName in a trust policy.": "test_trust.py::test_a_trust_policy_sees_the_keys_that_aws_sets",
    "${aws:username} in a user's policy.": "test_credentials.py::test_a_user_s_policy_may_have_its_name_in_it",
    "A trust policy that names a role which does not exist is MalformedPolicyDocument.": (
        "test_principals.py::test_a_trust_policy_that_names_who_does_not_exist_is_malformed"
    ),
    "A role named in a trust policy, deleted and made again, is no longer trusted.": (
        "test_principals.py::test_a_role_that_was_deleted_and_made_again_is_no_longer_trusted"
    ),
    "After the named role is deleted the trust policy shows its unique id.": (
        "test_principals.py::test_once_the_role_is_deleted_the_trust_policy_shows_its_unique_id"
    ),
    "NotPrincipal in a trust policy is not accepted.": (
        "test_principals.py::test_not_principal_in_a_trust_policy_is_not_accepted"
    ),
    "The session of a deleted role can do nothing any more.": (
        "test_principals.py::test_the_session_of_a_deleted_role_can_do_nothing_any_more"
    ),
    # boundaries
    "A boundary caps what the role's policies allow.": (
        "test_boundaries.py::test_a_boundary_caps_what_the_role_s_policies_allow"
    ),
    "An explicit Deny in a boundary holds even where the trust policy alone would do.": (
        "test_boundaries.py::test_an_explicit_deny_in_a_boundary_holds_where_the_trust_policy_alone_would_do"
    ),
    "What a resource policy gives a role's ARN is capped by the role's boundary.": (
        "test_boundaries.py::test_what_a_resource_policy_gives_a_role_s_arn_is_capped_by_the_role_s_boundary"
    ),
    # the organization's policies
    "An SCP attached to the unit denies in its accounts.": (
        "test_organization_policies.py::test_a_deny_at_any_level_denies_in_the_accounts_below"
    ),
    "An SCP attached to the account denies there and nowhere else.": (
        "test_organization_policies.py::test_a_deny_of_one_account_denies_nowhere_else"
    ),
    "An SCP on the caller's account rules its sts:AssumeRole.": (
        "test_organization_policies.py::test_a_service_control_policy_on_the_caller_s_account_rules_its_assume_role"
    ),
    "SCPs do not bind the management account.": (
        "test_organization_policies.py::test_service_control_policies_do_not_bind_the_management_account"
    ),
    'The refusal says "with an explicit deny in a service control policy".': (
        "test_denials_named.py::test_a_service_control_policy"
    ),
    "An RCP on the role's account that denies sts:AssumeRole keeps callers out.": (
        "test_organization_policies.py::test_a_resource_control_policy_on_the_role_s_account_keeps_callers_out"
    ),
    # credentials and refusals
    "GetCallerIdentity answers even to an explicit Deny.": (
        "test_credentials.py::test_get_caller_identity_answers_even_to_an_explicit_deny"
    ),
    "An unknown key is InvalidClientTokenId at STS, InvalidAccessKeyId at S3.": (
        "test_credentials.py::test_an_unknown_key_and_a_session_s_key_without_its_token_are_unknown"
    ),
    "A wrong secret is SignatureDoesNotMatch.": "test_credentials.py::test_a_wrong_secret_does_not_match",
    "A session's key without its token is InvalidClientTokenId.": (
        "test_credentials.py::test_an_unknown_key_and_a_session_s_key_without_its_token_are_unknown"
    ),
    "A user's inactive key is InvalidClientTokenId.": (
        "test_credentials.py::test_an_inactive_key_is_unknown_until_it_is_active_again"
    ),
    "AccessDenied at S3, IAM and STS, AccessDeniedException at JSON services, UnauthorizedOperation at EC2.": (
        "test_credentials.py::test_each_service_has_its_own_word_for_a_refusal"
    ),
    # resources
    "GetObject of a missing key without s3:ListBucket is 403, with it 404.": (
        "test_credentials.py::test_a_missing_key_is_told_only_to_who_may_list_the_bucket"
    ),
    "ListBuckets names only the caller's own account's.": (
        "test_credentials.py::test_list_buckets_names_only_the_caller_s_own"
    ),
    "Without a bucket policy another account's bucket is AccessDenied, whatever the caller's policy.": (
        "test_resource_policies.py::test_without_its_policy_another_account_s_resource_is_closed"
    ),
    "A bucket policy and the caller's policy together open it.": (
        "test_resource_policies.py::test_its_policy_and_the_caller_s_together_open_it"
    ),
    "A Deny in the bucket policy binds the account's own principals.": (
        "test_resource_policies.py::test_a_deny_binds_the_account_s_own_principals"
    ),
    "Within an account a bucket policy alone is enough.": (
        "test_resource_policies.py::test_within_an_account_its_policy_alone_is_enough"
    ),
    "SQS: another account's queue needs its policy; with it, messages arrive there.": (
        "test_resource_policies.py::test_its_policy_and_the_caller_s_together_open_it"
    ),
    "SNS: another account's topic needs its policy.": (
        "test_resource_policies.py::test_a_topic_of_another_account_takes_messages_only_by_its_policy"
    ),
    "KMS: another account's key needs its key policy; then it encrypts.": (
        "test_resource_policies.py::test_its_policy_and_the_caller_s_together_open_it"
    ),
    "KMS: a key policy without the account's root shuts out the account's own IAM policies.": (
        "test_resource_policies.py::test_a_key_policy_without_the_account_shuts_out_the_account_s_own_policies"
    ),
    "Lambda: another account's function needs a permission (AddPermission).": (
        "test_resource_policies.py::test_its_policy_and_the_caller_s_together_open_it"
    ),
    "Secrets Manager: another account's secret needs its policy.": (
        "test_resource_policies.py::test_its_policy_and_the_caller_s_together_open_it"
    ),
    # regions and organizations
    "A region that must be opted into refuses an account that has not.": (
        "test_regions_and_organizations.py::test_a_region_that_is_off_refuses_the_account"
    ),
    "STS of a region that is not enabled answers RegionDisabledException.": (
        "test_regions_and_organizations.py::test_sts_of_a_region_that_is_off_says_so"
    ),
    "aws:RequestedRegion denies other regions.": (
        "test_regions_and_organizations.py::test_a_policy_may_deny_other_regions"
    ),
    "ListAccounts from a member that is no delegated administrator is AccessDeniedException.": (
        "test_regions_and_organizations.py::test_only_the_management_account_and_its_delegates_list_accounts"
    ),
    "A delegated administrator lists the organization's accounts.": (
        "test_regions_and_organizations.py::test_only_the_management_account_and_its_delegates_list_accounts"
    ),
    "DescribeOrganization answers to members too.": (
        "test_regions_and_organizations.py::test_describe_organization_answers_to_members_too"
    ),
    "A user can see which calls were made, by whom, allowed or not.": (
        "test_regions_and_organizations.py::test_each_call_is_recorded_with_who_made_it_and_what_became_of_it"
    ),
    "iam:SimulatePrincipalPolicy decides for a role.": (
        "test_regions_and_organizations.py::test_the_simulator_decides_for_a_role"
    ),
    "A closed account's roles cannot be assumed and its sessions stop.": (
        "test_regions_and_organizations.py::test_a_closed_account_s_roles_cannot_be_assumed"
    ),
}
"""A sentence about AWS, and the first test of it."""

NOT_HERE = {
    "AssumeRoleWithWebIdentity into a role that trusts no such provider is refused.": "whatever is unsigned is refused",
    "cloudtrail:LookupEvents shows management events.": "GET /sandbox/calls has the calls",
    "An EC2 refusal carries a message that sts:DecodeAuthorizationMessage opens.": "the message is in plain words",
}
"""The sentences that do not hold, and what there is instead. The README names them."""


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse(Path(__file__).with_name(file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_behaviour_has_its_test() -> None:
    named = [test.partition("::") for test in BEHAVIOURS.values()]
    assert [f"{file}::{name}" for file, _, name in named if name not in names_in(file)] == []


def test_75_behaviours_are_told_apart() -> None:
    assert len(BEHAVIOURS) + len(NOT_HERE) == 75
    assert not BEHAVIOURS.keys() & NOT_HERE.keys()
