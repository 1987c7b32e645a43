"""What the answers of tables say beside the table: files that cannot be used, tags of what a client holds."""
import http.client
import json
import re
import time

import e2e_catalog
import e2e_folder
import e2e_surface
import harness as h

TABLES = e2e_catalog.TABLES


class Answers(e2e_surface.Surface):
    """What the classes below share: answers with their headers."""

    def ask(self, method, path, token=None, body=None, **headers):
        status, text, got = self.desk.get(self.desk.uri + path, {
            "Authorization": "Bearer " + (token or self.token), "Content-Type": "application/json",
            **{k.replace("_", "-"): v for k, v in headers.items()}}, method, json.dumps(body).encode() if body else None)
        return status, json.loads(text) if text else None, got

    def load(self, name, token=None, query="", **headers):
        return self.ask("GET", f"{TABLES}/{name}{query}", token, **headers)

    def counted(self, metric):
        text = self.desk.get(self.desk.admin + "/metrics")[1].decode()
        return int(re.search(rf"^{metric} (\d+)$", text, re.M).group(1))


class BrokenFiles(Answers):
    """A metadata file that cannot be used is no store that is away."""

    endpoint = vars(e2e_folder.Faults)["endpoint"]
    MARK = "only-for-readers"

    def broken(self, name, content):
        """A table whose file holds `content` (None: is gone), as a program sees it that remembers nothing."""
        status, body = self.create(name, location=f"s3://warehouse/lake/{name}")
        self.assertEqual(status, 200, body)
        (key,) = self.keys(f"lake/{name}/")
        if content is None:
            self.rgw.s3.delete_object(Bucket="warehouse", Key=key)
        else:
            self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=content)
        self.older(name)
        self.desk.start()
        h.wait_for_loops("all is in force after the restart", lambda: self.load("first")[0] == 200)
        return body["metadata-location"]

    def check(self, name, content, want, why):
        location, before = self.broken(name, content), self.counted("frontdesk_metadata_unusable_total")
        bugs = self.counted("frontdesk_bugs_total")
        change = {"requirements": [], "updates": [{"action": "set-properties", "updates": {"k": "v"}}]}
        for method, body in (("GET", None), ("POST", change)):
            status, said, headers = self.ask(method, f"{TABLES}/{name}", body=body)
            # A commit was not applied, and 500 would say that this is not known.
            told = (409, "CommitFailedException") if method == "POST" and want[0] == 500 else want
            self.assertEqual((status, said["error"]["code"], said["error"]["type"]), (told[0], *told), said)
            self.assertIn(location, said["error"]["message"])
            self.assertIn(why, said["error"]["message"])
            self.assertNotIn(self.MARK, said["error"]["message"])
            self.assertIsNone(headers["Retry-After"])
        self.assertEqual(self.counted("frontdesk_metadata_unusable_total"), before + 2)
        self.assertEqual(self.counted("frontdesk_bugs_total"), bugs)
        self.assertEqual(self.load("first")[0], 200)
        status, listed, _ = self.ask("GET", TABLES)
        self.assertIn(name, [t["name"] for t in listed["identifiers"]])

    def test_a_file_that_is_gone_is_404_and_costs_only_its_table(self):
        self.check("gone", None, (404, "NotFoundException"), "Failed to open input stream")

    def test_a_file_that_is_cut_is_500_and_costs_only_its_table(self):
        self.check("cut", b'{"format-version": 2, "table-uuid": "' + self.MARK.encode(), (500, "InternalServerError"),
                   "a string does not end")

    def test_a_file_that_is_no_metadata_is_500_and_costs_only_its_table(self):
        self.check("odd", json.dumps({"format-version": 2, self.MARK: self.MARK}).encode(), (500, "InternalServerError"),
                   "table metadata")

    def test_a_file_beyond_the_limit_is_500_and_costs_only_its_table(self):
        self.check("huge", b" " * ((64 << 20) + 1), (500, "InternalServerError"), "larger than 67108864 bytes")

    def test_a_views_file_that_is_gone_cut_or_beyond_the_limit_is_told_as_a_tables_is(self):
        path = "/v1/analytics/namespaces/sales/views"
        status, body, _ = self.ask("POST", path, body={
            "name": "seen", "schema": h.SIMPLE_SCHEMA, "properties": {}, "location": "s3://warehouse/lake/seen",
            "view-version": e2e_surface.Views.version()})
        self.assertEqual(status, 200, body)
        (key,) = self.keys("lake/seen/")
        self.older("seen")
        self.desk.start()
        h.wait_for_loops("all is in force after the restart", lambda: self.load("first")[0] == 200)
        whole, before = json.dumps(body["metadata"]).encode(), self.counted("frontdesk_metadata_unusable_total")
        for content, want in ((whole[:-9] + self.MARK.encode(), 500), (b" " * ((64 << 20) + 1), 500), (None, 404), (whole, 200)):
            self.rgw.s3.delete_object(Bucket="warehouse", Key=key)
            if content:
                self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=content)
            status, said, headers = self.ask("GET", path + "/seen")
            self.assertEqual((status, headers["Retry-After"]), (want, None), said)
            if want != 200:
                self.assertIn(body["metadata-location"], said["error"]["message"])
                self.assertNotIn(self.MARK, said["error"]["message"])
                status, said, _ = self.ask("POST", path + "/seen", body={"requirements": [], "updates": [
                    {"action": "set-properties", "updates": {"k": "v"}}]})
                told = (404, "NotFoundException") if want == 404 else (409, "CommitFailedException")
                self.assertEqual((status, said["error"]["type"]), told, said)
        self.assertEqual(self.counted("frontdesk_metadata_unusable_total"), before + 6)

    def test_a_store_that_is_away_is_503_and_to_be_asked_again(self):
        self.broken("fine", json.dumps(self.create("other")[1]["metadata"]).encode())
        counted = self.counted("frontdesk_metadata_unusable_total")
        for mode in ("503", "half"):
            self.proxy.mode = mode
            try:
                status, said, headers = self.load("fine")
            finally:
                self.proxy.mode = "pass"
            self.assertEqual((status, headers["Retry-After"] is not None), (503, True), said)
        self.assertEqual(self.counted("frontdesk_metadata_unusable_total"), counted)


