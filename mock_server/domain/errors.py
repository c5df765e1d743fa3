"""All refusals by the domain, as one tree of exceptions. They know no HTTP status: `api/errors.py` has a table of those.

ArklowError
├── UnknownVariant          no definition answers to this name
├── UnknownVersion          the asserted version is not current, and the interpretations refuse that (C4)
├── PayloadRejected         the payload breaks its definition's schema
├── PayloadUndecided        the schema gave no verdict on this payload in time
├── DefinitionRefused
│   ├── NegativeVersion     `a_ve` could not be answered as published (C16)
│   ├── VersionTooLong      more digits than a number may have here
│   ├── AliasTaken          another definition owns the alias
│   ├── DefinitionExists    the variant has one, and the interpretations refuse an update (Q5)
│   ├── LowerVersion        below the current one, and the interpretations refuse that (Q5)
│   └── SchemaNotEnforceable   the mock was told to take only schemas that it can enforce
├── SettleRefused
│   ├── UnknownAction       never issued, or another organisation's (B133)
│   ├── DroppedAction       issued, and dropped since to keep memory bounded
│   ├── StaleAttempt        the attempt has ended (B120, Q2)
│   ├── FutureAttempt       the attempt was never delivered (B135)
│   ├── DeferredAction      custody was taken, so it is not given back (B143, Q7)
│   └── FinishedAction      the action is in a terminal state (B134)
└── CommandRefused          by a command of the admin plane
    ├── ClockGoesBack       an organisation that has actions was asked to go back in time
    ├── TooMuchDue          more falls due than one command may run
    ├── DestinationRefused  the destination cannot be called, or is Arklow's own (B109)
    ├── UnknownOrganisation  the organisation was not used yet
    ├── UnknownDestination  no destination of this organisation has the label or id
    ├── TooManyDestinations the organisation keeps as many as it may
    ├── UnknownSnapshot     no snapshot of this organisation has the name
    ├── TooManySnapshots    the organisation keeps as many as it may
    ├── UnknownFault        no fault of this organisation has the number
    ├── UnknownOperation    the served document has no such operation
    └── TooManyFaults       the organisation keeps as many as it may
"""

from __future__ import annotations


class ArklowError(Exception):
    """A refusal by the domain. `code` is stable; `message` says where, what was expected and what came."""

    code = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnknownVariant(ArklowError):
    code = "UNKNOWN_VARIANT"


class UnknownVersion(ArklowError):
    code = "UNKNOWN_VERSION"


class PayloadRejected(ArklowError):
    code = "PAYLOAD_REJECTED"


class PayloadUndecided(ArklowError):
    code = "PAYLOAD_UNDECIDED"


class DefinitionRefused(ArklowError):
    pass


class NegativeVersion(DefinitionRefused):
    code = "NEGATIVE_VERSION"


class VersionTooLong(DefinitionRefused):
    code = "VERSION_TOO_LONG"


class AliasTaken(DefinitionRefused):
    code = "ALIAS_TAKEN"


class DefinitionExists(DefinitionRefused):
    code = "DEFINITION_EXISTS"


class LowerVersion(DefinitionRefused):
    code = "LOWER_VERSION"


class SchemaNotEnforceable(DefinitionRefused):
    code = "SCHEMA_NOT_ENFORCEABLE"


class SettleRefused(ArklowError):
    pass


class UnknownAction(SettleRefused):
    code = "UNKNOWN_ACTION"


class DroppedAction(SettleRefused):
    code = "DROPPED_ACTION"


class StaleAttempt(SettleRefused):
    code = "STALE_ATTEMPT"


class FutureAttempt(SettleRefused):
    code = "FUTURE_ATTEMPT"


class DeferredAction(SettleRefused):
    code = "DEFERRED_ACTION"


class FinishedAction(SettleRefused):
    code = "FINISHED_ACTION"


class CommandRefused(ArklowError):
    pass


class ClockGoesBack(CommandRefused):
    code = "CLOCK_GOES_BACK"


class TooMuchDue(CommandRefused):
    code = "TOO_MUCH_DUE"


class DestinationRefused(CommandRefused):
    code = "DESTINATION_REFUSED"


class UnknownOrganisation(CommandRefused):
    code = "UNKNOWN_ORGANISATION"


class UnknownDestination(CommandRefused):
    code = "UNKNOWN_DESTINATION"


class TooManyDestinations(CommandRefused):
    code = "TOO_MANY_DESTINATIONS"


class UnknownSnapshot(CommandRefused):
    code = "UNKNOWN_SNAPSHOT"


class TooManySnapshots(CommandRefused):
    code = "TOO_MANY_SNAPSHOTS"


class UnknownFault(CommandRefused):
    code = "UNKNOWN_FAULT"


class UnknownOperation(CommandRefused):
    code = "UNKNOWN_OPERATION"


class TooManyFaults(CommandRefused):
    code = "TOO_MANY_FAULTS"
