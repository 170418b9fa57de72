"""The sandbox's fixed accounts, ids and names. Nothing here is secret."""

from dataclasses import dataclass

REGION = "us-east-1"
HUB = "111111111111"
ORGANIZATIONAL_UNIT = "workloads"
EXTERNAL_ID = "sandbox-external-id"
ROLE_TEMPLATE = "role-template.yaml"
ROLE_STACK = "cross-account-role"

# The only Chalice stage that the developer may deploy:
STAGE = "sandbox"
DEVELOPER_ROLE = "cross-account-developer"
DEVELOPER_SESSION = "developer"
ADMINISTRATOR_ROLE = "OrganizationAccountAccessRole"

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""The variables of the developer's credentials, which are made anew for each sandbox."""


@dataclass(frozen=True)
class Target:
    """A target account."""

    id: str
    name: str
    buckets: tuple[str, ...] = ()
    external_id: str | None = EXTERNAL_ID  # None: the role was never deployed there


TARGETS = (
    Target("123456789012", "production", ("production-invoices", "production-website")),
    Target("234567890123", "staging", ("staging-website",)),
    Target("345678901234", "analytics", ("analytics-events", "analytics-models", "analytics-reports")),
    Target("456789012345", "legacy", ("legacy-archive",), external_id=None),
    Target("567890123456", "acquired", ("acquired-backups",), external_id="another-external-id"),
)


def generated_targets(count: int) -> list[Target]:
    """More accounts for large sweeps; each id is distinct and contains the account's number."""
    return [
        Target(f"{700000000000 + number}", f"account-{number:05d}", (f"account-{number:05d}-data",))
        for number in range(1, count + 1)
    ]
