"""A mock in this process that a seed file provisions, on a manual clock."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from arklow_local.formats.yaml_writer import write
from mock_server.domain.seeds import SeedPlan
from mock_server.schemas import DocumentSchemas
from mock_server.seeds.plans import load
from mock_server.seeds.writer import export_seed
from mock_server.seeds.yaml_source import BadSeed
from mock_server.services.payloads import PayloadSchemas
from tests.api.asgi import World
from tests.pools import PoolHere

NOON = "2030-01-01T12:00:00Z"
FROZEN = {"mode": "frozen", "now": NOON}
ORDER = {
    "variant": "order",
    "schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
}


def loaded(text: str, *, keys: dict[str, str] | None = None, strict: bool = False) -> SeedPlan:
    """The plan of a file."""
    schemas = PayloadSchemas(PoolHere())
    return asyncio.run(
        load(text.encode(), "seeds.yaml", schemas=schemas, keys=keys or {}, strict=strict)
    ).plan


def complaint(text: str, **options: Any) -> str:
    """The message with which a file is refused."""
    try:
        loaded(text, **options)
    except BadSeed as error:
        return str(error)
    raise AssertionError("the file was not refused")


class Seeded(World):
    """A mock whose seed file is given as a value or as text."""

    def __init__(self, seed: Any = None, **settings: Any) -> None:
        super().__init__(**settings)
        if seed is not None:
            self.seed(seed)

    def seed(self, seed: Any) -> list[str]:
        """Apply a seed file, and return the ids of the organisations in use that it changed."""
        text = seed if isinstance(seed, str) else write(seed)
        changed: list[str] = self.on_loop(self.app.administration.apply_seed_plan(loaded(text)))
        return changed

    def export(self, *org_ids: str) -> str:
        """These organisations, or all, as the text of a seed file."""

        async def exported() -> Any:
            administration = self.app.administration
            return await export_seed(administration.seed_plan(), await administration.views(org_ids), org_ids)

        import orjson

        return write(orjson.loads(orjson.dumps(self.on_loop(exported()))))

    def records(self, org: str = "42") -> list[Any]:
        """All actions of an organisation with their events, oldest first."""
        path = f"/v1/orgs/{org}/actions/records"
        found = self.call("GET", f"{path}?asc=true&take=50", key=f"org-{org}").json["data"]["items"]
        return [self.record(item["id"], key=f"org-{org}", org=org) for item in found]

    def shape(self, org: str = "42") -> list[tuple[str, int]]:
        """Status and attempt of each action."""
        return [(record["state"]["status"], record["state"]["attempt"]) for record in self.records(org)]


def schema_of(path: Path) -> DocumentSchemas:
    """The validators of a JSON Schema in a file."""
    import json

    return DocumentSchemas(json.loads(path.read_text("utf-8")))
