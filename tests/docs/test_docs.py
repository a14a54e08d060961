# SPDX-License-Identifier: BSD-2-Clause
"""The checkers of the pages find errors. Small texts test each checker."""

import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from unittest import mock

import glossary
import links
import pictures
import symbols
import tables
import walks
from nova import doc_groups, doc_headers, doc_pages, doc_pictures, doc_rows, doc_search, docs

ROOT = Path(__file__).resolve().parents[2]
ROWS = """#define NOVA_X_ROWS(ROW) \\
        ROW(0x0, GOOD, "all, well") \\
        ROW(0x1, BAD, "not")
"""
ENUM = """enum nova_x {
#define NOVA_X_ENUM(number, name, text) NOVA_##name = number,
        NOVA_X_ROWS(NOVA_X_ENUM)
#undef NOVA_X_ENUM
};
"""


class Rows(unittest.TestCase):
    def test_cells_with_commas_and_without_quotes(self):
        found = doc_rows.tables(ROWS)
        rows = [["0x0", "GOOD", "all, well"], ["0x1", "BAD", "not"]]
        self.assertEqual(found["NOVA_X_ROWS"], rows)

    def test_the_tables_of_the_interface_are_found(self):
        folder = ROOT / "hypervisor/abi/nova/abi"
        found = doc_rows.read(folder / "hypercall.h", folder / "status.h", folder / "mtd.h")
        self.assertEqual(found["NOVA_HYPERCALL_ROWS"][0], ["0x0", "CALL", "call", "5.2.1"])
        self.assertEqual(len(found["NOVA_STATUS_ROWS"]), 11)
        self.assertEqual(found["NOVA_MTD_ROWS"][0], ["0", "ACDB", "ax, cx, dx, bx"])


