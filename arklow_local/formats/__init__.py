"""The one door to JSON and the one door to YAML, for both programs.

- `strict_json` reads JSON: `parse` takes only what every reader understands alike, `read` tells whether a text is JSON at all.
- `json_values` writes JSON and compares values as JSON.
- `yaml_reader` and `yaml_writer` read and write YAML.
- `files` reads a file within bounds.
- `excerpts` shortens texts, so that they may stand in a message.
"""
