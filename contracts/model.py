"""The reference model: what the sources allow a deployment to answer, given all that it answered before.

Times are seconds of one clock, given by the caller. Where sources are open the model takes every reading; what a
deployment shows narrows them, and going back on what it has shown is a breach. It never predicts more than all
readings that are left agree on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .readings import QUESTIONS

TRUSTED_LEASE: Final = 60.0
"""Seconds of a granted lease that no reading shortens; the action's own timeout is not known (B136)."""

SURELY_GRANTED: Final = 300
"""Seconds that may be asked for; a deadline beyond the action's own timeout may be refused (B136)."""

IN_FORCE: Final = 2.0
"""Seconds that a fresh definition, or a fresh action, may take to be known: nothing says that it is at once."""

MAY_PASS: Final = frozenset({400, 404})
"""Statuses that such a thing may be answered with while not all of the target knows it."""

Fit = Callable[[Any, Any], bool | None]
"""Whether a payload keeps a schema; None when that depends on who reads the schema."""
Signal = Literal["modack", "ack", "nack", "defer"]


@dataclass(frozen=True, slots=True)
class Breach:
    """An answer outside of what the sources allow."""

    rule: str
    title: str
    expected: str
    actual: str
    place: str = ""
    question: str | None = None
    """The open question whose first answer was taken back."""


@dataclass(slots=True)
class Definition:
    """What is known of one definition of one organisation."""

    org: str
    variant: str
    ids: frozenset[str]
    """All that were answered for the variant: an update may give a new one (Q5)."""
    version: int
    """The one that was answered last."""
    current: frozenset[int]
    """Versions of which an ingress without one uses one."""
    schemas: dict[int, Any]
    """Version → schema, as far as PUTs have answered them."""
    alias: frozenset[str]
    unattended: bool
    """No destination is linked, so that nobody else settles its actions."""
    since: float
    """When its first PUT was answered."""
    proven: bool = False
    """It has accepted work."""
    told: bool = True
    """Nothing happened to it that is not known."""
    shaken: bool = False
    """Another definition was given one of its aliases: whose it is, is open (C5)."""
    found: int = 0
    """The version with which it was found; those below may have been stored by somebody before."""

    @property
    def schema(self) -> Any:
        """What was put last."""
        return self.schemas[self.version]


@dataclass(slots=True)
class Action:
    """What is known of one accepted action."""

    unattended: bool
    since: float
    attempt: int | None = None
    """The attempt whose lease was extended last."""
    lowest: int = 0
    """Attempts below are over: they only go up (B077)."""
    leased_until: float = 0.0
    over_at: float | None = None
    """When that lease is over, if `mod_ack` counts from now."""
    refused: bool = False
    """That attempt was refused later: another one goes on, or somebody has settled the action."""
    ended: bool = False
    """It was acked, or rejected for good, by a signal that was accepted."""
    acked: bool = False
    deferred: bool = False
    waits: bool = False
    """A nack asked for a time that is far away."""


