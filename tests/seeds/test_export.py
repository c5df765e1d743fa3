"""A mock that starts with an export goes on where the exported one was: same records, same ids to come, same text."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.domain.destinations import Kind
from mock_server.domain.interpretations import Interpretations
from mock_server.domain.states import Event
from mock_server.domain.worker import Do, Step, Worker
from mock_server.seeds.export_client import HEADING
from mock_server.settings import SEED
from tests.admin.desk import Desk
from tests.running_mock import JSON, Ran, RunningMock, mock_here, ran_here
from tests.seeds.worlds import FROZEN, ORDER, Seeded, complaint, loaded

RECORDS = "/v1/orgs/42/actions/records"
EXAMPLE = Path(__file__).parents[2] / "examples" / "seed.yaml"

_OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abc"), st.integers(0, 3), st.booleans()),
        st.tuples(
            st.just("accept"), st.sampled_from("abc"), st.sampled_from([1, "x\ny", 1.5e300, {"": [None]}])
        ),
        st.tuples(st.just("signal"), st.sampled_from(["ack", "nack", "defer"]), st.integers(0, 5)),
        st.tuples(st.just("advance"), st.integers(0, 200_000)),
        st.tuples(st.just("worker"), st.sampled_from(list(Do)[:-1]), st.integers(0, 90_000)),
        st.tuples(st.just("destination"), st.sampled_from("xy"), st.sampled_from(["sdk", "default_sink"])),
        st.tuples(st.just("links"), st.sampled_from("abc")),
        st.tuples(st.just("fork")),
        st.tuples(st.just("cancel"), st.integers(0, 5)),
        st.tuples(st.just("reset"), st.integers(0, 2)),
    ),
    max_size=25,
)


def _apply(world: Seeded, operation: Any) -> None:
    """Carry out one of the drawn operations."""
    match operation:
        case "put", variant, version, alias:
            body: dict[str, Any] = {"alias": [f"{variant}!"]} if alias else {}
            world.put(variant, schema={"maxLength": 1_000 + version}, version=version, **body)
        case "accept", variant, payload:
            world.accept(variant, payload=payload, tags={"t": "1"}, metadata=[payload])
        case "signal", name, number:
            actions = world.records()
            if actions:
                record = actions[number % len(actions)]
                world.signal(name, record["id"], record["state"]["attempt"])
        case "advance", milliseconds:
            world.admin("clock.advance", milliseconds)
        case "worker", do, after:
            world.admin("set_worker", Worker((Step(do, after=after, retry_after=7_000), Step(Do.HOLD))))
        case "destination", label, kind:
            config = {"namespace": "n"} if kind == "sdk" else {}
            world.admin("destinations.put", label, Kind(kind), config, credential={"k": label})
        case "links", variant:
            organisation = world.app.store.organisation("42")
            if variant in organisation.registry.by_variant:
                world.admin(
                    "destinations.set_links",
                    variant,
                    list(organisation.registry.destinations)[::-1],
                    default=None,
                )
        case ("fork",):
            world.admin("snapshots.fork", "43", None)
        case "cancel", number:
            actions = world.records()
            if actions and not actions[number % len(actions)]["state"]["completed_at"]:
                world.admin("end_attempt", actions[number % len(actions)]["id"], Event.CANCEL)
        case "reset", seed:
            world.admin("reset", seed=seed, frozen=True)


def _restarted(world: Seeded, **settings: Any) -> Seeded:
    """Another mock, at the same machine time, that starts with the export of this one."""
    restarted = Seeded(world.export(), **settings)
    restarted.clock.advance(world.clock.now() - restarted.clock.now())
    return restarted


@settings(max_examples=25)
@given(_OPERATIONS, st.booleans())
def test_any_organisations_come_back_as_they_were(operations: list[Any], frozen: bool) -> None:
    """SEED-9: random operations make no difference, nor do dropped actions."""
    bounds: dict[str, Any] = {"auto_define": True, "max_actions": 6}
    world = Seeded(
        {"template": {"clock": FROZEN if frozen else {"mode": "running", "ahead_ms": 5}}}, **bounds
    )
    for operation in operations:
        _apply(world, operation)
    restarted = _restarted(world, **bounds)

    assert restarted.export() == world.export()
    for org in ("42", "43"):
        assert restarted.records(org) == world.records(org)
    for both in (world, restarted):
        both.admin("clock.advance", 100_000)
        both.put("new")
        both.accept("new")
        both.call("POST", "/v1/ingress/new", {"payload": 1}, key="org-43")
        both.admin("set_worker", Worker((Step(Do.ACK),)))
    assert restarted.export() == world.export()


def test_an_export_fits_the_schema_of_seed_files() -> None:
    """Editors can check it by that schema."""
    import jsonschema

    world = Seeded(EXAMPLE.read_text("utf-8"))
    world.records()
    from mock_server.seeds.yaml_source import read

    value = read(world.export().encode(), "f").value
    validator = jsonschema.Draft202012Validator(json.loads(SEED.read_text("utf-8")))
    assert list(validator.iter_errors(value)) == []


def test_dropped_actions_stay_dropped() -> None:
    """The id of a dropped action is not unknown afterwards."""
    world = Seeded({"template": {"clock": FROZEN}}, auto_define=True, max_actions=2)
    ids = [world.accept()["a_id"] for _ in range(5)]
    restarted = _restarted(world, max_actions=2)

    assert [restarted.modack(name)[1] for name in ids] == ["DROPPED_ACTION"] * 3 + [""] * 2
    assert restarted.modack("3000000007" + ids[0][10:]) == (404, "UNKNOWN_ACTION")


def test_a_running_clock_keeps_its_distance_and_what_fell_due_meanwhile_happens() -> None:
    """SEED-9: it is as if the mock had never stopped."""
    world = Seeded({"template": {"clock": {"mode": "running", "ahead_ms": 1_000}}}, auto_define=True)
    world.accept()
    text = world.export()
    restarted = Seeded(auto_define=True)
    restarted.clock.advance(90_000)
    restarted.seed(text)

    assert restarted.shape() == [("ack_wait", 1)]
    assert restarted.app.store.organisation("42").clock.ahead_ms == 1_000


def test_some_organisations_are_exported_with_their_own_keys() -> None:
    """The template is exported too, as it belongs to all."""
    world = Seeded({"keys": {"a": 1, "b": "2"}, "template": {"seed": 3}, "organisations": {"1": {}, "2": {}}})
    seed = loaded(world.export("2"))

    assert (seed.keys, list(seed.organisations), seed.template.seed) == ({"b": "2"}, ["2"], 3)


def test_an_export_over_its_own_seed_file_changes_nothing() -> None:
    """SEED-7: all that it has is there already, with the same ids."""
    world = Seeded({"template": {"clock": FROZEN, "definitions": [ORDER]}})
    world.accept("order", payload={"id": "1"})
    world.put("more")
    before = world.records()
    text = world.export()
    world.seed(text)

    assert world.records() == before
    assert world.export() == text


def test_what_is_added_to_an_export_by_hand_gets_new_ids() -> None:
    """An export may be edited like any other seed file."""
    world = Seeded(
        {
            "organisations": {
                "42": {
                    "clock": FROZEN,
                    "definitions": [{"variant": "v"}],
                    "actions": [{"variant": "v", "payload": 1}],
                }
            }
        }
    )
    text = world.export()
    at = text.index("    ids:\n")
    edited = Seeded(text[:at] + "    - {variant: v, payload: 2}\n" + text[at:])

    assert [record["input"] for record in edited.records()] == [1, 2]
    assert len({record["id"][10:] for record in edited.records()}) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id: "3000000000', 'id: "3000000001', "actions/0/id: expected 3000000000"),
        ("    ids:\n", "    nope:\n", "expected no member 'nope'"),
        (
            "events: 3",
            "events: 1",
            "actions/0/events/1/number: expected a number from 2 to 1, the events counted",
        ),
        (
            "number: 2,",
            "number: 1,",
            "actions/0/events/1/number: expected a number from 2 to 3, the events counted, got 1",
        ),
        ("actions: 0, events: 0}", "actions: 0, events: 1}", "ids/lines/0: expected 0 for both"),
        (
            'accepted_at: "2030-01-01T12',
            'accepted_at: "2030-01-01T13',
            "expected a time from the acceptance on",
        ),
        (
            "variant: v\n      version: 1\n      payload",
            "variant: w\n      version: 1\n      payload",
            "actions/0/variant: expected the variant or alias",
        ),
        ("v: {id", "u: {id", "ids/definitions/u: expected one of the definitions above, got 'u'"),
    ],
)
def test_an_export_that_contradicts_itself_is_refused(old: str, new: str, message: str) -> None:
    """Its ids, events and definitions have to agree."""
    text = Seeded(
        {
            "organisations": {
                "42": {
                    "clock": FROZEN,
                    "definitions": [{"variant": "v"}],
                    "actions": [{"variant": "v", "payload": 1}],
                }
            }
        }
    ).export()
    assert old in text

    assert message in complaint(text.replace(old, new, 1))


def test_two_organisations_with_one_id_suffix_are_refused() -> None:
    """No two organisations share an id."""
    ids = {"lines": [{"suffix": "000000001", "actions": 0, "events": 0}]}
    text = json.dumps({"organisations": {"1": {"ids": ids}, "2": {"ids": ids}}})

    assert (
        "organisations/2/ids/lines/0/suffix: expected what no other organisation's ids end with"
        in complaint(text)
    )


def test_the_admin_plane_exports_and_resets_with_or_without_provisioning() -> None:
    """Each answer is what the admin document says."""
    with Desk() as desk:
        seed = loaded(
            "template: {clock: {mode: frozen}, definitions: [{variant: v}], actions: [{variant: v, payload: 1}]}"
        )
        desk.on_loop(desk.app.administration.apply_seed_plan(seed))
        desk.accept("v")
        exported = desk.admin("GET", "/seed?organisation=42").data["organisations"]["42"]
        reset = desk.admin("POST", "42/reset").data
        empty = desk.admin("POST", "42/reset", {"provision": False}).data

        assert [action["status"] for action in exported["actions"]] == ["ack_wait", "ack_wait"]
        assert (reset["actions"]["kept"], reset["definitions"], reset["clock"]["mode"]) == (1, 1, "frozen")
        assert (empty["actions"]["kept"], empty["definitions"], empty["clock"]["mode"]) == (0, 0, "real")
        assert desk.admin("GET", "/seed?organisation=x").refusal == (400, "INVALID_PARAMETER")


def _export(running: RunningMock, *flags: str, token: str | None = None) -> Ran:
    """Export from a running mock; an empty `token` is none."""
    given = running.admin_token if token is None else token
    url = f"http://localhost:{running.admin_port}"
    return ran_here("export", "--admin-url", url, *([f"--admin-token={given}"] if given else []), *flags)


def test_an_export_after_a_restart_from_an_export_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    """SEED-9: a user exports, stops the mock, starts one with that file, and exports again."""
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    with mock_here("--seed-file", str(EXAMPLE)) as running:
        running.accept("order", payload={"order_id": "1"}, metadata={"é": "\n"})
        records = running.call("GET", RECORDS).body
        assert (
            running.call("GET", RECORDS.replace("42", "7"), headers={"x-arklow-auth": "org-7"}).status == 200
        )
        assert _export(running, "-o", str(first)) == Ran(0, "", "")
    with mock_here("--seed-file", str(first)) as running:
        assert running.call("GET", RECORDS, headers={"x-arklow-auth": "shop-key"}).body == records
        assert _export(running, "-o", str(second)).returncode == 0
        shown = _export(running, "--organisation", "7").stdout

    assert first.read_bytes() == second.read_bytes()
    assert first.read_text("utf-8").startswith(HEADING)
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert '\n  "7":\n' in shown
    assert '\n  "42":\n' not in shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.yaml", "second.yaml"]


def test_the_token_of_an_export_may_be_in_the_environment(
    served: RunningMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of the mock may."""
    monkeypatch.setenv("ARKLOW_ADMIN_TOKEN", served.admin_token)
    headers = {"x-arklow-auth": "org-4242"} | JSON
    path = "/v1/orgs/4242/actions/definitions"
    assert served.call("PUT", path, {"variant": "v", "schema": {}}, headers=headers).status == 200
    done = _export(served, "--organisation", "4242", token="")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(HEADING)


