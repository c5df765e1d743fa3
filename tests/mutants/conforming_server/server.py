"""The conforming server itself: its routes, and the steps of each operation in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from tests.clocks import Clock

from .choices import DEFAULT_CHOICES, Choices, Operation
from .records import Records

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class ConformingServer(Records):
    """The conforming server; each step is a method, so that a mutant is a subclass with one step changed.

    The view of an operation answers with what the `do_` method of the same name returns.
    """

    def __init__(
        self,
        choices: Choices = DEFAULT_CHOICES,
        keys: dict[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(choices, keys, clock)
        self.flask = self.build_flask()

    def build_flask(self) -> Flask:
        """Build the application; a view has its operation's name as its endpoint."""
        flask = Flask("conforming server", static_folder=None)
        flask.url_map.merge_slashes = False
        for path, method, view in self.routes():
            flask.add_url_rule(path, view.__name__, view, methods=[method], provide_automatic_options=False)
        flask.register_error_handler(HTTPException, self.unrouted)
        flask.register_error_handler(Exception, self.internal_error)
        return flask

    def routes(self) -> list[tuple[str, str, Callable[..., Response]]]:
        """Path, method and view of each operation."""
        published: list[tuple[str, str, Callable[..., Response]]] = [
            ("/v1/orgs/<org_id>/actions/definitions", "PUT", self.put),
            ("/v1/ingress/<variant>", "POST", self.ingress),
            ("/v1/modack", "POST", self.modack),
        ]
        if self.choices.operations == "three":
            return published
        return [
            *published,
            ("/v1/ack", "POST", self.ack),
            ("/v1/nack", "POST", self.nack),
            ("/v1/defer", "POST", self.defer),
            ("/v1/orgs/<org_id>/actions/records", "GET", self.records),
            ("/v1/orgs/<org_id>/actions/records/<record_id>", "GET", self.record),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.flask(environ, start_response)

    def put(self, org_id: str) -> Response:
        return self.handle("put", lambda: self.do_put(org_id))

    def do_put(self, org_id: str) -> Any:
        org = self.authenticate("put")
        self.check_org(org, org_id)
        requested = self.read_definition(self.read_body("put"))
        with self.exclusive():
            return self.put_answer(self.store(org, requested))

    def ingress(self, variant: str) -> Response:
        return self.handle("ingress", lambda: self.do_ingress(variant))

    def do_ingress(self, variant: str) -> Any:
        org = self.authenticate("ingress")
        work = self.read_work(self.read_body("ingress"))
        with self.exclusive():
            definition = self.resolve(org, variant)
            version = self.choose_version(definition, work.version)
            self.check_payload(work.payload, definition.versions[version])
            return self.ingress_answer(self.accept(definition, version, variant, work))

    def modack(self) -> Response:
        return self.handle("modack", self.do_modack)

    def do_modack(self) -> Any:
        org = self.authenticate("modack")
        extension = self.read_extension(self.read_body("modack"))
        with self.exclusive():
            action = self.find(org, extension.action_id)
            self.elapse(action)
            self.check_unfinished(action)
            self.check_attempt(action, extension.attempt)
            self.extend(action, extension.seconds)
            return self.modack_answer()

    def ack(self) -> Response:
        return self.handle("ack", lambda: self.do_settle("ack"))

    def nack(self) -> Response:
        return self.handle("nack", lambda: self.do_settle("nack"))

    def defer(self) -> Response:
        return self.handle("defer", lambda: self.do_settle("defer"))

    def do_settle(self, operation: Operation) -> Any:
        org = self.authenticate(operation)
        settlement = self.read_settlement(operation, self.read_body(operation))
        with self.exclusive():
            action = self.find(org, settlement.action_id)
            self.elapse(action)
            if not self.is_repeated(operation, action, settlement.attempt):
                self.check_unfinished(action)
                self.check_attempt(action, settlement.attempt)
                self.settle(operation, action, settlement.terms)
            return self.settle_answer()

    def records(self, org_id: str) -> Response:
        return self.handle("records", lambda: self.do_records(org_id))

    def do_records(self, org_id: str) -> Any:
        org = self.authenticate("records")
        self.check_org(org, org_id)
        page = self.read_page()
        with self.exclusive():
            return self.records_answer(self.actions_of(org), page)

    def record(self, org_id: str, record_id: str) -> Response:
        return self.handle("record", lambda: self.do_record(org_id, record_id))

    def do_record(self, org_id: str, record_id: str) -> Any:
        org = self.authenticate("record")
        self.check_org(org, org_id)
        with self.exclusive():
            action = self.find(org, record_id)
            self.elapse(action)
            return self.record_answer(action)


__all__ = ["ConformingServer"]
