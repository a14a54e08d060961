# SPDX-License-Identifier: BSD-2-Clause
"""Reads the page of the example status, as JSON and as HTML, and compares it with its system. If
the environment has NOVA_PICTURE, Chromium draws the page into this file, an SVG."""
import base64
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

PORT = 80
PROBE = (b"GET /start HTTP/1.0\r\n\r\n", b"HTTP/1.1 404 ")
# name: memory and kernel memory in KiB, CPUs as bits, priority, number of services
PROGRAMS = {"pci": (256, 256, 1, 64, 1), "virtio-net": (1024, 512, 1, 64, 1),
            "status": (4096, 1024, 3, 64, 0), "worker": (256, 128, 2, 10, 0)}
# client, service, provider, number of sessions opened
SESSIONS = [("virtio-net", "pci", "pci", 1), ("status", "virtio-net", "virtio-net", 1)]
LINES = ("status: http://10.0.2.15/\n", "init: worker ended with status 3 and starts again.\n")
WAIT_SECONDS = 30
WIDTH, HEIGHT = 1200, 740  # size of the picture


def fetch(port, path):
    """Returns a page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as page:
        return page.read().decode()


def read(port):
    """Returns the state of the machine, and its programs by name."""
    state = json.loads(fetch(port, "/status.json"))
    return state, {program["name"]: program for program in state["programs"]}


def check_programs(programs):
    """Compares the programs with the description."""
    wrong = []
    if list(programs) != list(PROGRAMS):
        return [f"the programs are {list(programs)}"]
    for name, expected in PROGRAMS.items():
        one = programs[name]
        found = (one["memory"] // 1024, one["kernel_limit"] // 1024, one["cpus"], one["priority"],
                 one["services"])
        if name == "worker" and one["state"] == "pauses":
            continue
        if one["state"] != "runs" or found != expected:
            wrong.append(f"{name} {one['state']}, and has {found} instead of {expected}")
        if not 0 < one["kernel_used"] <= one["kernel_limit"] or not one["threads"]:
            wrong.append(f"{name} uses nothing: {one}")
    return wrong


def check_rest(state, programs):
    """Compares sessions, log and load with the expected ones."""
    wrong = []
    sessions = [tuple(one[key] for key in ("client", "service", "provider", "opened"))
                for one in state["sessions"]]
    if sessions != SESSIONS:
        wrong.append(f"the sessions are {sessions}")
    for line in LINES:
        if line not in state["log"]:
            wrong.append(f"the log lacks {line!r}: {state['log']!r}")
    if [one["cpu"] for one in state["load"]] != [0, 1]:
        return [*wrong, f"the load is {state['load']}"]
    for one in state["load"]:
        if not 0 < one["idle_us"] < one["time_us"] or one["percent"] > 100:
            wrong.append(f"a CPU is idle for ever, or never: {one}")
    last = state["load"][1]
    if last["time_us"] - last["idle_us"] < programs["worker"]["time_us"] // 2:
        wrong.append(f"the worker computes on a CPU that is idle: {last}, {programs['worker']}")
    return wrong


def draw(port, file):
    """Draws the page into FILE."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(("chromium", "--headless", "--no-sandbox", "--disable-gpu",
                        "--hide-scrollbars", f"--user-data-dir={folder}/user",
                        f"--screenshot={folder}/page.png", f"--window-size={WIDTH},{HEIGHT}",
                        f"http://127.0.0.1:{port}/"), check=True, timeout=60)
        data = base64.b64encode(Path(folder, "page.png").read_bytes()).decode()
    Path(file).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}">\n<title>The page of the example status in a browser</title>\n'
        f'<image width="{WIDTH}" height="{HEIGHT}" href="data:image/png;base64,{data}"/>\n</svg>\n',
        encoding="utf-8")


def check(port, _):
    """Returns sentences about errors."""
    before, programs = read(port)
    wrong = check_programs(programs)
    if before["cpus"] != 2 or not 1000 < before["tsc_khz"] < 100000000:
        wrong.append(f"the machine is {before}")
    page = fetch(port, "/")
    for name in PROGRAMS:
        if f"<tr><td>{name}<td>" not in page:
            wrong.append(f"the page lacks {name}")
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        after, now = read(port)
        worker = now["worker"]
        if worker["restarts"] and worker["status"] == 3 and worker["time_us"] > 1000:
            break
        time.sleep(0.2)
    else:
        wrong.append(f"the worker is {worker}")
    wrong += check_rest(after, now)
    for part in ("<h2>Sessions</h2>", "<p>Load: CPU 0: ", "<th>provided by<", LINES[0]):
        if part not in page:
            wrong.append(f"the page lacks {part!r}")
    if after["time_ns"] <= before["time_ns"] or now["status"]["time_us"] == 0:
        wrong.append(f"time does not pass: {after}")
    if "NOVA_PICTURE" in os.environ:
        draw(port, os.environ["NOVA_PICTURE"])
    return wrong
