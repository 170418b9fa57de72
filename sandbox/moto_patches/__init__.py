"""Everything the sandbox changes in moto. Seen in moto 5.2.5 unless a patch says otherwise.

Each patch says what is wrong and when it can go. They change moto's modules in place: apply() runs in the
sandbox's own process only, before anything is served, and never in a test's.
"""

from sandbox.functions.service import FunctionService
from sandbox.moto_patches import identity, lambda_functions, services, stacks, state_machines


def apply(functions: FunctionService, endpoint_url: str) -> None:
    """Apply all patches once."""
    identity.find_accounts_by_index()
    identity.decide_with_our_evaluator()
    identity.refuse_in_the_client_s_protocol()
    identity.name_s3_actions_as_iam_does()
    services.tell_the_regions_of_buckets()
    identity.assume_role()
    lambda_functions.run_functions(functions)
    services.import_swagger()
    stacks.keep_role_policies_of_stacks()
    stacks.know_aws_managed_policies()
    stacks.check_stack_parameters()
    stacks.parse_templates_once()
    stacks.apply_change_sets_whole()
    state_machines.sign_step_functions(endpoint_url)
    state_machines.evaluate_jsonata()
    state_machines.name_executions()
    state_machines.run_state_machines()
    services.answer_bedrock()
