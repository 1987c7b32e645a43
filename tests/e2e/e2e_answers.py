"""What the answers of tables say beside the table: files that cannot be used, tags of what a client holds."""
import json
import re

import e2e_catalog
import e2e_folder
import harness as h

TABLES = e2e_catalog.TABLES


class Answers(e2e_catalog.Catalog):
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
        self.desk.kill()
        self.desk.start()
        h.wait_for("all is in force after the restart", lambda: self.load("first")[0] == 200)
        return body["metadata-location"]

    def check(self, name, content, want, why):
        location, before = self.broken(name, content), self.counted("frontdesk_metadata_unusable_total")
        bugs = self.counted("frontdesk_bugs_total")
        for method, body in (("GET", None), ("POST", {"updates": [{"action": "set-properties", "updates": {"k": "v"}}]})):
            status, said, headers = self.ask(method, f"{TABLES}/{name}", body=body)
            self.assertEqual((status, said["error"]["code"], said["error"]["type"]), (want[0], *want), said)
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