class Pictures(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name) / "pictures"
        self.folder.mkdir()
        self.source = self.folder / "a.dot"
        self.source.write_text("digraph a { x -> y; }\n")

    def draw(self, name="a.dot"):
        mark = f"<!-- drawn from {name}, sha256 {doc_pictures.digest(self.source)} -->\n"
        body = '<svg xmlns="http://www.w3.org/2000/svg"><title>a</title></svg>\n'
        (self.folder / "a.svg").write_text(mark + body)

    def test_a_source_without_a_picture_is_found(self):
        self.assertIn("has no picture", doc_pictures.stale(self.folder)[0])

    def test_a_picture_is_good_until_its_source_changes(self):
        self.draw()
        self.assertEqual(doc_pictures.stale(self.folder), [])
        self.source.write_text("digraph a { y -> x; }\n")
        self.assertIn("differs from its source", doc_pictures.stale(self.folder)[0])

    def test_a_picture_of_another_source_is_found(self):
        self.draw("b.dot")
        self.assertEqual(len(doc_pictures.stale(self.folder)), 1)

    def test_pictures_are_well_formed_have_a_title_and_are_shown(self):
        self.draw()
        self.assertEqual(pictures.broken(self.folder), [])
        page = self.folder.parent / "page.md"
        page.write_text("![A](pictures/a.svg)\n")
        self.assertEqual(pictures.unused(self.folder, [page]), [])
        page.write_text("nothing\n")
        self.assertEqual(len(pictures.unused(self.folder, [page])), 1)
        (self.folder / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"></svg>')
        self.assertIn("has no title", pictures.broken(self.folder)[0])
        (self.folder / "a.svg").write_text("<svg><x></svg>")
        self.assertIn("is not well-formed", pictures.broken(self.folder)[0])


class Walks(unittest.TestCase):
    SOURCE = "int here(void);\n\nstatic int\nhere(void)\n{\n        there(1);\n}\n"

    def complaints(self, page):
        return walks.complaints("page", page, {"a.c": self.SOURCE}.get, {"here", "there"})

    def test_a_function_in_its_file_is_good(self):
        self.assertEqual(self.complaints("| `here` | `a.c` | runs |\n"), [])

    def test_a_call_or_a_declaration_is_not_a_definition(self):
        self.assertIn("not defined", self.complaints("| `there` | `a.c` | runs |\n")[0])

    def test_a_missing_file_and_an_unknown_name_are_found(self):
        self.assertIn("there is no", self.complaints("| `here` | `b.c` | runs |\n")[0])
        self.assertIn("not a name", self.complaints("`no_such_name` is called\n")[0])

    def test_a_stale_name_in_any_page_about_the_kernel_is_found(self):
        page = "`here()` calls `gone()` and `also_gone`, with `nova_` names and `x`\n"
        found = walks.unknown("page", page, {"here"})
        self.assertEqual([line.split()[-1] for line in found], ["also_gone", "gone"])

    def test_the_page_of_the_models_lists_each_fault(self):
        model = "// holds:\n// fails: PCID LATE -> deadlock\n// fails: EARLY -> not-used-freed\n"
        self.assertEqual(walks.wrong_faults("| `LATE` | a |\n| `EARLY` | b |\n", [model]), [])
        self.assertIn("LATE", walks.wrong_faults("| `EARLY` | b |\n", [model])[0])
        self.assertIn("GONE", walks.wrong_faults("| `GONE` | b |\n", ["// holds:\n"])[0])


class Glossary(unittest.TestCase):
    PAGE = (
        "| word | meaning | not |\n|---|---|---|\n| mapping | one (of the old) | mapping node |\n"
        "| handler | a thread | worker, boss (a person) |\n| pin | an input | – |\n"
    )

    def test_the_last_column_lists_the_avoided_words(self):
        self.assertEqual(glossary.avoided(self.PAGE), {"mapping node", "worker", "boss"})

    def test_an_avoided_word_is_found_in_pages_and_in_identifiers(self):
        with mock.patch.object(glossary, "OTHER_MEANING", {"worker"}):
            for text in ("Mapping nodes", "a mapping\n * node", "mapping_node_find();", "boss_of"):
                self.assertEqual(len(glossary.complaints(self.PAGE, {"a": text})), 1, text)
            for text in ("a mapping", "the worker", "embossed", "nodes of a mapping"):
                self.assertEqual(glossary.complaints(self.PAGE, {"a": text}), [], text)

    def test_an_exception_for_a_word_that_is_not_avoided_is_found(self):
        with mock.patch.object(glossary, "OTHER_MEANING", {"gone"}):
            self.assertIn("gone", glossary.complaints(self.PAGE, {})[0])


class Tables(unittest.TestCase):
    def test_a_table_is_written_between_its_comments(self):
        rows = {"NOVA_STATUS_ROWS": [["0x0", "GOOD", "fine"]]}
        text = tables.filled("a\n<!-- table: statuses -->\nold\n<!-- end of table -->\nb\n", rows)
        self.assertIn("| 0x0 | `NOVA_GOOD` | fine |\n<!-- end of table -->\nb\n", text)
        self.assertNotIn("old", text)

    def test_a_constant_is_computed_from_others(self):
        text = "#define A 0x10u /**< x */\n#define B ((nova_sel_t)1 << C)\n#define D (B - 1)\n"
        texts = [text, "#define C   (A - 12)\n"]
        self.assertEqual([tables.constant(texts, name) for name in "ABD"], [16, 16, 15])
        with self.assertRaises(KeyError):
            tables.constant(texts, "E")

    def test_the_table_of_limits_is_replaced(self):
        page = "a\n<!-- table: runtime_limits -->\nold\n<!-- end of table -->\nb\n"
        self.assertEqual(tables.limits_filled(page, "new\n"), page.replace("old", "new"))

    def test_a_property_that_is_not_explained_is_found(self):
        rows = {"NOVA_SYSTEM_PROPERTY_ROWS": [["A", "cpus", "cpus 1"], ["B", "uses", "uses x"]]}
        self.assertEqual(tables.unexplained("\n| `cpus 0` | what |\n", rows), ["uses"])


class Headers(unittest.TestCase):
    def test_enums_of_rows_are_written_out(self):
        text = doc_headers.convert(ROWS + ENUM, set())
        self.assertIn("NOVA_BAD = 0x1, /**< not */", text)

    def test_causes_of_exits_are_written_out(self):
        rows = '#define NOVA_VM_EXIT_ROWS(ROW) \\\n        ROW(HALT, "HLT", "waits")\n'
        enum = ("#define NOVA_VM_EXIT_ENUM(name, text, answer) NOVA_VM_EXIT_##name,\n"
                "        NOVA_VM_EXIT_ROWS(NOVA_VM_EXIT_ENUM)\n#undef NOVA_VM_EXIT_ENUM\n")
        text = doc_headers.convert(rows + enum, set())
        self.assertIn("NOVA_VM_EXIT_HALT, /**< HLT; the library waits */", text)

    def test_sections_become_links_to_what_there_is(self):
        known = {"spec_5_3_1", "spec_4"}
        text = doc_headers.link_sections("x @spec 5.3.1, 4.9, 7 */", known)
        self.assertEqual(text, 'x @spec @ref spec_5_3_1 "5.3.1", @ref spec_4 "4.9", 7 */')

    def test_private_macros_are_left_out(self):
        text = "#define NOVA_A \\\n        1\n#undef NOVA_A\n#define NOVA_B 2\n"
        self.assertNotIn("define NOVA_A", doc_headers.drop_private(text))
        self.assertIn("define NOVA_B", doc_headers.drop_private(text))

    def test_constants_share_the_comment_before_them(self):
        text = doc_headers.share_comments("/** Both. */\n#define NOVA_A 1\n#define NOVA_B 2\n")
        self.assertEqual(text, "/** Both. */\n#define NOVA_A 1\n/** Both. */\n#define NOVA_B 2\n")

    def test_the_comment_at_the_top_describes_the_file(self):
        text = "/* SPDX-License-Identifier: x */\n/* Its content. */\n"
        self.assertIn("/** @file\n * Its content. */", doc_headers.convert(text, set()))


    def test_all_symbols_of_a_listed_header_go_into_its_group(self):
        text = "/** @defgroup a A\n *\n * Text.\n * @par Headers\n * x/a.h,\n * x/b.h\n */\n"
        listed = doc_headers.groups(text + "/** @defgroup b B\n * x/c.h is not listed. */\n")
        self.assertEqual(listed, {"x/a.h": "a", "x/b.h": "a"})
        self.assertEqual(doc_headers.group_of("lib/include/x/b.h", listed), "a")
        self.assertIsNone(doc_headers.group_of("lib/include/xx/b.h", listed))
        text = doc_headers.convert("/* SPDX */\n/* Text. */\n#ifndef A_H\nint a;\n", set(), "a")
        self.assertRegex(text, r"(?s)@file.*@addtogroup a\n \*  @\{ \*/\n#ifndef.*/\*\* @\} \*/\n$")


class Search(unittest.TestCase):
    def entries(self, text):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a.xml").write_text(f"<doxygen>{text}</doxygen>", encoding="utf-8")
            return doc_search.entries(Path(folder))

    def test_sections_of_a_page_have_addresses_and_words(self):
        found = self.entries(
            '<compounddef id="manual_a" kind="page"><title>A</title><detaileddescription>'
            '<para>first</para><sect1 id="manual_a_1manual_a_b"><title>B</title>'
            "<para>second<sp/>word</para></sect1></detaileddescription></compounddef>"
        )
        self.assertEqual(found, [
            ("A", "page", "", "manual_a.html", "first"),
            ("B", "section", "A", "manual_a.html#manual_a_b", "second word"),
        ])

    def test_symbols_fields_and_constants_are_found(self):
        member = ('<memberdef kind="{}" id="{}"><name>{}</name><briefdescription><para>{}</para>'
                  "</briefdescription>{}</memberdef>")
        value = ('<enumvalue id="group__g_1gga3"><name>NOVA_X</name><briefdescription><para>x'
                 "</para></briefdescription></enumvalue>")
        found = self.entries(
            '<compounddef id="group__g" kind="group"><compoundname>g</compoundname><title>G</title>'
            + member.format("function", "group__g_1ga1", "nova_session_share", "Shares.", "")
            + member.format("enum", "group__g_1ga2", "nova_x", "Kinds.", value)
            + '</compounddef><compounddef id="structnova__s" kind="struct"><compoundname>nova_s'
            "</compoundname>" + member.format("variable", "structnova__s_1a9", "f", "field", "")
            + "</compounddef>"
        )
        for entry in (
            ("nova_session_share", "function", "G", "group__g.html#ga1", "Shares."),
            ("NOVA_X", "constant", "G", "group__g.html#gga3", "x"),
            ("nova_s.f", "field", "struct nova_s", "structnova__s.html#a9", "field"),
        ):
            self.assertIn(entry, [tuple(map(str.strip, one)) for one in found])

    def test_a_member_without_a_name_has_no_entry(self):
        found = self.entries(
            '<compounddef id="unionu" kind="union"><compoundname>nova_u</compoundname>'
            '<memberdef kind="variable" id="unionu_1a1"><name>@2</name></memberdef>'
            '<memberdef kind="variable" id="unionu_1a2"><name/></memberdef>'
            '<memberdef kind="enum" id="unionu_1a3"><name>@4</name><enumvalue id="unionu_1a4">'
            "<name>NOVA_X</name></enumvalue></memberdef></compounddef>"
        )
        self.assertEqual([entry[0] for entry in found], ["union nova_u", "NOVA_X"])

    def test_an_entry_without_an_anchor_leads_to_its_page(self):
        texts = {"a.html": '<a id="b"></a>'}
        for anchor, where in (("b", "a.html#b"), ("c", "a.html")):
            entry = ("T", "field", "", f"a.html#{anchor}", "")
            self.assertEqual(doc_search.reachable(entry, texts)[3], where)

    def test_a_structure_in_another_one_has_its_own_page(self):
        page = "structnova__s_1_1nova__t"
        self.assertEqual(doc_search.address(page, ""), f"{page}.html")
        self.assertEqual(doc_search.address(page, f"{page}_1a9"), f"{page}.html#a9")

    def test_every_page_gets_the_script_and_the_index_needs_no_server(self):
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder)
            for name in ("html", "xml"):
                (output / name).mkdir()
            (output / "html/a.html").write_text("<html><head></head></html>", encoding="utf-8")
            doc_search.add(output, docs.FOLDER)
            self.assertIn('src="search.js"></script>', (output / "html/a.html").read_text())
            index = (output / "html/search-index.js").read_text(encoding="utf-8")
            self.assertEqual(index, "novaSearchIndex = [];\n")
            script = (output / "html/search.js").read_text(encoding="utf-8")
        self.assertNotRegex(script, r"fetch\(|XMLHttpRequest|https?://")
        self.assertLessEqual(len(script.splitlines()), 200)

    def test_parts_of_names_and_words_of_the_manual_are_found(self):
        rows = [
            ["nova_session_share", "function", "Sessions", "a", "Shares memory."],
            ["nova_semaphore_up", "function", "Synchronisation", "b", "Increments a semaphore."],
            ["Donation", "section", "Scheduling", "c", "A call donates its scheduling context."],
        ]
        for words, names in (
            ("share", ["nova_session_share"]),
            ("MAPHORE", ["nova_semaphore_up"]),
            ("session_sh", ["nova_session_share"]),
            ("donates context", ["Donation"]),
            ("nova_", ["nova_semaphore_up", "nova_session_share"]),
            ("nothing", []),
            ("", []),
        ):
            with self.subTest(words=words):
                self.assertEqual(self.found(rows, words), names)

    def found(self, rows, words):
        """Returns the titles that search.js finds in ROWS."""
        script = (docs.FOLDER / "search.js").read_text(encoding="utf-8")
        script = script.replace("        begin();\n}());", "        return search;\n}())")
        program = f"globalThis.window = {{novaSearchIndex: {json.dumps(rows)}}};\n"
        program += f"const search = {script[script.index('(function'):]};\n"
        program += f"const names = search({json.dumps(words)}).found.map((entry) => entry[0]);\n"
        program += "console.log(JSON.stringify(names));"
        result = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
        return json.loads(result.stdout)


