"""A private certificate authority for tests of TLS, which start no process: its files stand in `certificates/`.

    python -m tests.contracts.authority

makes them anew. The keys protect nothing: they are made for these tests alone, and the names in the certificates are those
of this machine and one that cannot be looked up.
"""

from __future__ import annotations

import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

NAME = "deployment.invalid"
"""A host name that cannot be looked up: only the proxy knows where it is."""


@dataclass(frozen=True)
class Authority:
    """An authority, and the certificates that it has issued to a server and to a client."""

    directory: Path

    @property
    def ca(self) -> str:
        return str(self.directory / "ca.pem")

    @property
    def certificate(self) -> str:
        return str(self.directory / "client.pem")

    @property
    def key(self) -> str:
        return str(self.directory / "client.key")

    def serving(self, *, mutual: bool = False, certificate: str = "server") -> ssl.SSLContext:
        """Return the TLS context of a server with one of its certificates; `mutual`: only clients with one are served.

        `certificate`: `server`, `expired`, or `other`, which has the name of another server.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.ca)
        context.load_cert_chain(self.directory / f"{certificate}.pem", self.directory / f"{certificate}.key")
        context.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE
        return context


AUTHORITY = Authority(Path(__file__).parent / "certificates")
"""The one whose files stand beside this module."""


_SETTINGS = f"""
[ca]
default_ca = made
[made]
database = database
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
default_startdate = 20200101000000Z
default_enddate = 21200101000000Z
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
authorityKeyIdentifier = keyid
subjectAltName = DNS:{NAME}, DNS:localhost, IP:127.0.0.1
[other]
basicConstraints = CA:FALSE
authorityKeyIdentifier = keyid
subjectAltName = DNS:elsewhere.invalid
"""
"""Of OpenSSL. The certificates are valid for a hundred years, as tests must not fail on some day."""


def make(directory: Path) -> None:
    """Write the files of a new authority into a directory: certificates, their keys, and a key with a password.

    The key of the authority itself is not kept, so that it issues nothing more.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)

        def openssl(*words: str) -> None:
            subprocess.run(["openssl", *words], cwd=work, check=True, capture_output=True)

        (work / "settings").write_text(_SETTINGS)
        (work / "database").touch()
        (work / "serial").write_text("01\n")
        for who in ("ca", "server", "client", "expired", "other"):
            key = (
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                f"{who}.key",
            )
            openssl("req", *key, "-out", f"{who}.csr", "-subj", f"/CN={who}")
            signed = (
                ("-selfsign", "-keyfile", "ca.key")
                if who == "ca"
                else ("-cert", "ca.pem", "-keyfile", "ca.key")
            )
            extensions = {"ca": "authority", "other": "other"}.get(who, "leaf")
            until = ("-enddate", "20210101000000Z") if who == "expired" else ()
            asked = (
                "-in",
                f"{who}.csr",
                "-out",
                f"{who}.pem",
                "-notext",
                "-batch",
                "-extensions",
                extensions,
                *until,
            )
            openssl("ca", "-config", "settings", *signed, *asked)
        openssl("ec", "-aes128", "-passout", "pass:secret", "-in", "client.key", "-out", "locked.key")
        servers = [f"{who}.{kind}" for who in ("server", "expired", "other") for kind in ("pem", "key")]
        for file in ("ca.pem", *servers, "client.pem", "client.key", "locked.key"):
            (directory / file).write_bytes((work / file).read_bytes())


if __name__ == "__main__":
    AUTHORITY.directory.mkdir(exist_ok=True)
    make(AUTHORITY.directory)


__all__ = ["AUTHORITY", "NAME", "Authority", "make"]
