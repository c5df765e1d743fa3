"""What led to a finding is played again from nothing, under fresh names, and made smaller."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from contracts.checks.context import CheckContext
from contracts.core.exchange import Exchange
from contracts.core.findings import Finding
from contracts.core.ledger import Ledger
from contracts.model.world import Model
from contracts.oracle.judge import Judge
from contracts.phases.api import Api
from contracts.phases.requests import INGRESS, JSON, MODACK, PUT
from contracts.reproduction.replay import Replay
from contracts.reproduction.scripts import has_hasty_refusal
from contracts.transport.client import TIMEOUT, Client
from contracts.transport.interference import Interference
from contracts.transport.throttle import TimeUp
from contracts.transport.wire import Request
from tests.contracts.runs import api_at, exchange, rules
from tests.mutants import HOLDOUT, MUTANTS, Choices, ConformingServer
from tests.mutants.conforming_server import (
    Action,
    Definition,
    Refused,
    RequestedDefinition,
    Work,
)
from tests.serving import serving

PREFIX = "contract.test."


class Unwaiting(Client):
    """A client that does not wait; it records how long it would have waited."""

    waited: ClassVar[list[float]] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


class Recording(Judge):
    """Records what the judges see that replays are given."""

    def __init__(self, known: CheckContext, ledger: Ledger, model: Model | None = None) -> None:
        super().__init__(known, ledger, model)
        self.played: list[Exchange] = []

    def scratch(self, without: str | None) -> Judge:
        fresh = super().scratch(without)
        fresh.listen(self.played.append)
        return fresh


@contextmanager
def on(server: ConformingServer, kind: type[Client] = Client) -> Iterator[tuple[Api, Replay]]:
    """Serve a server; yield the calls of a client, and what replays their exchanges."""
    with serving(server) as url:
        api = api_at(url, PREFIX, kind, Recording)
        yield api, Replay(api.client, api.judge, PREFIX)
        api.client.close()


def found(api: Api, rule: str) -> Finding:
    """Return the finding, or the suspicion, that breaks a rule."""
    return next(one for one in (*api.judge.ledger.all(), *api.sequence.suspicions) if one.rule == rule)


def operations(finding: Finding) -> list[str | None]:
    """Return the operations of an example."""
    return [exchange.operation for exchange in finding.exchanges]


def test_a_finding_that_shows_again_has_an_example_of_fresh_names() -> None:
    """Nothing of the first one is used, so that it stands for itself."""
    with on(MUTANTS["S01"]()) as (api, replay):
        variant = api.define()
        number = api.accept(variant)
        api.modack(f"{number}0")

        again = replay.confirm(found(api, "LEASE-6"), api.exchanges)

    assert again is not None
    assert operations(again) == [MODACK]
    assert again.exchanges[0].call > api.exchanges[-1].call


def test_a_finding_that_does_not_show_again_is_not_confirmed() -> None:
    """Once is no confirmation: another client may have caused the answer."""

    class Once(ConformingServer):
        told = False

        def define(self, org: str, requested: RequestedDefinition) -> Definition:
            definition = super().define(org, requested)
            if not self.told:
                self.told = True
                return replace(definition, version=5)
            return definition

    with on(Once()) as (api, replay):
        api.put(api.name())

        assert rules(api.sequence.suspicions) == ["DEF-2"]
        assert replay.confirm(found(api, "DEF-2"), api.exchanges) is None


def test_an_example_has_nothing_that_it_does_not_need() -> None:
    """Neither what came before, nor what was done in between."""
    with on(MUTANTS["S09"]()) as (api, replay):
        variant = api.define()
        for _ in range(3):
            api.ingress(variant)
            api.ingress(api.define())
        api.put(variant, {"title": "new"})

        again = replay.confirm(found(api, "DEF-3"), api.exchanges)

    assert again is not None
    assert operations(again) == [PUT, PUT]
    assert len({json.loads(one.body or b"")["variant"] for one in again.exchanges}) == 1


def test_the_whole_sequence_is_played_where_what_is_known_to_lead_to_it_is_not_enough() -> None:
    """And made smaller as far as that goes."""

    class CountsRefusals(ConformingServer):
        """After two refusals every version is one too high."""

        refused = 0

        def refuse(self, operation: Any, refused: Any) -> Any:
            self.refused += 1
            return super().refuse(operation, refused)

        def define(self, org: str, requested: RequestedDefinition) -> Definition:
            definition = super().define(org, requested)
            broken, self.refused = self.refused >= 2, 0
            return replace(definition, version=2) if broken else definition

    with on(CountsRefusals()) as (api, replay):
        api.put(api.name())
        for _ in range(4):
            api.send(MODACK, {})
        api.put(api.name())
        finding = found(api, "DEF-2")
        assert operations(finding) == [PUT]

        again = replay.confirm(finding, api.exchanges)

    assert again is not None
    assert operations(again) == [MODACK, MODACK, PUT]


def test_ids_that_the_target_made_are_made_again() -> None:
    """In JSON: the modack asks for the action of its own replay."""
    with on(MUTANTS["S05"]()) as (api, replay):
        number = api.live()
        api.modack(number, 1)

        again = replay.confirm(found(api, "LEASE-3"), api.exchanges)

    assert again is not None
    assert operations(again) == [PUT, INGRESS, MODACK, MODACK]
    issued = again.exchanges[1].data()["a_id"]
    assert issued != number
    assert {json.loads(one.body or b"")["action_record_id"] for one in again.exchanges[2:]} == {issued}


WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"action_record_id": "%s", "attempt": 0, "mod_ack": 300}', '"action_record_id": "%s"'),
        ('{ "action_record_id":"%s" ,"attempt":0,"mod_ack":300}', '"action_record_id":"%s"'),
        ('{"action_record_id": %s, "attempt": 0, "mod_ack": 300}', '"action_record_id": %s,'),
        ('[{"action_record_id":"%s","attempt":0,"mod_ack":300}]x', '"action_record_id":"%s"'),
        ('{"action_record_id": "%s\\n", "attempt": 0, "mod_ack": 300}', '"action_record_id": "%s\\n"'),
        ('{"action_record_id": "+%s", "attempt": 0, "mod_ack": 300}', '"action_record_id": "+%s"'),
        ("action_record_id=%s&attempt=0&mod_ack=300", "action_record_id=%s&"),
    ],
    ids=["JSON", "JSON with other blanks", "a number", "no JSON", "a line feed", "a sign", "a form"],
)
def test_an_id_is_renamed_wherever_it_stands(text: str, expected: str) -> None:
    """As text where the body is not JSON as the judge writes it; other numbers stay what they are."""
    with on(ConformingServer()) as (api, replay):
        number = api.accept(api.define())
        last = api.send(MODACK, raw=(text % number).encode())

        played = replayed_all(replay, api, last)

    issued = played[-2].data()["a_id"]
    body = (played[-1].body or b"").decode()
    assert issued != number
    assert expected % issued in body
    assert number not in body
    assert "300" in body


def replayed_all(replay: Replay, api: Api, last: Exchange) -> list[Exchange]:
    """Return what a replay of the whole sequence sends; the finding that it looks for never shows."""
    finding = Finding("RACE-1", str(last.operation), "", "", "", tuple(api.exchanges))
    assert replay.play(api.exchanges, finding) is None
    assert isinstance(api.judge, Recording)
    return api.judge.played


def test_full_width_digits_stay_full_width() -> None:
    """The id that they spell is the one of the replay."""
    with on(ConformingServer()) as (api, replay):
        number = api.accept(api.define())
        body = {"action_record_id": number.translate(WIDE), "attempt": 0, "mod_ack": 300}
        last = api.send(MODACK, body)

        played = replayed_all(replay, api, last)

    issued = played[-2].data()["a_id"]
    assert json.loads(played[-1].body or b"")["action_record_id"] == issued.translate(WIDE)


def test_names_of_the_run_are_renamed_in_bodies_and_paths_and_nothing_else_is() -> None:
    """They get one fresh prefix for a replay; names that do not begin as those of the run do are left alone."""
    with on(ConformingServer()) as (api, replay):
        alias = api.name("alias")
        variant = api.name("créé")
        api.put(variant, {"title": f"of {PREFIX}x"}, alias=[alias])
        api.ingress(alias, {"order_id": "8471000"})
        api.send(PUT, {"variant": "shop.theirs", "schema": {}})
        last = api.ingress("shop.unknown", "x")

        played = replayed_all(replay, api, last)

    first = json.loads(played[0].body or b"")
    fresh = f"{PREFIX}r1."
    assert first["variant"] == variant.replace(PREFIX, fresh)
    assert first["alias"] == [alias.replace(PREFIX, fresh)]
    assert first["schema"] == {"title": f"of {PREFIX}x"}
    assert played[1].segment == alias.replace(PREFIX, fresh)
    assert json.loads(played[1].body or b"") == {"payload": {"order_id": "8471000"}}
    assert json.loads(played[2].body or b"")["variant"] == "shop.theirs"
    assert played[3].segment == "shop.unknown"


def test_a_replay_of_a_replay_has_one_prefix() -> None:
    """Names do not grow with every try."""
    with on(MUTANTS["S09"]()) as (api, replay):
        variant = api.define()
        api.put(variant, {"title": "new"})
        first = replay.play(api.exchanges, found(api, "DEF-3"))
        assert first is not None
        second = replay.play(first.exchanges, first)

    assert second is not None
    assert json.loads(second.exchanges[0].body or b"")["variant"] == variant.replace(PREFIX, f"{PREFIX}r2.")


def test_headers_chunks_and_queries_are_sent_again_as_they_were() -> None:
    """A request is more than its body."""
    headers = (("X-Arklow-Auth", "good-key-one"), JSON, ("x-two", "1"), ("x-two", "2"))
    with on(ConformingServer()) as (api, replay):
        variant = api.define()
        path = f"/v1/ingress/{variant}?tag.region=e%75"
        last = api.sequence.play(Request("POST", path, headers, b'{"payload":1}', (3, 4)))

        played = replayed_all(replay, api, last)

    assert (played[-1].headers, played[-1].chunks) == (headers, (3, 4))
    assert played[-1].query == "tag.region=e%75"


def test_an_action_that_the_script_does_not_make_is_one_that_was_never_made() -> None:
    """An example stands for itself, so that it may need no id of an earlier sequence."""
    with on(ConformingServer()) as (api, replay):
        last = api.modack(api.accept(api.define()))
        del api.exchanges[:-1]

        [played] = replayed_all(replay, api, last)

    assert (last.status, played.status) == (200, 404)


def test_pauses_are_repeated() -> None:
    """They are as long as they were; time that passed without a wait is not repeated."""
    Unwaiting.waited.clear()
    with on(MUTANTS["S09"](), Unwaiting) as (api, replay):
        variant = api.define()
        api.sequence.note_wait(0.1)
        api.ingress(variant)
        api.sequence.note_wait(1.7)
        api.put(variant, {"title": "new"})

        again = replay.play(api.exchanges, found(api, "DEF-3"))

    assert again is not None
    assert Unwaiting.waited == [pytest.approx(1.7)]
    assert again.exchanges[-1].waited - again.exchanges[0].waited == pytest.approx(1.8)


def test_a_refusal_of_what_was_served_ends_a_try_for_a_smaller_example() -> None:
    """Without the definition there is no work, and the replay does not wait for it."""
    with on(MUTANTS["S05"]()) as (api, replay):
        number = api.live()
        api.modack(number, 1)
        before = api.client.requests
        finding = found(api, "LEASE-3")

        assert replay.play(api.exchanges[1:], finding, patient=False) is None

    assert api.client.requests == before + 1


def test_a_finding_that_shows_at_times_is_repeated() -> None:
    """And the example says how often it has to be sent."""
    with on(MUTANTS["S33"]()) as (api, replay):
        while not api.judge.ledger.all():
            api.modack("1")
        finding = found(api, "PAGE-8")

        again = replay.repeat(finding)

    assert again is not None
    assert operations(again) == [MODACK]
    assert again.times > 1


def test_a_finding_that_never_shows_again_is_not_repeated_without_end() -> None:
    """A few hundred requests are enough."""
    with on(ConformingServer()) as (api, replay):
        last = api.modack("1")
        finding = Finding("PAGE-8", MODACK, "", "", "", (last,))

        assert replay.repeat(finding) is None

    assert 10 < api.client.requests < 300


class EverySecond(ConformingServer):
    """Every second undefined variant is defined on the fly."""

    unknown = 0

    def undefined(self, org: str, variant: str) -> Definition:
        self.unknown += 1
        self.choices = replace(self.choices, unknown_variant="create" if self.unknown % 2 else "refuse")
        return super().undefined(org, variant)


def test_an_interpretation_that_was_taken_back_is_shown_with_both_answers() -> None:
    """The question is open again in the replay, so that the example has the first answer too."""
    with on(EverySecond()) as (api, replay):
        api.define()
        api.ingress(api.name("unknown"))
        api.ingress(api.name("unknown"))
        finding = found(api, "READ-1")

        again = replay.confirm(finding, api.exchanges)

    assert again is not None
    assert again.question == "unknown variant"
    assert [exchange.status for exchange in again.exchanges] == [200, 400]


def test_an_interpretation_that_a_replay_keeps_was_not_taken_back() -> None:
    """Another server may have answered the first time."""
    with on(ConformingServer()) as (api, replay):
        api.judge.model.first_answers["unknown variant"] = "made on the fly"
        api.ingress(api.name("unknown"))

        assert replay.confirm(found(api, "READ-1"), api.exchanges) is None


class TwoNodes(ConformingServer):
    """The second of its nodes learns of a definition half a second after the first was asked for it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, float] = {}

    def resolve(self, org: str, name: str) -> Definition:
        first = name not in self.asked
        if time.monotonic() < self.asked.setdefault(name, time.monotonic()) + 0.5 and not first:
            raise Refused(400, "UNKNOWN_VARIANT", "no definition has this variant")
        return super().resolve(org, name)


