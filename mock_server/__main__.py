"""Makes `python -m mock_server` the command `arklow-mock`."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
