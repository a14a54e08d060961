# SPDX-License-Identifier: BSD-2-Clause
"""Executes the commands of a page, one by one: `session.py ROOT PAGE NAME`.

The session's blocks run in one shell, which begins in an empty folder and stops at the first
command that fails; with NAME `-` each block of the page that stands alone has a shell and a folder
of its own. `nova` is on the PATH. If a block uses sdk/bin/nova, the folder has a link to sdk.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import blocks

LIMIT = 800
MARKER = "=== block {} ==="


def script(session):
    """Returns the input of the shell: the blocks in order, with markers that separate their
    outputs."""
    lines = ["set -e"]
    for number, block in enumerate(session):
        if block.language == "sh":
            lines += [f"echo '{MARKER.format(number)}'", block.text]
        elif block.words[2] == "file":
            lines += [f"cat > '{block.words[3]}' <<'END OF FILE'", block.text + "END OF FILE"]
    return "\n".join(lines) + "\n"


def outputs(text):
    """Returns {number of the block: its output}."""
    parts = re.split(r"^=== block (\d+) ===\n", text, flags=re.MULTILINE)
    return {int(number): part for number, part in zip(parts[1::2], parts[2::2])}


def holds(text, wanted):
    """Checks that the text contains the wanted lines in this order; others may be between them."""
    there = iter(line.strip() for line in text.splitlines())
    return all(line.strip() in there for line in wanted.splitlines() if line.strip())


def complaints(session, text):
    printed, found, last = outputs(text), [], ""
    for number, block in enumerate(session):
        if block.language == "sh":
            last = printed.get(number, "")
        elif block.words[2] == "output" and not holds(last, block.text):
            found.append(f"{block.where()}: the commands before it did not print this")
    return found


def run(root, session):
    """Runs a session. Returns complaints."""
    with tempfile.TemporaryDirectory(prefix="nova-session-") as folder:
        text = script(session)
        if "sdk/bin/nova" in text:
            (Path(folder) / "sdk").symlink_to(root / "sdk")
        path = f"{root / 'sdk/bin'}:{os.environ['PATH']}"
        try:
            result = subprocess.run(
                ["sh", "-c", text], cwd=folder, env=dict(os.environ, PATH=path, NOVA=str(root)),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", timeout=LIMIT, check=False,
            )
        except subprocess.TimeoutExpired as error:
            print((error.stdout or b"").decode("utf-8", "replace"))
            return [f"{session[0].where()}: not done after {LIMIT} s"]
    print(result.stdout)
    found = complaints(session, result.stdout)
    if result.returncode != 0:
        found.append(f"{session[0].where()}: the commands ended with {result.returncode}")
    return found


def main(root, page, name):
    found = blocks.of_tree(root)
    if name == "-":
        todo = [[block] for block in blocks.alone(found)[page]]
    else:
        todo = [blocks.sessions(found)[page, name]]
    bad = []
    for session in todo:
        bad += run(root, session)
    print("\n".join(bad))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
