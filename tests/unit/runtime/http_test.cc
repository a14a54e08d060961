/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of HTTP, and texts in pages. */
extern "C" {
#include "novanet/http.h"
}

#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace
{

const std::string end = "Host: a\r\n\r\n";

struct http : testing::Test {
        nova_http_request request = {};

        unsigned read(const std::string &text)
        {
                /* the sanitizer sees a read beyond the end */
                const std::unique_ptr<char[]> copy(new char[text.size()]);

                text.copy(copy.get(), text.size());
                return nova_http_read(&request, copy.get(), text.size());
        }

        unsigned get(const std::string &target)
        {
                return read("GET " + target + " HTTP/1.1\r\n" + end);
        }

        /* Returns the path of a target, or the status in angle brackets. */
        std::string path(const std::string &target)
        {
                const unsigned status = get(target);

                return status == 200 ? request.path : "<" + std::to_string(status) + ">";
        }

        unsigned field(const std::string &line)
        {
                return read("GET / HTTP/1.1\r\n" + line + "\r\n" + end);
        }
};

template <void (*write)(FILE *, const char *)> std::string written(const std::string &text)
{
        char *result = nullptr;
        size_t bytes = 0;
        FILE *to = open_memstream(&result, &bytes);

        write(to, text.c_str());
        fclose(to);
        const std::string copy(result, bytes);
        free(result);
        return copy;
}

TEST_F(http, a_request_is_complete_with_its_empty_line)
{
        const std::string text = "GET /a HTTP/1.1\r\n" + end;

        for (size_t bytes = 0; bytes < text.size(); bytes++)
                EXPECT_EQ(read(text.substr(0, bytes)), 0U) << bytes;
        EXPECT_EQ(read(text + "GET /b HTTP/1.1\r\n"), 200U);
        EXPECT_EQ(request.bytes, text.size());
        EXPECT_STREQ(request.path, "/a");
        EXPECT_FALSE(request.head);
        EXPECT_TRUE(request.keep);
}

TEST_F(http, lines_may_end_without_a_carriage_return)
{
        EXPECT_EQ(read("HEAD / HTTP/1.1\nHost:a\n\n"), 200U);
        EXPECT_TRUE(request.head);
}

TEST_F(http, empty_lines_before_a_request_are_ignored)
{
        EXPECT_EQ(read("\r\n\nGET / HTTP/1.1\r\n" + end), 200U);
        EXPECT_EQ(read("\r\n\r\n"), 0U);
}

TEST_F(http, a_path_stays_below_the_root)
{
        EXPECT_EQ(path("/"), "/");
        EXPECT_EQ(path("/.."), "/");
        EXPECT_EQ(path("/../../a"), "/a");
        EXPECT_EQ(path("/a/../../b"), "/b");
        EXPECT_EQ(path("/a/./b//c/../d"), "/a/b/d");
        EXPECT_EQ(path("/%2e%2e/a"), "/a");
        EXPECT_EQ(path("/b/..%2f..%2fa"), "/a");
        EXPECT_EQ(path("/.../..a/.b/a..b"), "/.../..a/.b/a..b");
}

TEST_F(http, a_slash_at_the_end_means_a_folder)
{
        for (const char *folder : {"/", "/a/", "/a/.", "/a/b/..", "//", "/a%2F"}) {
                EXPECT_EQ(get(folder), 200U);
                EXPECT_TRUE(request.folder) << folder;
        }
        for (const char *file : {"/a", "/a/b", "/../a", "/a/..b", "/.a"}) {
                EXPECT_EQ(get(file), 200U);
                EXPECT_FALSE(request.folder) << file;
        }
}

TEST_F(http, a_path_is_decoded_once_and_has_no_query)
{
        EXPECT_EQ(path("/a%20b%C3%a4?c=/../d%20"), "/a b\xc3\xa4");
        EXPECT_EQ(path("/%2541"), "/%41");
        EXPECT_EQ(path("/a?"), "/a");
}

TEST_F(http, characters_that_a_target_cannot_have)
{
        for (const char *target : {"", "a", "?a", "*", "/%", "/%4", "/%4g", "/%00", "/%0a", "/%7f",
                                   "/a#b", "/\xc3\xa4", "/a?b#c", "/a?%", "/a b"})
                EXPECT_EQ(path(target), "<400>") << target;
}

TEST_F(http, an_absolute_target_names_a_machine_first)
{
        EXPECT_EQ(path("http://a:80/b"), "/b");
        EXPECT_EQ(path("HTTP://a"), "/");
        EXPECT_EQ(path("http://a?b/c"), "/");
        EXPECT_EQ(path("http://"), "<400>");
        EXPECT_EQ(path("ftp://a/b"), "<400>");
}

TEST_F(http, a_path_may_have_1023_bytes)
{
        const std::string longest(NOVA_HTTP_PATH_MAX - 1, 'a');

        EXPECT_EQ(path("/" + longest), "/" + longest);
        EXPECT_EQ(path("/" + longest + "a"), "<414>");
}

TEST_F(http, a_request_may_have_4096_bytes)
{
        const std::string begin = "GET / HTTP/1.1\r\na: ";
        const size_t rest = NOVA_HTTP_HEAD_MAX - begin.size() - end.size() - 2;

        EXPECT_EQ(read(begin + std::string(rest, 'b') + "\r\n" + end), 200U);
        EXPECT_EQ(read(begin + std::string(rest + 1, 'b') + "\r\n" + end), 431U);
        EXPECT_FALSE(request.keep);
        EXPECT_EQ(read("GET /" + std::string(NOVA_HTTP_HEAD_MAX, 'a')), 414U);
        EXPECT_EQ(read(std::string(NOVA_HTTP_HEAD_MAX, '\n')), 414U);
}

TEST_F(http, methods)
{
        EXPECT_EQ(read("POST / HTTP/1.1\r\n" + end), 405U);
        EXPECT_EQ(read("OPTIONS * HTTP/1.1\r\n" + end), 405U);
        EXPECT_EQ(read("BREW / HTTP/1.1\r\n" + end), 501U);
        EXPECT_EQ(read("get / HTTP/1.1\r\n" + end), 501U);
        EXPECT_EQ(read("G(T / HTTP/1.1\r\n" + end), 400U);
        EXPECT_EQ(read(" / HTTP/1.1\r\n" + end), 400U);
}

TEST_F(http, versions)
{
        for (const char *version : {"HTTP/1", "HTTP/1.11", "http/1.1", "HTTP/x.1", "HTTP/1.x", ""})
                EXPECT_EQ(read(std::string("GET / ") + version + "\r\n" + end), 400U) << version;
        EXPECT_EQ(read("GET /\r\n" + end), 400U);
        EXPECT_EQ(read("GET / HTTP/2.0\r\n" + end), 505U);
        EXPECT_EQ(read("GET / HTTP/1.2\r\n" + end), 200U);
        EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n"), 200U) << "needs no Host";
        EXPECT_FALSE(request.keep);
}

TEST_F(http, a_request_names_one_host)
{
        EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n"), 400U);
        EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\n" + end), 400U);
        EXPECT_EQ(read("GET / HTTP/1.1\r\nhOsT:\t a:80 \r\n\r\n"), 200U);
        EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400U);
}

