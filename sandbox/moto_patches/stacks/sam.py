"""AWS's own transform of SAM's templates: AWS::Serverless::Function and the like become what they stand for."""

import functools
import json
import logging
import threading
from collections.abc import Mapping
from typing import Any

from sandbox.aws_errors import AwsError

TRANSFORM = "AWS::Serverless-2016-10-31"
_ONE_AT_A_TIME = threading.Lock()  # the translator keeps its session in a class


def translate(document: dict[str, Any], given: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
    # Imported here: they take a second.
    import boto3
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template

    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # otherwise a line of its unpublished metrics each time
    values = {**given, "AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws"}
    with _ONE_AT_A_TIME:
        to_py27_compatible_template(document, values)
        translator = Translator(None, Parser(), boto_session=boto3.Session(region_name=region))
        try:
            found = translator.translate(document, values, get_managed_policy_map=_managed_policies)
        except InvalidDocumentException as error:
            causes = " ".join([error.message, *(cause.message for cause in error.causes)])
            raise AwsError("ValidationError", f"Transform {TRANSFORM} failed with: {causes}") from None
        translated: dict[str, Any] = undo_mark_unicode_str_in_template(found)
        return translated


@functools.cache
def _managed_policies() -> dict[str, str]:
    """The ARN of each of AWS's managed policies, by name."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    return {name: policy["Arn"] for name, policy in json.loads(aws_managed_policies_data).items()}
