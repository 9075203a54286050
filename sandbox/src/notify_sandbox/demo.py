"""The service that a sandbox has when nothing else is asked for."""

from notify_sandbox.model import Callback, Channel, Limits
from notify_sandbox.seed import Seed, SeedKey, SeedService, SeedTemplate, derived_id

HIGH_LIMITS = Limits(
    per_minute=6_000_000, emails=10**9, texts=10**9, international_texts=10**9, letters=10**9
)
EMAIL_BODY = "Dear ((name)),\n\nYour reference is ((ref)).\n\n# Heading\n\n* one\n* two\n\nhttps://www.gov.uk"
TEMPLATES = (
    SeedTemplate(
        alias="email", name="An email", type=Channel.EMAIL, subject="Hello ((name))", body=EMAIL_BODY
    ),
    SeedTemplate(
        alias="email_file",
        name="Email with file",
        type=Channel.EMAIL,
        subject="File",
        body="Download: ((link_to_file))",
    ),
    SeedTemplate(
        alias="email_plain",
        name="No placeholders",
        type=Channel.EMAIL,
        subject="Plain",
        body="Nothing to fill in",
    ),
    SeedTemplate(
        alias="text", name="A text", type=Channel.TEXT, body="Hello ((name)), your code is ((code))"
    ),
    SeedTemplate(
        alias="letter",
        name="A letter",
        type=Channel.LETTER,
        subject="Letter to ((name))",
        body="Dear ((name)), body",
    ),
)


def demo_seed(
    *,
    seed: str = "demo",
    name: str = "demo",
    callback: Callback | None = None,
    limits: Limits = HIGH_LIMITS,
    keys: list[SeedKey] | None = None,
) -> Seed:
    """The demo's service. The same `seed` gives the same ids and keys, however often it is started."""
    service_id = derived_id("demo", seed)
    service = SeedService(
        name=name,
        id=service_id,
        email_from=name,
        limits=limits,
        callback=callback,
        team=("amala@example.gov.uk", "07700900123"),
        reply_to={derived_id("reply-to", service_id): "replies@example.gov.uk"},
        senders={derived_id("sender", service_id): "GOVUK"},
        templates=list(TEMPLATES),
    )
    if keys is not None:
        service.keys = keys
    return Seed(services=[service])