class Pages(unittest.TestCase):
    def convert(self, text, path="docs/a.md"):
        return doc_pages.Page(path, text, ["docs/a.md", "docs/b.md", "docs/index.md"]).convert()

    def test_links_become_references_and_code_stays(self):
        text = self.convert("See [b](b.md#some-place), `[x](y)`.\n```c\n# [b](b.md)\n```\n")
        self.assertIn('@ref b_some_place "b", ``[x](y)``.', text)
        self.assertIn("\n# [b](b.md)\n", text)

    def test_headings_get_the_names_that_links_use(self):
        self.assertIn("## Some place {#a_some_place}", self.convert("# A\n## Some place\n"))
        self.assertEqual(doc_pages.headings("# `x` y\n## Is it?\n## Is it?\n"),
                         ["x-y", "is-it", "is-it-1"])

    def test_the_index_gives_the_order(self):
        index = "# I\n[b](b.md)\n[a](a.md)\n[b](b.md#x)\n"
        found = doc_pages.in_order(index, ["docs/a.md", "docs/b.md", "docs/index.md", "docs/c.md"])
        self.assertEqual(found, ["docs/index.md", "docs/b.md", "docs/a.md", "docs/c.md"])

    def test_a_link_on_two_lines_is_a_link(self):
        text = "- See [the\n  page](b.md#x) and [y](z.md).\n"
        self.assertEqual(doc_pages.links(text), ["b.md#x", "z.md"])
        self.assertIn('- See \n  @ref b_x "the page" and', self.convert(text))

    def test_each_page_of_the_index_leads_to_the_next(self):
        index = "# I\n[b](b.md)\n[a](a.md)\n"
        titles = {"docs/index.md": "I", "docs/b.md": "B", "docs/a.md": "A", "docs/c.md": "C"}
        first, middle, last, other = (
            doc_pages.neighbours(f"docs/{name}.md", index, titles)
            for name in ("index", "b", "a", "c")
        )
        self.assertIn('@ref b "Next page: B →"', first)
        self.assertNotIn("←", first)
        self.assertIn('@ref mainpage "← I"\n@ref a "Next page: A →"', middle)
        self.assertIn('@ref b "← B"', last)
        self.assertNotIn("Next page", last)
        self.assertEqual(other, "")

    def test_every_page_of_the_manual_but_the_last_has_a_next_one(self):
        index = (ROOT / doc_pages.INDEX).read_text(encoding="utf-8")
        paths = docs.page_paths(ROOT)
        titles = {path: doc_pages.title(path, (ROOT / path).read_text()) for path in paths}
        without = [path for path in paths
                   if "Next page" not in doc_pages.neighbours(path, index, titles)]
        self.assertEqual(without, [doc_pages.in_order(index, paths)[-1]])

    GROUPS = "/** @defgroup a_b A & B\n * x\n */\n/** @defgroup c C\n *  @ingroup a_b\n */\n"

    def test_each_group_of_the_api_leads_to_the_next(self):
        order = doc_groups.in_order(self.GROUPS)
        self.assertEqual(order, [("a_b", "A & B"), ("c", "C")])
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for group in ("a__b", "c"):
                text = f"<p>{group}</p>\n{doc_groups.END}\n</html>\n"
                (folder / f"group__{group}.html").write_text(text)
            doc_groups.add(folder, self.GROUPS + "/** @defgroup gone G\n */\n")
            first = (folder / "group__a__b.html").read_text()
            self.assertIn('<a href="group__c.html">Next page: C →</a>\n</div>\n', first)
            self.assertNotIn("←", first)
            last = (folder / "group__c.html").read_text()
            self.assertIn('<a href="group__a__b.html">← A &amp; B</a>', last)

    def test_every_group_of_the_api_but_the_last_has_a_next_one(self):
        order = doc_groups.in_order(docs.GROUPS.read_text(encoding="utf-8"))
        self.assertGreater(len(order), 30)
        without = [
            name
            for number, (name, _) in enumerate(order)
            if "Next page" not in doc_groups.neighbours(number, order)
        ]
        self.assertEqual(without, [order[-1][0]])

    def test_pictures_of_two_folders_do_not_meet(self):
        text = self.convert("![x](pictures/a.svg) ![y](performance/a.svg)\n")
        self.assertIn("![x](pictures_a.svg) ![y](performance_a.svg)", text)

    def test_a_folders_page_stands_above_its_other_pages(self):
        text = "# K\n[x](x.md) [again](x.md) [a](../a.md)\n"
        pages = ["docs/k/README.md", "docs/k/x.md", "docs/a.md"]
        text = doc_pages.Page("docs/k/README.md", text, pages).convert()
        self.assertIn('@subpage k_x "x" @ref k_x "again" @ref a "a"', text)

    def test_nothing_in_the_text_is_a_command(self):
        self.assertIn("a \\#PF and", self.convert("a #PF and\n"))
        self.assertIn('<code>\\\\&quot;</code>', self.convert('a `\\"` and\n'))


