"""Directories of pages as a vendor may publish them one day: today's pages with a change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

UPSTREAM = Path(__file__).parents[1] / "spec" / "upstream"
INGRESS, MODACK, PUT = sorted(file.name for file in UPSTREAM.glob("*.txt"))

PEEK = """# Peek at an action

````yaml https://api.arklow.io/swagger/ui/json post /v1/peek
openapi: 3.1.0
info:
  title: Arklow
  description: Arklow's API
  version: 0.2.0
security:
  - apiKey: []
paths:
  /v1/peek:
    post:
      tags:
        - ingress
      operationId: peekIngressAction
      requestBody:
        required: true
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/IngressPeekRequest'
      responses:
        '200':
          description: The action as it is
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/IngressPeekResponse'
        '400':
          $ref: '#/components/responses/IngressBadRequest'
        '401':
          $ref: '#/components/responses/IngressUnauthorized'
        '404':
          $ref: '#/components/responses/IngressNotFound'
        '500':
          $ref: '#/components/responses/IngressInternalError'
      security:
        - apiKey: []
        - authorization: []
components:
  schemas:
    IngressPeekRequest:
      type: object
      required:
        - action_record_id
      properties:
        action_record_id:
          type: string
          pattern: ^[0-9]+$
    IngressPeekResponse:
      type: object
      required:
        - data
      properties:
        data:
          type: object
          required:
            - status
          properties:
            status:
              type: string
              enum:
                - queued
                - over
  securitySchemes:
    apiKey:
      type: apiKey
      name: x-arklow-auth
      in: header
    authorization:
      type: apiKey
      name: Authorization
      in: header
````
"""
"""A fourth page, of a newer release, which refers to components of the other pages."""

ACK = (
    PEEK.replace("peekIngressAction", "ackIngressAction")
    .replace("/v1/peek", "/v1/ack")
    .replace("schemas/IngressPeekResponse", "schemas/IngressSignalResponse")
    .replace(
        "        - action_record_id\n      prop", "        - action_record_id\n        - attempt\n      prop"
    )
    .replace(
        "          pattern: ^[0-9]+$\n    Ing",
        "          pattern: ^[0-9]+$\n        attempt:\n          type: integer\n          minimum: 0\n    Ing",
    )
    .replace(
        "        '500':",
        "        '409':\n          $ref: '#/components/responses/IngressConflict'\n        '500':",
    )
)
"""A page of an operation that only guides describe today."""

LANES = (
    PEEK.replace("peekIngressAction", "post_v1_orgs_by_org_id_lanes")
    .replace("/v1/peek", "/v1/orgs/{org_id}/lanes/{lane}")
    .replace(
        "      requestBody:",
        "      parameters:\n"
        "        - {name: org_id, in: path, required: true, schema: {type: string}}\n"
        "        - {name: lane, in: path, required: true, schema: {type: string, enum: [fast, slow]}}\n"
        "        - {name: size, in: query, required: true, schema: {type: integer, minimum: 3}}\n"
        "      requestBody:",
    )
    .replace("        '200':", "        '201':")
    .replace("        - authorization: []\ncomp", "comp")
    .replace("        '404':\n          $ref: '#/components/responses/IngressNotFound'\n", "")
)
"""A page of a new operation of the control plane, which lists no 404."""

OVERLAY = """overlay: 1.0.0
info: {title: What our staging does, version: 1.0.0}
actions:
  - target: $.paths['/v1/modack'].post.responses['200']
    update: {description: Taken}
  - target: $.components.schemas.IngressSignalResponse.properties.data
    update:
      required: [until]
      properties:
        until: {type: string, const: later}
"""
"""An overlay of a user: the answer to a modack has a member `until`."""


def pages(directory: Path) -> Path:
    """Make a directory of today's pages."""
    directory.mkdir()
    for page in UPSTREAM.glob("*.txt"):
        shutil.copy(page, directory)
    return directory


def edited(directory: Path, page: str, old: str, new: str) -> Path:
    """Make a directory of today's pages, and replace `old` by `new` wherever it stands in one of them."""
    file = pages(directory) / page
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    return directory


def operation_added(directory: Path) -> Path:
    """Add a fourth page."""
    (pages(directory) / "003_peek.md").write_text(PEEK, "utf-8")
    return directory


def ack_added(directory: Path) -> Path:
    """Add a fourth page, of an operation that our overlays add."""
    (pages(directory) / "003_ack.txt").write_text(ACK, "utf-8")
    return directory


def lanes_added(directory: Path) -> Path:
    """Add a fourth page, of the control plane."""
    (pages(directory) / "003_lanes.txt").write_text(LANES, "utf-8")
    return directory


def value_added(directory: Path) -> Path:
    """Allow another word than `ok` in the answer to a modack."""
    old = "              enum:\n                - ok\n"
    return edited(directory, MODACK, old, f"{old}                - scheduled\n")


def request_member_required(directory: Path) -> Path:
    """Require a member `region` of work."""
    old = "      required:\n        - payload\n      properties:\n"
    new = "      required:\n        - payload\n        - region\n      properties:\n        region:\n          type: string\n          enum: [eu, us]\n"
    return edited(directory, INGRESS, old, new)


def answer_member_required(directory: Path) -> Path:
    """Require a member `region` of the answer to work."""
    old = "            - a_ve\n          properties:\n"
    new = "            - a_ve\n            - region\n          properties:\n            region:\n              type: string\n              enum: [eu, us]\n"
    return edited(directory, INGRESS, old, new)


def operation_removed(directory: Path) -> Path:
    """Remove the page of modack."""
    (pages(directory) / MODACK).unlink()
    return directory


def overlay_added(directory: Path) -> Path:
    """Add an overlay of the user."""
    (pages(directory) / "overlays").mkdir()
    (directory / "overlays" / "staging.overlay.yaml").write_text(OVERLAY, "utf-8")
    return directory


CHANGES: dict[str, Callable[[Path], Path]] = {
    "an operation is added": operation_added,
    "a value is added to an enum": value_added,
    "a member of a request is made required": request_member_required,
    "a member of an answer is made required": answer_member_required,
    "an operation is removed": operation_removed,
}
"""What happened → how to make the pages after it."""
