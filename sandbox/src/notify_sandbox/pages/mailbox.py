"""Every message as its recipient would see it, newest first."""

from itertools import islice
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from notify_sandbox import content, course, markdown, shapes
from notify_sandbox.controls import Controls
from notify_sandbox.letters import Letters
from notify_sandbox.model import Channel, Notification, ReceiptState
from notify_sandbox.pages.shell import Answer, Plain, Shell, when

A_PAGE = 50
BOUNCES_AFTER = 30.0
_RECEIPT_FAULTS = ("doubled", "lost")


class Mailbox:
    def __init__(self, shell: Shell, controls: Controls, letters: Letters) -> None:
        self._shell = shell
        self._controls = controls
        self._letters = letters

    def handlers(self) -> list[HTTPRouteHandler]:
        one = "/sandbox/messages/{id:str}"
        return [
            get("/")(_home),
            self._shell.view("/sandbox/mailbox", self._list),
            self._shell.view(one, self._message),
            self._shell.view(f"{one}/email", self._email),
            self._shell.view(f"{one}/pdf", self._pdf),
            self._shell.view(f"{one}/pages/{{number:int}}", self._picture),
            self._shell.form(f"{one}/actions", self._act),
        ]

    async def _list(self, request: Plain) -> Answer:
        to = request.query_params.get("to", "").strip()
        before = int(request.query_params.get("before", "0") or 0)
        found = list(islice(self._newest_first(to, before), A_PAGE + 1))
        older = found[A_PAGE - 1].position if len(found) > A_PAGE else None
        return self._shell.page(
            "mailbox.html",
            title="Mailbox",
            here="mailbox",
            to=to,
            messages=[self._line(one) for one in found[:A_PAGE]],
            older=older and "?" + urlencode({"to": to, "before": older}),
        )

    def _newest_first(self, to: str, before: int) -> Any:
        wanted, digits = _compact(to), _compact(to).lstrip("+0")
        for one in reversed(tuple(self._controls.world.notifications.values())):
            if before and one.position >= before:
                continue
            known = _compact(one.to)
            if not wanted or wanted in known or (digits.isdigit() and digits in one.normalised_to):
                yield one

    def _line(self, one: Notification) -> dict[str, object]:
        return {
            "id": one.id,
            "when": when(one.created_at),
            "to": one.to,
            "channel": one.channel.value,
            "heading": _heading(content.of(one, self._controls.version_of(one))),
            "status": shapes.shown_status(one, self._controls.world.now()),
        }

    async def _message(self, request: Plain) -> Answer:
        one = self._controls.message(request.path_params["id"])
        filled = content.of(one, self._controls.version_of(one))
        now = self._controls.world.now()
        return self._shell.page(
            "message.html",
            title=_heading(filled),
            here="mailbox",
            back="/sandbox/mailbox",
            message=one,
            heading=_heading(filled),
            body=self._as_read(one, filled),
            fragments=content.text_fragments(filled.body),
            has_pdf=one.channel is Channel.LETTER and one.status(now) != "virus-scan-failed",
            status=shapes.shown_status(one, now),
            rows=[_row(key, text) for key, text in self._facts(one)],
            steps=[{"status": status, "when": when(at), "reached": at <= now} for at, status in one.steps],
            receipts=[{"status": receipt.status, "how": _how(receipt)} for receipt in one.receipts],
        )

    def _as_read(self, one: Notification, filled: content.Content) -> str:
        """A text begins with the name of its service, where the service wants that."""
        prefix = self._controls.world.services[one.service_id].text_prefix
        return f"{prefix}: {filled.body}" if prefix and one.channel is Channel.TEXT else filled.body

    def _facts(self, one: Notification) -> list[tuple[str, str]]:
        """What was sent, with which template and personalisation."""
        version, service = self._controls.version_of(one), self._controls.world.services[one.service_id]
        facts = [
            ("Id", one.id),
            ("Sent", when(one.created_at)),
            ("Service", service.name),
            ("Key", one.key_type.value),
            ("Reference", one.reference or "none"),
            ("Template", f"{version.name}, version {version.version} ({one.template_id})"),
        ]
        for name, value in (one.personalisation or {}).items():
            shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            facts.append((f"(({name}))", shown))
        if one.channel is Channel.EMAIL:
            facts.append(("Replies go to", one.reply_to or "nowhere"))
        if one.unsubscribe_url:
            facts.append(("Unsubscribe", one.unsubscribe_url))
        if one.channel is Channel.LETTER:
            facts += [("Postage", one.postage or ""), ("Address", ", ".join(one.address or ["not read"]))]
            facts.append(("Pages", str(one.page_count or "not known")))
        if one.validation_message:
            facts.append(("Refused because", one.validation_message))
        return facts

    async def _email(self, request: Plain) -> Answer:
        """The email by itself, for a frame in which nothing runs."""
        one = self._controls.message(request.path_params["id"])
        filled = content.of(one, self._controls.version_of(one))
        body = (
            '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Email</title>'
            '<body style="font-family: Helvetica, Arial, sans-serif; margin: 20px; max-width: 580px;">'
            f"<main>{markdown.email_html(filled.body)}</main></body></html>"
        )
        policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups; frame-ancestors 'self'"
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return Response(body.encode(), media_type="text/html", headers=headers)

    async def _pdf(self, request: Plain) -> Answer:
        one = self._controls.message(request.path_params["id"])
        pdf = await self._letters.pdf(one) if one.channel is Channel.LETTER else None
        if pdf is None:
            return self._shell.gone("No PDF", "There is no PDF of this message.")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return Response(pdf, media_type="application/pdf", headers=headers)

    async def _picture(self, request: Plain) -> Answer:
        one = self._controls.message(request.path_params["id"])
        number = request.path_params["number"]
        png = await self._letters.picture(one, number - 1) if one.channel is Channel.LETTER else None
        if png is None:
            return self._shell.gone("No such page", "The letter has no page of that number.")
        return Response(png, media_type="image/png", headers={"X-Content-Type-Options": "nosniff"})

    async def _act(self, request: Plain, fields: dict[str, str]) -> str:
        notification_id, action = request.path_params["id"], fields.get("action", "")
        match action:
            case "again":
                self._controls.send_receipt_again(notification_id)
            case "doubled" | "lost":
                self._controls.spoil_receipt(notification_id, action)
            case "bounce-late":
                self._controls.settle_later(notification_id, "permanent-failure", seconds=BOUNCES_AFTER)
            case _ if action in course.ENDS:
                self._controls.settle(notification_id, action)
            case _:
                raise ValueError("There is no such action.")
        return f"/sandbox/messages/{notification_id}"


async def _home(request: Plain) -> Answer:
    return Response(b"", status_code=302, media_type="text/plain", headers={"Location": "/sandbox/mailbox"})


def _heading(filled: content.Content) -> str:
    text = filled.subject or filled.body
    return text if len(text) <= 90 else f"{text[:89]}…"


def _compact(text: str) -> str:
    return "".join(text.split()).lower()


def _row(key: str, text: str) -> dict[str, object]:
    return {"key": {"text": key}, "value": {"text": text, "classes": "app-cell-long"}}


def _how(receipt: ReceiptState) -> str:
    tried = f" after {receipt.tries} tries" if receipt.tries > 1 else ""
    if receipt.finished is None:
        last = f", last answer {receipt.answers[-1]}" if receipt.answers else ""
        return f"on its way{last}"
    return (
        f"answered {receipt.finished}{tried}" if receipt.finished.isdigit() else f"{receipt.finished}{tried}"
    )
