"""storageType file: tables in a folder of this machine, for trying out, without a store and without keys."""
import json
import os
import shutil
import tempfile
import unittest

import harness as h


class Files(unittest.TestCase):
    """A program whose tables are files of this machine."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-files-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        folder = h.Folder(cls.base)
        folder.write("lakehouse.yaml", h.file_integration(), h.catalog(), h.principal(), h.role())
        cls.desk = h.Frontdesk(*folder.options(), "--file-storage", cls.base, folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)
        cls.token = folder.token(cls.desk)
        cls.client = folder.credentials()
        h.wait_for("the catalog", lambda: cls.desk.call("POST", "/v1/analytics/namespaces", cls.token,
                                                        {"namespace": ["sales"]})[0] in (200, 409))

    def create(self, name, **more):
        return self.desk.call("POST", "/v1/analytics/namespaces/sales/tables", self.token,
                              {"name": name, "schema": h.SIMPLE_SCHEMA, **more}, X_Iceberg_Access_Delegation="vended-credentials")


class FileStorage(Files):
    def test_pyiceberg_writes_and_reads_a_table_in_the_folder(self):
        import pyarrow as pa

        catalog = self.desk.pyiceberg(self.client)
        table = catalog.create_table("sales.events", schema=pa.schema([("id", pa.int64())]))
        table.append(pa.table({"id": pa.array([1, 2], pa.int64())}))
        self.assertEqual(catalog.load_table("sales.events").scan().to_arrow().num_rows, 2)
        self.assertTrue(table.location().startswith("file:" + self.base + "/lake/"), table.location())

    def test_nothing_is_vended(self):
        status, body = self.create("plain")
        self.assertEqual((status, body.get("storage-credentials")), (200, None), body)
        status, body = self.desk.call("GET", "/v1/analytics/namespaces/sales/tables/plain/credentials", self.token)
        self.assertEqual((status, body["error"]["type"]), (400, "BadRequestException"), body)

    def test_a_place_outside_the_folder_is_refused(self):
        for place in ("file:" + self.base + "/lakes/t", "file:/etc/t", "file:" + self.base + "/lake/../t", "s3://lake/t"):
            self.assertEqual(self.create("outside", location=place)[0], 403, place)

    def test_a_link_out_of_the_folder_is_not_followed(self):
        os.makedirs(os.path.join(self.base, "lake"), exist_ok=True)
        elsewhere = os.path.join(self.base, "elsewhere")
        os.makedirs(elsewhere)
        os.symlink(elsewhere, os.path.join(self.base, "lake", "link"))
        self.assertGreaterEqual(self.create("linked", location="file:" + self.base + "/lake/link/t")[0], 400)
        self.assertEqual(os.listdir(elsewhere), [])

    def test_a_tag_does_not_hide_that_a_file_is_gone(self):
        status, body = self.create("tagged")
        self.assertEqual(status, 200, body)
        url, bearer = self.desk.uri + "/v1/analytics/namespaces/sales/tables/tagged", {"Authorization": "Bearer " + self.token}
        tag = self.desk.get(url, bearer)[2]["ETag"]
        self.assertEqual(self.desk.get(url, {**bearer, "If-None-Match": tag})[0], 304)
        os.unlink(body["metadata-location"].removeprefix("file:"))
        status, said, headers = self.desk.get(url, {**bearer, "If-None-Match": tag})
        self.assertEqual((status, json.loads(said)["error"]["type"], headers["ETag"]), (404, "NotFoundException", None))
