"""The files of generated tests: the requests of a finding, what comes before them, and how long they are repeated."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.core.exchange import Exchange
from contracts.core.findings import Finding
from contracts.core.target import ConnectionOptions, Credential, ExtraHeader, Target
from contracts.phases.requests import INGRESS, MODACK, PUT
from contracts.reports import generated_tests
from contracts.reports.json_report import name_of_test, report_data
from tests.contracts.runs import exchange
from tests.contracts.test_reports import finished

KEYS = dict(
    Target(
        *("http://target", "http://target"),
        Credential("good-key-one", "1", "MY_KEY"),
        Credential("good-key-two", "2", "YOUR_KEY"),
    ).secrets
)
NAME = "contract.0a1b2c3d.v"
DEFINED = b'{"data":{"id":"7","variant":"contract.0a1b2c3d.v","version":1},"errors":null}'
TAKEN = b'{"data":{"a_id":"1234567","a_def_id":"7","queue_s":"queued","a_va":"v","a_ve":"1"}}'


def put(**members: Any) -> Exchange:
    """Make a definition that was put."""
    return exchange(PUT, 200, DEFINED, body=f'{{"variant": "{NAME}", "schema": {{}}}}'.encode(), **members)


def work(status: int = 200, answer: bytes = TAKEN) -> Exchange:
    """Make work for that definition."""
    return exchange(INGRESS, status, answer, body=b'{"payload": 1}', url=f"/v1/ingress/{NAME}")


def modack(status: int, number: str = "1234567", attempt: int = 0, **members: Any) -> Exchange:
    """Make a modack."""
    body = f'{{"action_record_id": "{number}", "attempt": {attempt}, "mod_ack": 300}}'.encode()
    return exchange(MODACK, status, b'{"data":null,"errors":[]}', body=body, **members)


def written(
    rule: str, *exchanges: Exchange, run: dict[str, Any] | None = None, **members: Any
) -> tuple[str, dict[str, Any]]:
    """Return the source of the test of a finding, and the names that it defines."""
    finding = Finding(rule, str(exchanges[-1].operation), "A title", "200", "409", exchanges, **members)
    keys = (("1", "MY_KEY"), ("2", "YOUR_KEY"))
    data = report_data(finished(violations=(finding,), secrets=KEYS, keys=keys, **(run or {})))
    [one] = data["violations"]
    source = generated_tests.test_of(one, data)
    return source, compiled(source, name_of_test(one["id"]))


def compiled(source: str, name: str) -> dict[str, Any]:
    """Load a source, whose test is not run, and return its names."""
    names: dict[str, Any] = {"__name__": __name__}  # dataclasses look up the module of a class
    exec(compile(source, f"{name}.py", "exec"), names)
    assert name in names
    return names


def marks(request: dict[str, Any]) -> set[str]:
    """Return what the runtime has to do about a request."""
    return request.keys() - {"method", "path", "headers", "body", "was"}


def test_a_request_says_what_must_come_of_it() -> None:
    """What was served is asked for again for a while and is needed; a good key has to be good; ids are captured."""
    _, names = written("LEASE-3", put(), work(), modack(200), modack(409, attempt=1))
    defined, posted, extended, last = names["REQUESTS"]

    assert (defined["method"], defined["path"], defined["was"]) == (
        "PUT",
        "/v1/orgs/1/actions/definitions",
        200,
    )
    assert defined["headers"] == [("content-type", "application/json"), ("x-arklow-auth", "$MY_KEY")]
    assert defined["body"] == put().body
    assert marks(defined) == {"patient", "needed", "keyed"}
    assert (marks(posted), posted["makes"]) == ({"patient", "needed", "keyed", "makes"}, "1234567")
    assert marks(extended) == {"patient", "needed", "keyed"}
    assert "needed" not in marks(last)
    assert "keyed" in marks(last)


def test_pauses_are_made_and_what_is_fresh_has_time_to_be_known() -> None:
    """A refusal of something fresh proves nothing for two seconds; shorter pauses than a third of a second are none."""
    pauses = (replace(put(), waited=0.0), replace(work(), waited=0.2), replace(modack(200), waited=1.94))
    _, waiting = written("LEASE-3", *pauses)
    _, unsure = written("PAGE-11", put(), work(400, b"{}"))

    assert [one.get("wait") for one in waiting["REQUESTS"]] == [None, None, 1.7]
    assert unsure["REQUESTS"][-1]["wait"] == 2.0


def test_a_request_about_keys_need_not_have_a_good_one() -> None:
    """Nor one with two keys, or with a key in a header that its operation does not read."""
    wrong = replace(modack(200), headers=(("x-arklow-auth", "wrong"),))
    both = replace(
        modack(200), headers=(("x-arklow-auth", "good-key-one"), ("Authorization", "good-key-one"))
    )
    other = replace(put(), headers=(("authorization", "good-key-one"),))

    for rule, shown in (("AUTH-4", wrong), ("PAGE-5", both), ("PAGE-5", other), ("AUTH-1", modack(401))):
        _, names = written(rule, shown)
        assert "keyed" not in names["REQUESTS"][-1], rule


def test_a_definition_of_a_new_world_is_preceded_by_another_one() -> None:
    """As its version may depend on what is there."""
    _, names = written("DEF-2", put())

    assert [one["path"] for one in names["REQUESTS"]] == [
        "/v1/orgs/1/actions/definitions",
        "/v1/ingress/contract.00000000.before",
        "/v1/orgs/1/actions/definitions",
    ]


def test_calls_of_the_same_moment_wait_for_those_that_had_ended() -> None:
    """What comes before them in the example is sent first."""
    first, second = replace(work(), call=1.0, back=2.0), replace(work(), call=1.5, back=2.5)
    third = replace(work(), call=2.2, back=3.0)
    source, names = written("RACE-1", put(), first, second, third, together=3)
    calls = [one for one in names["REQUESTS"] if not one.get("first")]

    assert [one["after"] for one in calls] == [[], [], [0]]
    assert not any({"patient", "needed"} & one.keys() for one in calls)
    assert [one["method"] for one in names["REQUESTS"] if one.get("first")] == ["PUT"]
    assert "together=True" in source
    assert "until = time.monotonic() + 3" in source


def test_a_fault_under_load_takes_many_clients() -> None:
    """Sixteen send the same request."""
    _, names = written("PAGE-8", replace(work(500), call=1.0, back=2.0), together=1)

    assert len([one for one in names["REQUESTS"] if not one.get("first")]) == 16


def test_a_rare_fault_is_asked_for_as_often_as_it_took() -> None:
    """A comparison of answers is repeated for half a second."""
    rare, _ = written("PAGE-8", work(500), times=300)
    compared, names = written("READ-1", put(), work())
    plain, _ = written("PAGE-5", work())

    assert "for _ in range(300):" in rare
    assert "time.monotonic() + 0.5" in compared
    assert "WAS" in names
    own, _, _ = plain.partition("# What follows is the same in every such test")
    assert not any(word in own for word in ("range(", "until =", "WAS ="))


@pytest.mark.parametrize(
    "body", [b"x" * 500, bytes(range(256)), b"a" * 120 + b"\n" + b"b" * 120, b"", b"\xff\x00", b"'\"\\"]
)
def test_any_body_stands_in_the_file_as_it_was(body: bytes) -> None:
    """In lines that can be read."""
    source, names = written("PAGE-9", replace(modack(200), body=body, chunks=(1, 2)))

    assert names["REQUESTS"][-1]["body"] == body
    assert names["REQUESTS"][-1]["chunks"] == [1, 2]
    assert max(map(len, source.splitlines())) < 700


def test_parts_of_keys_stand_as_what_makes_them() -> None:
    """From the variables alone; the words of all keys where an answer may show any of them."""
    half = replace(modack(200), headers=(("x-arklow-auth", "good-k"), ("x-b", "GOOD-KEY-ONE")))
    source, names = written("AUTH-4", half)
    shown, every = written("SAFE-1", work())

    assert "good-key" not in source.lower()
    assert set(names["WORDS"]) == {
        "$MY_KEY",
        '$(printf %.6s "$MY_KEY")',
        '$(printf %s "$MY_KEY" | tr a-zA-Z A-Za-z)',
    }
    assert 'os.environ.get("MY_KEY", "")[:6]' in source
    assert set(every["WORDS"]) == {"$MY_KEY", "$YOUR_KEY"}
    assert "good-key" not in shown


def test_the_way_to_the_deployment_stands_in_the_file_and_can_be_changed() -> None:
    """By the environment, for another one."""
    way = ConnectionOptions(
        (ExtraHeader("x-gate", "s3cret", "GATE"),), "ca.pem", "me.pem", "me.key", "http://proxy:1"
    )
    source, names = written("PAGE-5", work(), run={"connection": way, "ingress": "http://ingress"})

    assert (names["BASE_URL"], names["INGRESS_URL"]) == ("http://target", "http://ingress")
    assert (names["CA"], names["CLIENT_CERTIFICATE"], names["CLIENT_KEY"]) == ("ca.pem", "me.pem", "me.key")
    assert (names["PROXY"], names["HEADERS"]) == ("http://proxy:1", {"x-gate": "GATE"})
    assert "s3cret" not in source
    assert "GATE=… pytest test_page_5_" in source


def test_a_file_says_what_was_found_where_and_when() -> None:
    """In its first lines; signs that no source can hold are replaced, and a quote at the end breaks nothing."""
    odd = Finding("PAGE-5", INGRESS, 'A "title" with \ud800 and \x00', 'a """', "17", (work(),))
    data = report_data(finished(violations=(odd,), secrets=KEYS, keys=(("1", "MY_KEY"),)))
    source = generated_tests.test_of(data["violations"][0], data)
    names = compiled(source, name_of_test(data["violations"][0]["id"]))

    assert names["__doc__"].startswith(f"{data['violations'][0]['id']}: POST /v1/ingress")
    assert "found     1970-01-01T00:00:00.000Z at http://target" in names["__doc__"]
    assert "\\ud800" in names["__doc__"]


def test_a_file_has_only_what_it_needs_of_the_runtime(tmp_path: Path) -> None:
    """And imports nothing else, so that it can stand in any project."""
    source, names = written("PAGE-5", work())
    (tmp_path / "test_one.py").write_text(source)

    assert {"play", "send", "breaks"} <= names.keys()
    assert not {"story", "not_as_put", "skips_versions"} & names.keys()
    assert "from contracts" not in source
    assert runpy.run_path(str(tmp_path / "test_one.py"))["REQUESTS"] == names["REQUESTS"]


def test_recorded_traffic_makes_no_test(tmp_path: Path) -> None:
    """Another client sent its requests, which may not be sent again."""
    finding = Finding("PAGE-5", INGRESS, "A title", "this", "that", (work(),))
    generated_tests.write(finished(violations=(finding,), secrets=KEYS, run_id=""), tmp_path)

    assert list(tmp_path.iterdir()) == []