class Archive(ConformingServer):
    """Knows no action that is half a second old."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, float] = {}

    def accept(self, definition: Definition, version: int, posted_as: str, work: Work) -> Action:
        action = super().accept(definition, version, posted_as, work)
        self.made[action.id] = time.monotonic()
        return action

    def find(self, org: str, number: str) -> Action:
        action = super().find(org, number)
        if time.monotonic() > self.made[action.id] + 0.5:
            raise Refused(404, "UNKNOWN_ACTION", "no action has this id")
        return action


def test_a_refusal_that_ends_when_all_of_the_target_knows_what_was_made_accuses_nobody() -> None:
    """Each of two nodes may learn of a definition in its own time, so that work is taken and then refused."""
    with on(TwoNodes()) as (api, replay):
        variant = api.define()
        for _ in range(2):
            api.sequence.play(api.requests.build(INGRESS, {"payload": 1}, name=variant))
        finding = found(api, "PAGE-11")

        assert replay.play(api.exchanges, finding) is not None
        assert replay.confirm(finding, api.exchanges) is None


def test_a_careful_sequence_sends_again_what_is_refused_against_expectation() -> None:
    """Later, and only the last answer stands; a refusal that is expected is taken as it is."""
    with serving(TwoNodes()) as url:
        api = api_at(url, PREFIX, careful=True)
        variant = api.define()
        for _ in range(2):
            api.sequence.play(api.requests.build(INGRESS, {"payload": 1}, name=variant))
        began = time.monotonic()
        unknown = api.ingress(api.name())

    assert (api.sequence.suspicions, api.exchanges[-2].status, unknown.status) == ((), 200, 400)
    assert time.monotonic() - began < 1


def test_a_refusal_that_lasts_is_confirmed() -> None:
    """Two seconds later it is refused as before."""
    with on(MUTANTS["V46"]()) as (api, replay):
        variant = api.define()
        api.accept(variant)
        api.ingress(variant, tags={})
        finding = found(api, "PAGE-11")

        again = replay.confirm(finding, api.exchanges)

    assert again is not None
    assert again.exchanges[-1].call - again.exchanges[0].back > 1.9


@pytest.mark.parametrize(
    ("server", "confirmed"),
    [
        (Archive, False),
        (lambda: HOLDOUT["H130"](Choices(operations="all")), True),
    ],
    ids=["all of them vanish", "one is lost"],
)
def test_an_action_is_lost_where_control_actions_are_not(
    server: Callable[[], ConformingServer], confirmed: bool
) -> None:
    """Otherwise another client settles actions, and a settled action may be forgotten (Q2, Q23)."""
    with on(server()) as (api, replay):
        number = api.accept(api.define())
        for _ in range(3):
            api.modack(number)
        api.client.wait(0.6)
        api.sequence.note_wait(0.6)
        api.modack(number)
        finding = found(api, "ING-11")

        assert (replay.confirm(finding, api.exchanges) is not None) is confirmed
        assert (finding.key not in replay.explained) is confirmed


@pytest.mark.parametrize(
    ("name", "later", "expected"), [("v", 1, True), ("v", 3, False), ("other", 1, False)]
)
def test_a_refusal_is_hasty_while_what_it_is_about_is_fresh(name: str, later: float, expected: bool) -> None:
    """And only if it was made with the same key."""
    made = exchange(PUT, 200, b'{"data":{"id":"2"}}', body=b'{"variant":"v","schema":{}}')
    refused = exchange(INGRESS, 400, b"{}", body=b'{"payload":1}', url=f"/v1/ingress/{name}")
    finding = Finding("PAGE-11", INGRESS, "", "", "", (made, replace(refused, call=made.back + later)))
    theirs = replace(
        finding, exchanges=(replace(made, headers=(("x-arklow-auth", "two"),)), finding.exchanges[1])
    )

    assert (has_hasty_refusal(finding), has_hasty_refusal(theirs)) == (expected, False)


class Away(Client):
    """A client that meets interference as soon as it is told to."""

    away: Exception | None = None

    def send(self, request: Request, waited: float = 0.0, *, timeout: float = TIMEOUT) -> Exchange:
        if self.away is not None:
            raise self.away
        return super().send(request, waited, timeout=timeout)


@pytest.mark.parametrize("fault", [Interference("503"), TimeUp()])
def test_a_replay_that_could_not_be_tried_raises(fault: Exception) -> None:
    """The finding is neither confirmed nor disproved."""
    with on(MUTANTS["S09"](), Away) as (api, replay):
        variant = api.define()
        api.put(variant, {"title": "new"})
        finding = found(api, "DEF-3")
        assert isinstance(api.client, Away)
        api.client.away = fault

        with pytest.raises(type(fault)):
            replay.confirm(finding, api.exchanges)