@dataclass(slots=True)
class Model:
    """The world as the deployment has told it."""

    fits: Fit = lambda *_: True
    taken: dict[str, str] = field(default_factory=dict)
    """Open question → the reading seen first."""
    readings: list[tuple[str, str]] = field(default_factory=list)
    """Questions and the readings seen since somebody asked, in order."""
    tested: list[str] = field(default_factory=list)
    """Codes of the rules that could have been broken, in order."""
    definitions: dict[tuple[str, str], Definition] = field(default_factory=dict)
    """(organisation, variant) → definition."""
    organisations: set[str] = field(default_factory=set)
    """Those that have actions."""
    seen: set[str] = field(default_factory=set)
    """Ids of actions that were answered to anybody, whoever has them."""
    actions: dict[tuple[str, str], Action] = field(default_factory=dict)
    """(organisation, action id) → action."""
    doubtful: set[tuple[str, str]] = field(default_factory=set)
    """(organisation, variant) of which definitions may exist that no PUT has shown."""
    reused: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(organisation, variant) of which a definition may be there from an earlier run → whether one PUT tells it."""
    _owners: defaultdict[tuple[str, str], dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """(organisation, alias) → variants that have it, or had it."""
    _letters: dict[tuple[str, str], str] = field(default_factory=dict)
    """(organisation, variant in small letters) → a variant that was defined."""
    _by_id: dict[str, dict[str, str]] = field(default_factory=dict)
    """Definition id → organisation → variant."""
    _bare: set[tuple[str, str]] = field(default_factory=set)
    """(organisation, action id without the noughts before it)."""
    one_count: bool = False
    """Actions of all organisations are counted together, so that no two have the same id."""

    def scratch(self, without: str | None = None) -> Model:
        """An empty world in which the same readings are taken, but for one."""
        taken = {name: answer for name, answer in self.taken.items() if name != without}
        muddled = {place for place, told in self.reused.items() if not told}
        return Model(
            self.fits,
            taken,
            seen=self.seen,
            doubtful=muddled,
            reused=self.reused,
            one_count=self.one_count,
        )

    def note(self, question: str, answer: str) -> list[Breach]:
        """A reading was seen; another one than before is a breach where it has to be kept."""
        asked = QUESTIONS[question]
        self.readings.append((question, answer))
        breaches = []
        before = self.taken.setdefault(question, answer)
        if asked.kept:
            self.tested.append("READ-1")
        if before != answer and asked.kept:
            title = f"{question[0].upper()}{question[1:]}: {answer}, which was {before} before"
            breaches.append(Breach("READ-1", title, before, answer, question, question))
        for remarked, remark in asked.remarks.items():
            self.tested.append(remark.rule)
            if answer == remarked:
                breaches.append(Breach(remark.rule, remark.title, remark.expected, answer, question))
        return breaches

    def trim(self, most: int) -> None:
        """Forget all actions but the latest."""
        for org, number in list(self.actions)[:-most]:
            del self.actions[org, number]
            self._bare.discard((org, number.lstrip("0")))
        if len(self.seen) > 2 * most:
            self.seen = {number for _, number in self.actions}

    def start_again(self) -> None:
        """The deployment has forgotten everything: nothing that was told holds any more."""
        self.definitions.clear()
        self.actions.clear()

    # Definitions

    def put(
        self, org: str, body: Mapping[str, Any], status: int, data: Mapping[str, Any], back: float = 0.0
    ) -> list[Breach]:
        """A valid definition was put with a good key; `data` is empty when it was refused."""
        place = org, body["variant"]
        if not data:
            return self._put_refused(place, body, status)
        known = self.definitions.get(place)
        spelled = self._letters.get((org, body["variant"].lower()), body["variant"])
        if (
            known is None
            and spelled != body["variant"]
            and self._by_id.get(str(data.get("id")), {}).get(org) == spelled
        ):
            self.forget(*place)
            self.forget(org, spelled)
            return self.note("a variant in other letters", "is the same")
        breaches = self._echoed(org, body, data, known)
        version, identity = whole(data.get("version")), data.get("id")
        if version is None or not isinstance(identity, str):
            self.forget(*place)
            return breaches
        breaches += self._stepped(place, known, body, data, version)
        current = self._current(known, body, version)
        if known is not None:
            if not same(_plain(known.schema), _plain(body["schema"])) and "version" not in body:
                stays = "stays" if identity in known.ids else "changes"
                breaches += self.note("id of a changed definition", stays)
            breaches += self.note("a definition that is put again", "updated")
        self.definitions[place] = Definition(
            org,
            body["variant"],
            frozenset({identity}) | (known.ids if known else frozenset()),
            version,
            current,
            (known.schemas if known else {}) | {version: body["schema"]},
            _names(data),
            data.get("destinations") == [],
            known.since if known else back,
            known is not None and known.proven,
            (known.told if known is not None else place not in self.doubtful)
            and body.get("version", version) == version,
            found=known.found if known is not None else version if place in self.reused else 0,
        )
        for name in self.definitions[place].alias:
            for other in self.owners(org, name):
                other.shaken = other.shaken or other.variant != body["variant"]
            self._owners[org, name][body["variant"]] = None
        self._by_id.setdefault(identity, {})[org] = body["variant"]
        self._letters[org, body["variant"].lower()] = body["variant"]
        return breaches

    def forget(self, org: str, variant: str) -> None:
        """Nobody can say what is stored under a variant."""
        self.definitions.pop((org, variant), None)
        self.doubtful.add((org, variant))
        for owner in self.owners(org, variant):
            owner.shaken = True

    def renew(self, org: str, variant: str, *, told: bool = True) -> None:
        """What is stored under a variant is open until its next PUT, which tells it unless versions went up and down."""
        self.reused[org, variant] = told
        if not told:
            self.forget(org, variant)
            return
        self.definitions.pop((org, variant), None)
        self.doubtful.discard((org, variant))

    def _open(self, place: tuple[str, str]) -> bool:
        """Whether a variant that no PUT has shown may be defined."""
        return place in self.doubtful or place in self.reused

    def owners(self, org: str, name: str) -> list[Definition]:
        """Definitions that have a name as an alias."""
        variants = self._owners.get((org, name), {})
        found = (self.definitions.get((org, one)) for one in variants)
        return [one for one in found if one is not None and name in one.alias]

    def _put_refused(self, place: tuple[str, str], body: Mapping[str, Any], status: int) -> list[Breach]:
        breaches = self.note("control-plane refusal", "4xx" if status >= 400 else "200 with data null")
        known, version = self.definitions.get(place), body.get("version")
        if version is not None and version < 0:
            breaches += self.note("negative version of a definition", "refused")
        elif version is not None and known is not None and version < known.version:
            breaches += self.note("a lower explicit version", "refused")
        return breaches

    def _echoed(
        self, org: str, body: Mapping[str, Any], data: Mapping[str, Any], known: Definition | None
    ) -> list[Breach]:
        """What the answer to a PUT says otherwise than the PUT; an alias that somebody else has may be left out."""
        self.tested.append("DEF-10")
        breaches = [
            _answered("DEF-10", member, body[member], data.get(member), "")
            for member in ("variant", "schema")
            if not same(data.get(member), body[member])
        ]
        if isinstance(data.get("org_id"), str) and data["org_id"] != org:
            breaches.append(_answered("DEF-10", "org_id", org, data["org_id"], ""))
        got = data.get("alias")
        if not isinstance(got, list):
            return breaches
        theirs = {name for name in body.get("alias", ()) if self._is_theirs(org, name, body["variant"])}
        own = {body["variant"]}  # which it reaches anyway
        sent, answered = set(body.get("alias", ())) - own, set(map(str, got)) - own
        before = known.alias - own if known is not None else frozenset()
        told = known.told if known is not None else not self._open((org, body["variant"]))
        if not sent - theirs <= answered or (told and not answered <= sent | before):
            breaches.append(_answered("DEF-10", "alias", sorted(sent), got, ""))
        elif known is None or known.shaken:
            pass
        elif before and "alias" not in body:
            kept = "kept" if answered == before else "removed"
            breaches += self.note("an alias left out of an update", kept)
        elif before - sent and not theirs:
            added = "are added to those before" if before <= answered else "replace those before"
            breaches += self.note("aliases of an update", added)
        return breaches

    def _is_theirs(self, org: str, name: str, variant: str) -> bool:
        """Whether another definition has a name."""
        others = (one for one in self.owners(org, name) if one.variant != variant)
        return any(others) or ((org, name) in self.definitions and name != variant)

    def _stepped(
        self,
        place: tuple[str, str],
        known: Definition | None,
        body: Mapping[str, Any],
        data: Mapping[str, Any],
        version: int,
    ) -> list[Breach]:
        """What the version of the answer says."""
        if "version" in body:
            return self._explicit(place, known, body["version"], version)
        if known is None:
            if self._open(place):
                return []
            self.tested.append("DEF-2")
            title = "A new definition does not begin with version 1"
            return [] if version == 1 else [Breach("DEF-2", title, "1", str(version))]
        self.tested.append("DEF-3")
        step = version - known.version
        if known.current != {known.version} and version - max(known.current) in (0, 1):
            return []
        breaches = []
        if step not in (0, 1):
            title = "An update moves the version by more than one"
            expected = f"{known.version} or {known.version + 1}"
            breaches.append(Breach("DEF-3", title, expected, str(version)))
        elif (what := _what_changed(known, body, data)) is not None:
            breaches += self.note(what, f"version + {step}" if step else "same version")
        return breaches

    def _explicit(
        self, place: tuple[str, str], known: Definition | None, sent: Any, version: int
    ) -> list[Breach]:
        """What a PUT with a version shows; nothing when the answer names it, and would without it as well."""
        stored = "stored" if version == sent else "not stored"
        if sent < 0:
            return self.note("negative version of a definition", "accepted")
        if known is None:
            told = not self._open(place) and sent != 1
            return self.note("an explicit version of a new definition", stored) if told else []
        if not known.told or version == sent == known.version + 1:
            return []
        if sent > max(known.schemas):
            return self.note("a higher explicit version", stored)
        return self.note("a lower explicit version", stored) if sent < known.version else []

    def _current(self, known: Definition | None, body: Mapping[str, Any], version: int) -> frozenset[int]:
        """What is current after a PUT: a lower explicit version may or may not be."""
        highest = max(known.schemas, default=version) if known is not None else version
        if version >= highest:
            return frozenset({version})
        match self.taken.get("after a lower explicit version"):
            case "the lower one is current":
                return frozenset({version})
            case "the highest one is current" if "version" in body:
                return frozenset({highest})
            case _:
                return frozenset({version, highest})

    # Work

    def ingress(
        self,
        org: str,
        name: str,
        body: Mapping[str, Any],
        status: int,
        data: Mapping[str, Any],
        *,
        fits: bool | None = None,
        enveloped: bool = True,
        at: float = 0.0,
    ) -> list[Breach]:
        """Work was posted with a good key, in a valid envelope, at that time.

        `fits` says whether the payload keeps its schema; None asks every schema that may be in force.
        Not `enveloped`: the deployment may take the whole body for the payload, and heed no version in it.
        """
        known, owners = self.definitions.get((org, name)), self.owners(org, name)
        reached = [known] if known and not owners else owners if not known else [known, *owners]
        asked = whole(body["version"]) if "version" in body else None
        if fits is None:
            fits = self._taken(reached, body, enveloped)
        if status < 400:
            breaches = self._accepted(org, name, known, owners, asked, data, fits=fits, at=at)
            if known is not None:
                known.proven = True
            return breaches
        if not reached:
            sure = status in MAY_PASS and not self._open((org, name))
            if sure and self._letters.get((org, name.lower()), name) != name:
                self.note("a variant in other letters", "is told apart")
            return self.note("unknown variant", "refused") if sure else []
        if known is None:
            sure = bool(fits) and asked is None and not any(one.shaken for one in owners)
            return self.note("alias", "reaches nothing") if sure else []
        if owners or fits is None:
            return []
        if not fits:
            return self.note(_SCHEMA, "refused") if asked is None else []
        if asked is not None and known.current != {asked}:
            older = asked in known.schemas
            if not known.told or asked < known.found:
                return []
            question = "an older version" if older else "a version that was never stored"
            return self.note(question, "refused") if enveloped else []
        self.tested.append("PAGE-11")
        if not known.proven and at < known.since + IN_FORCE:
            return []
        expected = "200, as the variant is defined and its schema takes the payload"
        return [Breach("PAGE-11", "Work that keeps the page is refused", expected, str(status))]

    def _taken(self, reached: list[Definition], body: Mapping[str, Any], enveloped: bool) -> bool | None:
        """Whether every schema that may be in force takes what may be the payload, or none does."""
        payloads = [body["payload"]] if enveloped else [body["payload"], body]
        said = {
            self.fits(schema, payload)
            for one in reached
            for schema in one.schemas.values()
            for payload in payloads
        }
        return said.pop() if len(said) == 1 else True if not said else None

    def _accepted(
        self,
        org: str,
        name: str,
        known: Definition | None,
        owners: list[Definition],
        asked: int | None,
        data: Mapping[str, Any],
        *,
        fits: bool | None,
        at: float,
    ) -> list[Breach]:
        unattended = all(one.unattended for one in (known, *owners) if one is not None)
        breaches = self.issued(org, data.get("a_id"), bool(known or owners) and unattended, at)
        if breaches:
            return breaches
        self.tested.append("ING-10")
        if isinstance(data.get("queue_s"), str) and data["queue_s"] != "queued":
            breaches.append(_answered("ING-10", "queue_s", "queued", data["queue_s"]))
        definition = data.get("a_def_id")
        breaches += self._anothers(org, definition)
        if known is None and not owners:
            reached = self._by_id.get(definition, {}).get(org) if isinstance(definition, str) else None
            if reached is not None and not self._open((org, name)):
                if reached.lower() == name.lower():
                    return breaches + self.note("a variant in other letters", "is the same")
                title = "Work for a variant that was never defined reaches a definition of another name"
                return [*breaches, Breach("ING-9", title, "a refusal, or a new definition", str(reached))]
            if not self._open((org, name)):
                if self._letters.get((org, name.lower()), name) != name:
                    self.note("a variant in other letters", "is told apart")
                self.doubtful.add((org, name))
                breaches += self.note("unknown variant", "made on the fly")
            return breaches
        through = next((one for one in owners if definition in one.ids), None)
        if any(one.shaken for one in owners) or (known is None and (org, name) in self.doubtful):
            return breaches
        if known is None:
            answer = "reaches its definition" if through else "is a variant of its own"
            breaches += self.note("alias", answer)
        elif owners and any(known.ids & one.ids for one in owners):
            return breaches
        elif owners and (through or definition in known.ids):
            first = "the alias" if through else "the variant"
            breaches += self.note("alias against a variant of the same name", first)
        if through is not None:
            shown = "the alias" if data.get("a_va") == name else "the variant"
            if data.get("a_va") in (name, through.variant) and name != through.variant:
                breaches += self.note("a_va under an alias", shown)
            return breaches + self._of_version(through, asked, data)
        if known is not None:
            if fits is False and not owners:
                breaches += self.note(_SCHEMA, "accepted")
            breaches += self._reached(known, asked, data, owners)
        return breaches

    def issued(self, org: str, number: Any, unattended: bool, at: float) -> list[Breach]:
        """An action was accepted under an id."""
        self.tested += ["ING-7"] if self.actions else []
        if not isinstance(number, str):
            return []
        self.organisations.add(org)
        if (org, number) in self.actions:
            if not number.isdigit():
                return []  # the page has something to say of such an id
            return [
                Breach("ING-7", "Two accepted POSTs have the same a_id", "an id of its own", number, "a_id")
            ]
        self.actions[org, number] = Action(unattended, at)
        self._bare.add((org, number.lstrip("0")))
        return []

    def _anothers(self, org: str, definition: Any) -> list[Breach]:
        """Work of one organisation reached a definition of another; small ids may be counted for each."""
        if not isinstance(definition, str) or len(definition) < LONG_ID:
            return []
        self.tested.append("ORG-1")
        owners = self._by_id.get(definition, {})
        if not owners or org in owners:
            return []
        title, (owner, variant) = (
            "Work reaches a definition of another organisation",
            next(iter(owners.items())),
        )
        expected = "a definition of its own organisation, or a refusal"
        actual = f"a_def_id {definition}, which is {variant} of organisation {owner}"
        return [Breach("ORG-1", title, expected, actual)]

    def _reached(
        self, known: Definition, asked: int | None, data: Mapping[str, Any], owners: list[Definition]
    ) -> list[Breach]:
        """What work that was posted to a known variant says of its definition."""
        breaches = []
        self.tested += ["ING-9", "PAGE-11"]
        if owners and data.get("a_def_id") not in known.ids:
            return []
        if isinstance(data.get("a_def_id"), str) and data["a_def_id"] not in known.ids:
            breaches.append(_answered("ING-9", "a_def_id", " or ".join(sorted(known.ids)), data["a_def_id"]))
        if isinstance(data.get("a_va"), str) and data["a_va"] != known.variant:
            breaches.append(_answered("ING-9", "a_va", known.variant, data["a_va"]))
        return breaches or self._of_version(known, asked, data)

    def _of_version(self, known: Definition, asked: int | None, data: Mapping[str, Any]) -> list[Breach]:
        """Whether `a_ve` is a version that may have been used; narrows what is current."""
        answered = data.get("a_ve")
        if not (isinstance(answered, str) and answered.isascii() and answered.isdigit()):
            return []
        version, allowed = int(answered[:4_000]), set(known.current)
        if not known.told and version > max(known.schemas):
            return []
        self.tested.append("ING-3")
        if asked is not None and (asked in known.schemas or not known.told or asked < known.found):
            allowed |= {asked}
        if version not in allowed:
            expected = " or ".join(map(str, sorted(allowed)))
            return [_answered("ING-3", "a_ve", expected, answered)]
        if asked is None:
            return self._narrowed(known, version)
        if not known.told or known.current == {asked} or (version == asked and asked in known.current):
            return []
        if asked < known.found:
            return []
        if asked in known.schemas:
            return self.note("an older version", "used" if version == asked else "the current one is used")
        return self.note("a version that was never stored", "the current one is used")

    def _narrowed(self, known: Definition, version: int) -> list[Breach]:
        if len(known.current) == 1:
            return []
        lower = version != max(known.current)
        known.current = frozenset({version})
        answer = "the lower one is current" if lower else "the highest one is current"
        return self.note("after a lower explicit version", answer)

    # Leases

    def signal(
        self,
        kind: Signal,
        org: str,
        number: str,
        attempt: int,
        status: int,
        call: float,
        back: float,
        *,
        seconds: int = 0,
        final: bool = False,
        far: bool = False,
    ) -> list[Breach]:
        """A signal with a good key and a valid body was sent at `call` and answered at `back`.

        A nack may be `final`, or ask for a time that is far away.
        """
        action = self.actions.get((org, number))
        accepted = 200 <= status < 300
        if action is None:
            return self._nobodys(kind, org, number, accepted, status)
        if not (number.isascii() and number.isdigit()):
            return []
        self.tested.append("ING-12")
        if action.ended:
            return self._after_the_end(kind, action, accepted, status)
        if kind == "modack":
            return self._modack(action, attempt, status, call, back, seconds)
        return self._settled(kind, action, attempt, accepted, back, final=final, far=far)

    def _nobodys(self, kind: Signal, org: str, number: str, accepted: bool, status: int) -> list[Breach]:
        if (org, number.lstrip("0")) in self._bare:
            return self.note("noughts before an id", "overlooked" if accepted else "told apart")
        theirs = any((one, number) in self.actions for one in self.organisations - {org})
        if number in self.seen and not theirs:
            return []
        if len(number) < LONG_ID and not (theirs and self.one_count):
            return []
        self.tested.append("LEASE-6")
        whose = "of another organisation" if theirs else "that was never issued"
        verb = "extended" if kind == "modack" else f"settled by {kind}" if kind != "defer" else "deferred"
        if not accepted:
            return []
        return [Breach("LEASE-6", f"An id {whose} is {verb}", "404", str(status), "id")]

    def _after_the_end(self, kind: Signal, action: Action, accepted: bool, status: int) -> list[Breach]:
        if kind == "ack" and action.acked:
            return self.note("a second ack", "accepted" if accepted else "refused")
        self.tested.append("LIFE-9")
        if not accepted:
            return []
        title = f"An action that has ended takes {'an' if kind == 'ack' else 'a'} {kind}"
        return [Breach("LIFE-9", title, "409", str(status), kind)]

    def _modack(
        self, action: Action, attempt: int, status: int, call: float, back: float, seconds: int
    ) -> list[Breach]:
        extended = 200 <= status < 300
        if seconds > SURELY_GRANTED and not extended:
            return []
        if not extended and status == 404 and action.attempt is None and call < action.since + IN_FORCE:
            return []
        breaches = self._past(action, attempt, status) or self._too_soon(action, attempt, status)
        held = action.unattended and action.attempt is not None
        left = action.leased_until - back if held else 0.0
        if not breaches and attempt >= action.lowest and left > 1:
            breaches = self._held(action, attempt, status, left)
        if extended and not breaches:
            breaches = self._extended(action, attempt, call, back, seconds)
        elif action.attempt is None and attempt == action.lowest == 0 and status == 409 and action.unattended:
            self.note("delivery", "not at once")
        return breaches

    def _extended(self, action: Action, attempt: int, call: float, back: float, seconds: int) -> list[Breach]:
        breaches = self.note("delivery", "at once")
        over = action.attempt is not None and action.over_at is not None and call > action.over_at + 0.2
        if over and attempt == (action.attempt or 0) + 1:
            breaches += self.note("mod_ack counts from", "now")
        action.attempt, action.lowest, action.refused = attempt, attempt, False
        action.leased_until = call + min(seconds, TRUSTED_LEASE)
        action.over_at = back + seconds
        return breaches

    def _too_soon(self, action: Action, attempt: int, status: int) -> list[Breach]:
        """The next attempt of a deferred action never begins, that of a scheduled one not yet."""
        if attempt <= (action.attempt or 0) and not action.waits:
            return []
        rule = "LIFE-11" if action.deferred else "LIFE-7" if action.waits else ""
        self.tested += [rule] if rule else []
        if not rule or not 200 <= status < 300:
            return []
        title = f"Attempt {attempt} of a {'deferred' if action.deferred else 'scheduled'} action has begun"
        return [Breach(rule, title, "409", str(status))]

    def _past(self, action: Action, attempt: int, status: int) -> list[Breach]:
        """An attempt below one that has begun, or that was given back, stays over."""
        if attempt >= action.lowest:
            return []
        self.tested += ["LEASE-3", "LEASE-7"]
        if 200 <= status < 300:
            title = f"Attempt {attempt} is extended although it is over"
            return [Breach("LEASE-3", title, "409", str(status))]
        return self.note("an attempt that is over", str(status)) if status in (404, 409) else []

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
        if not extended:
            if status == 400:
                title = "An attempt that the page allows is refused as a bad request"
                return [Breach("PAGE-11", title, "409", "400", "attempt")]
            return self.note("an attempt that has not begun", str(status)) if status in (404, 409) else []
        if action.refused:
            title = f"Attempt {attempt} is the current one although attempt {action.attempt} has {left:.0f} s left"
            return [
                Breach("LEASE-8", title, f"attempt {action.attempt} extended", f"attempt {attempt} extended")
            ]
        title = f"Attempt {attempt} is extended while attempt {action.attempt} holds the lease"
        return [Breach("LEASE-3", title, "409", str(status))]

    def _settled(
        self,
        kind: Signal,
        action: Action,
        attempt: int,
        accepted: bool,
        back: float,
        *,
        final: bool,
        far: bool,
    ) -> list[Breach]:
        """An ack, nack or defer of an action that has not ended as far as is known."""
        held = action.unattended and action.attempt is not None and action.leased_until - back > 1
        if attempt < action.lowest or (held and attempt != action.attempt):
            self.tested.append("LEASE-3")
            if accepted:
                title = f"Attempt {attempt}, which is not the current one, is taken by {kind}"
                return [Breach("LEASE-3", title, "409", "200", kind)]
            return []
        if not accepted:
            if kind == "nack" and action.deferred:
                return self.note("a nack after a defer", "refused")
            return []
        if kind == "defer":
            action.deferred, action.attempt = True, attempt
        elif kind == "nack" and action.deferred:
            return self.note("a nack after a defer", "accepted without effect")
        elif kind == "ack" or final:
            action.ended, action.acked = True, kind == "ack"
        else:
            action.lowest, action.attempt, action.leased_until = attempt + 1, None, 0.0
            action.waits = far
        return []


_SCHEMA = "payload against its schema"
LONG_ID = 12
"""Digits from which on nobody else has made the same id, and two organisations do not count to it."""


def _names(data: Mapping[str, Any]) -> frozenset[str]:
    """The aliases that an answer shows."""
    shown = data.get("alias")
    return frozenset(one for one in shown if isinstance(one, str)) if isinstance(shown, list) else frozenset()


def _what_changed(known: Definition, body: Mapping[str, Any], data: Mapping[str, Any]) -> str | None:
    """The question that an update without a version answers."""
    other_alias, schema = _names(data) != known.alias, body["schema"]
    if same(known.schema, schema):
        if known.shaken:
            return None
        return "a definition with other aliases" if other_alias else "an equal definition"
    if other_alias:
        return None
    if same(_plain(known.schema), _plain(schema)):
        return "a definition with other annotations"
    return "a changed definition"


def _plain(schema: Any) -> Any:
    """A schema without what only describes (JSON Schema, validation §9)."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: value
        if name in ("const", "enum")
        else {one: _plain(below) for one, below in value.items()}
        if name in _NAMES and isinstance(value, dict)
        else _plain(value)
        for name, value in schema.items()
        if name not in _ANNOTATIONS and not name.startswith("x-")
    }


_NAMES = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
"""Keywords whose members are named by whoever writes the schema."""
_ANNOTATIONS = frozenset(
    {"$comment", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"}
)


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
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or (2**53 < abs(one) < _LARGEST > abs(other) and float(one) == float(other))
    return bool(one == other)


_LARGEST = 2**1023
"""Numbers up to here are equal as far as a double tells (RFC 8259 §6)."""


def _answered(rule: str, member: str, expected: Any, actual: Any, place: str | None = None) -> Breach:
    return Breach(
        rule,
        f"`{member}` of the answer is not the right one",
        f"{member}: {expected!r}",
        repr(actual),
        member if place is None else place,
    )


__all__ = [
    "IN_FORCE",
    "LONG_ID",
    "MAY_PASS",
    "Action",
    "Breach",
    "Definition",
    "Model",
    "Signal",
    "same",
    "whole",
]
