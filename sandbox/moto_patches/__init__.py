"""Everything that the sandbox changes in moto 5.2.5.

Each patch says what moto does wrong and when the patch can be deleted. The patches change moto's modules in place, so
apply() runs only in the sandbox's own process, before it serves requests.
"""

from sandbox.functions.service import FunctionService
from sandbox.moto_patches import (
    back_doors,
    ec2,
    iam,
    identity,
    lambda_functions,
    lambda_mappings,
    lambda_settings,
    lambda_versions,
    lookups,
    organizations,
    other_accounts,
    regions,
    services,
    stacks,
    state_machines,
    sts,
)


def apply(functions: FunctionService, endpoint_url: str) -> None:
    identity.make_secrets_that_cannot_be_predicted()
    identity.take_accounts_from_signatures()
    lookups.keep_folders()
    identity.decide_with_our_evaluator()
    identity.refuse_in_the_client_s_protocol()
    services.add_regions_of_buckets()
    sts.issue_sessions()
    iam.pin_principals()
    iam.keep_boundaries_of_users()
    iam.check_names()
    iam.load_aws_managed_policies()
    iam.simulate_policies()
    iam.have_root_users()
    organizations.answer_for_the_organization()
    organizations.make_administrators()
    organizations.delegate_every_service()
    organizations.attach_default_policies()
    organizations.refuse_policies_as_aws_does()
    organizations.keep_the_tree_whole()
    organizations.show_trails_to_members()
    regions.load_no_foreign_images()
    regions.tell_which_are_enabled()
    regions.enable_regions()
    regions.make_buckets_where_they_may_be()
    ec2.keep_metadata_defaults()
    ec2.tell_who_may_restore()
    ec2.let_default_groups_in()
    other_accounts.write_function_policies_as_lambda_does()
    other_accounts.keep_buckets_apart()
    other_accounts.block_public_policies()
    other_accounts.hide_which_keys_exist()
    other_accounts.publish_to_other_accounts()
    back_doors.refuse_what_is_not_authorized()
    back_doors.take_parameters_from_one_place()
    back_doors.keep_to_the_account()
    lambda_functions.run_functions(functions)
    lambda_functions.look_up_only_what_has_layers()
    lambda_functions.keep_configurations()
    lambda_functions.find_layers_by_account()
    lambda_functions.read_versions_of_code()
    lambda_functions.replace_event_invoke_configs()
    lambda_versions.number_versions_once()
    lambda_versions.follow_qualified_arns()
    lambda_mappings.end_mappings()
    lambda_settings.tell_account_settings()
    services.import_swagger()
    services.mark_keys_of_aws()
    stacks.apply()
    state_machines.sign_step_functions(endpoint_url)
    state_machines.evaluate_jsonata()
    state_machines.count_batches_right()
    state_machines.quote_variables()
    state_machines.name_executions()
    state_machines.run_state_machines()
    services.add_bedrock()
