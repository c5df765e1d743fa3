"""`python -m mock_server` is `arklow-mock`."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
