"""The OpenAPI document as the judge uses it.

- `document` loads it, and finds the operation that a request is for.
- `schemas` compiles its schemas with jsonschema-rs and lists where a value breaks one.
- `openapi_core` validates answers with openapi-core, as a cross-check of `schemas`.
- `diff` compares two documents.
"""
