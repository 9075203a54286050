"""Services, keys, callbacks, templates and failure modes, for whoever tests against the sandbox."""

import asyncio

from litestar.handlers import HTTPRouteHandler

from notify_sandbox.controls import Controls, Edit
from notify_sandbox.faults import ApiFault, Fault, ReceiptFault, ReceiptFaultRule
from notify_sandbox.model import Callback, KeyType
from notify_sandbox.pages.shell import Answer, Plain, Shell

HOME = "/sandbox/developer"


class Developer:
    def __init__(self, shell: Shell, controls: Controls) -> None:
        self._shell = shell
        self._controls = controls

    def handlers(self) -> list[HTTPRouteHandler]:
        service, template = f"{HOME}/services/{{id:str}}", f"{HOME}/templates/{{id:str}}"
        form = self._shell.form
        return [
            self._shell.view(HOME, self._page),
            self._shell.view(template, self._template),
            form(f"{HOME}/faults", self._add_fault),
            form(f"{HOME}/receipt-faults", self._add_receipt_fault),
            form(f"{HOME}/heal", self._heal),
            form(f"{HOME}/absence", self._stop_listening),
            form(f"{HOME}/clock", self._move_clock),
            form(f"{service}/keys", self._mint_key),
            form(f"{service}/revoke", self._revoke),
            form(f"{service}/callback", self._call_back),
            form(f"{service}/received-texts", self._receive_text),
            form(template, self._edit),
            form(f"{template}/archive", self._archive),
        ]

    async def _page(self, request: Plain) -> Answer:
        world = self._controls.world
        services = list(world.services.values())
        return self._shell.page(
            "developer.html",
            title="Developer",
            here="developer",
            base_url=f"http://{request.headers.get('host', '')}",
            faults=self._controls.faults,
            fault_kinds=[kind.value for kind in Fault],
            receipt_fault_kinds=[kind.value for kind in ReceiptFault],
            services=services,
            templates={one.id: world.templates_of(one.id) for one in services},
        )

    async def _template(self, request: Plain) -> Answer:
        template = self._controls.template(request.path_params["id"])
        return self._shell.page(
            "template.html", title=template.current.name, here="developer", back=HOME, template=template
        )

    async def _add_fault(self, request: Plain, fields: dict[str, str]) -> str:
        fault = ApiFault(
            kind=Fault(fields.get("kind", "")),
            path=fields.get("path") or "/v2/",
            times=_whole(fields.get("times")),
            seconds=_seconds(fields.get("seconds")),
        )
        self._controls.faults.api.append(fault)
        return HOME

    async def _add_receipt_fault(self, request: Plain, fields: dict[str, str]) -> str:
        rule = ReceiptFaultRule(
            kind=ReceiptFault(fields.get("kind", "")),
            times=_whole(fields.get("times")),
            seconds=_seconds(fields.get("seconds")),
        )
        self._controls.faults.receipts.append(rule)
        return HOME

    async def _heal(self, request: Plain, fields: dict[str, str]) -> str:
        self._controls.faults.clear()
        return HOME

    async def _stop_listening(self, request: Plain, fields: dict[str, str]) -> str:
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, self._controls.refuse_connections, _seconds(fields.get("seconds")))
        return HOME

    async def _move_clock(self, request: Plain, fields: dict[str, str]) -> str:
        self._controls.advance(_seconds(fields.get("advanceSeconds")))
        return HOME

    async def _mint_key(self, request: Plain, fields: dict[str, str]) -> str:
        kind = KeyType(fields.get("type", ""))
        service = self._controls.service(request.path_params["id"])
        self._controls.mint_key(service, name=f"sandbox-{kind}-{len(service.keys) + 1}", key_type=kind)
        return HOME

    async def _revoke(self, request: Plain, fields: dict[str, str]) -> str:
        service = self._controls.service(request.path_params["id"])
        for key in service.keys:
            if key.id == fields.get("action"):
                self._controls.revoke(service, key)
        return HOME

    async def _call_back(self, request: Plain, fields: dict[str, str]) -> str:
        url, token = fields.get("url", "").strip(), fields.get("bearerToken", "").strip()
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("A callback begins with http:// or https://.")
        service = self._controls.service(request.path_params["id"])
        if url and not token and service.callback:
            token = service.callback.bearer_token
        self._controls.call_back(service, Callback(url=url, bearer_token=token) if url else None)
        return HOME

    async def _receive_text(self, request: Plain, fields: dict[str, str]) -> str:
        service = self._controls.service(request.path_params["id"])
        self._controls.receive_text(service, sender=fields.get("sender", ""), text=fields.get("content", ""))
        return HOME

    async def _edit(self, request: Plain, fields: dict[str, str]) -> str:
        template = self._controls.template(request.path_params["id"])
        body = fields.get("body", "").replace("\r\n", "\n")
        edit = Edit(name=fields.get("name"), subject=fields.get("subject"), body=body)
        self._controls.edit_template(template, edit)
        return f"{HOME}/templates/{template.id}"

    async def _archive(self, request: Plain, fields: dict[str, str]) -> str:
        template = self._controls.template(request.path_params["id"])
        self._controls.archive_template(template)
        return f"{HOME}/templates/{template.id}"


def _whole(text: str | None) -> int | None:
    """Nothing is no limit."""
    return int(text) if text else None


def _seconds(text: str | None) -> float:
    return float(text) if text else 1.0
