"""What namespaces share stays with the elder: a tenant takes no name, location, client id or role of another's, at a real store and API server."""

import harness as h

TABLE = "/v1/analytics/namespaces/sales/tables/t"


def within(namespace, *objects):
    for o in objects:
        o["metadata"]["namespace"] = namespace
    return objects


class Elders(h.ClusterAndStore):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for namespace in ("aaa", "team-a", "team"):
            cls.kube.kubectl("create", "namespace", namespace)
        cls.desk = h.Frontdesk("--kubeconfig", cls.kube.kubeconfig, "--resync", "5")
        cls.addClassCleanup(cls.desk.kill)
        objects = h.lakehouse(cls.rgw)
        objects[2]["spec"]["allowedLocations"] = ["s3://warehouse/lake/*", "s3://warehouse/ml/*"]
        cls.kube.apply(*objects)
        cls.kube.wait_ready("sti", "store", seconds=60)
        for kind, name in (("pcat", "analytics"), ("prin", "etl"), ("crole", "writer")):
            cls.kube.wait_ready(kind, name)
        cls.client = cls.kube.secret("etl-credentials")
        cls.token = cls.desk.token(cls.client)
        cls.desk.call("POST", "/v1/analytics/namespaces", cls.token, {"namespace": ["sales"], "properties": {}})
        for name, more in (("t", {}), ("m", {"location": "s3://warehouse/ml/x/m"})):
            status, body = cls.desk.call("POST", "/v1/analytics/namespaces/sales/tables", cls.token,
                                         {"name": name, "schema": h.SIMPLE_SCHEMA, **more})
            assert status == 200, body

    def untouched(self):
        """The elder is named, vended from and logged in to as before."""
        self.assertEqual(self.kube.get("pcat", "analytics")["status"]["warehouse"], "analytics")
        self.assertEqual(self.kube.condition("pcat", "analytics")["status"], "True")
        for name in ("t", "m"):
            h.wait_for_loops(f"{name} is vended", lambda n=name: self.desk.call(
                "GET", f"/v1/analytics/namespaces/sales/tables/{n}/credentials", self.token)[0] == 200)
        self.assertTrue(self.desk.token(self.client))

    def told(self, kind, name, namespace, reason, elder):
        said = self.kube.wait_ready(kind, name, "False", namespace)
        self.assertEqual(said["reason"], reason, said)
        self.assertIn(elder, said["message"])

    def test_a_catalog_of_the_same_name_is_the_youngers_whole_name_only(self):
        self.kube.apply(*within("aaa", h.key_secret("store-keys", self.rgw["user"]), h.key_secret("store-admin", self.rgw["admin"]),
                                h.integration(self.rgw, name="own", allowedLocations=["s3://warehouse/aaa/*"]),
                                h.manifest("PolarisCatalog", "analytics", {"storageIntegrationRef": {"name": "own"}}),
                                h.principal("thief"), h.role("thieves", principals=[{"kind": "Principal", "name": "thief"}])))
        self.kube.wait_ready("sti", "own", namespace="aaa")
        self.told("pcat", "analytics", "aaa", "NameTaken", "lakehouse/analytics")
        self.untouched()
        thief = self.desk.token(self.kube.secret("thief-credentials", "aaa"))
        self.assertEqual(self.desk.call("GET", TABLE, thief)[0], 404)
        h.wait_for_loops("the younger is served", lambda: self.desk.call("GET", "/v1/aaa.analytics/namespaces", thief)[0] == 200)
        h.wait_for_loops("the elder by its whole name", lambda: self.desk.call("GET", "/v1/lakehouse.analytics/namespaces", self.token)[0] == 200)

    def test_a_catalog_over_a_folder_of_an_elders_takes_nothing_from_it(self):
        keys = {"access_key": "AKIANOBODY", "secret_key": "nothing"}
        self.kube.apply(*within("team", h.key_secret("store-keys", keys), h.key_secret("store-admin", keys),
                                h.integration(self.rgw.endpoint.replace("127.0.0.1", "localhost"), name="trap",
                                              allowedLocations=["s3://warehouse/ml/x/*"]),
                                h.manifest("PolarisCatalog", "trap", {"storageIntegrationRef": {"name": "trap"}}),
                                h.manifest("PolarisCatalog", "over", {"storageIntegrationRef": {"name": "trap"},
                                                                      "defaultBaseLocation": "s3://warehouse/ml/x/m"})))
        self.told("pcat", "trap", "team", "LocationOverlap", "lakehouse/analytics")
        self.untouched()
        self.assertEqual(self.desk.call("POST", "/v1/analytics/namespaces/sales/tables", self.token, {
            "name": "m2", "schema": h.SIMPLE_SCHEMA, "location": "s3://warehouse/ml/x/m2"})[0], 200)

    def test_two_integrations_whose_names_join_to_one_have_a_role_each(self):
        for namespace, name in (("team-a", "b"), ("team", "a-b")):
            self.kube.apply(*within(namespace, h.key_secret("keys", self.rgw["user"]), h.key_secret("admin", self.rgw["admin"]),
                                    h.integration(self.rgw, name=name, allowedLocations=[f"s3://warehouse/{namespace}/*"],
                                                  credentialsSecretRef={"name": "keys"}, adminCredentialsSecretRef={"name": "admin"})))
        arns = {n: (self.kube.wait_ready("sti", name, namespace=n), self.kube.get("sti", name, n)["status"]["roleArn"])[1]
                for n, name in (("team-a", "b"), ("team", "a-b"))}
        self.assertEqual(sorted(a.rsplit("/", 1)[1] for a in arns.values()), ["frontdesk-team-a-b", "frontdesk-team.a-b"])
        self.assertLessEqual({"frontdesk-team-a-b", "frontdesk-team.a-b"}, set(self.rgw.roles()))

    def test_a_region_that_is_no_part_of_a_host_name_is_not_taken(self):
        for region in ("x.example/", "a b", "-a", "evil.example#"):
            done = self.kube.kubectl("apply", "-f", "-", check=False, stdin=h.json.dumps(h.integration(self.rgw, name="far", region=region)))
            self.assertNotEqual(done.returncode, 0, region)
            self.assertIn("spec.region", done.stderr)
