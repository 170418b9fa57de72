from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.account import Account
from chalicelib.check import check, field


@check(actions=["bedrock:ListFoundationModels"])
def bedrock_models(account: Account, *, provider: str | None = None) -> dict[str, Any]:
    """List the foundation models that Bedrock offers the account in a region."""
    asked = {"byProvider": provider} if provider else {}
    answer = account.client("bedrock").list_foundation_models(**asked)
    return summary(field(answer, "modelSummaries"))


def summary(models: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Make the answer of Bedrock's own summaries, sorted by model id."""
    found = [
        {
            "id": field(model, "modelId"),
            "name": model.get("modelName"),
            "provider": model.get("providerName"),
            "input": model.get("inputModalities", []),
            "output": model.get("outputModalities", []),
            "status": model.get("modelLifecycle", {}).get("status"),
        }
        for model in models
    ]
    return {"count": len(found), "models": sorted(found, key=lambda model: str(model["id"]))}
