"""The reference model: what the sources allow a deployment to answer, given all that it answered before.

Times are seconds of one clock, given by the caller. Where sources are open the model takes every reading, and
says which one it saw; it never predicts more than all readings agree on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TRUSTED_LEASE: Final = 60.0
"""Seconds of a granted lease that no reading shortens; the action's own timeout is not known (B136)."""

SURELY_GRANTED: Final = 300
"""Seconds that may be asked for; a deadline beyond the action's own timeout may be refused (B136)."""


@dataclass(frozen=True, slots=True)
class Breach:
    """An answer outside of what the sources allow."""

    rule: str
    title: str
    expected: str
    actual: str
    place: str = ""


@dataclass(slots=True)
class Definition:
    """What is known of one definition of one organisation."""

    ids: frozenset[str]
    """All that were answered for the variant: an update may give a new one (Q5)."""
    variant: str
    version: int
    highest: int
    """Of all versions that were answered."""
    schema: Any
    alias: frozenset[str]
    unattended: bool
    """No destination is linked, so that nobody else settles its actions."""

    @property
    def current(self) -> frozenset[str]:
        """Versions that an ingress without one may use: a lower explicit version may or may not become current."""
        return frozenset({str(self.version), str(self.highest)})


@dataclass(slots=True)
class Action:
    """What is known of one accepted action."""

    unattended: bool
    attempt: int | None = None
    """The attempt whose lease was extended last."""
    leased_until: float = 0.0
    refused: bool = False
    """That attempt was refused later: another one goes on, or somebody has settled the action."""


