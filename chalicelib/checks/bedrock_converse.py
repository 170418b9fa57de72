from __future__ import annotations

from typing import Any

from chalicelib.checks.check import check, require_field
from chalicelib.cross_account import Account


@check(actions=["bedrock:InvokeModel"])
def bedrock_converse(
    account: Account, *, model_id: str, prompt: str, max_tokens: int = 512, system: str | None = None
) -> dict[str, Any]:
    """Send a prompt to a Bedrock model in the target account, and return its text and token usage."""
    request: dict[str, Any] = {
        "modelId": model_id,
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "inferenceConfig": {"maxTokens": max_tokens},
    }
    if system is not None:
        request["system"] = [{"text": system}]
    return summary(account.client("bedrock-runtime").converse(**request))


def summary(response: dict[str, Any]) -> dict[str, Any]:
    """Keep the text, the stop reason and the tokens used; blocks without text are left out."""
    blocks = require_field(response, "output").get("message", {}).get("content", [])
    usage = require_field(response, "usage")
    return {
        "text": "".join(block.get("text", "") for block in blocks),
        "stop_reason": require_field(response, "stopReason"),
        "usage": {
            "input_tokens": require_field(usage, "inputTokens"),
            "output_tokens": require_field(usage, "outputTokens"),
            "total_tokens": require_field(usage, "totalTokens"),
        },
    }
