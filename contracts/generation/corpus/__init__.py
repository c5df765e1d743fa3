"""The corpus: a catalogue of requests that no schema describes.

Schemas speak of values; these requests differ in bytes, encodings, headers, sizes, URLs and methods. `catalogue` has them all
in order, `probe` says what one is; the other modules have the tables of each kind.
"""