def test_a_bad_seed_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    """The mock ends before it listens, also when there is no file."""
    file = tmp_path / "seeds.yaml"
    file.write_text("template:\n  seed: one\n")
    bad, missing = (_started_with(path) for path in (file, tmp_path / "none.yaml"))

    assert bad == Ran(2, "", 'arklow-mock: seeds.yaml line 2, template/seed: expected integer, got "one"\n')
    assert missing.returncode == 2
    assert "expected a file that can be read, got none (No such file or directory)" in missing.stderr


def _started_with(seed_file: Path) -> Ran:
    ports = ("--port", "0", "--ingress-port", "0", "--no-admin")
    return ran_here(*ports, "--seed-file", str(seed_file))


def test_a_pipe_is_not_read_as_a_seed_file(tmp_path: Path) -> None:
    """The start would wait for ever for a program that writes to it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = _started_with(pipe)

    assert done.returncode == 2
    assert "expected a file that can be read, got none (it is no regular file)" in done.stderr


def test_a_failed_export_is_one_sentence_and_exit_code_2(
    served: RunningMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is wrong or missing, no admin plane answers, or the file cannot be written; no file is left behind."""
    monkeypatch.delenv("ARKLOW_ADMIN_TOKEN", raising=False)
    target = tmp_path / "seeds.yaml"
    control = f"http://localhost:{served.port}"
    cases = [
        (_export(served, "-o", str(target), token="wrong"), "see --admin-token and $ARKLOW_ADMIN_TOKEN"),
        (_export(served, token=""), "expected the admin plane's token"),
        (_export(served, "--admin-url", "http://localhost:9"), "got no answer"),
        (_export(served, "--admin-url", control), f"{control} refuses: path: expected one of"),
        (_export(served, "--admin-url", "nonsense"), "expected the admin plane of a mock at nonsense"),
        (_export(served, "-o", "/nowhere/seeds.yaml"), "expected a file that can be written"),
        (_export(served, "--organisation", "x"), "expected an organisation's id of 1 to 19 digits"),
    ]

    for done, message in cases:
        assert done.returncode == 2, message
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_export_made_under_other_interpretations_needs_none_to_be_read() -> None:
    """States that no mock with defaults reaches are exported all the same; the restarted mock uses its own interpretations."""
    interpretations = Interpretations(
        payload_mismatch="accepted",
        alias="is a variant of its own",
        after_lower="the highest one is current",
        taken_alias="taken over",
    )
    world = Seeded(interpretations=interpretations)
    world.put("order", schema={"type": "string"}, alias=["a", "b"])
    world.accept("order", payload=5)
    world.accept("a")
    world.put("order", version=7)
    world.put("order", version=3, schema={"const": 3})
    world.put("other", alias=["b"])

    restarted = Seeded(world.export())

    assert restarted.records() == world.records()
    assert restarted.accept("order")["a_ve"] == "7"
    assert restarted.accept("b")["a_va"] == "other"
