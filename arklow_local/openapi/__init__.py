"""OpenAPI documents that several pages and overlays make up.

Both programs read the vendor's pages: the mock serves them with our overlays, the judge judges by them without.

- `pages` joins a directory of pages into one document.
- `overlays` reads OpenAPI overlays and applies them.
- `pointers` finds parts of a document.
- `document_text` reads and writes documents as text, and hashes them.
"""