TEST_F(http, fields_that_are_malformed)
{
        for (const char *line : {"a", " a: b", "a : b", ": b", "a\tb: c", "a: b\x01", "a: \x7f"})
                EXPECT_EQ(field(line), 400U) << line;
        EXPECT_EQ(field("a:"), 200U);
        EXPECT_EQ(field("a: \xff:b\t"), 200U);
        EXPECT_EQ(read("GET / HTTP/1.1\r\na: b\rc: d\r\n" + end), 400U);
        EXPECT_EQ(read("GET / HTTP/1.1\r\na: b" + std::string(1, '\0') + "\r\n" + end), 400U);
}

TEST_F(http, a_request_with_content_is_refused)
{
        EXPECT_EQ(field("Content-Length: 0"), 200U);
        EXPECT_EQ(field("Content-Length: 00010"), 413U);
        EXPECT_FALSE(request.keep);
        EXPECT_EQ(field("Transfer-Encoding: chunked"), 413U);
        for (const char *size : {"", "-1", "+0", "0x0", "0, 0", "0 0"})
                EXPECT_EQ(field(std::string("content-length: ") + size), 400U) << size;
        EXPECT_EQ(field("Content-Length: 0\r\nContent-Length: 0"), 400U);
}

TEST_F(http, the_client_may_close_the_connection)
{
        EXPECT_EQ(field("Connection: keep-alive"), 200U);
        EXPECT_TRUE(request.keep);
        EXPECT_EQ(field("connection: upgrade ,\tClose"), 200U);
        EXPECT_FALSE(request.keep);
        EXPECT_EQ(field("Connection: closed"), 200U);
        EXPECT_TRUE(request.keep);
}

TEST_F(http, an_error_ends_the_connection)
{
        EXPECT_EQ(field("a b"), 400U);
        EXPECT_FALSE(request.keep);
        EXPECT_EQ(read("POST / HTTP/1.1\r\n"), 405U) << "without the fields";
        EXPECT_FALSE(request.keep);
}

TEST_F(http, each_status_has_a_reason)
{
        for (const unsigned status : {200, 400, 404, 405, 413, 414, 431, 500, 501, 503, 505})
                EXPECT_STRNE(nova_http_reason(status), "Unknown") << status;
        EXPECT_STREQ(nova_http_reason(299), "Unknown");
}

TEST_F(http, text_in_html_is_not_markup)
{
        EXPECT_EQ(written<nova_http_write_html>("<a href=\"b\" c='d'>&"),
                  "&#60;a href=&#34;b&#34; c=&#39;d&#39;&#62;&#38;");
}

TEST_F(http, text_in_a_url_comes_back_as_a_path)
{
        EXPECT_EQ(written<nova_http_write_url>("/a b/~%.\xff"), "/a%20b/~%25.%FF");
        EXPECT_EQ(path(written<nova_http_write_url>("/a?#&+\"'<>\\\xc3\xa4")),
                  "/a?#&+\"'<>\\\xc3\xa4");
}

TEST_F(http, text_in_json_is_valid)
{
        EXPECT_EQ(written<nova_http_write_json>("a\"\\\n\x1f/"), "\"a\\\"\\\\\\u000a\\u001f/\"");
        EXPECT_EQ(written<nova_http_write_json>("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
                  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
        for (const char *bad : {"\x80", "\xff", "\xc3", "\xc0", "\xf8"})
                EXPECT_EQ(written<nova_http_write_json>(bad), "\"\\ufffd\"")
                        << "a damaged character";
        EXPECT_EQ(written<nova_http_write_json>("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"")
                << "a surrogate";
        EXPECT_EQ(written<nova_http_write_json>("\xf4\x90\x80\x80"),
                  "\"\\ufffd\\ufffd\\ufffd\\ufffd\"")
                << "above the last character";
        EXPECT_EQ(written<nova_http_write_json>("\xe0\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\"")
                << "too long";
}

} // namespace
