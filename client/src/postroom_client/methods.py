"""Operations as methods: described once, blocking on one client and awaited on the other."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from postroom_client.operation import Operation, Page

P = ParamSpec("P")
T = TypeVar("T")


class Blocking(ABC):
    """Runs operations while the caller waits."""

    service: str | None

    @abstractmethod
    def run(self, operation: Operation[T]) -> T:
        """Carry it out, repeating it where that is right."""

    def each(self, first: Operation[Page[T]]) -> Iterator[T]:
        """All items from that page on."""
        operation: Operation[Page[T]] | None = first
        while operation is not None:
            page = self.run(operation)
            yield from page.items
            operation = page.next


class Awaiting(ABC):
    """Runs operations in an event loop."""

    service: str | None

    @abstractmethod
    async def run(self, operation: Operation[T]) -> T:
        """Carry it out, repeating it where that is right."""

    async def each(self, first: Operation[Page[T]]) -> AsyncIterator[T]:
        """All items from that page on."""
        operation: Operation[Page[T]] | None = first
        while operation is not None:
            page = await self.run(operation)
            for item in page.items:
                yield item
            operation = page.next


class _Described:
    """Keeps what describes a method: a function that is given the client's service and makes an operation."""

    def __init__(self, describe: Callable[..., Operation[Any]]) -> None:
        self._describe = describe
        self._shown = _as_called(describe)
        self.__doc__ = describe.__doc__

    def _bound(self, service: str | None, run: Callable[[Any], Any]) -> Callable[..., Any]:
        describe = self._describe

        @wraps(describe)
        def call(*args: Any, **kwargs: Any) -> Any:
            return run(describe(service, *args, **kwargs))

        call.__dict__["__signature__"] = self._shown
        return call


class Method(_Described, Generic[P, T]):
    """A method that runs the operation."""

    def __init__(self, describe: Callable[Concatenate[str | None, P], Operation[T]]) -> None:
        super().__init__(describe)

    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> "Method[P, T]": ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else self._bound(client.service, client.run)


class Listing(_Described, Generic[P, T]):
    """A method that goes through all pages, the first of which the operation gets."""

    def __init__(self, describe: Callable[Concatenate[str | None, P], Operation[Page[T]]]) -> None:
        super().__init__(describe)

    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> "Listing[P, T]": ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else self._bound(client.service, client.each)


def _as_called(describe: Callable[..., Any]) -> Signature:
    """For `help()`: without the service, which the client gives, and the operation, which it runs."""
    known = signature(describe)
    given = [each for each in known.parameters.values() if each.kind is not Parameter.POSITIONAL_ONLY]
    return known.replace(parameters=given, return_annotation=Signature.empty)