READ = ["TABLE_READ_PROPERTIES", "TABLE_READ_DATA"]


class Tags(Answers):
    """What a client may go on with is answered 304, and nothing else is: it would keep keys that it must not."""

    KEYS = {"X_Iceberg_Access_Delegation": "vended-credentials"}

    def tag(self, name="first", token=None, query="", **headers):
        status, body, got = self.load(name, token, query, **headers)
        self.assertEqual(status, 200, body)
        self.assertEqual("storage-credentials" in body, bool(headers), body)
        return got["ETag"]

    def status(self, tag, token=None, query="", name="first", **headers):
        return self.load(name, token, query, If_None_Match=tag, **headers)[0]

    def always(self, what, want, claim):
        h.wait_for_loops(what, lambda: claim() == want)

    def grant(self, name, *privileges, **more):
        self.folder.write(name + ".yaml", h.principal(name), h.manifest("CatalogRole", name, {
            "catalogRef": {"name": "analytics"}, "principals": [{"kind": "Principal", "name": name}],
            "grants": [{"privileges": list(privileges)}], **more}))

    def test_who_holds_the_table_and_its_keys_is_told_so_and_nothing_else(self):
        tag = self.tag(**self.KEYS)
        status, body, headers = self.load("first", If_None_Match=tag, **self.KEYS)
        self.assertEqual((status, body, headers["ETag"], headers["Cache-Control"]), (304, None, tag, "no-store"))
        record = self.last_record("load-table", status=304)
        self.assertEqual((record["table"], record.get("accessKeyId")), ("first", None), record)
        plain = self.tag()
        self.assertEqual(self.status(plain), 304)

    def test_a_tag_ends_when_half_of_the_keys_life_is_over(self):
        status, body, headers = self.load("first", **self.KEYS)
        now = time.time() * 1000
        expires = int(body["storage-credentials"][0]["config"]["s3.session-token-expires-at-ms"])
        until, seal = re.fullmatch(r'W/"(\d+)\.([0-9a-f]{64})"', headers["ETag"]).groups()
        self.assertLess(now, int(until))
        self.assertLessEqual(int(until), now + (expires - now) / 2 + 1)
        for other in (0, int(until) + 1, int(until) + 10**9):
            self.assertEqual(self.status(f'W/"{other}.{seal}"', **self.KEYS), 200, other)

    def test_tags_come_in_lists_and_strong_and_a_star_is_no_tag(self):
        tag = self.tag(**self.KEYS)
        for form in (tag[2:], f'"x", {tag}', f'W/"1.x",{tag},"y"'):
            self.assertEqual(self.status(form, **self.KEYS), 304, form)
        for form in ("*", tag[:-2] + '"', tag.strip('W/"'), '"x"', ",", "\xe9"):
            self.assertEqual(self.status(form, **self.KEYS), 200, form)
        self.assertEqual(self.status("*"), 304)

    def test_another_callers_tag_is_worth_nothing(self):
        twin = self.someone("twin", {"privileges": h.ALL})
        for headers in ({}, self.KEYS):
            tag = self.tag(**headers)
            self.assertEqual(self.status(tag, twin, **headers), 200)
            self.assertNotEqual(self.tag(token=twin, **headers), tag)
            self.assertEqual(self.status(tag, **headers), 304)

    def test_a_caller_in_one_role_is_another_caller(self):
        self.folder.write("team.yaml", h.manifest("PrincipalRole", "team", {"members": [{"kind": "Principal", "name": "etl"}]}),
                          h.role("team", principals=[{"kind": "PrincipalRole", "name": "team"}]))
        narrow = h.wait_for("the role", lambda: self.desk.token(self.client, "PRINCIPAL_ROLE:team"))
        self.always("its grants", 200, lambda: self.load("first", narrow)[0])
        self.assertEqual(self.status(self.tag(**self.KEYS), narrow, **self.KEYS), 200)
        self.assertEqual(self.status(self.tag(token=narrow, **self.KEYS), **self.KEYS), 200)

    def test_a_right_that_was_taken_away_or_given_ends_the_tag(self):
        token = self.someone("waning", {"privileges": [*READ, "TABLE_WRITE_DATA"]})
        tag = self.tag(token=token, **self.KEYS)
        self.grant("waning", *READ)
        self.always("it may not write", 200, lambda: self.status(tag, token, **self.KEYS))
        tag = self.tag(token=token, **self.KEYS)
        self.grant("waning", *READ, maxCredentialTtlSeconds=901)
        self.always("its keys live shorter", 200, lambda: self.status(tag, token, **self.KEYS))
        tag = self.tag(token=token, **self.KEYS)
        self.grant("waning", "TABLE_READ_PROPERTIES", "TABLE_LIST")
        self.always("it may not read", 200, lambda: self.status(tag, token, **self.KEYS))
        self.grant("waning", "NAMESPACE_LIST")
        self.always("it may not look", 403, lambda: self.status(tag, token, **self.KEYS))
        self.assertEqual(self.status("*", token), 403)

    def test_a_store_that_is_described_otherwise_ends_the_tag_of_keys_and_no_other(self):
        tag, plain = self.tag(**self.KEYS), self.tag()
        parts = h.lakehouse(self.endpoint())
        parts[2]["spec"]["credentialTtlSeconds"] = 1800
        self.folder.write("lakehouse.yaml", *parts)
        try:
            self.always("the change", 200, lambda: self.status(tag, **self.KEYS))
            self.assertEqual(self.status(plain), 304)
        finally:
            self.folder.write("lakehouse.yaml", *h.lakehouse(self.endpoint()))
        self.always("the change back", 304, lambda: self.status(tag, **self.KEYS))

    def test_answers_that_differ_have_tags_that_differ(self):
        tags = {(bool(k), q): self.tag(query=q, **k) for k in ({}, self.KEYS) for q in ("", "?snapshots=refs")}
        self.assertEqual(len({t.split(".")[1] for t in tags.values()}), 4)
        for (keys, query), tag in tags.items():
            for k in ({}, self.KEYS):
                for q in ("", "?snapshots=refs"):
                    want = 304 if (bool(k), q) == (keys, query) else 200
                    self.assertEqual(self.status(tag, query=q, **k), want, (keys, query, k, q))
        self.assertEqual(self.status(tags[False, ""], query="?snapshots=all"), 304)

    def test_a_create_is_tagged_as_a_load_and_a_promise_is_not(self):
        table = {"name": "tagged", "schema": h.SIMPLE_SCHEMA}
        status, body, headers = self.ask("POST", TABLES, body=table, **self.KEYS)
        self.assertEqual((status, self.status(headers["ETag"], name="tagged", **self.KEYS)), (200, 304), body)
        status, body, headers = self.ask("POST", TABLES, body={**table, "name": "promised", "stage-create": True}, **self.KEYS)
        self.assertEqual((status, headers["ETag"]), (200, None), body)

    def test_a_commit_ends_all_tags_before_it_and_its_own_is_of_no_keys(self):
        self.create("moving")
        before = [(self.tag("moving", **k), k) for k in ({}, self.KEYS)]
        status, body, headers = self.ask("POST", TABLES + "/moving", body={
            "requirements": [], "updates": [{"action": "set-properties", "updates": {"k": "v"}}]})
        self.assertEqual(status, 200, body)
        for tag, k in before:
            self.assertEqual(self.status(tag, name="moving", **k), 200)
        # The commit handed out no key: who asks for keys must get them.
        self.assertEqual(self.status(headers["ETag"], name="moving", **self.KEYS), 200)
        self.assertEqual(self.status(headers["ETag"], name="moving"), 304)

    def test_a_table_of_another_name_or_made_anew_is_another(self):
        self.create("old")
        tag = self.tag("old", **self.KEYS)
        self.assertEqual(self.desk.call("POST", "/v1/analytics/tables/rename", self.token, {
            "source": e2e_surface.identifier("sales", "old"), "destination": e2e_surface.identifier("sales", "new")})[0], 204)
        self.assertEqual(self.status(tag, name="new", **self.KEYS), 200)
        self.assertEqual(self.status(tag, name="old", **self.KEYS), 404)
        self.create("old")
        self.assertEqual(self.status(tag, name="old", **self.KEYS), 200)


