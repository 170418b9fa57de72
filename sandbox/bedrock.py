"""Bedrock's ListFoundationModels and Converse, which moto 5.2.5 does not have.

The responses are fixed and say so. They prove which account was called and that its IAM policies were evaluated.
"""

from typing import Any

from moto.core.responses import ActionResult

from sandbox.aws_errors import AwsError

_MODELS = (
    ("amazon.nova-lite-v1:0", "Nova Lite", "Amazon"),
    ("amazon.nova-pro-v1:0", "Nova Pro", "Amazon"),
    ("anthropic.claude-3-haiku-20240307-v1:0", "Claude 3 Haiku", "Anthropic"),
)


def list_foundation_models(response: Any) -> ActionResult:
    """The same three models in every account and region."""
    provider = response.querystring.get("byProvider", [""])[0].lower()
    summaries = [
        {
            "modelArn": f"arn:aws:bedrock:{response.region}::foundation-model/{model_id}",
            "modelId": model_id,
            "modelName": name,
            "providerName": maker,
            "inputModalities": ["TEXT"],
            "outputModalities": ["TEXT"],
            "responseStreamingSupported": True,
            "customizationsSupported": [],
            "inferenceTypesSupported": ["ON_DEMAND"],
            "modelLifecycle": {"status": "ACTIVE"},
        }
        for model_id, name, maker in _MODELS
        if not provider or provider == maker.lower()
    ]
    return ActionResult({"modelSummaries": summaries})


def converse(response: Any) -> ActionResult:
    """A response that names the account and the model and repeats the prompt. It runs no model."""
    model_id = str(response._get_param("modelId"))
    if not any(known in model_id for known, _, _ in _MODELS):
        raise AwsError("ValidationException", "The provided model identifier is invalid.")
    messages = response._get_param("messages") or []
    prompt = " ".join(block.get("text", "") for message in messages[-1:] for block in message.get("content", []))
    text = f"[sandbox: no model ran] account {response.current_account}, model {model_id}, prompt: {prompt}"
    return ActionResult(
        {
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
            "stopReason": "end_turn",
            "usage": {
                "inputTokens": len(prompt.split()),
                "outputTokens": len(text.split()),
                "totalTokens": len(prompt.split()) + len(text.split()),
            },
            "metrics": {"latencyMs": 1},
        }
    )
