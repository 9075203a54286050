"""What GOV.UK Notify answers when it says no."""

from collections.abc import Sequence


class NotifyError(Exception):
    """An answer in the shape of version 2: a status and one or more errors."""

    def __init__(self, status: int, errors: Sequence[dict[str, object]]) -> None:
        super().__init__(f"{status} {errors[0]['error']}")
        self.status = status
        self.errors = list(errors)

    def body(self) -> dict[str, object]:
        return {"errors": self.errors, "status_code": self.status}


def problem(status: int, error: str, message: str, **more: object) -> NotifyError:
    return NotifyError(status, [{"error": error, "message": message, **more}])


def bad_request(message: str, *, status: int = 400) -> NotifyError:
    return problem(status, "BadRequestError", message)


def invalid(*messages: str) -> NotifyError:
    """One error for each message, each once."""
    return NotifyError(
        400, [{"error": "ValidationError", "message": text} for text in dict.fromkeys(messages)]
    )


def not_authorised(message: str, *, status: int = 403) -> NotifyError:
    return problem(status, "AuthError", message)


def not_found() -> NotifyError:
    return problem(404, "NoResultFound", "No result found")


def internal(error: str) -> NotifyError:
    return problem(500, error, "Internal server error")
