"""A real OpenLDAP on loopback with a folder of its own: started, filled, stopped."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.build.ports import free_port

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
SCHEMA = Path("/etc/ldap/schema")
needs_slapd = pytest.mark.skipif(SLAPD is None or not SCHEMA.exists(), reason="needs slapd")

BASE = "dc=sekimachi,dc=example"
ROOT = f"cn=manager,{BASE}"
SECRET = "manager-himitsu"


def dn(uid: str) -> str:
    return f"uid={uid},ou=people,{BASE}"


def group(name: str) -> str:
    return f"cn={name},ou=groups,{BASE}"


_CONFIG = """
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
{tls}
database mdb
maxsize 67108864
suffix "{base}"
rootdn "{root}"
rootpw {secret}
directory {folder}/data
sizelimit size.soft=500 size.hard=500 size.pr=500 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn="{root}" read by * none
"""


def people(extra: str = "") -> str:
    """LDIF of a small town hall: an administrator, a head, two clerks, one of them disabled."""
    head = f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: sekimachi\no: Sekimachi\n\n"
    head += "".join(f"dn: ou={name},{BASE}\nobjectClass: organizationalUnit\nou: {name}\n\n" for name in ("people", "groups"))
    body = (
        person("yamada", "山田花子", ("情報政策課",)) + person("kacho", "課長太郎", ("税務課", "総務部"))
        + person("tanaka", "田中一郎", ("税務課",)) + person("taishoku", "退職済", ("税務課",), "employeeType: x\n")
    )  # fmt: skip
    groups = f"dn: {group('kanri')}\nobjectClass: groupOfNames\ncn: kanri\nmember: {dn('yamada')}\n\n"
    groups += f"dn: {group('kacho')}\nobjectClass: groupOfNames\ncn: kacho\nmember: {dn('kacho')}\n\n"
    return head + body + extra + groups


def person(uid: str, name: str, departments: tuple[str, ...], more: str = "") -> str:
    units = "".join(f"ou: {one}\n" for one in departments)
    return (
        f"dn: {dn(uid)}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {name}\nsn: {name}\ndisplayName: {name}\n"
        f"mail: {uid}@town.example.jp\n{units}{more}userPassword: {uid}-no-himitsu\n\n"
    )


def certificate(folder: Path) -> tuple[Path, str]:
    """A certificate for `localhost` that signed itself, and the lines of slapd.conf that use it."""
    key, at = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(at - dt.timedelta(days=1)).not_valid_after(at + dt.timedelta(days=1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    public, secret = folder / "slapd.crt", folder / "slapd.key"
    public.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return public, f"TLSCertificateFile {public}\nTLSCertificateKeyFile {secret}\nTLSCACertificateFile {public}"


@contextmanager
def running(folder: Path, ldif: str, *, tls: str = "", scheme: str = "ldap") -> Iterator[str]:
    """Its URL. `tls`: lines of slapd.conf."""
    assert SLAPD is not None
    (folder / "data").mkdir(parents=True)
    config = folder / "slapd.conf"
    config.write_text(_CONFIG.format(schema=SCHEMA, folder=folder, base=BASE, root=ROOT, secret=SECRET, tls=tls), "utf-8")
    (folder / "people.ldif").write_text(ldif, "utf-8")
    added = subprocess.run([SLAPD, "-T", "add", "-f", config, "-l", folder / "people.ldif"], capture_output=True, text=True, timeout=60, check=False)
    assert added.returncode == 0, added.stderr
    port = free_port()
    url = f"{scheme}://127.0.0.1:{port}"
    with (folder / "slapd.log").open("ab") as log:
        process = subprocess.Popen([SLAPD, "-f", config, "-h", f"{url}/", "-d", "0"], stdout=log, stderr=log)
    try:
        _wait(process, port, folder)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, (folder / "slapd.log").read_text("utf-8", "replace")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("slapd does not listen")
