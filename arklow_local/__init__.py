"""Arklow on your own machine: the one name under which a wheel has both programs and the OpenAPI document.

In a wheel, `mock_server`, `contracts` and `spec` are inside this package; in a clone they are the folders beside it.
"""

from pathlib import Path

_HERE = Path(__file__).parent
if not (_HERE / "spec").is_dir():
    __path__.append(str(_HERE.parent))

__version__ = "0.1.0"
WHEEL = f"arklow_local-{__version__}-py3-none-any.whl"
"""What is installed: a file, as the name may belong to another project in a registry."""
__all__ = ["WHEEL", "__version__"]
