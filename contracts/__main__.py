"""`python -m contracts` is `arklow-contracts`."""

from .cli import main

raise SystemExit(main())
