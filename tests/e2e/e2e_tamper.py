"""A metadata file lies where vended credentials can write. What is in force is what the catalog's own row says of it."""
import gzip
import json
import os
import sqlite3
import subprocess

import e2e_answers
import e2e_catalog
import e2e_surface
import harness as h

TABLES, VIEWS = e2e_catalog.TABLES, "/v1/analytics/namespaces/sales/views"
S3 = "s3://warehouse/"
PROPERTIES = {"action": "set-properties", "updates": {"k": "v"}}
KEYS = {"X_Iceberg_Access_Delegation": "vended-credentials"}
FOREIGN = S3 + "lake/foreign"
CHANGES = {
    "location": {"location": FOREIGN},
    "uuid": {"table-uuid": "00000000-0000-4000-8000-000000000000"},
    "schema": {"schemas": [{"type": "struct", "schema-id": 0, "fields": [
        {"id": 1, "name": "forged", "required": False, "type": "string"}]}]},
    "paths": {"properties": {"write.data.path": FOREIGN}},
    "properties": {"properties": {"owner": "mallory"}},
    "format": {"format-version": 1},
    "blanks": {},
}


class Tampering(e2e_answers.Answers):
    def restart(self):
        """A program that remembers nothing."""
        self.desk.kill()
        self.desk.start()
        type(self).token = h.wait_for("a token", lambda: self.desk.token(self.client))
        self.wait_for_store()

    def made(self, name, **more):
        status, body = self.create(name, location=S3 + "lake/" + name, **more)
        self.assertEqual(status, 200, body)
        return body

    def write(self, file, content):
        self.rgw.s3.put_object(Bucket="warehouse", Key=file.removeprefix(S3), Body=content)

    def bytes_of(self, file):
        return self.rgw.s3.get_object(Bucket="warehouse", Key=file.removeprefix(S3))["Body"].read()

    def tamper(self, body, change):
        """As anyone can who may write objects there; with the owner's credential, which no policy narrows."""
        self.write(body["metadata-location"], json.dumps({**body["metadata"], **change}, indent=1))

    def row(self, name, column):
        with sqlite3.connect(f"file:{os.path.join(self.base, 'catalog.db')}?mode=ro", uri=True) as db:
            return db.execute(f"SELECT {column} FROM tables WHERE name = ?", (name,)).fetchone()[0]

    def on_record(self, operation, name):
        return h.wait_for("its record", lambda: [r for r in self.desk.audit() if r["operation"] == operation
                                                 and r.get("table") == name and "tampering" in r.get("details", {})])[-1]

    def entered(self, name):
        return h.wait_for("its records", lambda: [r for r in self.desk.audit() if r.get("table") == name
                                                  and "entered" in r.get("details", {})])

    def together(self, name):
        return self.ask("POST", "/v1/analytics/transactions/commit", body={"table-changes": [
            {"identifier": e2e_surface.identifier("sales", name), "requirements": [], "updates": [PROPERTIES]}]})

    def rejected(self, answer, status=500, kind="InternalServerError"):
        self.assertEqual((answer[0], answer[1].get("error", {}).get("type")), (status, kind), answer[1])
        self.assertIn("tampered with", answer[1]["error"]["message"])
        self.assertNotIn("s3.secret", json.dumps(answer[1]))

    def rejected_everywhere(self, name):
        for query, more in (("", {}), ("?snapshots=refs", {}), ("", KEYS)):
            self.rejected(self.load(name, query=query, **more))
        self.rejected(self.ask("GET", f"{TABLES}/{name}/credentials"))
        for answer in (self.ask("POST", f"{TABLES}/{name}", body={"requirements": [], "updates": [PROPERTIES]}),
                       self.ask("POST", f"{TABLES}/{name}", body={"requirements": [], "updates": []}), self.together(name)):
            self.rejected(answer, 409, "CommitFailedException")

    def test_a_changed_file_is_rejected_by_every_route_counted_and_on_record(self):
        tables = {kind: self.made("t" + kind) for kind in CHANGES}
        for kind, change in CHANGES.items():
            self.tamper(tables[kind], change)
        self.restart()
        for kind, body in tables.items():
            with self.subTest(kind):
                name = "t" + kind
                before = self.counted("frontdesk_metadata_tampered_total")
                self.rejected_everywhere(name)
                self.assertEqual(self.counted("frontdesk_metadata_tampered_total"), before + 7)
                record = self.on_record("load-table", name)
                self.assertEqual((record["decision"], record["status"]), ("denied", 500))
                told = record["details"]["tampering"]
                self.assertEqual((told["file"], told["committedSha256"]), (body["metadata-location"], self.row(name, "metadata_sha256")))
                self.assertNotEqual(told["foundSha256"], told["committedSha256"])
                self.assertEqual((self.row(name, "location"), self.row(name, "metadata_location")),
                                 (S3 + f"lake/{name}/", body["metadata-location"]))
                # Another name is not another file.
                self.assertEqual(self.call("POST", "/tables/rename", {
                    "source": e2e_surface.identifier("sales", name),
                    "destination": e2e_surface.identifier("sales", "r" + name)})[0], 204)
                self.rejected(self.load("r" + name))
        self.assertEqual(self.keys("lake/foreign/"), [])

    def test_what_was_written_with_a_vended_credential_moves_no_table(self):
        self.made("prey")
        mallory = self.someone("mallory", {"privileges": ["TABLE_WRITE_DATA"], "namespaces": ["sales"], "tables": ["prey"]})
        status, body, _ = self.load("prey", mallory, **KEYS)
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        forged = json.dumps({**body["metadata"], "location": FOREIGN}).encode()
        at = body["metadata-location"].removeprefix(S3)
        if h.status_of(key.put_object, Bucket="warehouse", Key=at, Body=forged) != 200:
            self.tamper(body, CHANGES["location"])
        for _ in range(2):
            # What the program remembers of the file is what was committed; what it reads anew is not.
            status, answer, _ = self.ask("POST", f"{TABLES}/prey", mallory, {"requirements": [], "updates": [PROPERTIES]})
            self.assertTrue(status == 409 or answer["metadata"]["location"] == S3 + "lake/prey", answer)
            status, answer, _ = self.ask("GET", f"{TABLES}/prey/credentials", mallory)
            for entry in answer.get("storage-credentials", []):
                self.assertEqual(entry["prefix"], S3 + "lake/prey/")
            self.assertEqual(self.row("prey", "location"), S3 + "lake/prey/")
            self.restart()
            mallory = h.wait_for("a token", lambda: self.folder.token(self.desk, "mallory"))
        self.assertEqual(self.keys("lake/foreign/"), [])

    def test_table_show_says_so(self):
        self.tamper(self.made("shown"), CHANGES["properties"])
        self.restart()
        client = self.client
        done = subprocess.run([h.program(), "table", "show", "analytics.sales.shown"], capture_output=True, timeout=60, env={
            **os.environ, "FRONTDESK_URI": self.desk.uri,
            "FRONTDESK_CREDENTIAL": client["client-id"] + ":" + client["client-secret"]})
        self.assertEqual((done.returncode, done.stdout), (1, b""), done)
        self.assertIn(b"was tampered with", done.stderr)

    def register(self, name, body, token=None):
        return self.ask("POST", "/v1/analytics/namespaces/sales/register", token, {
            "name": name, "metadata-location": body["metadata-location"], "overwrite": True}, **KEYS)

    def test_who_may_register_with_overwrite_puts_it_right(self):
        body = self.made("righted")
        self.tamper(body, CHANGES["properties"])
        self.restart()
        self.rejected(self.load("righted"))
        writer = self.someone("writes", {"privileges": ["TABLE_WRITE_DATA", "TABLE_CREATE"], "namespaces": ["sales"]})
        self.refused(self.register("righted", body, writer)[:2], 403, "ForbiddenException")
        self.assertEqual(self.register("righted", body)[0], 200)
        for _ in range(4):
            status, answer, head = self.load("righted")
            self.assertEqual((status, answer["metadata"]["properties"]["owner"]), (200, "mallory"))
        # The same file once more with other bytes: nobody goes on with the first.
        self.tamper(body, {"properties": {"owner": "me"}})
        self.assertEqual(self.register("righted", body)[0], 200)
        for _ in range(4):
            status, answer, _ = self.load("righted", If_None_Match=head["ETag"])
            self.assertEqual((status, answer["metadata"]["properties"]["owner"]), (200, "me"))
        self.assertEqual(self.commit("righted", PROPERTIES)[0], 200)

    def test_what_is_registered_over_a_table_moves_it_only_for_who_may_move_it(self):
        body = self.made("stays")
        inside = body["metadata-location"].replace("00000-", "00001-")
        self.write(inside, json.dumps({**body["metadata"], "properties": {"write.data.path": FOREIGN}}))
        moving = {"metadata-location": inside}
        registrar = {"privileges": ["TABLE_CREATE", "TABLE_DROP", "TABLE_WRITE_DATA"], "namespaces": ["sales"]}
        token = self.someone("registrar", registrar)
        self.refused(self.register("stays", moving, token)[:2], 403, "ForbiddenException")
        self.assertEqual(self.last_record("register-table", principal="lakehouse/registrar")["missing"], "TABLE_SET_LOCATION")
        mover = self.someone("mover", {**registrar, "privileges": [*registrar["privileges"], "TABLE_SET_LOCATION"]})
        self.assertEqual(self.register("stays", moving, mover)[0], 200)

    def test_a_purge_deletes_nothing_that_a_changed_file_names(self):
        victim, body = self.made("pvictim"), self.made("purged")
        self.write(S3 + "lake/purged/data/kept.parquet", b"x")
        self.tamper(body, {"metadata-log": [{"metadata-file": victim["metadata-location"], "timestamp-ms": 1}],
                           "statistics": [{"statistics-path": S3 + "lake/purged/data/kept.parquet"}]})
        before = self.counted("frontdesk_metadata_tampered_total")
        self.assertEqual(self.call("DELETE", "/namespaces/sales/tables/purged?purgeRequested=true")[0], 204)
        record = h.wait_for("its record", lambda: [r for r in self.desk.audit() if r["operation"] == "purge-files"
                                                   and r["table"] == "purged"])[-1]
        self.assertEqual(record["result"], "unfinished")
        self.assertIn("tampering: its bytes are not what was committed", record["reason"])
        self.assertGreater(self.counted("frontdesk_metadata_tampered_total"), before)
        self.assertIn("lake/purged/data/kept.parquet", self.keys("lake/purged/"))
        self.write(body["metadata-location"], json.dumps(body["metadata"], separators=(",", ":")))

    def test_an_answer_that_is_told_again_is_not_told_from_a_changed_file(self):
        self.made("told")
        key = {"Idempotency_Key": "01890a5d-ac96-774b-bcce-b302099a8057"}
        change = {"requirements": [], "updates": [PROPERTIES]}
        status, first, _ = self.ask("POST", f"{TABLES}/told", body=change, **key)
        self.assertEqual(status, 200, first)
        status, second = self.commit("told", {"action": "set-properties", "updates": {"k": "later"}})
        self.assertEqual(status, 200, second)
        self.tamper(first, {"location": FOREIGN})
        self.restart()
        status, again, _ = self.ask("POST", f"{TABLES}/told", body=change, **key)
        self.assertEqual((status, again["metadata"]), (200, second["metadata"]))

    def test_a_views_text_that_was_changed_is_not_told_and_not_committed_to(self):
        status, body, _ = self.ask("POST", VIEWS, body={
            "name": "seen", "schema": h.SIMPLE_SCHEMA, "properties": {}, "location": S3 + "lake/seen",
            "view-version": e2e_surface.Views.version()})
        self.assertEqual(status, 200, body)
        good = self.bytes_of(body["metadata-location"])
        self.write(body["metadata-location"], good.replace(b"select 1", b"select 2"))
        self.assertNotEqual(self.bytes_of(body["metadata-location"]), good)
        self.restart()
        self.rejected(self.ask("GET", VIEWS + "/seen"))
        self.rejected(self.ask("POST", VIEWS + "/seen", body={"requirements": [], "updates": [PROPERTIES]}),
                      409, "CommitFailedException")
        self.on_record("load-view", "seen")
        self.write(body["metadata-location"], good)
        self.assertEqual(self.ask("GET", VIEWS + "/seen")[0], 200)
        self.older("seen")
        self.restart()
        self.assertEqual(self.ask("GET", VIEWS + "/seen")[0], 200)
        record, = self.entered("seen")
        self.assertEqual(record["details"]["entered"]["sha256"], self.row("seen", "metadata_sha256"))

    # ---- rows of an older program ----

    def test_the_bytes_are_entered_at_the_first_read_that_agrees_with_the_row(self):
        tables = [self.made("plain"), self.made("packed", properties={"write.metadata.compression-codec": "gzip"}),
                  self.made("committed"), self.made("vended")]
        self.assertEqual(gzip.decompress(self.bytes_of(tables[1]["metadata-location"]))[:1], b"{")
        known = [self.row(body["metadata"]["location"].rsplit("/", 1)[1], "metadata_sha256") for body in tables]
        self.older("plain", "packed", "committed", "vended")
        self.restart()
        key = {"Idempotency_Key": "01890a5d-ac96-774b-bcce-b302099a8058"}
        change = {"requirements": [], "updates": [PROPERTIES]}
        for name, ask in (("plain", lambda: self.load("plain")), ("packed", lambda: self.load("packed")),
                          ("vended", lambda: self.ask("GET", f"{TABLES}/vended/credentials")),
                          ("committed", lambda: self.ask("POST", f"{TABLES}/committed", body=change, **key))):
            self.assertEqual(self.row(name, "metadata_sha256"), "")
            answers = [ask()[:2] for _ in range(2)]
            self.assertEqual([a[0] for a in answers], [200, 200], answers)
            self.assertTrue(name == "vended" or answers[0] == answers[1], answers)
            records = self.entered(name)
            self.assertEqual(len(records), 1, records)
            self.assertIn(records[0]["details"]["entered"]["sha256"], known)
        self.assertEqual([self.row(n, "metadata_sha256") for n in ("plain", "packed", "vended")], [known[0], known[1], known[3]])
        self.assertNotIn(self.row("committed", "metadata_sha256"), ("", known[2]))
        self.tamper(tables[0], CHANGES["schema"])
        self.restart()
        self.rejected_everywhere("plain")

    def test_a_file_that_disagrees_with_an_older_row_is_rejected_and_never_entered(self):
        kinds = ("location", "uuid", "paths")
        tables = {kind: self.made("old" + kind) for kind in kinds}
        self.older(*("old" + kind for kind in kinds))
        for kind, body in tables.items():
            self.tamper(body, CHANGES[kind])
        self.restart()
        for kind in kinds:
            with self.subTest(kind):
                self.rejected_everywhere("old" + kind)
                self.assertEqual(self.row("old" + kind, "metadata_sha256"), "")
        self.assertEqual(self.call("DELETE", "/namespaces/sales/tables/oldlocation?purgeRequested=true")[0], 204)
        record = h.wait_for("its record", lambda: [r for r in self.desk.audit() if r["operation"] == "purge-files"
                                                   and r["table"] == "oldlocation"])[-1]
        self.assertIn("tampering: its location is not what was committed", record["reason"])
