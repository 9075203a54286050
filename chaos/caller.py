"""A careful service: it posts what the plan says, and repeats only what it may."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from chaos.stage import Stage
from chaos.traffic import Item, Post

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 2.0
_AT_ONCE = 100
_NO_ANSWER = 0
AGAIN = frozenset({_NO_ANSWER, 409, 429, 500, 502, 503, 504})


@dataclass(slots=True)
class Told:
    """What the service knows of one notification: each id that was answered, and whether it removed it."""

    item: Item
    has_key: bool
    ids: set[str] = field(default_factory=set)
    deliveries: set[str] = field(default_factory=set)
    removal_asked: bool = False
    is_removed: bool = False

    @property
    def is_accepted(self) -> bool:
        return bool(self.ids)


@dataclass(slots=True)
class Caller:
    """Posts in time. What has a key is posted until it is answered; what has none, once."""

    stage: Stage
    told: dict[int, Told] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def post_all(self, posts: Sequence[Post], *, began: float, patience: float) -> None:
        """Until everything is answered, or `patience` seconds after the last post."""
        for post in posts:
            for item in post.items:
                self.told[item.number] = Told(item, has_key=post.key is not None)
        until = began + max((post.at for post in posts), default=0.0) + patience
        async with asyncio.TaskGroup() as group:
            for post in posts:
                for after in (0.0, *post.again_after):
                    group.create_task(self._post_in_time(post, began + post.at + after, until))

    async def _post_in_time(self, post: Post, at: float, until: float) -> None:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        async with self._places:
            if post.is_bulk:
                await self._post_bulk(post, until)
            else:
                await self._post_alone(post, until)
        if post.remove_after is not None:
            await asyncio.sleep(post.remove_after)
            await self._remove(self.told[post.items[0].number], post, until)

    async def _post_alone(self, post: Post, until: float) -> None:
        (item,) = post.items
        body = self._body(post.service, item)
        for tries in range(10_000):
            status, answer = await self._ask("POST", "/notifications", post, tries, body)
            if status == 201:
                self._note(item, answer)
            if status not in AGAIN or post.key is None or time.monotonic() > until:
                return
            await asyncio.sleep(_wait(tries))

    async def _post_bulk(self, post: Post, until: float) -> None:
        body = [self._body(post.service, item) for item in post.items]
        for tries in range(10_000):
            status, answer = await self._ask("POST", "/notifications/bulk", post, tries, body)
            results: list[dict[str, Any]] = answer if status == 207 else [{"status": status}]
            for result in results:
                if result["status"] == 201:
                    self._note(post.items[result["index"]], result["notification"])
                elif status == 207:
                    self.answers[f"bulk item {result['status']}"] += 1
            if all(result["status"] not in AGAIN for result in results) or time.monotonic() > until:
                return
            await asyncio.sleep(_wait(tries))

    async def _remove(self, told: Told, post: Post, until: float) -> None:
        """A removal may be repeated: once it is gone, it is not there to be removed."""
        told.removal_asked = bool(told.ids)
        for notification_id in tuple(told.ids):
            for tries in range(10_000):
                status, _ = await self._ask("DELETE", f"/notifications/{notification_id}", post, tries)
                if status in (204, 404):
                    told.is_removed = True
                if status not in AGAIN or time.monotonic() > until:
                    break
                await asyncio.sleep(_wait(tries))

    async def _ask(
        self, method: str, path: str, post: Post, tries: int, body: object = None
    ) -> tuple[int, Any]:
        """The answer's status and body; 0 where there was none."""
        headers = {"x-api-key": self.stage.api_keys[post.service]}
        if post.key is not None and method == "POST":
            headers["Idempotency-Key"] = post.key
        doors = self.stage.doors
        url = doors[(post.door + tries) % len(doors)] + path
        try:
            async with self.stage.session.request(
                method, url, json=body, headers=headers, timeout=_TIMEOUT
            ) as answer:
                read = await answer.json() if answer.status in (201, 207) else None
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status, read = _NO_ANSWER, None
        self.answers[f"{method} {status or 'no answer'}"] += 1
        return status, read

    def _note(self, item: Item, answer: Mapping[str, Any]) -> None:
        told = self.told[item.number]
        told.ids.add(answer["id"])
        told.deliveries.update(each["id"] for each in answer["deliveries"])

    def _body(self, service: str, item: Item) -> dict[str, Any]:
        templates = self.stage.templates[service]
        return {
            "notificationType": ",".join(item.channels),
            "targetId": item.target_id,
            "serviceKey": service,
            "templateIds": {channel: templates[channel] for channel in item.channels},
            "personalisationParams": item.values,
            **item.to,
        }


def _wait(tries: int) -> float:
    wait: float = min(_FIRST_WAIT * 2 ** min(tries, 8), _LONGEST_WAIT)
    return wait
