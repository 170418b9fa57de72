"""CloudFormation: what moto's stacks do otherwise than AWS's.

    templates           a template is read, transformed (sam) and judged before anything of a stack is touched
    parameters          what was given, as text
    dynamic_references  what the template takes from Parameter Store and Secrets Manager
    resources           change sets, references, and what is in a stack
    failures            what cannot be made fails, says why, and is rolled back
    left_out            what of a template is not there is told
    deletions           what is deleted goes, or it is told why not
    sets                stack sets

Kinds of resources that are as their template says: identities, policies, functions, event_sources, parameter_store, and
custom, which a function makes.
"""

from sandbox.moto_patches.stacks import (
    capabilities,
    change_sets,
    custom,
    deletions,
    dynamic_references,
    event_sources,
    failures,
    functions,
    identities,
    left_out,
    parameter_store,
    parameters,
    policies,
    resource,
    sets,
    templates,
)


def apply() -> None:
    """In this order: several change the same function of moto, and the later one calls the earlier."""
    identities.follow_templates_of_principals()
    identities.follow_templates_of_managed_policies()
    functions.follow_templates_of_functions()
    event_sources.follow_templates_of_events()
    event_sources.configure_buckets()
    event_sources.follow_templates_of_log_groups()
    parameter_store.follow_templates_of_parameters()
    policies.apply_resources_that_are_policies()
    policies.apply_policies_among_properties()
    policies.look_at_policies_in_every_update()
    parameters.keep_parameters_as_text()
    parameters.update_from_previous_parameters()
    dynamic_references.resolve()
    change_sets.see_parameters_in_substitutions()
    change_sets.apply_change_sets_whole()
    resource.update_in_the_order_of_references()
    change_sets.list_only_what_is_there()
    change_sets.list_change_sets_of_a_stack()
    sets.operate_stack_sets()
    sets.follow_the_organization()
    custom.run_custom_resources()
    left_out.watch_properties()
    failures.make_or_refuse_resources()
    failures.roll_back_stacks()
    failures.roll_back_change_sets()
    failures.keep_what_cannot_be_deleted()
    failures.fail_with_nested_stacks()
    deletions.keep_what_is_used_or_protected()
    deletions.delete_what_stands_alone()
    templates.judge_templates_first()
    templates.show_templates_as_given()
    capabilities.ask_for_capabilities()
    templates.find_templates_at_the_endpoint()
    templates.allow_resources_that_are_nothing()
