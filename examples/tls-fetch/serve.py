#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Serves a page over TLS: serve.py FOLDER [PORT].

Makes FOLDER/root.pem, a root certificate to be trusted, and a certificate for server.test that the
root has signed."""
import socket
import ssl
import subprocess
import sys
from pathlib import Path

PAGE = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nThis page came over TLS.\n"
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(folder, *words):
    """Runs openssl in the folder."""
    subprocess.run(["openssl", *words], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_root(folder, root="root"):
    """Makes a certificate that can sign others, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl(folder, "req", "-x509", *KEY, "-days", "30", "-subj", f"/CN=the {root} of a test",
            "-keyout", f"{root}.key", "-out", f"{root}.pem")


def make_certificate(folder, file, name="server.test", root="root", days=30):
    """Makes a certificate for a name, and its key, signed by a root."""
    (folder / f"{file}.ext").write_text(f"subjectAltName=DNS:{name}\n", encoding="utf-8")
    openssl(folder, "req", *KEY, "-subj", f"/CN={name}", "-keyout", f"{file}.key",
            "-out", f"{file}.csr")
    openssl(folder, "x509", "-req", "-in", f"{file}.csr", "-CA", f"{root}.pem", "-CAkey",
            f"{root}.key", "-CAcreateserial", "-days", str(days), "-extfile", f"{file}.ext",
            "-out", f"{file}.pem")


def answer(listener, folder, file):
    """Gives one client the page. Returns the client's request, or an error."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{file}.pem", folder / f"{file}.key")
    connection, _ = listener.accept()
    connection.settimeout(60)
    try:
        with context.wrap_socket(connection, server_side=True) as client:
            asked = client.recv(1000)
            client.sendall(PAGE)
            client.unwrap()
            return asked
    except OSError as error:
        return error


def main():
    """Serves until it is interrupted."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4433
    make_root(folder)
    make_certificate(folder, "server")
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"{folder}/root.pem is the certificate to be trusted; port {port} waits", flush=True)
        while True:
            print(answer(listener, folder, "server"), flush=True)


if __name__ == "__main__":
    main()
