# SPDX-License-Identifier: BSD-2-Clause
"""`nova docs`: the manual and the interface as HTML, made by Doxygen."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from nova import (
    build,
    doc_groups,
    doc_headers,
    doc_pages,
    doc_pictures,
    doc_search,
    options,
    process,
    tree,
)
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError

FOLDER = tree.ROOT / "docs" / "doxygen"
GROUPS = FOLDER / "groups.dox"
THEME = Path("/usr/share/doxygen-awesome-css")
OUTPUT = tree.ROOT / "build" / "docs"
HEADERS = (
    "hypervisor/abi",
    "libnova/include",
    "roottask/include",
    "roottask/novanet/include",
    "roottask/novatls/include",
    "roottask/vmm/include",
)
PICTURES = ("docs/performance", "docs/pictures")
STATEMENTS = tree.ROOT / "tests" / "conformance" / "spec-statements.tsv"

DESCRIPTION = """\
Makes the manual and the descriptions of all public headers as HTML, and prints
the path of the first page. Complaints of Doxygen end the command with status 1.
An installed SDK contains the HTML already."""


def add_parser(commands):
    parser = commands.add_parser(
        "docs",
        prog="nova docs",
        help="make the manual as HTML",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova docs [OPTION…]",
    )
    parser.add_argument("--output", metavar="FOLDER", help="output folder (build/docs)")
    parser.add_argument(
        "--pictures", action="store_true", help="draw docs/pictures again instead"
    )
    parser.set_defaults(function=run)


def page_paths(root):
    """Returns the pages of the manual, relative to the tree: those in docs except some README.md,
    and two at the top of the tree."""
    found = [path.relative_to(root).as_posix() for path in sorted(root.glob("docs/**/*.md"))]
    short = {f"docs/{name}README.md" for name in ("", "manual/", "doxygen/", "pictures/")}
    return [path for path in found if path not in short] + ["README.md", "CHANGELOG.md"]


def sections():
    """Returns {statement of the specification: its section}."""
    if not STATEMENTS.exists():
        return {}
    lines = STATEMENTS.read_text(encoding="utf-8").splitlines()[1:]
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines if line.strip()}


def write_pages(root, folder):
    """Converts all pages. Returns their files in order and the anchors for headers."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    index = (root / doc_pages.INDEX).read_text(encoding="utf-8")
    paths = doc_pages.in_order(index, page_paths(root))
    texts = {path: (root / path).read_text(encoding="utf-8") for path in paths}
    titles = {path: doc_pages.title(path, text) for path, text in texts.items()}
    anchors, files = set(), []
    for path, text in texts.items():
        page = doc_pages.Page(path, text, paths, sections() if "spec-map" in path else {})
        converted = page.convert() + doc_pages.neighbours(path, index, titles)
        anchors |= page.anchors
        files.append(folder / f"{doc_pages.page_id(path)}.md")
        files[-1].write_text(converted, encoding="utf-8")
    return files, anchors


def copy_pictures(root, folder):
    """Copies the pictures to FOLDER, under unique names: two folders may use the same name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in PICTURES:
        for picture in sorted((root / name).glob("*.svg")):
            path = picture.relative_to(root).as_posix()
            shutil.copyfile(picture, folder / doc_pages.picture_name(path))


def settings(root, output, pages, anchors):
    """Returns the settings that the checked-in Doxyfile cannot contain."""
    script = Path(doc_headers.__file__)
    headers = [name for name in HEADERS if (root / name).exists()]
    values = {
        "PROJECT_NUMBER": tree.version(),
        "OUTPUT_DIRECTORY": output,
        "INPUT": " ".join(f'"{part}"' for part in [*pages, GROUPS, *headers]),
        "IMAGE_PATH": f'"{output / "pictures"}"',
        "LAYOUT_FILE": f'"{FOLDER / "layout.xml"}"',
        "STRIP_FROM_PATH": " ".join(f'"{part}"' for part in [*headers, output / "pages", root]),
        "STRIP_FROM_INC_PATH": " ".join(f'"{part}"' for part in headers),
        "INCLUDE_PATH": " ".join(headers),
        "FILTER_PATTERNS": f'"*.h=python3 -B \\"{script}\\" \\"{anchors}\\" \\"{GROUPS}\\""',
        "HTML_EXTRA_STYLESHEET": f"{THEME}/doxygen-awesome.css "
        f"{THEME}/doxygen-awesome-sidebar-only.css {FOLDER}/nova.css",
        "WARN_LOGFILE": output / "warnings",
    }
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def doxygen(root, output):
    """Runs Doxygen. Returns its complaints, one per line."""
    if not shutil.which("doxygen"):
        raise NovaError("doxygen is missing: apt-get install doxygen.")
    if not THEME.exists():
        raise NovaError("the style of the pages is missing: apt-get install doxygen-awesome-css.")
    pages, known = write_pages(root, output / "pages")
    copy_pictures(root, output / "pictures")
    anchors = output / "anchors"
    anchors.write_text("\n".join(sorted(known)) + "\n", encoding="utf-8")
    for kind in ("html", "xml"):
        shutil.rmtree(output / kind, ignore_errors=True)
    warnings = output / "warnings"
    warnings.unlink(missing_ok=True)
    text = (FOLDER / "Doxyfile").read_text(encoding="utf-8")
    text += settings(root, output, pages, anchors)
    result = subprocess.run(
        ["doxygen", "-"],
        cwd=root,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ, LC_ALL="C.UTF-8"),
        check=False,
    )
    complaints = warnings.read_text(encoding="utf-8").splitlines() if warnings.exists() else []
    if result.returncode != 0 and not complaints:
        complaints = result.stdout.splitlines()[-5:]
    if (output / "html/index.html").exists():
        doc_groups.add(output / "html", GROUPS.read_text(encoding="utf-8"))
        doc_search.add(output, FOLDER)
    return [re.sub(re.escape(f"{root}/"), "", line) for line in complaints]


def _inputs(root):
    folders = [root / name for name in ("docs", *HEADERS)]
    yield from (path for folder in folders for path in folder.rglob("*") if path.is_file())
    yield from Path(__file__).parent.glob("doc*.py")
    yield from (root / "README.md", root / "CHANGELOG.md", STATEMENTS)


def ensure():
    """Updates the manual in build/docs. Defects do not stop an installation; `nova docs` reports
    them."""
    page = OUTPUT / "html" / "index.html"
    with build.alone(OUTPUT):
        if page.exists():
            made = page.stat().st_mtime
            if all(path.stat().st_mtime <= made for path in _inputs(tree.ROOT) if path.exists()):
                return
        build.say("making the manual")
        doxygen(tree.ROOT, OUTPUT)
        if not page.exists():
            raise NovaError("the manual was not built: run nova docs for the reason.", EXIT_FAILED)


def run(args):
    if args.pictures:
        print(f"{doc_pictures.draw()} pictures drawn in {doc_pictures.FOLDER}")
        return EXIT_OK
    process.die_with_parent()
    output = Path(args.output).resolve() if args.output else OUTPUT
    output.mkdir(parents=True, exist_ok=True)
    build.say("making the manual")
    complaints = doxygen(tree.ROOT, output)
    for line in complaints:
        print(line, file=sys.stderr)
    if complaints:
        raise NovaError(f"the manual has {len(complaints)} defects, see above.", EXIT_FAILED)
    print(output / "html" / "index.html")
    return EXIT_OK