class Delegation(Answers):
    """X-Iceberg-Access-Delegation is a list of words, of which a client may know more than we do."""

    def keys(self, *lines, method="GET", path=TABLES + "/first", body=None):
        """Whether keys go with the answer to a request with these lines of the header."""
        connection = http.client.HTTPConnection(self.desk.uri.removeprefix("http://"), timeout=20)
        self.addCleanup(connection.close)
        connection.putrequest(method, path)
        connection.putheader("Authorization", "Bearer " + self.token)
        connection.putheader("Content-Length", str(len(body or b"")))
        for line in lines:
            connection.putheader("X-Iceberg-Access-Delegation", line)
        connection.endheaders(body)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        self.assertEqual(answer.status, 200, said)
        self.assertEqual("storage-credentials" in said, "s3.session-token" in said["config"])
        return "storage-credentials" in said

    def test_keys_are_for_those_who_ask_for_them(self):
        for lines in ([], [""], ["remote-signing"], ["teleport"], ["vended"], ["vended-credentials2"], ["vended_credentials"],
                      ["vended-credentials;q=1"], ["'vended-credentials'"], ["remote-signing", "teleport"]):
            with self.subTest(lines):
                self.assertFalse(self.keys(*lines))
        for lines in (["vended-credentials"], ["VENDED-Credentials"], ["vended-credentials,remote-signing"],
                      ["remote-signing , vended-credentials"], ["teleport,vended-credentials"], [",,vended-credentials,"],
                      ["teleport", "vended-credentials"], ["vended-credentials", "vended-credentials"], ["", "vended-credentials"]):
            with self.subTest(lines):
                self.assertTrue(self.keys(*lines))

    def test_so_it_is_when_a_table_is_made_or_staged(self):
        for i, (stage, lines) in enumerate([(s, d) for s in (False, True) for d in ([], ["teleport", "vended-credentials"])]):
            body = json.dumps({"name": f"delegated{i}", "schema": h.SIMPLE_SCHEMA, "stage-create": stage}).encode()
            with self.subTest((stage, lines)):
                self.assertEqual(self.keys(*lines, method="POST", path=TABLES, body=body), bool(lines))
