"""The seed file while the mock runs: it is looked at four times a second, and applied once a change has settled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_server.seeds.watcher import PAUSE
from mock_server.seeds.yaml_source import MAX_BYTES, BadSeed
from tests.api.asgi import World
from tests.corpus.still_loop import run_still
from tests.running_mock import JSON, RunningMock, mock_here
from tests.waiting import wait_until

V = "template:\n  definitions: [{variant: v}]\n"
VW = "template:\n  definitions: [{variant: v}, {variant: w}]\n"


class _Followed:
    """A mock with a seed file on a loop whose time is counted; what follows the file runs while `looks` waits."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.world = World(seed_file=file)
        self._began = 0.0
        self._looked = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[_Followed]:
        await self.world.app.read_seed()
        async with self.world.app.running():
            self._began = asyncio.get_running_loop().time()
            yield self

    async def looks(self, count: int = 2) -> list[str]:
        """Let the file be looked at so often, and return what the log says of it since the last time."""
        self._looked += count
        between = self._began + (self._looked + 0.5) * PAUSE
        await asyncio.sleep(between - asyncio.get_running_loop().time())
        said = [line for line in self.world.log if line.startswith("seed  ")]
        self.world.log.clear()
        return said

    async def status(self, variant: str, key: str = "org-42") -> int:
        """The status with which work for a variant is answered."""
        headers = {"x-arklow-auth": key} | JSON
        reply = await self.world._call("POST", f"/v1/ingress/{variant}", b'{"payload": 1}', headers)
        return reply.status


@pytest.fixture
def followed(tmp_path: Path) -> _Followed:
    """A mock with a file that defines v."""
    file = tmp_path / "seeds.yaml"
    file.write_text(V)
    return _Followed(file)


def _run(test: Coroutine[Any, Any, None]) -> bool:
    run_still(test)
    return True


def test_a_change_is_applied_once_two_looks_found_it_the_same(followed: _Followed) -> None:
    """SEED-8: half a second after it, and not again while nothing changes."""

    async def run() -> None:
        async with followed.running():
            assert (await followed.status("v"), await followed.status("w")) == (200, 400)
            followed.file.write_text(VW)
            assert await followed.looks(1) == []
            assert await followed.looks(1) == [
                "seed  seeds.yaml applied; organisations in use that changed: 1"
            ]
            assert (await followed.status("v"), await followed.status("w")) == (200, 200)
            assert await followed.looks(20) == []

    assert _run(run())


def test_a_file_that_is_still_written_is_not_read(followed: _Followed) -> None:
    """Each look finds another size; the last content is applied once."""

    async def run() -> None:
        async with followed.running():
            for length in range(1, 6):
                followed.file.write_text(VW + "#" * length)
                assert await followed.looks(1) == []
            assert len(await followed.looks(2)) == 1

    assert _run(run())


def test_the_same_content_is_not_applied_again(followed: _Followed) -> None:
    """A file that was only touched, or replaced by its like, changes nothing."""

    async def run() -> None:
        async with followed.running():
            new = followed.file.with_name("new.yaml")
            new.write_text(V)
            new.replace(followed.file)
            assert await followed.looks(4) == []

    assert _run(run())


def test_the_keys_of_the_file_change_with_it(followed: _Followed) -> None:
    """Those of the flags stay."""

    async def run() -> None:
        followed.file.write_text("keys: {one: 42}\n" + V)
        async with followed.running():
            assert [await followed.status("v", key) for key in ("one", "two", "dev-key")] == [200, 401, 200]
            followed.file.write_text("keys: {two: 42}\n" + V + "#")
            assert len(await followed.looks()) == 1
            assert [await followed.status("v", key) for key in ("one", "two", "dev-key")] == [401, 200, 200]

    assert _run(run())


def test_a_file_that_cannot_be_used_is_a_line_and_all_stays_as_it_was(followed: _Followed) -> None:
    """When the same is saved again, the log says so again."""

    async def run() -> None:
        async with followed.running():
            for blanks in range(2):
                followed.file.write_text(
                    "template:\n  definitions:\n  - {variant: x, alias: y}\n" + " " * blanks
                )
                [line] = await followed.looks()
                assert line == (
                    'seed  seeds.yaml line 3, template/definitions/0/alias: expected array, got "y"; all stays as it was'
                )
                assert (await followed.status("v"), await followed.status("x")) == (200, 400)

    assert _run(run())


