"""What a condition says is what is served: whoever is Ready logs in, wherever his Secret came from."""
import base64
import json
import os

import harness as h

LABEL = "app.kubernetes.io/managed-by"


def raw(data):
    return {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}


class Served(h.Cluster):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.desks = [h.Frontdesk("--kubeconfig", cls.kube.kubeconfig, "--lease", "3") for _ in range(2)]
        for desk in cls.desks:
            cls.addClassCleanup(desk.kill)

    def logs_in(self, client, seconds=60):
        """At each replica and in each of its loops."""
        for desk in self.desks:
            h.wait_for_loops("it logs in", lambda d=desk: d.token(client), seconds)

    def is_out(self, client):
        for desk in self.desks:
            def refused(d=desk):
                try:
                    d.token(client)
                except AssertionError:
                    return True
                return False
            h.wait_for_loops("it is out", refused)

    def own(self, name, client):
        """A principal with a Secret of the user's own, as his GitOps tool applies it."""
        self.kube.apply(h.secret(name + "-own", client),
                        h.manifest("Principal", name, {"clientCredentials": {"secretName": name + "-own"}}))

    def test_a_principal_with_a_secret_of_the_users_own_logs_in_when_it_is_ready(self):
        client = {"client-id": "mine", "client-secret": "a-secret-of-my-own"}
        self.own("mine", client)
        self.kube.wait_ready("prin", "mine")
        # The replica that said so: at once. The other one follows by itself.
        self.assertTrue(any(self.answers(d, client) for d in self.desks))
        self.logs_in(client)
        new = {**client, "client-secret": "another-secret-of-my-own"}
        self.kube.apply(h.secret("mine-own", new))
        self.logs_in(new)
        self.is_out(client)
        self.assertNotIn(LABEL, self.kube.get("secret", "mine-own")["metadata"].get("labels", {}))

    @staticmethod
    def answers(desk, client):
        try:
            return desk.token(client)
        except AssertionError:
            return None

    def test_a_secret_of_the_users_own_that_is_not_whole_is_no_ready_principal(self):
        client = {"client-id": "part", "client-secret": "the-other-part"}
        self.own("part", {"client-id": "part"})
        ready = self.kube.wait_ready("prin", "part", "False")
        self.assertIn("Secret part-own lacks client-id or client-secret", ready["message"])
        self.kube.apply(h.secret("part-own", client))
        self.kube.wait_ready("prin", "part")
        self.logs_in(client)

    def test_a_generated_secret_keeps_logging_in_when_its_label_is_taken_off(self):
        self.kube.apply(h.principal("bare"))
        self.kube.wait_ready("prin", "bare")
        client = self.kube.secret("bare-credentials")
        self.logs_in(client)
        self.kube.kubectl("label", "secret", "bare-credentials", "-n", h.NAMESPACE, LABEL + "-")
        for _ in range(50):
            self.assertTrue(all(d.token(client) for d in self.desks))
        self.kube.wait_ready("prin", "bare")
        # Followed as before: what is changed there is in force.
        new = {**client, "client-secret": "changed-by-hand"}
        self.kube.kubectl("patch", "secret", "bare-credentials", "-n", h.NAMESPACE, "--type=merge", "-p",
                          json.dumps({"data": raw({"client-secret": "changed-by-hand"})}))
        self.logs_in(new)
        self.kube.kubectl("label", "secret", "bare-credentials", "-n", h.NAMESPACE, LABEL + "=frontdesk")
        self.logs_in(new)
        self.desks[0].kill()
        self.desks[0].start()
        self.logs_in(new)

    def test_a_secret_restored_from_a_backup_without_labels_logs_in(self):
        self.kube.apply(h.principal("restored"))
        self.kube.wait_ready("prin", "restored")
        client = self.kube.secret("restored-credentials")
        self.desks[0].stop()
        self.desks[1].stop()
        self.kube.kubectl("delete", "secret", "restored-credentials", "-n", h.NAMESPACE)
        self.kube.apply(h.secret("restored-credentials", client))
        for desk in self.desks:
            desk.start()
        self.logs_in(client)
        self.kube.wait_ready("prin", "restored")
        self.assertEqual(self.kube.secret("restored-credentials")["client-secret"], client["client-secret"])

    def test_a_rotation_of_what_is_the_users_own_is_refused_by_the_way_to_do_it(self):
        client = {"client-id": "turn", "client-secret": "the-first-of-them"}
        self.own("turn", client)
        self.kube.wait_ready("prin", "turn")
        self.kube.kubectl("annotate", "prin", "turn", "-n", h.NAMESPACE, f"{h.GROUP}/rotate-requested-at=now")
        ready = self.kube.wait_ready("prin", "turn", "False")
        self.assertIn("Secret turn-own is not owned by this principal: put new values into it", ready["message"])
        self.assertEqual(self.kube.secret("turn-own"), client)
        self.kube.kubectl("annotate", "prin", "turn", "-n", h.NAMESPACE, f"{h.GROUP}/rotate-requested-at-")
        self.kube.wait_ready("prin", "turn")
        self.logs_in(client)

    def test_a_service_account_that_does_not_exist_is_no_ready_principal(self):
        self.kube.apply(h.manifest("Principal", "pod", {"serviceAccount": {"name": "absent"}}))
        ready = self.kube.wait_ready("prin", "pod", "False")
        self.assertIn("there is no ServiceAccount absent in namespace lakehouse", ready["message"])
        self.kube.kubectl("create", "serviceaccount", "absent", "-n", h.NAMESPACE)
        self.kube.wait_ready("prin", "pod")
        self.kube.delete("serviceaccount", "absent")
        self.kube.wait_ready("prin", "pod", "False")

    def connections(self, desk):
        """To the API server, of that process: each watch has one."""
        port, mine = self.kube["port"], set()
        for fd in os.listdir(f"/proc/{desk.process.pid}/fd"):
            try:
                mine.add(os.readlink(f"/proc/{desk.process.pid}/fd/{fd}"))
            except OSError:
                continue
        with open("/proc/net/tcp") as f:
            rows = [line.split() for line in f][1:]
        return sum(r[2].endswith(f":{port:04X}") and r[3] == "01" and f"socket:[{r[9]}]" in mine for r in rows)

    def test_the_watches_of_secrets_end_when_nobody_names_them_any_more(self):
        desk, names = self.desks[0], [f"used{i}" for i in range(20)]
        def integration(name):
            return h.integration("http://127.0.0.1:1", "wanderer", credentialsSecretRef={"name": name},
                                 adminCredentialsSecretRef={"name": name})
        self.kube.apply(integration(names[0]))
        self.kube.wait_ready("sti", "wanderer", "False")
        before = self.connections(desk)
        for name in names[1:]:
            self.kube.apply(integration(name))
            h.wait_for("it is looked for", lambda n=name: f"Secret {n} is missing" in self.kube.condition(
                "sti", "wanderer")["message"])
        h.wait_for("as many watches as before", lambda: self.connections(desk) <= before + 3)
        self.kube.delete("sti", "wanderer")
