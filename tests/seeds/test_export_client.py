"""The export as a client of the admin plane: what is asked, which answers are none, and how the file is written."""

from __future__ import annotations

import inspect
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request

from mock_server.seeds.export_client import HEADING, CannotExport, fetch, save, to_yaml
from mock_server.seeds.yaml_source import MAX_BYTES, read
from tests.serving import serving
from tests.waiting import PATIENCE

SEED = {"organisations": {"42": {"worker": {"default": "ack"}}}}


class _Plane:
    """An admin plane that answers everything alike, and keeps what came."""

    def __init__(self, status: int = 200, body: Any = None, **headers: str) -> None:
        self.app = Flask(__name__)
        self.app.add_url_rule("/<path:path>", view_func=self._answer)
        self.came: list[tuple[str, str | None]] = []
        self._reply = (status, json.dumps({"data": SEED}) if body is None else body, headers)

    def _answer(self, path: str) -> Response:
        self.came.append((request.full_path.rstrip("?"), request.headers.get("authorization")))
        status, body, headers = self._reply
        return Response(body, status, headers)


@pytest.mark.parametrize(
    ("organisations", "asked"),
    [([], "/seed"), (["42"], "/seed?organisation=42"), (["1", "2"], "/seed?organisation=1,2")],
)
def test_the_seed_of_some_organisations_or_of_all_is_asked_for(organisations: list[str], asked: str) -> None:
    """With the token; a slash at the end of the address makes no difference, nor does a proxy."""
    plane = _Plane()
    with serving(plane.app) as url:
        assert fetch(f"{url}/", "t0ken", organisations) == SEED

    [(path, authorization)] = plane.came
    assert (path.replace("%2C", ","), authorization) == (asked, "Bearer t0ken")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is for the mock alone."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(_Plane().app) as url:
        assert fetch(url, "t", []) == SEED


ANSWERS: dict[str, tuple[_Plane, str]] = {
    "a refusal": (
        _Plane(400, '{"errors": [{"message": "query organisation: expected it"}]}'),
        "{0} refuses: query organisation: expected it",
    ),
    "a wrong token": (
        _Plane(401, '{"errors": [{"message": "no"}]}'),
        "{0} refuses: no; see --admin-token and $ARKLOW_ADMIN_TOKEN",
    ),
    "another error": (_Plane(500, "{}"), "expected the admin plane of a mock at {0}, got an answer with status 500"),
    "a text": (_Plane(502, "bad gateway"), "expected the admin plane of a mock at {0}, got an answer with status 502"),
    "a redirect": (
        _Plane(302, "", location="http://localhost:9/"),
        "expected the admin plane of a mock at {0}, got an answer with status 302",
    ),
    "no JSON": (_Plane(200, "<html>"), "expected the admin plane of a mock at {0}, got something else (JSONDecodeError)"),
    "no data": (_Plane(200, "{}"), "expected the admin plane of a mock at {0}, got something else (KeyError)"),
    "a list": (_Plane(200, "[]"), "expected the admin plane of a mock at {0}, got something else (TypeError)"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_without_a_seed_is_one_sentence(name: str) -> None:
    """With the reason of a mock that refuses."""
    plane, message = ANSWERS[name]
    with serving(plane.app) as url, pytest.raises(CannotExport) as failed:
        fetch(url, "t", [])

    assert str(failed.value) == message.format(url)
    assert len(plane.came) == 1


@pytest.mark.parametrize(
    ("url", "got"),
    [
        ("http://127.0.0.1:9", "no answer (Connection refused); start one, or see --admin-url"),
        ("nonsense", "something else (ValueError)"),
        ("file:///etc/passwd", "something else (ValueError)"),
        ("http://", "something else (ValueError)"),
        ("http://localhost:x", "something else (InvalidURL)"),
    ],
)
def test_an_address_without_a_mock_is_one_sentence(url: str, got: str) -> None:
    """Nothing but HTTP is spoken."""
    with pytest.raises(CannotExport) as failed:
        fetch(url, "t0ken", [])

    assert str(failed.value) == f"expected the admin plane of a mock at {url}, got {got}"


def test_a_token_that_no_header_can_have_is_not_shown() -> None:
    """The message names the kind of the failure alone."""
    with pytest.raises(CannotExport, match=r"got something else \(ValueError\)"):
        fetch("http://127.0.0.1:9", "se\ncret", [])


def test_a_new_file_can_be_read_by_its_owner_alone_and_a_replaced_one_as_before(tmp_path: Path) -> None:
    """It has all of the seed behind a heading, and nothing else is left in its folder."""
    target = tmp_path / "seed.yaml"
    save(SEED, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.chmod(0o644)
    save({"template": {"seed": 7}}, target)

    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert target.read_text("utf-8").startswith(HEADING)
    assert read(target.read_bytes(), "f").value == {"template": {"seed": 7}}
    assert list(tmp_path.iterdir()) == [target]


def test_the_file_that_a_link_leads_to_is_replaced(tmp_path: Path) -> None:
    """The link stays."""
    target, link = tmp_path / "seed.yaml", tmp_path / "link.yaml"
    link.symlink_to(target)
    save(SEED, link)

    assert link.is_symlink()
    assert read(target.read_bytes(), "f").value == SEED


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """It is not replaced by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text("utf-8")))
    reader.start()
    save(SEED, pipe)
    reader.join(PATIENCE)

    assert got == [to_yaml(SEED)]
    assert pipe.is_fifo()


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Because there is no folder, or a folder stands in its place."""
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "no" / "seed.yaml", tmp_path / "folder"):
        with pytest.raises(CannotExport) as failed:
            save(SEED, target)
        assert str(failed.value).startswith(f"expected a file that can be written, got {target} (")

    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_a_seed_that_no_mock_would_read_again_is_refused() -> None:
    """By its bytes, of which a character may have several; by default by as many as a mock reads."""
    text = to_yaml({"a": "é" * 10})
    size = len(text.encode())

    assert to_yaml({"a": "é" * 10}, most=size) == text
    for most in (size - 1, len(text) - 1):
        with pytest.raises(CannotExport) as refused:
            to_yaml({"a": "é" * 10}, most=most)
        assert str(refused.value) == (
            f"expected a world of at most {most} bytes, which a mock can read again, got more; choose organisations with "
            "--organisation"
        )
    assert inspect.signature(to_yaml).parameters["most"].default == MAX_BYTES
