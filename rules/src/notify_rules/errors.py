"""Why Notify would refuse a recipient, in its own words."""

from enum import StrEnum


class ErrorKind(StrEnum):
    """The `error` that stands beside the message in Notify's answer, which tells when it was found."""

    VALIDATION = "ValidationError"
    """Found with the request's shape; the message then begins with the name of the field."""
    INVALID_PHONE = "InvalidPhoneError"
    """Found later: a number that exists, and takes no texts."""
    BAD_REQUEST = "BadRequestError"
    """Found later: a number that this service may not send to."""


class InvalidRecipient(ValueError):
    """`message` is Notify's wording without the field's name. It never holds the value itself."""

    kind: ErrorKind = ErrorKind.VALIDATION

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidEmailAddress(InvalidRecipient):
    def __init__(self, message: str = "Not a valid email address") -> None:
        super().__init__(message)


class InvalidPhoneNumber(InvalidRecipient):
    def __init__(self, message: str, kind: ErrorKind = ErrorKind.VALIDATION) -> None:
        super().__init__(message)
        self.kind = kind


class InvalidPostalAddress(InvalidRecipient):
    pass
