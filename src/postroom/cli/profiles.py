"""`postroom services add`, `show`, `edit` and `receipt-token`: what a service is registered with."""

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from postroom.cli import show
from postroom.cli.completion import complete_service
from postroom.cli.failure import CannotGoOn
from postroom.cli.registered import signed, unknown
from postroom.domain.errors import NotFound
from postroom.settings import GOVUK_NOTIFY, read_settings

if TYPE_CHECKING:
    from postroom.app import App
    from postroom.features.services import Profile
    from postroom.features.webhooks.onboard import Onboarded, Webhooks
    from postroom.kit.database import AsyncConnection

Work = Callable[["AsyncConnection", "App", "Webhooks"], Awaitable[Any]]
NONE = "none"
"""What takes a value away."""


def _template(text: str) -> tuple[str, str]:
    name, mark, template_id = text.partition("=")
    if not mark or not name:
        raise typer.BadParameter("use NAME=ID")
    return name, template_id


NewName = Annotated[str, typer.Argument(help="Lower-case letters and digits, with hyphens between.")]
Name = Annotated[str, typer.Argument(help="The service's name.", autocompletion=complete_service)]
NotifyKey = Annotated[
    str | None,
    typer.Option(
        envvar="NOTIFY_KEY", help="Its key at GOV.UK Notify. Better given as NOTIFY_KEY than typed."
    ),
]
NotifyUrl = Annotated[str, typer.Option(help="Where its Notify is: the real one, or a sandbox.")]
KeyType = Annotated[
    str | None,
    typer.Option(help="live, team or test: the key does not tell, and each has limits of its own. [live]"),
]
Group = Annotated[str | None, typer.Option(help="Sees its notifications that address nobody.")]
Owner = Annotated[str | None, typer.Option(help="The e-mail address of whom it belongs to.")]
Environment = Annotated[str | None, typer.Option(help="Which of its environments it is. [production]")]
WebhookUrl = Annotated[str | None, typer.Option(help="Where it is called back.")]
Templates = Annotated[
    list[Any] | None,
    typer.Option(
        "--template", parser=_template, metavar="NAME=ID", help="A name for a template; again for more."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def add(
    name: NewName,
    notify_key: NotifyKey = None,
    notify_url: NotifyUrl = GOVUK_NOTIFY,
    notify_key_type: KeyType = None,
    default_group: Group = None,
    owner: Owner = None,
    environment: Environment = None,
    webhook_url: WebhookUrl = None,
    templates: Templates = None,
    as_json: AsJson = False,
) -> None:
    """Register a service. Its API key and its receipt token are shown once, now."""
    from postroom.features.services import Registration
    from postroom.features.webhooks.onboard import onboard

    registration = Registration(
        name=name,
        notify_key=notify_key,
        notify_key_type=notify_key_type or "live",
        notify_base_url=notify_url,
        default_group=default_group,
        owner=owner,
        environment=environment or "production",
        template_names=dict(templates or []),
    )

    async def work(conn: "AsyncConnection", postroom: "App", webhooks: "Webhooks") -> Any:
        now, by = postroom.clock(), signed(postroom)
        return await onboard(conn, registration, webhook_url, webhooks=webhooks, now=now, by=by)

    made = _run(work, name)
    told = {"service": name, "apiKey": made.key.key, "receiptToken": made.receipt_token}
    if made.webhook_secret is not None:
        told["webhookSecret"] = made.webhook_secret
    if as_json:
        show.as_json(told)
        return
    show.line(f"Registered {name}. These are shown once:")
    show.line(f"  API key         {made.key.key}")
    show.line(f"  receipt token   {made.receipt_token}   (for Notify's receipts, to /receipts/govuk-notify)")
    if made.webhook_secret is not None:
        show.line(f"  webhook secret  {made.webhook_secret}")


def show_service(name: Name, as_json: AsJson = False) -> None:
    """Show what a service is registered with. Of its Notify key only the name is told."""

    async def work(conn: "AsyncConnection", postroom: "App", _: "Webhooks") -> Any:
        from postroom.features.webhooks.onboard import find_onboarded

        return await find_onboarded(conn, name, vault=postroom.vault)

    _show(_run(work, name), as_json=as_json)


def edit(
    name: Name,
    owner: Annotated[str | None, typer.Option(help="The e-mail address of its owner, or none.")] = None,
    environment: Annotated[str | None, typer.Option(help="Which of its environments it is.")] = None,
    notify_key: Annotated[
        bool | None,
        typer.Option("--notify-key/--no-notify-key", help="Take the key in NOTIFY_KEY, or go without one."),
    ] = None,
    notify_url: NotifyUrl = GOVUK_NOTIFY,
    notify_key_type: KeyType = None,
    default_group: Annotated[str | None, typer.Option(help="The group, or none.")] = None,
    webhook_url: Annotated[str | None, typer.Option(help="Where it is called back, or none.")] = None,
    templates: Templates = None,
    active: Annotated[
        bool | None,
        typer.Option("--on/--off", help="Whether its keys are taken."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given, and leave the rest. A template's name is added, or leads to another id."""
    given: dict[str, Any] = {
        "owner": owner,
        "environment": environment,
        "default_group": default_group,
        "is_active": active,
    }
    given |= {"notify_key_type": notify_key_type, "webhook_url": webhook_url}
    chosen: dict[str, Any] = {
        field: None if value == NONE else value for field, value in given.items() if value is not None
    }

    if notify_key is not None:
        chosen["notify_key"] = _key_of_environment() if notify_key else None

    async def work(conn: "AsyncConnection", postroom: "App", webhooks: "Webhooks") -> Any:
        from msgspec import UNSET

        from postroom.features.services import Changes, find_profile
        from postroom.features.webhooks.onboard import change

        if templates:
            found = await find_profile(conn, name, vault=postroom.vault, lock=True)
            chosen["template_names"] = _with_names(found, environment, dict(templates))
        url = chosen.pop("webhook_url", UNSET)
        changes = Changes(notify_base_url=notify_url, **chosen)
        now, by = postroom.clock(), signed(postroom)
        return await change(conn, name, changes, url, webhooks=webhooks, now=now, by=by)

    changed, secret = _run(work, name)
    _show(changed, as_json=as_json, secret=secret)


def _given(**values: Any) -> dict[str, Any]:
    """What was given; `none` takes a value away."""
    return {name: None if value == NONE else value for name, value in values.items() if value is not None}


def _key_of_environment() -> str:
    key = os.environ.get("NOTIFY_KEY", "").strip()
    if not key:
        raise CannotGoOn("set NOTIFY_KEY to the service's key at GOV.UK Notify")
    return key


def _with_names(found: "Profile", environment: str | None, names: dict[str, str]) -> dict[str, Any]:
    """The names of every environment, with these more in the one that the service is in, or will be."""
    where = environment or found.environment
    return {**found.template_names, where: {**found.template_names.get(where, {}), **names}}


def receipt_token(name: Name, as_json: AsJson = False) -> None:
    """A new token for Notify's receipts, shown once; the former one is refused."""
    from postroom.kit.crypto import new_secret

    token = new_secret()

    async def work(conn: "AsyncConnection", postroom: "App", _: "Webhooks") -> None:
        from postroom.features.services import find_profile, set_receipt_token

        found = await find_profile(conn, name, vault=postroom.vault, lock=True)
        await set_receipt_token(
            conn, vault=postroom.vault, service_id=found.id, token=token, by=signed(postroom)
        )

    _run(work, name)
    if as_json:
        show.as_json({"service": name, "receiptToken": token})
    else:
        show.line(f"Receipt token of {name}, shown once: {token}")


def _run(work: Work, name: str) -> Any:
    """Do the work for the service of that name, in one transaction."""
    from postroom.run import run_async

    async def in_transaction() -> Any:
        from postroom.app import running_app
        from postroom.features.webhooks.onboard import Webhooks

        async with running_app(read_settings()) as postroom, postroom.database.transaction() as conn:
            webhooks = Webhooks(vault=postroom.vault, private=postroom.settings.private_webhooks)
            return await work(conn, postroom, webhooks)

    try:
        return run_async(in_transaction())
    except NotFound:
        raise unknown(name) from None


def _show(found: "Onboarded", *, as_json: bool, secret: str | None = None) -> None:
    import msgspec

    from postroom.interfaces.api.services import to_service_item

    item = msgspec.to_builtins(to_service_item(found, sees_url=True, secret=secret))
    if as_json:
        show.as_json(item)
        return
    key = item["notifyKey"]
    off = "" if item["webhookIsOn"] else ", switched off"
    rows = [
        ["owner", item["owner"] or "nobody"],
        ["environment", item["environment"]],
        ["calls", "may call" if item["isActive"] else "switched off"],
        ["Notify key", "none: screens only" if key is None else f"{key['name']} ({key['type']})"],
        ["webhook", f"{item['webhookUrl'] or 'cannot be read'}{off}" if item["hasWebhook"] else "none"],
        ["default group", item["defaultGroup"] or "none"],
        *(
            [f"template in {environment}", f"{template} = {template_id}"]
            for environment, names in item["templateNames"].items()
            for template, template_id in names.items()
        ),
        *([f"limit {limit}", number] for limit, number in item["limits"].items()),
        ["trusted values", ", ".join(item["trustedParams"]) or "none"],
        ["links may lead to", ", ".join(item["allowedLinkHosts"]) or "nowhere"],
    ]
    show.table([item["name"], ""], rows)
    if secret is not None:
        show.line(f"Webhook secret, shown once: {secret}")
