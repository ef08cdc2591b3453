"""Install what is missing: system packages where rights allow, and a virtual environment from the lock file.

    python3 deploy/prepare.py [--test]

Does nothing when everything is there. Prints the exact command to type where it has no right to install.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
VENV = TOP / ".venv"
OLDEST = (3, 11)


def main() -> int:
    test = "--test" in sys.argv[1:]
    if sys.version_info < OLDEST:
        return _stop(f"CPython {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {sys.version.split()[0]}")
    if missing := [name for name in _packages(test=test) if not _installed(name)]:
        command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
        if not _install(command):
            return _stop("type this and try again:  sudo " + " ".join(command))
    return _environment(TOP / "deploy" / ("requirements-test.lock" if test else "requirements.lock"))


def _packages(*, test: bool) -> list[str]:
    rows = [line.split(maxsplit=2) for line in (TOP / "deploy" / "packages.txt").read_text("utf-8").splitlines()]
    wanted = ("run", "test") if test else ("run",)
    return [row[0] for row in rows if row and not row[0].startswith("#") and row[1] in wanted]


def _installed(package: str) -> bool:
    if package == "python3-venv" and (VENV / "bin" / "python").exists():
        return True
    if package == "python3-venv" and _has_ensurepip():
        return True
    if shutil.which("dpkg-query") is None:
        return True  # not a Debian system: its administrator knows better; imports will tell
    status = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status}", package], capture_output=True, text=True, check=False)
    return status.stdout == "installed"


def _has_ensurepip() -> bool:
    try:
        import ensurepip  # noqa: F401, PLC0415 - only whether it is there
    except ImportError:
        return False
    return True


def _install(command: list[str]) -> bool:
    if shutil.which("apt-get") is None:
        return False
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if rights and shutil.which("sudo") is None:
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    print("installing:", " ".join(command[4:]), flush=True)
    subprocess.run([*rights, "apt-get", "update", "-qq"], check=False, env=environment)
    return subprocess.run([*rights, *command, "-qq"], check=False, env=environment).returncode == 0


def _environment(lock: Path) -> int:
    """The stamp holds the digests of everything that decides what must be installed."""
    python = VENV / "bin" / "python"
    stamp = VENV / f".{lock.stem}"
    wanted = hashlib.sha256(lock.read_bytes() + (TOP / "pyproject.toml").read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return 0
    if not python.exists():
        print("creating the virtual environment", flush=True)
        venv.create(VENV, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for what in (["--require-hashes", "-r", str(lock)], ["--no-deps", "-e", str(TOP)]):
        done = subprocess.run([*pip, *what], check=False)
        if done.returncode != 0:
            return _stop("the Python packages could not be installed")
    _compile(python)
    stamp.write_text(wanted)
    return 0


def _compile(python: Path) -> None:
    """Where an account may not write byte code, or is told not to, every start would compile every library anew: seconds of it."""
    libraries = [str(folder) for folder in VENV.glob("lib/python*/site-packages")]
    rooms = [str(TOP / room) for room in ("gateway", "sanitizers", "mail")]
    subprocess.run([str(python), "-m", "compileall", "-q", "-j", "0", *libraries, *rooms], check=False, stdout=subprocess.DEVNULL)


def _stop(why: str) -> int:
    print("prepare:", why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