@dataclass(slots=True)
class Model:
    """The world as the deployment has told it."""

    definitions: dict[tuple[str, str], Definition] = field(default_factory=dict)
    """(organisation, variant) → definition."""
    actions: dict[tuple[str, str], Action] = field(default_factory=dict)
    """(organisation, action id) → action."""
    doubtful: set[tuple[str, str]] = field(default_factory=set)
    """(organisation, variant) of which definitions may exist that no PUT has shown."""
    readings: list[tuple[str, str]] = field(default_factory=list)
    """Open questions and the readings seen, in order."""
    tested: list[str] = field(default_factory=list)
    """Codes of the rules that could have been broken, in order."""

    def put(self, org: str, body: Mapping[str, Any], status: int, data: Mapping[str, Any]) -> list[Breach]:
        """A valid definition was put with a good key; `data` is empty when it was refused."""
        place = org, body["variant"]
        if not data:
            self.readings.append(("control-plane refusal", "4xx" if status >= 400 else "200 with data null"))
            return []
        known = self.definitions.get(place)
        breaches = self._echoed(org, body, data, known)
        version, identity = whole(data.get("version")), data.get("id")
        if version is None or not isinstance(identity, str):
            self.forget(*place)
            return breaches
        if "version" in body:
            self.readings.append(
                ("explicit version", "stored" if version == body["version"] else "not stored")
            )
        elif known is not None:
            breaches += self._updated(known, body, version)
        elif place not in self.doubtful:
            self.tested.append("DEF-2")
            if version != 1:
                title = "A new definition does not begin with version 1"
                breaches.append(Breach("DEF-2", title, "1", str(version)))
        if known is not None:
            stays = "stays" if identity in known.ids else "changes"
            self.readings.append(("id of an updated definition", stays))
        self.definitions[place] = Definition(
            frozenset({identity}) | (known.ids if known else frozenset()),
            body["variant"],
            version,
            max(version, known.highest if known else version),
            body["schema"],
            frozenset(map(str, data.get("alias") or ())),
            not data.get("destinations"),
        )
        return breaches

    def forget(self, org: str, variant: str) -> None:
        """Nobody can say what is stored under a variant."""
        self.definitions.pop((org, variant), None)
        self.doubtful.add((org, variant))

    def _echoed(
        self, org: str, body: Mapping[str, Any], data: Mapping[str, Any], known: Definition | None
    ) -> list[Breach]:
        """What the answer to a PUT says otherwise than the PUT; an alias that somebody else has may be left out."""
        self.tested.append("DEF-10")
        breaches = [
            _answered("DEF-10", member, body[member], data.get(member))
            for member in ("variant", "schema")
            if not same(data.get(member), body[member])
        ]
        if isinstance(data.get("org_id"), str) and data["org_id"] != org:
            breaches.append(_answered("DEF-10", "org_id", org, data["org_id"]))
        others = [one for (owner, _), one in self.definitions.items() if owner == org and one is not known]
        taken = {name for one in others for name in (*one.alias, one.variant)}
        sent, got = set(body.get("alias", ())) - taken, data.get("alias")
        if isinstance(got, list) and not sent <= set(map(str, got)):
            breaches.append(_answered("DEF-10", "alias", sorted(sent), got))
        return breaches

    def _updated(self, known: Definition, body: Mapping[str, Any], version: int) -> list[Breach]:
        changed = not same(known.schema, body["schema"]) or (
            "alias" in body and frozenset(body["alias"]) != known.alias
        )
        step = version - known.version
        self.tested.append("DEF-3")
        what = "a changed definition" if changed else "an equal definition"
        self.readings.append((what, f"version + {step}" if step else "same version"))
        if step in (0, 1):
            return []
        title = "An update moves the version by more than one"
        return [Breach("DEF-3", title, f"{known.version} or {known.version + 1}", str(version))]

    def ingress(
        self,
        org: str,
        name: str,
        body: Mapping[str, Any],
        status: int,
        data: Mapping[str, Any],
        *,
        fits: bool = True,
    ) -> list[Breach]:
        """Work was posted with a good key, in a valid envelope; `fits` says whether the payload surely is taken."""
        known = self.definitions.get((org, name))
        owners = [one for (o, _), one in self.definitions.items() if o == org and name in one.alias]
        asked = body.get("version")
        current = asked is None or (known is not None and asked == known.version and 1 <= asked < 2**31)
        if known is not None and not current:
            reading = "refused" if status >= 400 else "accepted"
            self.readings.append(("a version that is not the current one", reading))
        if status < 400:
            return self._accepted(org, name, known, owners, asked, data, fits=fits)
        if known is None:
            question, answer = (
                ("alias", "reaches nothing") if owners else ("unknown variant", f"refused with {status}")
            )
            self.readings.append((question, answer))
        elif not fits:
            self.readings.append(("payload that breaks its schema", "refused"))
        elif current and not owners:
            self.tested.append("PAGE-11")
            expected = "200, as the variant is defined and its schema takes the payload"
            return [Breach("PAGE-11", "Work that keeps the page is refused", expected, str(status))]
        return []

    def _accepted(
        self,
        org: str,
        name: str,
        known: Definition | None,
        owners: list[Definition],
        asked: Any,
        data: Mapping[str, Any],
        *,
        fits: bool,
    ) -> list[Breach]:
        breaches = []
        number, definition = data.get("a_id"), data.get("a_def_id")
        self.tested += ["ING-7", "ING-10"] if self.actions else ["ING-10"]
        if isinstance(number, str):
            if (org, number) in self.actions:
                title = "Two accepted POSTs have the same a_id"
                breaches.append(Breach("ING-7", title, "an id of its own", number, "a_id"))
            self.actions[org, number] = Action(known is not None and known.unattended)
        if isinstance(data.get("queue_s"), str) and data["queue_s"] != "queued":
            breaches.append(_answered("ING-10", "queue_s", "queued", data["queue_s"]))
        if known is None and not owners:
            self.doubtful.add((org, name))
            self.readings.append(("unknown variant", "made on the fly"))
        elif known is None:
            reached = any(definition in owner.ids for owner in owners)
            self.readings.append(
                ("alias", "reaches its definition" if reached else "is a variant of its own")
            )
            shown = "the alias" if data.get("a_va") == name else "the variant"
            self.readings.append(("a_va under an alias", shown))
        elif owners:
            first = any(definition in owner.ids for owner in owners)
            self.readings.append(
                ("alias against a variant of the same name", "alias" if first else "variant")
            )
        else:
            if not fits:
                self.readings.append(("payload that breaks its schema", "accepted"))
            breaches += self._reached(known, asked, data)
        return breaches

    def _reached(self, known: Definition, asked: Any, data: Mapping[str, Any]) -> list[Breach]:
        """What work that was posted to a known variant says of its definition."""
        breaches = []
        self.tested += ["ING-9", "ING-3", "PAGE-11"]
        if isinstance(data.get("a_def_id"), str) and data["a_def_id"] not in known.ids:
            breaches.append(_answered("ING-9", "a_def_id", " or ".join(sorted(known.ids)), data["a_def_id"]))
        if isinstance(data.get("a_va"), str) and data["a_va"] != known.variant:
            breaches.append(_answered("ING-9", "a_va", known.variant, data["a_va"]))
        allowed = (
            set(known.current)
            if asked is None or asked == known.version
            else {*known.current, str(int(asked))}
        )
        answered = data.get("a_ve")
        if isinstance(answered, str) and answered.isdecimal() and str(int(answered)) not in allowed:
            breaches.append(_answered("ING-3", "a_ve", " or ".join(sorted(allowed)), answered))
        return breaches

    def modack(
        self, org: str, number: str, attempt: int, seconds: int, status: int, sent: float, answered: float
    ) -> list[Breach]:
        """A lease was asked to be extended with a good key and a valid body."""
        action = self.actions.get((org, number))
        extended = 200 <= status < 300
        if action is None:
            self.tested.append("LEASE-6")
            theirs = any(one == number for _, one in self.actions)
            whose = "of another organisation" if theirs else "that was never issued"
            return (
                [Breach("LEASE-6", f"An id {whose} is extended", "404", str(status), "id")]
                if extended
                else []
            )
        if not (number.isascii() and number.isdigit()) or (seconds > SURELY_GRANTED and not extended):
            return []
        left = action.leased_until - answered if action.unattended and action.attempt is not None else 0.0
        breaches = self._held(action, attempt, status, left) if left > 1 else []
        if extended and not breaches:
            self.readings.append(("delivery", "at once"))
            action.attempt, action.refused = attempt, False
            action.leased_until = sent + min(seconds, TRUSTED_LEASE)
        elif action.attempt is None and attempt == 0:
            self.readings.append(("delivery", "not at once"))
        return breaches

    def _held(self, action: Action, attempt: int, status: int, left: float) -> list[Breach]:
        """An attempt is known to hold the lease for `left` seconds more.

        A refusal of that attempt alone accuses nobody, as a default sink may have settled the action (Q23); that
        another attempt goes on instead does.
        """
        extended = 200 <= status < 300
        if attempt == action.attempt:
            self.tested += ["ING-11", "LEASE-8", "PAGE-11"]
            action.refused = not extended
            if status == 404:
                title = "An action whose lease was extended is not known"
                return [Breach("ING-11", title, "200 or 409", "404")]
            if status == 400:
                title = "A modack that was accepted before is refused as a bad request"
                return [Breach("PAGE-11", title, "200 or 409", "400")]
            return []
        self.tested += ["LEASE-3", "LEASE-7"]
        if status == 404:
            return [Breach("LEASE-7", "An attempt that is not the current one is not known", "409", "404")]
        if not extended:
            return []
        if action.refused:
            title = f"Attempt {attempt} is the current one although attempt {action.attempt} has {left:.0f} s left"
            return [
                Breach("LEASE-8", title, f"attempt {action.attempt} extended", f"attempt {attempt} extended")
            ]
        title = f"Attempt {attempt} is extended while attempt {action.attempt} holds the lease"
        return [Breach("LEASE-3", title, "409", str(status))]


def whole(number: Any) -> int | None:
    """The integer that a JSON number is (9.0 is 9), if it is one."""
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
        return None
    return int(number)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: members in any order, 1 and 1.0 alike, true not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _answered(rule: str, member: str, expected: Any, actual: Any) -> Breach:
    return Breach(
        rule,
        f"`{member}` of the answer is not the right one",
        f"{member}: {expected!r}",
        repr(actual),
        member,
    )


__all__ = ["Action", "Breach", "Definition", "Model", "same", "whole"]