class Links(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("README.md", "[i](docs/index.md)\n")

    def write(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def complaints(self):
        texts = links.pages(self.root)
        return links.broken(self.root, texts) + links.lost(texts) + links.undecided(texts)

    def test_good_links(self):
        self.write("docs/index.md", "# I\n[x](x.md#a-b) [s](#i) [w](https://a/b)\n")
        self.write("docs/x.md", "# X\n## A b\n")
        self.assertEqual(self.complaints(), [])

    def test_missing_files_headings_and_lost_pages(self):
        self.write("docs/index.md", "# I\n[x](x.md#a-c) [y](y.md) [o](../../o)\n")
        self.write("docs/x.md", "# X\n## A b\n")
        self.write("docs/lost.md", "# L\n")
        self.assertEqual(len(self.complaints()), 4, self.complaints())

    def test_decisions_that_stand_twice_or_nowhere(self):
        self.write("docs/index.md", "# I\n[d](kernel/decisions.md) decision 7, decision 8\n")
        self.write("docs/kernel/decisions.md", "# D\n7. **A.**\n9. **B.**\n9. **C.**\n")
        self.assertEqual(
            self.complaints(),
            ["docs/kernel/decisions.md: decision 9 occurs twice",
             "docs/index.md: there is no decision 8"])

    def test_links_in_code_do_not_count(self):
        self.write("docs/index.md", "# I\n`[y](y.md)`\n```\n[y](y.md)\n```\n")
        self.assertEqual(self.complaints(), [])


XML = """<memberdef kind="function" id="f"><type>{type}</type><name>nova_f</name>
<param><type>int</type><declname>x</declname></param>
<param><type>struct nova_utcb *</type><declname>utcb</declname></param>
<param><type>int *</type><declname>y</declname></param>
<briefdescription>{brief}</briefdescription><detaileddescription>{detail}</detaileddescription>
<location file="{file}" line="1"/></memberdef>"""
RETURN = '<simplesect kind="return"><para>it</para></simplesect>'


class Symbols(unittest.TestCase):
    def complaints(self, brief="", detail="", result="int", file="nova/x.h"):
        text = XML.format(brief=brief, detail=detail, type=result, file=file)
        return symbols.complaints(ElementTree.fromstring(text))

    def test_a_complete_description_has_no_complaint(self):
        self.assertEqual(self.complaints("Does with x, y.", RETURN), [])
        self.assertEqual(self.complaints("Does with x, y.", "", "void"), [])

    def test_each_missing_part_of_a_description_is_named(self):
        self.assertEqual(self.complaints(), ["it has no description"])
        lacks_x = ["nothing is said about parameter x"]
        self.assertEqual(self.complaints("Does y.", RETURN), lacks_x)
        lacks_return = ["nothing is said about what it returns"]
        self.assertEqual(self.complaints("Does with x, y."), lacks_return)
        self.assertEqual(self.complaints("Does with x, y.", RETURN, file="nova/hypercall.h"),
                         ["no section of the specification is named"])

    def test_symbols_without_a_group_are_found(self):
        form = '<memberdef kind="function" id="{0}"><name>nova_{0}</name>'
        form += '<location file="x" line="1"/></memberdef>'
        with tempfile.TemporaryDirectory() as folder:
            for name, kind, member in (("group__g", "group", "a"), ("x_8h", "file", "b")):
                (Path(folder) / f"{name}.xml").write_text(
                    f'<doxygen><compounddef id="{name}" kind="{kind}"><compoundname>{name}'
                    f"</compoundname>{form.format(member)}</compounddef></doxygen>"
                )
            self.assertEqual(symbols.homeless(folder), ["x:1: nova_b: it is in no group"])

    def test_headers_are_in_the_list_of_a_group(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "x").mkdir()
            (Path(folder) / "x/a.h").write_text("")
            found = symbols.unlisted(Path(folder), ["."], {"x/b.h": "g"})
        self.assertEqual(len(found), 2, found)

    def test_a_folder_of_public_headers_without_pages_is_found(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            for folder in ("libnova/include", "roottask/new/include", "roottask/empty/include"):
                (root / folder).mkdir(parents=True)
            (root / "libnova/include/a.h").write_text("")
            (root / "roottask/new/include/b.h").write_text("")
            found = symbols.left_out(root, ["libnova/include"])
        self.assertEqual([line.partition(":")[0] for line in found], ["roottask/new/include"])
        self.assertEqual(symbols.left_out(ROOT, docs.HEADERS), [])

    def test_errors_are_named(self):
        form = '<simplesect kind="return">0 or an errno value{}</simplesect>'
        lacks = ["which errno values it returns is not said"]
        self.assertEqual(self.complaints("Does with x, y.", form.format("")), lacks)
        self.assertEqual(self.complaints("Does with x, y.", form.format(": EBUSY")), [])
        listed = '<parameterlist kind="retval"><parameteritem>EBUSY</parameteritem></parameterlist>'
        self.assertEqual(self.complaints("Does with x, y.", form.format("") + listed), [])

    def test_fields_and_constants(self):
        for kind, name, count in (("define", "NOVA_X", 1), ("define", "NOVA_X_H", 0),
                                  ("variable", "field", 1), ("variable", "reserved", 0)):
            text = f'<memberdef kind="{kind}"><type>int</type><name>{name}</name></memberdef>'
            self.assertEqual(len(symbols.complaints(ElementTree.fromstring(text))), count, name)


if __name__ == "__main__":
    sys.exit(unittest.main())
