"""Everything at once: requests of all kinds in an order that a seed chooses."""

from __future__ import annotations

import json

from tests.corpus.scenes.administration import COMMANDS
from tests.corpus.scenes.hostile import ODD, PATHS, SEGMENTS, TEXTS, TYPES
from tests.corpus.scenes.malformed import KEYS, METHODS
from tests.corpus.scenes.session import NOTHING, Scene, Session
from tests.corpus.scenes.values import BODIES, OTHER_VALUES, PAYLOADS, SCHEMAS, members, replaced
from tests.corpus.steps import Plan


def mixed(session: Session) -> None:
    """Send some hundred requests, one in three of them good."""
    chance = session.random
    session.freeze()
    known = ["1"]
    for _ in range(450):
        match chance.randrange(9):
            case 0 | 1:
                session.put(chance.choice("vw"), schema=chance.choice(SCHEMAS), alias=chance.sample("abc", 2))
            case 2 | 3:
                known.append(session.post(chance.choice("vwabc"), payload=chance.choice(PAYLOADS)) or "2")
            case 4:
                session.signal(
                    chance.choice(("ack", "nack", "defer", "modack")), chance.choice(known[-9:]), 0, mod_ack=9
                )
            case 5:
                method, target, good = BODIES[chance.choice(list(BODIES))]
                place = chance.choice(members(good))
                body = json.dumps(replaced(good, place, chance.choice(OTHER_VALUES))).encode()
                session.api(method, target, body, headers=chance.choice(ODD[:12]))
            case 6:
                method, target, _ = BODIES[chance.choice(list(BODIES))]
                key = (("x-arklow-auth", chance.choice(("org-42", *KEYS[3:6]))),)
                session.api(
                    method, target, chance.choice(TEXTS), headers=(*key, *chance.choice(TYPES)), plain=False
                )
            case 7:
                path = chance.choice((chance.choice(PATHS), f"/v1/ingress/{chance.choice(SEGMENTS)}"))
                session.api(chance.choice(METHODS), path, {"payload": 1}, key=chance.choice(KEYS))
            case _:
                method, path, body = chance.choice(COMMANDS)
                if "tail" not in path:
                    session.admin(method, path, body)
                session.advance(chance.choice((0, 1, 61)))
    session.records("?take=50")
    session.api("GET", "/v1/orgs/42/actions/records", NOTHING, key=None)
    session.journal()


SCENES: tuple[Scene, ...] = tuple(
    (Plan(f"mixed {number}", {"auto_define": number == 2, "raw_bodies": number == 3}), mixed)
    for number in (1, 2, 3)
)
