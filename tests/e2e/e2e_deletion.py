"""What is deleted goes by itself, in whatever order its parts go, and what holds it up can be put right there and then."""
import itertools

import harness as h


class Deletion(h.ClusterAndStore):
    """A namespace's objects at a real API server, in orders that nobody keeps."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.desk = h.Frontdesk("--kubeconfig", cls.kube.kubeconfig, "--resync", "5", "--lease", "3")
        cls.addClassCleanup(cls.desk.kill)

    def setUp(self):
        if self.desk.process.poll() is not None:
            self.desk.start()

    def role_name(self, namespace):
        return f"frontdesk-{namespace}-store"

    def make(self, namespace):
        """All that a tenant has, ready."""
        self.kube.kubectl("create", "namespace", namespace)
        objects = h.lakehouse(self.rgw)[:3] + [h.catalog(namespace), h.principal(), h.role(catalog_name=namespace)]
        for o in objects:
            o["metadata"]["namespace"] = namespace
            if o["kind"] == "StorageIntegration":
                o["spec"].update(allowedLocations=[f"s3://warehouse/{namespace}/*"], bucketPolicy="Managed")
        self.kube.apply(*objects)
        for kind, name in (("sti", "store"), ("prin", "etl"), ("pcat", namespace), ("crole", "writer")):
            self.kube.wait_ready(kind, name, namespace=namespace)
        self.assertIn(self.role_name(namespace), self.rgw.roles())

    def left(self, namespace):
        """What of ours is left in the cluster and at the store."""
        found = [] if self.role_name(namespace) not in self.rgw.roles() else [self.role_name(namespace)]
        for kind in ("sti", "pcat", "prin", "crole"):
            found += self.kube.kubectl("get", kind, "-n", namespace, "-o", "name").split()
        try:
            policy = self.rgw.s3.get_bucket_policy(Bucket="warehouse")["Policy"]
        except self.rgw.s3.exceptions.ClientError:
            policy = ""
        return found + ([policy] if f"{namespace}/" in policy else [])

    def gone(self, namespace, seconds=60):
        def claim():
            left = self.left(namespace)
            assert not left, left
            return True
        return h.wait_for(f"all of {namespace} is gone", claim, seconds)

    def test_secrets_and_integrations_go_in_any_order(self):
        for i, order in enumerate(itertools.permutations(("secret/store-keys", "secret/store-admin", "sti/store"))):
            with self.subTest(order):
                namespace = f"order{i}"
                self.make(namespace)
                for what in order:
                    self.kube.kubectl("delete", what, "-n", namespace, "--wait=false")
                    # As late as can be: the next goes when all the world knows that this one is gone.
                    if what != "sti/store":
                        h.wait_for("it is gone", lambda w=what, n=namespace: not self.kube.kubectl(
                            "get", w, "-n", n, "--ignore-not-found", "-o", "name").strip())
                self.kube.kubectl("delete", "pcat,prin,crole", "--all", "-n", namespace)
                self.gone(namespace)

    def test_an_integration_whose_secrets_are_long_gone_still_goes(self):
        namespace = "late"
        self.make(namespace)
        self.kube.kubectl("delete", "secret", "store-keys", "store-admin", "-n", namespace)
        self.kube.wait_ready("sti", "store", "False", namespace=namespace)
        self.kube.kubectl("delete", "sti,pcat,prin,crole", "--all", "-n", namespace, "--wait=false")
        self.gone(namespace)

    def test_a_namespace_that_is_deleted_ends_by_itself(self):
        for namespace in ("ends1", "ends2"):
            self.make(namespace)
        for namespace in ("ends1", "ends2"):
            self.kube.kubectl("delete", "namespace", namespace, "--wait=false")
        for namespace in ("ends1", "ends2"):
            self.gone(namespace)
            h.wait_for("the namespace is gone", lambda n=namespace: not self.kube.kubectl(
                "get", "namespace", n, "--ignore-not-found", "-o", "name").strip())

    def test_what_blocks_a_deletion_can_be_put_right_in_a_namespace_that_is_being_deleted(self):
        """The Secrets go while nobody looks: what is left is what the condition says, and nothing can be created."""
        namespace = "blocked"
        self.make(namespace)
        self.desk.stop()
        self.kube.kubectl("delete", "secret", "store-keys", "store-admin", "-n", namespace)
        self.kube.kubectl("delete", "namespace", namespace, "--wait=false")
        h.wait_for("it is being deleted", lambda: "deletionTimestamp" in self.kube.get("sti", "store", namespace)["metadata"])
        self.desk.start()
        blocked = h.wait_for("it says so", lambda: (lambda c: c if c["reason"] == "DeletionBlocked" else None)(
            self.kube.condition("sti", "store", namespace=namespace)))
        self.assertIn("Secret store-keys is missing", blocked["message"])
        self.assertIn("set spec.deletionPolicy to Retain", blocked["message"])
        refused = self.kube.kubectl("create", "secret", "generic", "store-keys", "-n", namespace, check=False)
        self.assertIn("is being terminated", refused.stderr)
        self.kube.patch("sti", "store", {"deletionPolicy": "Retain"}, namespace=namespace)
        h.wait_for("the namespace is gone", lambda: not self.kube.kubectl(
            "get", "namespace", namespace, "--ignore-not-found", "-o", "name").strip())
        self.assertIn(self.role_name(namespace), self.rgw.roles())
