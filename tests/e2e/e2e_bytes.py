"""Requests that no client library sends: written byte by byte to the socket."""
import json
import re
import shutil
import socket
import tempfile
import unittest

import harness as h

BAD = (400, "BadRequestException")
NAMESPACES = "/v1/analytics/namespaces"
TABLE = NAMESPACES + "/sales/tables/t"


class Bytes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        base = tempfile.mkdtemp(prefix="fd-bytes-")
        cls.addClassCleanup(shutil.rmtree, base, ignore_errors=True)
        cls.folder = h.Folder(base)
        store = {"storageType": "file", "bucket": "lake"}
        cls.folder.write("lakehouse.yaml", h.manifest("StorageIntegration", "store", store), h.catalog(), h.principal(), h.role(),
                         h.manifest("StorageIntegration", "second", {**store, "bucket": "pond"}),
                         h.catalog("dotted", storageIntegrationRef={"name": "second"}, properties={"namespace-separator": "%2E"}),
                         h.role("dotted", catalog_name="dotted"), h.principal("guest"))
        cls.desk = h.Frontdesk(*cls.folder.options(), "--file-storage", base, folder=base)
        cls.addClassCleanup(cls.desk.kill)
        cls.address = cls.desk.uri.removeprefix("http://")
        cls.token, cls.guest = cls.folder.token(cls.desk), cls.folder.token(cls.desk, "guest", (401,))
        for path, levels in ((NAMESPACES, ["sales"]), ("/v1/dotted/namespaces", ["x"]), ("/v1/dotted/namespaces", ["x", "y"])):
            h.wait_for("a namespace", lambda p=path, n=levels: cls.desk.call("POST", p, cls.token, {"namespace": n})[0] == 200)
        assert cls.desk.call("POST", NAMESPACES + "/sales/tables", cls.token, {"name": "t", "schema": h.SIMPLE_SCHEMA})[0] == 200

    def setUp(self):
        """Nothing that is sent is a fault of ours, nor the end of the server."""
        self.addCleanup(lambda: self.assertEqual(self.ask(TABLE)[0], 200, self.answer))
        self.addCleanup(lambda: self.assertIn("\nfrontdesk_bugs_total 0\n", self.desk.get(self.desk.admin + "/metrics")[1].decode()))

    def bearer(self, token=None):
        return b"Authorization: Bearer " + (token or self.token).encode()

    def ask(self, target, *headers, method=b"GET", body=b"", token=None, ends=False):
        """(status, type of the error or None); headers are whole lines. `ends`: the client closes its side behind the request."""
        target = target if isinstance(target, bytes) else target.encode()
        lines = [method + b" " + target + b" HTTP/1.1", b"Host: " + self.address.encode(), b"Connection: close",
                 *([self.bearer(token)] if token != "" else []), *headers]
        if body:
            lines.append(b"Content-Length: %d" % len(body))
        host, port = self.address.split(":")
        with socket.create_connection((host, int(port)), timeout=20) as s:
            s.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            if ends:
                s.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        head, _, text = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        error = json.loads(text)["error"] if status >= 400 and method != b"HEAD" else None
        self.answer = text
        self.headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        return status, error and error["type"]

    def each(self, want, *targets):
        for target in targets:
            with self.subTest(target[-80:]):
                self.assertEqual(self.ask(target), want)

    def test_a_target_beyond_the_limit_is_414_and_a_head_431(self):
        self.assertEqual(self.ask(NAMESPACES + "/" + "a" * 17000)[0], 414)
        self.assertEqual(self.ask(NAMESPACES + "?pageToken=" + "a" * 17000)[0], 414)
        self.assertEqual(self.ask(NAMESPACES + "/" + "a" * 1000000)[0], 431)
        self.assertEqual(self.ask(TABLE, b"X-Long: " + b"a" * 40000)[0], 431)
        self.assertEqual(self.ask(TABLE, *[b"X-%d: a" % i for i in range(120)])[0], 431)

    def test_a_name_beyond_the_limit_is_told_and_not_looked_for(self):
        self.each(BAD, NAMESPACES + "/" + "a" * 256, NAMESPACES + "/sales/tables/" + "a" * 256, NAMESPACES + "/" + "%C3%A9" * 128,
                  NAMESPACES + "/" + "%1F".join(["a"] * 17), NAMESPACES + "?" + "&".join(["a=1"] * 40))
        self.each((404, "NoSuchNamespaceException"), NAMESPACES + "/" + "a" * 255, NAMESPACES + "/" + "%1F".join(["a"] * 16))

    def test_a_separator_inside_a_level_is_none_of_its_bytes(self):
        table = json.dumps({"name": "a\x1fb", "schema": h.SIMPLE_SCHEMA}).encode()
        rename = json.dumps({"source": {"namespace": ["sales"], "name": "t"}, "destination": {"namespace": ["sales\x1fx"], "name": "t"}})
        self.assertEqual(self.ask(NAMESPACES, method=b"POST", body=b'{"namespace": ["a\\u001fb"]}'), BAD)
        self.assertEqual(self.ask(NAMESPACES + "/sales/tables", method=b"POST", body=table), BAD)
        self.assertEqual(self.ask("/v1/analytics/tables/rename", method=b"POST", body=rename.encode()), BAD)
        self.each(BAD, NAMESPACES + "/sales/tables/a%1Fb", NAMESPACES + "/sales/views/a%1fb", NAMESPACES + "/a%1F",
                  NAMESPACES + "/%1Fa", NAMESPACES + "/a%1F%1Fb", NAMESPACES + "?parent=a%1F%1Fb", NAMESPACES + "?parent=%1F")

    def test_of_two_separators_the_old_one_parts_and_the_other_is_a_character(self):
        here = "/v1/dotted/namespaces/"
        self.each((200, None), here + "x%2Ey", here + "x%2ey", here + "x.y", here + "x%1Fy", here + "x%1fy")
        self.each((404, "NoSuchNamespaceException"), here + "x%1Fy%2Ez", here + "x.y%1Fz", here + "x%252Ey", here + "x%251Fy")
        # Nothing of such a name was ever made, so nothing is found under it another way.
        self.assertEqual(self.ask("/v1/dotted/namespaces", method=b"POST", body=b'{"namespace": ["x.y"]}'), BAD)
        self.assertEqual(self.ask("/v1/analytics/namespaces/x%2Ey"), (404, "NoSuchNamespaceException"))

    def test_an_escaped_slash_is_a_character_of_a_name_and_parts_no_path(self):
        self.each((404, "NoSuchNamespaceException"), NAMESPACES + "/sales%2Ftables%2Ft", NAMESPACES + "/sales%2ftables%2ft",
                  NAMESPACES + "/sales%2F..")
        self.each((404, "NoSuchTableException"), NAMESPACES + "/sales/tables/x%2Ft", NAMESPACES + "/sales/tables/..%2Ft",
                  NAMESPACES + "/sales/tables/%252E%252E%252Ft")
        self.each((404, "NoSuchWarehouseException"), "/v1/x%2Fanalytics/namespaces", "/v1/analytics%2F..%2Fanalytics/namespaces")

    def test_no_path_is_walked(self):
        self.each((404, "NotFoundException"), NAMESPACES + "/sales/../sales/tables/t", NAMESPACES + "/sales//tables/t",
                  NAMESPACES + "//", "/v1/./analytics/namespaces", "//v1/analytics/namespaces", TABLE + "/", "/v1/config/")
        self.each(BAD, NAMESPACES + "/..", NAMESPACES + "/%2e%2e", NAMESPACES + "/sales/tables/%2E", NAMESPACES + "/sales/tables/..",
                  NAMESPACES + "/a%1F..")

    def test_escapes_that_are_none_and_bytes_that_are_no_text_are_refused(self):
        self.each(BAD, *[f"{NAMESPACES}/{name}" for name in (
            "%", "a%", "a%2", "%zz", "%u0061", "%00", "a%00", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%FF", "%7F", "%0A", "a%0D%0Ab")])
        self.each(BAD, NAMESPACES.encode() + b"/\xc3\xa9", NAMESPACES.encode() + b"/a\x1fb", NAMESPACES.encode() + b"/a\x00b",
                  NAMESPACES + "/sales#x", NAMESPACES + "/a b", "/v1/analytics%00/namespaces", "/v1/config?warehouse=analytics%00",
                  NAMESPACES + "?parent=a%00b", NAMESPACES + "?parent=a%0Ab&pageToken=", NAMESPACES + "?parent=%FF")

    def test_only_a_path_of_ours_is_a_target(self):
        self.each(BAD, "http://elsewhere" + NAMESPACES, "analytics", "?warehouse=analytics", "")
        self.assertEqual(self.ask("*", method=b"OPTIONS")[0], 404)
        for method in (b"get", b"TRACE", b"CONNECT", b"GE\x00T", b"QUERY"):
            with self.subTest(method):
                self.assertIn(self.ask(TABLE, method=method)[0], (400, 501))

    def test_who_uses_a_wrong_method_is_told_the_right_ones(self):
        """RFC 9110, 15.5.6. A GET that answers no HEAD names none, and is as good as its word; the path is public, so no token is asked for."""
        for target, methods in (("/v1/config", b"GET"), ("/v1/oauth/tokens", b"POST"), (NAMESPACES, b"GET, POST"),
                                ("/api/catalog" + TABLE + "?x=y", b"GET, HEAD, POST, DELETE"), (TABLE + "/credentials", b"GET, POST")):
            for method in (b"PUT", b"PATCH", b"OPTIONS", *([] if b"HEAD" in methods else [b"HEAD"])):
                with self.subTest(target + " " + method.decode()):
                    self.assertEqual(self.ask(target, method=method, token="")[0], 405)
                    self.assertEqual(self.headers[b"Allow"], methods)
        self.assertEqual(self.ask(NAMESPACES + "/nowhere/x", method=b"PUT")[0], 404)
        self.assertNotIn(b"Allow", self.headers)
        status, _, headers = self.desk.get(self.desk.admin + "/metrics", {}, "POST", b"")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(self.desk.get(self.desk.admin + "/metrics", {}, "HEAD")[0], 200)

    def test_a_client_that_closes_its_side_behind_a_request_is_answered(self):
        """These wait for the database, which answers after the server could see that the client will send no more."""
        for i in range(10):
            body = b'{"namespace": ["ended%d"]}' % i
            self.assertEqual(self.ask(NAMESPACES, method=b"POST", body=body, ends=True), (200, None))
            self.assertEqual(self.ask(NAMESPACES, method=b"POST", body=body, ends=True), (409, "AlreadyExistsException"))
            self.assertEqual(self.ask(f"{NAMESPACES}/ended{i}", method=b"DELETE", ends=True), (204, None))
        self.assertEqual(self.ask(TABLE, ends=True), (200, None))

    def test_what_cannot_be_read_is_answered_counted_and_on_record_once(self):
        def refused():
            return [r for r in self.desk.audit() if "method" not in r]

        def counted():
            text = self.desk.get(self.desk.admin + "/metrics")[1].decode()
            return sum(int(n) for n in re.findall(r'^frontdesk_http_requests_total\{code="[45]xx"\} (\d+)$', text, re.M))
        before, count = len(refused()), counted()
        sent = ((413, "the body is too large", b"Content-Length: 99999999"), (431, "too many headers", *[b"X-%d: a" % i for i in range(120)]),
                (400, "Content-Length must be one decimal number", b"Content-Length: 1", b"Content-Length: 2"))
        for status, _, *headers in sent:
            self.assertEqual(self.ask(TABLE, *headers)[0], status)
        self.assertEqual(counted(), count + len(sent))
        found = h.wait_for("their records", lambda: len(refused()) >= before + len(sent) and refused())[before:]
        self.assertEqual([(r["status"], r["reason"]) for r in found], [s[:2] for s in sent])
        for r in found:
            self.assertEqual((r["decision"], r["operation"], r["peer"]), ("denied", "unknown", "127.0.0.1"))
            self.assertEqual(set(r), {"time", "operation", "reason", "peer", "status", "decision"})

    def test_who_asks_is_said_once(self):
        """What stands before us may have looked at the other one."""
        for lines in ([self.bearer(self.guest)], [self.bearer()], [b"authorization: Basic eDp5"], [b"Authorization:"]):
            with self.subTest(lines[0][:24]):
                self.assertEqual(self.ask(TABLE, *lines), BAD)
                self.assertEqual(self.ask(TABLE, *lines, token=self.guest), BAD)
                self.assertEqual(self.ask("/v1/oauth/tokens", *lines, method=b"POST", body=b"grant_type=client_credentials")[0], 400)

    def test_what_decides_where_a_request_ends_is_said_once(self):
        body = b'{"namespace": ["twice"]}'
        for lines in ([b"Host: elsewhere"], [b"Content-Length: 2"], [b"Transfer-Encoding: chunked"], [b"Content-Length: 24, 24"],
                      [b"Folded: a\r\n b"], [b"Spaced : a"], [b"X-A: b\nX-C: d"], [b"X-A: \x00"]):
            with self.subTest(lines):
                self.assertEqual(self.ask(NAMESPACES, *lines, method=b"POST", body=body)[0], 400)
        self.assertEqual(self.ask(NAMESPACES + "/twice"), (404, "NoSuchNamespaceException"))
        key = b"Idempotency-Key: 017F22E2-79B0-7CC3-98C4-DC0C0C07398"
        self.assertEqual(self.ask(NAMESPACES, key + b"1", key + b"2", method=b"POST", body=body), BAD)

    def tag(self):
        return self.desk.get(self.desk.uri + TABLE, {"Authorization": "Bearer " + self.token})[2]["ETag"].encode()

    def test_lists_may_come_in_lines_of_their_own(self):
        """RFC 9110, section 5.3: they mean what one line with commas means."""
        tag = self.tag()
        for lines in ([tag], [b'"x"', tag], [tag, b'"x"'], [b"", tag], [b'"x", "y"', b'W/"z",' + tag]):
            with self.subTest(lines):
                self.assertEqual(self.ask(TABLE, *[b"If-None-Match: " + line for line in lines])[0], 304)
        for lines in ([b'"x"', b'"y"'], [b"", b""], [b","], [b"W/"], [b'"x",' * 3000], [tag[:-2] + b'"', b"x"], [b'W/"1.\xff"']):
            with self.subTest(lines[0][:40]):
                self.assertEqual(self.ask(TABLE, *[b"If-None-Match: " + line for line in lines])[0], 200)

    def test_a_forged_token_of_a_page_is_refused_wherever_it_is_sent(self):
        for path in (NAMESPACES, NAMESPACES + "/sales/tables", NAMESPACES + "/sales/views"):
            for token in ("x", ".", "..", "dA.", ".AAAA", "dA." + "A" * 43, "%00", "%2E", "%FF", "dA%00." + "A" * 43, "A" * 9000):
                with self.subTest(path[-10:] + token[:20]):
                    self.assertEqual(self.ask(f"{path}?pageToken={token}"), BAD)
            self.assertEqual(self.ask(f"{path}?pageToken=&pageToken=x")[0], 400)
            self.assertEqual(self.ask(f"{path}?pageToken=x&pageToken="), BAD)

    def test_the_server_ends_in_order_after_all_that(self):
        self.assertEqual(self.desk.said(level="error"), [])
        self.desk.stop()
        self.desk.start()
        type(self).address = self.desk.uri.removeprefix("http://")
        h.wait_for_loops("the store", lambda: self.ask(TABLE)[0] == 200)
