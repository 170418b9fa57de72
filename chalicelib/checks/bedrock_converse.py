from __future__ import annotations

from typing import Any

from chalicelib.account import Account
from chalicelib.check import check, field


@check(actions=["bedrock:InvokeModel"])
def bedrock_converse(
    account: Account, *, model_id: str, prompt: str, max_tokens: int = 512, system: str | None = None
) -> dict[str, Any]:
    """Ask a Bedrock model in the target account, and answer with its text and what it used."""
    asked: dict[str, Any] = {
        "modelId": model_id,
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "inferenceConfig": {"maxTokens": max_tokens},
    }
    if system is not None:
        asked["system"] = [{"text": system}]
    return summary(account.client("bedrock-runtime").converse(**asked))


def summary(answer: dict[str, Any]) -> dict[str, Any]:
    """Keep the text, the reason it stopped and the tokens it used; blocks that are no text are left out."""
    blocks = field(answer, "output").get("message", {}).get("content", [])
    usage = field(answer, "usage")
    return {
        "text": "".join(block.get("text", "") for block in blocks),
        "stop_reason": field(answer, "stopReason"),
        "usage": {
            "input_tokens": field(usage, "inputTokens"),
            "output_tokens": field(usage, "outputTokens"),
            "total_tokens": field(usage, "totalTokens"),
        },
    }
