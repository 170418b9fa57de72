"""The sandbox's fixed accounts, ids and names. Nothing here is secret."""

from dataclasses import dataclass

REGION = "us-east-1"
HUB = "111111111111"
HUB_NAME = "hub"
UNIT = "Workloads"
EXTERNAL_ID = "sandbox-external-id"
ROLE_TEMPLATE = "role-template.yaml"
ROLE_STACK = "cross-account-role"
VIEW_ONLY_ACCESS = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"

# The only Chalice stages that the developer may deploy: the sandbox's, and that of acceptance/.
STAGES = ("sandbox", "acceptance")
DEVELOPER_ROLE = "cross-account-developer"
DEVELOPER_SESSION = "developer"
ADMINISTRATOR_ROLE = "OrganizationAccountAccessRole"

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""The variables of the developer's credentials, which are made anew for each sandbox."""


@dataclass(frozen=True)
class Target:
    """A target account. What else it holds: inventory/."""

    id: str
    name: str
    buckets: tuple[str, ...] = ()
    external_id: str | None = EXTERNAL_ID  # None: the role was never deployed there
    managed_policies: str = VIEW_ONLY_ACCESS  # of the role; "": it may do only what the checks need
    parameters: tuple[tuple[str, str], ...] = ()  # more of the role, such as a group of checks that is off
    unit: str = UNIT
    tags: tuple[tuple[str, str], ...] = ()
    regions: tuple[str, ...] = ()  # that it opted into


TARGETS = (
    Target(
        "123456789012",
        "production",
        ("production-invoices", "production-website"),
        unit="Workloads/Prod",
        tags=(("env", "prod"), ("owner", "shop")),
    ),
    Target(
        "234567890123",
        "staging",
        ("staging-website",),
        unit="Workloads/Test",
        tags=(("env", "test"), ("owner", "shop")),
        regions=("eu-south-1",),
    ),
    Target(
        "345678901234",
        "analytics",
        ("analytics-events", "analytics-models", "analytics-reports"),
        managed_policies="",
        parameters=(("NetworkChecks", "false"),),
        unit="Workloads/Prod",
        tags=(("env", "prod"), ("owner", "data")),
    ),
    Target("456789012345", "legacy", ("legacy-archive",), external_id=None, tags=(("env", "prod"),)),
    Target("567890123456", "acquired", ("acquired-backups",), external_id="another-external-id"),
)
PRODUCTION, STAGING, ANALYTICS, LEGACY, ACQUIRED = (target.id for target in TARGETS)


def role_parameters(external_id: str = EXTERNAL_ID, managed_policies: str = VIEW_ONLY_ACCESS) -> dict[str, str]:
    """The parameters of role-template.yaml."""
    return {"HubAccountId": HUB, "ExternalId": external_id, "ManagedPolicyArns": managed_policies}


MAX_GENERATED = 99_999
"""Their names have five digits."""


def generated_targets(count: int) -> list[Target]:
    """More accounts for large sweeps; each id is distinct and contains the account's number."""
    return [
        Target(f"{700000000000 + number}", f"account-{number:05d}", (f"account-{number:05d}-data",))
        for number in range(1, count + 1)
    ]
