"""The sandbox's fixed accounts, ids and developer credentials. Nothing here is secret."""

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

# The same three values are in .chalice/config.json, stage sandbox. AWS does not know them, so that stage works only in
# the sandbox.
DEVELOPER_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIASANDBOXDEVELOPER",
    "AWS_SECRET_ACCESS_KEY": "sandbox-developer-not-a-secret",
    "AWS_SESSION_TOKEN": "sandbox-developer-session",
}


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