def test_a_file_that_contradicts_organisations_in_use_is_a_line_with_its_place(followed: _Followed) -> None:
    """It is found when it is applied, and names the line all the same."""

    async def run() -> None:
        async with followed.running():
            assert await followed.status("v") == 200
            await followed.world.app.administration.reset("42", provision=False)
            followed.file.write_text(V + "  actions: [{variant: v, payload: 1}]\n")
            [line] = await followed.looks()
            assert line.startswith("seed  seeds.yaml line 3, template/actions/0/variant: ")
            assert line.endswith("; all stays as it was")

    assert _run(run())


def test_a_file_that_is_deleted_is_a_line_and_one_that_comes_back_is_applied(followed: _Followed) -> None:
    """Also with the content that it had; then there is nothing to apply."""

    async def run() -> None:
        async with followed.running():
            followed.file.unlink()
            assert await followed.looks() == [
                "seed  seeds.yaml: expected the file, got none; all stays as it is"
            ]
            assert await followed.looks(10) == []
            followed.file.write_text(VW)
            assert len(await followed.looks()) == 1
            assert await followed.status("w") == 200

    assert _run(run())


def test_a_clock_that_cannot_be_moved_is_a_line(followed: _Followed) -> None:
    """All else of the file is applied."""
    followed.file.write_text(V + "  clock: {mode: frozen, now: '2030-01-01T00:00:00Z'}\n")
    followed.world.app.administration.clock.most_due = 1

    async def run() -> None:
        async with followed.running():
            for _ in range(2):
                assert await followed.status("v") == 200
            followed.file.write_text(VW + "  clock: {mode: frozen, now: '2030-01-03T00:00:00Z'}\n")
            [line] = await followed.looks()
            assert line.startswith("seed  seeds.yaml applied, but for a clock: ")
            assert await followed.status("w") == 200

    assert _run(run())


def test_nothing_is_looked_at_after_the_end(followed: _Followed) -> None:
    """The task that follows the file ends with the mock."""

    async def run() -> None:
        async with followed.running():
            pass
        followed.file.write_text(VW)
        assert await followed.looks(10) == []
        assert len(asyncio.all_tasks()) == 1

    assert _run(run())


def test_not_much_more_is_read_than_a_seed_may_have(followed: _Followed) -> None:
    """A file of gigabytes is refused as one of a byte too many is."""
    followed.file.write_bytes(b"#" * (MAX_BYTES + 1))

    async def run() -> None:
        with pytest.raises(BadSeed, match=f"expected at most {MAX_BYTES} bytes, got more"):
            await followed.world.app.read_seed()

    assert _run(run())


def _key(running: RunningMock, key: str) -> int:
    headers = {"x-arklow-auth": key} | JSON
    return running.call("POST", "/v1/ingress/v", {"payload": 1}, headers=headers).status


@pytest.mark.slow
def test_a_file_is_followed_while_the_mock_runs(tmp_path: Path) -> None:
    """SEED-8: it is changed, broken, deleted and replaced; each is one line of the log, and the keys change too."""
    file = tmp_path / "seeds.yaml"
    file.write_text("keys: {one: 42}\ntemplate:\n  definitions: [{variant: v}]\n")

    with mock_here("--seed-file", str(file)) as running:
        assert [_key(running, key) for key in ("one", "two", "dev-key")] == [200, 401, 200]
        file.write_text("keys: {two: 42}\ntemplate:\n  definitions: [{variant: v}, {variant: w}]\n")
        running.line_with("seed  seeds.yaml applied; organisations in use that changed: 2")
        assert (_key(running, "one"), _key(running, "two"), running.accept("w").status) == (401, 200, 200)

        file.write_text("keys: {two: 42}\ntemplate:\n  definitions:\n  - {variant: x, alias: y}\n")
        line = running.line_with("all stays as it was")
        assert 'seeds.yaml line 4, template/definitions/0/alias: expected array, got "y"' in line
        assert (_key(running, "two"), running.accept("x").status) == (200, 400)

        file.unlink()
        running.line_with("expected the file, got none; all stays as it is")
        for variant in ("y", "z"):
            new = tmp_path / "new.yaml"
            new.write_text(f"template:\n  definitions:\n  - {{variant: x, alias: [{variant}]}}\n")
            new.replace(file)
            wait_until(lambda variant=variant: running.accept(variant).status == 200, "the new file")  # type: ignore[misc]
        assert running.call("GET", "/nowhere").status == 404
        running.line_with("/nowhere")
        logged = [line for line in running.lines if " seed  " in line]
        assert len(logged) == 5, logged
