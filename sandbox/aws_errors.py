"""The errors that the sandbox returns, with AWS's codes and messages."""

from moto.core.exceptions import ServiceException


class AwsError(ServiceException):
    """An error with AWS's code and message. (moto cannot serialise its bare base class.)"""


class Refused(Exception):
    """Mostly a 403. Its code in AWS's query and XML protocols differs from the code in its JSON protocols.

    Not a subclass of moto's own errors, for which moto returns status 400 before the sandbox sees them.
    """

    status = 403

    def __init__(self, xml_code: str, json_code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.json_code, self.message = xml_code, json_code, message

    def speak(self, service: str, protocol: str) -> None:
        """Take the code, the message and the status that this service gives it.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        """
        if "json" in protocol and service != "sqs":  # which keeps the codes of its older protocol
            self.code = self.json_code
        elif service == "s3":
            self.code = _CODES_OF_S3.get(self.code, self.code)
            if self.code == "ExpiredToken":
                self.status, self.message = 400, "The provided token has expired."
        elif service == "sns" and self.code == "AccessDenied":
            self.code = "AuthorizationError"
        elif service == "ec2":
            self.code, self.status, self.message = {
                "AccessDenied": (
                    "UnauthorizedOperation",
                    403,
                    f"You are not authorized to perform this operation. {self.message}",
                ),
                "InvalidClientTokenId": (
                    "AuthFailure",
                    401,
                    "AWS was not able to validate the provided access credentials",
                ),
                "SignatureDoesNotMatch": ("AuthFailure", 401, self.message),
                "ExpiredToken": ("RequestExpired", 400, "Request has expired."),
            }.get(self.code, (self.code, self.status, self.message))


_CODES_OF_S3 = {"InvalidClientTokenId": "InvalidAccessKeyId", "MissingAuthenticationToken": "AccessDenied"}


def denied(message: str) -> Refused:
    return Refused("AccessDenied", "AccessDeniedException", message)


def unknown_credentials() -> Refused:
    message = "The security token included in the request is invalid."
    return Refused("InvalidClientTokenId", "UnrecognizedClientException", message)


def expired_credentials() -> Refused:
    message = "The security token included in the request is expired"
    return Refused("ExpiredToken", "ExpiredTokenException", message)


def bad_signature() -> Refused:
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
    return Refused("SignatureDoesNotMatch", "InvalidSignatureException", message)


def no_region() -> Refused:
    message = "Credential should be scoped to a valid region."
    return Refused("SignatureDoesNotMatch", "InvalidSignatureException", message)


def not_implemented(action: str) -> Refused:
    refused = Refused("NotImplemented", "NotImplemented", f"The sandbox does not have {action}: moto 5.2.5 lacks it")
    refused.status = 501
    return refused


def not_found(message: str) -> Refused:
    refused = Refused("ResourceNotFoundException", "ResourceNotFoundException", message)
    refused.status = 404
    return refused


def other_content() -> Refused:
    message = "The provided 'x-amz-content-sha256' header does not match what was computed."
    refused = Refused("XAmzContentSHA256Mismatch", "XAmzContentSHA256Mismatch", message)
    refused.status = 400
    return refused


def no_credentials() -> Refused:
    return Refused("MissingAuthenticationToken", "MissingAuthenticationTokenException", "Missing Authentication Token")
