# SPDX-License-Identifier: BSD-2-Clause
"""Runs programs of the host, such as those that make disks and file systems."""

import os
import subprocess

from nova.errors import EXIT_USAGE, NovaError


def _search():
    """Returns the folders of programs, including the folders that only root's PATH contains."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def need(packages, makes, status=EXIT_USAGE):
    """Raises an error if a program is missing. PACKAGES is {program: its package in Debian}, MAKES
    the name of the programs' product."""
    import shutil  # which few boots need

    for program, package in packages.items():
        if not shutil.which(program, path=_search()):
            raise NovaError(
                f"{program}, which makes {makes}, is missing: apt-get install {package}.", status
            )


def output(command, sentence, folder=None, status=EXIT_USAGE):
    """Returns the output of COMMAND. If it fails, raises an error with SENTENCE and the reason."""
    try:
        result = subprocess.run(
            command, cwd=folder, env=os.environ | {"PATH": _search()}, stdin=subprocess.DEVNULL,
            capture_output=True, check=False,
        )
    except OSError as error:
        reason = f"{command[0]} cannot be started: {error.strerror}."
        raise NovaError(f"{sentence}: {reason}", status) from error
    if result.returncode:
        lines = result.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        worst = [line[3:] for line in lines if line.startswith("E: ")] or lines[-1:]
        raise NovaError(f"{sentence}: {worst[0]}", status)
    return result.stdout.decode("utf-8", "replace")
