# SPDX-License-Identifier: BSD-2-Clause
"""The user's file into which a command writes an image."""

from pathlib import Path

from nova.errors import NovaError


def checked(name, remedy):
    """Returns the path NAME if it is a new file or a file that may be replaced. REMEDY is the
    advice for a path of another kind, such as a device."""
    if not name:
        raise NovaError("the name of the image is empty: name a file.")
    path = Path(name)
    if path.is_dir():
        raise NovaError(f"{name} is a folder: name a file in it for the image.")
    if path.exists() and not path.is_file():
        raise NovaError(f"{name} is not a file: {remedy}.")
    if not path.parent.is_dir():
        raise NovaError(f"there is no folder {path.parent} for the image: create it.")
    return path
