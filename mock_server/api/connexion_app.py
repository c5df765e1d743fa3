"""The one door to Connexion, which loads the document, resolves handlers and routes; our own operations do the rest.

Stock Connexion refuses OpenAPI 3.1, and builds Draft 4 validators anew for each request. Its own extension points are
used instead: a `Specification` that takes 3.1, a `Resolver` that knows operations by id, and a `RoutedMiddleware` that
prepares security, validators and handler of each operation once (docs/decisions/0002-connexion-as-middleware.md).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any

from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .document import Operation
from .prepared_operation import Handler, OperationContext, PreparedOperation

with warnings.catch_warnings():
    # connexion 3.3 imports two things that starlette and jsonschema have deprecated since
    warnings.simplefilter("ignore")
    # it also imports Flask where Flask is installed, which costs every start 15 ms; the admin plane loads Flask
    # itself when it needs it
    loaded = sys.modules.get("flask")
    if loaded is None:
        sys.modules["flask"] = None  # type: ignore[assignment]
    from connexion import ConnexionMiddleware
    from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
    from connexion.middleware.main import API
    from connexion.middleware.routing import RoutingMiddleware, RoutingOperation
    from connexion.operations import AbstractOperation, OpenAPIOperation
    from connexion.resolver import Resolution, Resolver
    from connexion.spec import OpenAPISpecification

    if loaded is None:
        del sys.modules["flask"]


class _Specification31(OpenAPISpecification):
    """A specification that takes 3.1: `Document` has checked it against the meta-schema of its version."""

    class _Operation(OpenAPIOperation):
        def get_path_parameter_types(self) -> dict[str, str]:
            """Return no types, so that path parameters stay text until the prepared operation checks them."""
            return {}

    operation_cls = _Operation

    @classmethod
    def _validate_spec(cls, spec: object) -> None:
        pass


class _ById(Resolver):
    """Finds the id of each operation, and the handler with that id."""

    def __init__(self, operations: tuple[Operation, ...], handlers: Mapping[str, Handler]) -> None:
        super().__init__()
        self._ids = {(operation.path, operation.method): operation.id for operation in operations}
        self._handlers = handlers

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """Return handler and id, found by path and method: `operationId` may be missing or not unique."""
        name = self._ids[operation.path, operation.method]
        return Resolution(self._handlers[name], name)


class _OperationAPI(RoutedAPI[PreparedOperation]):
    """The prepared operations of the document."""

    def __init__(self, *arguments: Any, context: OperationContext, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._context = context
        self._declared = {operation.id: operation for operation in context.document.operations}
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> PreparedOperation:
        """Prepare one operation; Connexion calls this once for each."""
        resolution = self.resolver.resolve(operation)
        return PreparedOperation(self._context, self._declared[resolution.operation_id], resolution.function)


class _OperationMiddleware(RoutedMiddleware[_OperationAPI]):
    api_cls = _OperationAPI


class _Routing(RoutingMiddleware):
    """Connexion's routing for one document at the root: without a mount to pass, and without redirects, as no operation
    documents a 307."""

    def add_api(self, *arguments: Any, **named: Any) -> None:
        """Register the document's paths."""
        super().add_api(*arguments, **named)
        [mount] = self.router.routes
        assert isinstance(mount, Mount)
        assert isinstance(mount.app, Router)
        self.router: Router = mount.app
        self.router.redirect_slashes = False

    def end_at(self, operations: Mapping[str, PreparedOperation], otherwise: ASGIApp) -> None:
        """End each route at its operation, and all other paths at `otherwise`.

        Connexion's own way from route to operation takes a copy of the scope, a context variable and two look-ups, for
        the sake of base paths, which are not used here.
        """
        for route in self.router.routes:
            assert isinstance(route, Route)
            assert isinstance(route.app, RoutingOperation)
            route.app = operations[route.app.operation_id]
        self.router.default = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the operation and call it."""
        scope["app"] = self  # lets the router raise for an unknown method, where it would answer by itself
        await self.router.app(scope, receive, send)


class _ConnexionApp(ConnexionMiddleware):
    """Connexion's stack around `app`, with one specification that is given as a value and built at once."""

    def __init__(self, app: ASGIApp, specification: OpenAPISpecification, **named: Any) -> None:
        super().__init__(app, middlewares=[_Routing, _OperationMiddleware])
        self.apis.append(API(specification, base_path="", name="arklow", **self.options.__dict__ | named))
        self.app, self.middleware_stack = self._build_middleware_stack()
        routing, operations, _ = self.middleware_stack
        [api] = operations.apis[""]
        routing.end_at(api.operations, app)


def connexion_app(
    context: OperationContext, handlers: Mapping[str, Handler], *, otherwise: ASGIApp
) -> ASGIApp:
    """Make an application of the context's document.

    Routes and validators are built here, so that a start fails where one of them is wrong.

    Args:
        context: the document, and what its operations share.
        handlers: operation id → handler, for every operation.
        otherwise: answers all paths that no operation has.
    """
    document = context.document
    paths = dict.fromkeys(operation.path for operation in document.operations)
    ordered = document.raw | {"paths": {path: document.raw["paths"][path] for path in paths}}
    stack = _ConnexionApp(
        otherwise,
        _Specification31(ordered),
        resolver=_ById(document.operations, handlers),
        context=context,
    )
    routed: ASGIApp = stack.app
    return routed


__all__ = ["connexion_app"]
