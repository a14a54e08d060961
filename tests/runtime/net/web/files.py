# SPDX-License-Identifier: BSD-2-Clause
"""Fetches files from the example http-files: whole ones, several at once, missing ones, and ones
outside of the served folder."""
import hashlib
import http.client
import os
import random
import re
import subprocess
import urllib.parse

PORT = 80
PROBE = (b"GET /start HTTP/1.0\r\n\r\n", b"HTTP/1.1 404 ")
BIG_BYTES = 10 << 20
SMALL_BYTES = 300001
PARALLEL = 8
ODD = "a & b's 100% #1.txt"
OUTSIDE = ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/folder/../../secret.txt",
           "/folder/..%5c..%5csecret.txt", "/%2e%2e%2f%2e%2e%2fdata/secret.txt")


def make_files(folder):
    """Makes a disk with files. Returns the served files with their content."""
    random_bytes = random.Random(1).randbytes
    files = {"big.bin": random_bytes(BIG_BYTES), "small.bin": random_bytes(SMALL_BYTES),
             "hello.txt": b"hello\n", "empty.txt": b"", f"folder/{ODD}": b"odd\n"}
    disk = str(folder / "disk")
    tools = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    for command in (("mkfs.fat", "-C", disk, "20480"), ("mmd", "-i", disk, "::public"),
                    ("mmd", "-i", disk, "::public/folder")):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=tools)
    for name, content in {**{f"public/{name}": data for name, data in files.items()},
                          "secret.txt": b"secret\n"}.items():
        subprocess.run(("mcopy", "-i", disk, "-", f"::{name}"), check=True, input=content)
    return files


def curl(port, *arguments):
    """Returns the output of curl, whose last argument is a path."""
    *options, path = arguments
    result = subprocess.run(
        ("curl", "-s", "-S", "-m", "60", *options, f"http://127.0.0.1:{port}{path}"),
        stdout=subprocess.PIPE, check=False)
    return result.stdout


def same(name, content, files):
    """Returns sentences about a file that arrived with a wrong content."""
    if hashlib.sha256(content).digest() == hashlib.sha256(files[name]).digest():
        return []
    return [f"{name} has come with {len(content)} of {len(files[name])} bytes, or changed"]


def check_each(port, files):
    """Fetches each file, and its head."""
    wrong = []
    for name, content in files.items():
        path = "/" + urllib.parse.quote(name)
        wrong += same(name, curl(port, path), files)
        head = curl(port, "-I", path).decode()
        if not head.startswith("HTTP/1.1 200 OK\r\n") or not head.endswith("\r\n\r\n") or \
                f"\r\nContent-Length: {len(content)}\r\n" not in head:
            wrong.append(f"the head of {name} is {head!r}")
    return wrong


def check_missing(port):
    """Requests files that are missing or outside of the served folder."""
    wrong = []
    for path in ("/nothing", "/hello.txt/", "/hello.txt/nothing", "/folder/hello.txt", *OUTSIDE):
        answer = curl(port, "--path-as-is", "-w", "%{http_code}", path)
        if answer != b"404 Not Found\n404":
            wrong.append(f"{path} gives {answer!r}")
    return wrong


def check_lists(port, files):
    """Follows all links from the root."""
    wrong, found, todo = [], set(), ["/"]
    while todo:
        path = todo.pop()
        page = curl(port, path).decode()
        if "<h1>" not in page:
            return [f"the page of {path} is {page!r}"]
        for link in re.findall(r'href="([^"]*)"', page):
            (todo.append if link.endswith("/") else found.add)(link)
    names = {urllib.parse.unquote(link[1:]) for link in found}
    if names != set(files):
        wrong.append(f"the lists name {sorted(names)}")
    return wrong


def check_keep(port, files):
    """Sends several requests on one connection."""
    one = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    wrong, kept = [], None
    for name in ("hello.txt", "empty.txt", "small.bin", "nothing", "hello.txt"):
        one.request("GET", f"/{name}")
        kept = kept or one.sock
        answer = one.getresponse()
        content = answer.read()
        wrong += same(name, content, files) if name in files else []
        if answer.status != (200 if name in files else 404) or one.sock is not kept:
            wrong.append(f"{name} on an open connection has status {answer.status}, or ended it")
    one.close()
    return wrong


def check_parallel(port, files):
    """Downloads a file several times at once."""
    urls = [f"http://127.0.0.1:{port}/small.bin?{number}" for number in range(PARALLEL)]
    running = [subprocess.Popen(("curl", "-s", "-S", "-m", "60", url), stdout=subprocess.PIPE)
               for url in urls]
    contents = [one.communicate()[0] for one in running]
    return [sentence for content in contents for sentence in same("small.bin", content, files)]


def check(port, files):
    """Returns sentences about errors."""
    return (check_each(port, files) + check_missing(port) + check_lists(port, files) +
            check_keep(port, files) + check_parallel(port, files))
