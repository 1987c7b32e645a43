"""What else a vended credential may become at a real store: another role that trusts the user who minted it, the user
himself, or somebody who manages roles. Found before it is vended from, named, and put right by who reads the condition."""
import json
import shutil
import tempfile
import unittest

import harness as h
from e2e_operator import state_of

USER = "arn:aws:iam:::user/lakehouse"
GUARD = {"Null": {"aws:TokenIssueTime": "true"}}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]}


def compact(document):
    """Without blanks: boto3 sends them as '+', which RGW takes literally."""
    return json.dumps(document, separators=(",", ":"))


def trust(principals, condition=None):
    statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": ["sts:AssumeRole"]}
    return {"Version": "2012-10-17", "Statement": [{**statement, **({"Condition": condition} if condition else {})}]}


class Become(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-become-")
        cls.addClassCleanup(shutil.rmtree, cls.base, True)
        cls.rgw = h.Rgw()
        cls.addClassCleanup(cls.rgw.stop)
        cls.rgw.bucket("warehouse")
        cls.folder = h.Folder(cls.base)
        cls.folder.write("keys.yaml", h.key_secret("store-keys", cls.rgw["user"]), h.key_secret("store-admin", cls.rgw["admin"]))
        cls.desk = h.Frontdesk(*cls.folder.options(), "--resync", "2", folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)

    def setUp(self):
        self.folder.write("lake.yaml", h.integration(self.rgw))
        self.wait_ready()

    def tearDown(self):
        self.folder.remove("lake.yaml")
        h.wait_for("its role is gone", lambda: not any(r.startswith("frontdesk-") for r in self.rgw.roles()))

    def other(self, name, document, policy=EVERYTHING, path="/"):
        self.rgw.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=compact(document))
        self.addCleanup(self.drop, name)
        if policy:
            self.rgw.iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=compact(policy))

    def drop(self, name):
        if name in self.rgw.roles():
            for policy in self.rgw.iam.list_role_policies(RoleName=name)["PolicyNames"]:
                self.rgw.iam.delete_role_policy(RoleName=name, PolicyName=policy)
            self.rgw.iam.delete_role(RoleName=name)

    def condition(self, type_="Ready", name="store"):
        status = state_of(self.folder, name).get("status") or {}
        return next((c for c in status.get("conditions", []) if c["type"] == type_), {})

    def wait_ready(self, status="True", name="store", text=""):
        def claim():
            found = self.condition(name=name)
            return found if found.get("status") == status and text in found["message"] else None
        return h.wait_for(f"{name} Ready={status} {text}", claim)

    def is_found(self, name, arn=None):
        """The role is a hole that both conditions name, with a remedy; and none any more once that was done."""
        ready = self.wait_ready("False", text=arn or f"arn:aws:iam:::role/{name}")
        self.assertEqual(ready["reason"], "ScopeNotVerified")
        verified = self.condition("ScopeVerified")
        self.assertEqual((verified["status"], verified["reason"]), ("False", "ProbeFailed"))
        for text in ("a user of its own", f"aws:TokenIssueTime true into the trust policy of {name}"):
            self.assertIn(text, verified["message"])
        self.rgw.iam.update_assume_role_policy(RoleName=name, PolicyDocument=compact(trust([USER], GUARD)))
        self.wait_ready()

    def test_a_role_that_trusts_the_same_user_without_the_guard_is_found_while_it_runs(self):
        self.other("second-catalog", trust([USER]))
        self.is_found("second-catalog")

    def test_so_is_one_that_trusts_everybody_or_our_role(self):
        own = next(r for r in self.rgw.roles() if r.startswith("frontdesk-"))
        for name, principals in (("all", ["*"]), ("by-role", [f"arn:aws:iam:::role/{own}"]),
                                 ("by-session", [f"arn:aws:sts:::assumed-role/{own}/etl"]),
                                 ("mixed", ["arn:aws:iam:::user/somebody", USER])):
            with self.subTest(name):
                self.other(name, trust(principals))
                self.is_found(name)

    def test_one_below_a_path_and_one_with_another_condition_are_found(self):
        self.other("deep", trust([USER]), path="/a/b/")
        self.is_found("deep", "arn:aws:iam:::role/a/b/deep")
        self.other("loose", trust([USER], {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
        self.is_found("loose")

    def test_a_second_statement_without_the_guard_is_found(self):
        document = trust([USER], GUARD)
        document["Statement"] += trust([USER])["Statement"]
        self.other("half", document)
        self.is_found("half")

    def test_roles_that_admit_none_of_our_sessions_are_no_hole(self):
        # The last is a hole, so the others were looked at when it is named.
        self.other("guarded", trust([USER], GUARD))
        self.other("strangers", trust(["arn:aws:iam:::user/somebody"]))
        self.other("empty", trust([USER]), policy=None)
        self.wait_ready()
        self.other("zz-open", trust([USER]))
        self.is_found("zz-open")

    def test_more_roles_than_can_be_tried_are_a_hole_that_says_so(self):
        for i in range(65):
            self.other(f"many-{i}", trust([USER]))
        self.wait_ready("False", text="more than 64 other roles may admit sessions of our user or role")
        for i in range(65):
            self.drop(f"many-{i}")
        self.wait_ready()

    def test_where_roles_cannot_be_listed_those_of_other_integrations_are_tried(self):
        self.other("trusted", trust([USER], GUARD))
        self.other("second-catalog", trust([USER], GUARD))
        without_admin = {"adminCredentialsSecretRef": {"name": "store-keys"}, "management": "None"}
        self.folder.write("blind.yaml", h.integration(
            self.rgw, "blind", roleArn="arn:aws:iam:::role/trusted", allowedLocations=["s3://warehouse/blind/*"], **without_admin))
        self.addCleanup(self.folder.remove, "blind.yaml")
        self.wait_ready(name="blind")
        self.assertIn("could not be listed", self.condition("ScopeVerified", "blind")["message"])
        self.folder.write("second.yaml", h.integration(
            self.rgw, "second", roleArn="arn:aws:iam:::role/second-catalog", allowedLocations=["s3://warehouse/second/*"],
            **without_admin))
        self.addCleanup(self.folder.remove, "second.yaml")
        self.wait_ready(name="second")
        self.rgw.iam.update_assume_role_policy(RoleName="second-catalog", PolicyDocument=compact(trust([USER])))
        # Whoever is probed next sees it; a changed spec is a reason.
        self.folder.write("blind.yaml", h.integration(
            self.rgw, "blind", roleArn="arn:aws:iam:::role/trusted", allowedLocations=["s3://warehouse/blind2/*"], **without_admin))
        self.wait_ready("False", "blind", "arn:aws:iam:::role/second-catalog")


if __name__ == "__main__":
    unittest.main()
