"""IAM's policy simulator."""

from typing import Any

from sandbox import simulation


def simulate_policies() -> None:
    # moto lacks both operations. Delete this when it has them.
    from moto.core.responses import ActionResult
    from moto.iam.responses import IamResponse

    def simulate_principal_policy(self: Any) -> ActionResult:
        results = simulation.simulate_principal_policy(self.current_account, self.params)
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    def simulate_custom_policy(self: Any) -> ActionResult:
        results = simulation.simulate_custom_policy(self.current_account, self.params)
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    IamResponse.simulate_principal_policy = simulate_principal_policy  # type: ignore[attr-defined]
    IamResponse.simulate_custom_policy = simulate_custom_policy  # type: ignore[attr-defined]
