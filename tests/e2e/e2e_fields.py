"""What fields of a StorageIntegration do at a real store."""
import json

import harness as h
from e2e_folder import Desk


def template(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Objects", "Effect": "Allow", "Action": list(actions),
         "Resource": "arn:aws:s3:::{{.Bucket}}/{{.KeyPrefix}}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{{.Bucket}}",
         "Condition": {"StringLike": {"s3:prefix": ["{{.KeyPrefix}}/*"]}}}]}, indent=1)


class Templates(Desk):
    """Session policies of the user's own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        own = h.integration(cls.endpoint(), name="own", allowedLocations=["s3://warehouse/own/*"], policyTemplates={
            "read": template("s3:GetObject"), "write": template("s3:GetObject", "s3:PutObject", "s3:DeleteObject")})
        cls.folder.write("own.yaml", own, h.catalog("own", storageIntegrationRef={"name": "own"}),
                         h.role("own-writer", catalog_name="own", privileges=[
                             "NAMESPACE_FULL_METADATA", "TABLE_FULL_METADATA", "TABLE_WRITE_DATA"]))
        h.wait_for("the catalog", lambda: cls.desk.call(
            "POST", "/v1/own/namespaces", cls.token, {"namespace": ["sales"], "properties": {}})[0] == 200, 60)

    def vend(self, name, **properties):
        def created():
            status, body = self.desk.call(
                "POST", "/v1/own/namespaces/sales/tables", self.token,
                {"name": name, "schema": h.SIMPLE_SCHEMA, "location": f"s3://warehouse/own/sales/{name}",
                 "properties": properties}, X_Iceberg_Access_Delegation="vended-credentials")
            return body if status == 200 else None
        body = h.wait_for("a table", created, 60)
        return self.rgw.with_key(body["config"])

    def test_a_template_opens_every_folder_of_a_table(self):
        store = self.vend("spread", **{"write.data.path": "s3://warehouse/own/data/spread"})
        for key in ("own/sales/spread/metadata/x", "own/data/spread/y"):
            self.assertEqual(h.status_of(store.put_object, Bucket="warehouse", Key=key, Body=b"1"), 200, key)
            self.assertEqual(h.status_of(store.get_object, Bucket="warehouse", Key=key), 200, key)
        for key in ("own/data/spread2/y", "own/sales/z", "own/x"):
            self.assertEqual(h.status_of(store.put_object, Bucket="warehouse", Key=key, Body=b"1"), 403, key)

    def test_a_template_for_writing_does_not_delete_for_one_who_may_not(self):
        store = self.vend("kept")
        key = "own/sales/kept/data/x"
        self.assertEqual(h.status_of(store.put_object, Bucket="warehouse", Key=key, Body=b"1"), 200)
        self.assertEqual(h.status_of(store.delete_object, Bucket="warehouse", Key=key), 403)
