"""A registration looks at a file only in a place that is the caller's to use: the store hears nothing of any other, and the
answer is the same whether the file exists or not."""
import json

import e2e_catalog
import e2e_folder
import e2e_surface
import harness as h

S3, LAKE = "s3://warehouse/", "s3://warehouse/lake/"
FILES = ("there.metadata.json", "gone0.metadata.json")  # of one length: so are their answers


class Listening(e2e_folder.Proxy):
    """A way to the store that keeps what went over it."""

    def __init__(self, port):
        self.heard = []
        super().__init__(port)

    def passes(self, data):
        self.heard.append(data)


class Register(e2e_surface.Surface):
    @classmethod
    def endpoint(cls):
        if not hasattr(cls, "way"):
            cls.way = Listening(int(cls.rgw.endpoint.rsplit(":", 1)[1]))
        return h.At(cls.rgw, cls.way.port)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for ns in ("mine", "theirs"):
            status, body = cls.desk.call("POST", e2e_surface.V1 + "/namespaces", cls.token, {"namespace": [ns]})
            assert status == 200, body

    def make(self, kind, name, location, **more):
        body = {"name": name, "schema": h.SIMPLE_SCHEMA, "location": location, **more}
        if kind == "views":
            body.update({"properties": {}, "view-version": e2e_surface.Views.version()})
        status, body = self.call("POST", f"/namespaces/theirs/{kind}", body)
        self.assertEqual(status, 200, body)
        return body

    def places(self):
        """Folders where nobody else may look, each with one of the two files in it."""
        self.make("tables", "table", LAKE + "table")
        self.make("tables", "wide", LAKE + "wide", properties={"write.data.path": LAKE + "wide-data"})
        self.make("views", "view", LAKE + "view")
        self.make("tables", "staged", LAKE + "staged", **{"stage-create": True})
        for kind in ("tables", "views"):
            self.make(kind, "dropped" + kind, LAKE + "dropped-" + kind)
            self.assertEqual(self.call("DELETE", f"/namespaces/theirs/{kind}/dropped{kind}")[0], 204)
        return ["lake/table/metadata/", "lake/table/", "lake/table/deep/er/", "lake/wide-data/", "lake/view/metadata/", "lake/view/",
                "lake/staged/metadata/", "lake/dropped-tables/metadata/", "lake/dropped-views/metadata/", "lake/", "outside/", ""]

    def ask(self, path, body, token):
        status, text, head = self.desk.get(self.desk.uri + e2e_surface.V1 + path, {
            "Authorization": "Bearer " + token, "Content-Type": "application/json",
            "X-Iceberg-Access-Delegation": "vended-credentials"}, "POST", json.dumps(body).encode())
        return status, text.decode(), head["X-Request-Id"]

    def heard_of(self, *words):
        return [data[:300] for data in self.way.heard if any(w.encode() in data for w in words)]

    def hears_nothing(self, token, paths, place):
        for path, more in paths:
            said = []
            for file in FILES:
                self.way.heard.clear()
                status, text, request = self.ask(path, {"name": "copy", "metadata-location": S3 + place + file, **more}, token)
                self.assertEqual(status, 403, (path, more, text))
                self.assertEqual(self.heard_of(file, request), [], (path, more))
                said.append(text.replace(file, "FILE"))
            self.assertEqual(said[0], said[1])

    PATHS = [("/namespaces/mine/register", {}), ("/namespaces/mine/register", {"overwrite": True}), ("/namespaces/mine/register-view", {})]

    def test_the_store_hears_nothing_of_a_file_in_a_place_that_is_not_the_callers(self):
        token = self.someone("looker", {"privileges": ["CATALOG_MANAGE_CONTENT"], "namespaces": ["mine"]})
        for place in self.places():
            self.rgw.s3.put_object(Bucket="warehouse", Key=place + FILES[0], Body=b"{}")
            with self.subTest(place):
                self.hears_nothing(token, self.PATHS, place)

    def test_nor_outside_of_the_namespace_without_the_privilege_to_choose_a_location(self):
        token = self.someone("homely", {"privileges": ["TABLE_CREATE", "TABLE_DROP", "TABLE_WRITE_DATA", "VIEW_CREATE"],
                                        "namespaces": ["mine"]})
        self.rgw.s3.put_object(Bucket="warehouse", Key="lake/raw/" + FILES[0], Body=b"{}")
        self.hears_nothing(token, self.PATHS, "lake/raw/")

    def test_nor_without_the_privilege_to_register(self):
        token = self.someone("reader", {"privileges": ["TABLE_READ_DATA", "TABLE_DROP", "VIEW_READ_PROPERTIES"], "namespaces": ["mine"]})
        self.rgw.s3.put_object(Bucket="warehouse", Key="lake/mine/" + FILES[0], Body=b"{}")
        self.hears_nothing(token, self.PATHS, "lake/mine/")

    def test_it_does_hear_of_one_that_is(self):
        """What the claims above rest on."""
        for path in ("/namespaces/mine/register", "/namespaces/mine/register-view"):
            self.way.heard.clear()
            status, text, request = self.ask(path, {"name": "own", "metadata-location": LAKE + "mine/own/" + FILES[1]}, self.token)
            self.assertEqual(status, 404, text)
            self.assertTrue([data for data in self.heard_of(FILES[1]) if data.startswith(b"GET ")])
            self.assertTrue(self.heard_of(request) or path.endswith("view"))
