"""Requests made by rules: from a schema, from a catalogue, and as sequences of calls.

Nothing here sends a request or knows the judge; the same input gives the same requests in the same order.

- `examples` makes a value that satisfies a schema.
- `invalid_bodies` makes bodies that break one keyword of a schema; `invalid_values` has the values, `validity` checks them.
- `corpus` is a catalogue of requests that no schema describes: odd bytes, headers, sizes, URLs.
- `strategies` has Hypothesis strategies for sequences of calls.
"""
