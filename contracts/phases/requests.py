"""The requests of an Arklow client."""

from __future__ import annotations

from typing import Final

JSON: Final = ("content-type", "application/json")


PUT: Final = "PUT /v1/orgs/{org_id}/actions/definitions"


INGRESS: Final = "POST /v1/ingress/{variant}"


MODACK: Final = "POST /v1/modack"


_ASKED: Final = {PUT: {"variant", "schema"}, INGRESS: {"payload"}}


_OF_SIGNALS: Final = {"action_record_id", "attempt", "mod_ack"}
"""Members that sequences say in any case."""


TAG: Final = "contract-run"
"""The tag by which the actions of a run are found: its value is in the run's `traceparent` too."""


class NotReached(Exception):
    """What was to be tested could not be brought about; the text says why. Nobody is to blame."""


class NotInDocument(NotReached):
    """The document that is judged by has no such operation."""


__all__ = ["INGRESS", "JSON", "MODACK", "PUT", "TAG", "NotInDocument", "NotReached"]
