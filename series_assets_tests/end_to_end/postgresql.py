"""A PostgreSQL server for one test, from the system's programs."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

HOW_TO_INSTALL = "no PostgreSQL is found; on Debian or Ubuntu: apt-get install postgresql"
_DEBIAN = Path("/usr/lib/postgresql")  # Debian does not put the server's programs on the PATH
_PROGRAMS = ("initdb", "pg_isready", "postgres")
_ROOT_MAY_NOT = "postgres"
"""The user of Debian's package: the server refuses to run as root."""


def find_postgresql() -> Path | None:
    """Return the folder of the server's programs; None if there is none."""
    newest_first = sorted(_DEBIAN.glob("*/bin"), key=lambda path: -int(path.parent.name))
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    for folder in (*newest_first, *on_path):
        if all((folder / program).exists() for program in _PROGRAMS):
            return folder
    return None


@contextlib.contextmanager
def postgresql(programs: Path) -> Iterator[str]:
    """Run a server that listens on a Unix socket only, and yield the URL of its database."""
    user = _ROOT_MAY_NOT if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(
        prefix="pg"
    ) as name:  # short, because paths of sockets must be
        folder = Path(name)
        if user:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "dagster", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
        )
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
                user=user,
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            subprocess.run(
                [
                    "sh",
                    "-c",
                    'for n in $(seq 60); do "$0" -q -h "$1" && exit; sleep 0.5; done; exit 1',
                    programs / "pg_isready",
                    folder,
                ],
                check=True,
            )
            yield f"postgresql+psycopg2://dagster@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)  # which ends connections; SIGTERM waits for them
            server.wait(30)
