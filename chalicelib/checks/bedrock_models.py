from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.checks.check import check, require_field
from chalicelib.cross_account import Account


@check(actions=["bedrock:ListFoundationModels"])
def bedrock_models(account: Account, *, provider: str | None = None) -> dict[str, Any]:
    """List the foundation models that Bedrock offers the account in a region."""
    request = {"byProvider": provider} if provider else {}
    response = account.client("bedrock").list_foundation_models(**request)
    return summary(require_field(response, "modelSummaries"))


def summary(models: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Read Bedrock's model summaries, and sort them by model id."""
    found = [
        {
            "id": require_field(model, "modelId"),
            "name": model.get("modelName"),
            "provider": model.get("providerName"),
            "input": model.get("inputModalities", []),
            "output": model.get("outputModalities", []),
            "status": model.get("modelLifecycle", {}).get("status"),
        }
        for model in models
    ]
    return {"count": len(found), "models": sorted(found, key=lambda model: str(model["id"]))}
