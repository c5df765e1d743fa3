"""Draw serve.svg from a real run: `python docs/images/make.py`."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REFUSED = """curl -s localhost:3125/v1/ingress/order.created -H 'x-arklow-auth: org-42' \\
  -H 'content-type: application/json' -d '{"payload":{"id":"8471"}}'"""


def main() -> None:
    """Serve on the default ports, run the README's calls and one that is refused, draw what was printed."""
    calls = re.findall(r"```sh\n(curl.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)[0]
    command = Path(sys.executable).parent / "arklow-mock"
    with subprocess.Popen([command], stdout=subprocess.PIPE, text=True) as mock:
        time.sleep(2)
        subprocess.run(["bash", "-euc", f"{calls}\n{REFUSED}"], check=True, stdout=subprocess.DEVNULL)
        time.sleep(1)
        mock.terminate()
        assert mock.stdout is not None
        printed = mock.stdout.read()
    console = Console(record=True, width=124, file=Path("/dev/null").open("w"))  # noqa: SIM115
    console.print("$ make run", highlight=False)
    for line in printed.splitlines():
        style = "red" if re.match(r"\S+ [45]", line) else ""
        console.print(line, style=style, highlight=False, markup=False)
    svg = console.export_svg(title="arklow-mock", theme=MONOKAI)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "ui-monospace")
    (HERE / "serve.svg").write_text(re.sub(r"<!--.*?-->\s*", "", svg))


if __name__ == "__main__":
    main()
