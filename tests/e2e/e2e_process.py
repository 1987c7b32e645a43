"""What the released program's process holds and may do: its memory is read for every secret of a run, and what it gave up is
tried. The builds of the other tests have sanitizers, which keep what was freed and attach to their own process."""
import base64
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import unittest
import urllib.parse

import harness as h


def spellings(text):
    """A secret as it may lie in memory: itself, in base64 at each of three places in a longer text, in a URL."""
    found = {text.encode(), urllib.parse.quote(text, safe="").encode()}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + text.encode())
        # What stands before and behind it changes the characters at either end.
        found.add(whole[4 if shift else 0:-4])
    return found


def memory(pid):
    """All that the process holds, piece by piece: (what the piece is, its bytes)."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, mode, _, _, _, *name = line.split()
            begin, end = (int(x, 16) for x in span.split("-"))
            if "r" not in mode or name[:1] in (["[vvar]"], ["[vsyscall]"], ["[vvar_vclock]"]):
                continue
            try:
                mem.seek(begin)
                yield " ".join([span, mode, *name]), mem.read(end - begin)
            except (OSError, OverflowError):
                continue  # gone meanwhile


def found_in(pid, secrets):
    """{name of a secret: where it lies}, of those that lie anywhere."""
    found = {}
    wanted = [(name, form) for name, text in secrets.items() for form in spellings(text)]
    for where, content in memory(pid):
        for name, form in wanted:
            at = content.find(form)
            if at >= 0:
                found.setdefault(name, f"{where} +{at:#x} {content[max(0, at - 60):at + 24 + len(form)]!r}")
    return found


class Reading(unittest.TestCase):
    def nothing_of(self, secrets):
        found = found_in(self.pid, secrets)
        self.assertEqual(found, {}, "\n".join(f"{k}: {v}" for k, v in found.items()))
        return True


class Released(Reading):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-process-")
        cls.rgw = h.Rgw()
        cls.addClassCleanup(cls.rgw.stop)
        cls.rgw.bucket("warehouse")
        cls.folder = h.Folder(cls.base)
        cls.folder.write("lakehouse.yaml", *h.lakehouse(cls.rgw))
        cls.desk = h.Frontdesk(*cls.folder.options(), folder=cls.base, argv0=h.released())
        cls.addClassCleanup(cls.desk.kill)
        cls.pid = cls.desk.process.pid
        cls.client = h.wait_for("etl's Secret", lambda: cls.folder.credentials())
        cls.token = cls.folder.token(cls.desk)
        h.wait_for("a namespace", lambda: cls.desk.call("POST", "/v1/analytics/namespaces", cls.token,
                                                        {"namespace": ["sales"]})[0] == 200)

    def create(self, name):
        return self.desk.call("POST", "/v1/analytics/namespaces/sales/tables", self.token,
                              {"name": name, "schema": h.SIMPLE_SCHEMA}, X_Iceberg_Access_Delegation="vended-credentials")

    def test_no_secret_of_a_call_outlives_it(self):
        def vended():
            status, body = self.create("t" + os.urandom(4).hex())
            return status == 200 and body["storage-credentials"][0]["config"]
        h.wait_for("it vends", vended)
        basic = base64.b64encode(f"{self.client['client-id']}:{self.client['client-secret']}".encode()).decode()
        status, _, _ = self.desk.get(self.desk.uri + "/v1/oauth/tokens", method="POST",
                                     body=b"grant_type=client_credentials",
                                     headers={"Authorization": "Basic " + basic,
                                              "Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(status, 200)
        wrong = {"client-id": self.client["client-id"], "client-secret": "wrong-" + os.urandom(16).hex()}
        self.assertRaises(AssertionError, self.desk.token, wrong)
        tokens = {f"token {i}": self.desk.token(self.client) for i in range(3)}
        for token in tokens.values():
            self.assertEqual(self.desk.call("GET", "/v1/analytics/namespaces", token)[0], 200)
        secrets = {"client secret": self.client["client-secret"], "wrong secret": wrong["client-secret"],
                   **{name: token.rsplit(".", 1)[1] for name, token in tokens.items()}}
        h.wait_for("nothing of it is in memory", lambda: self.nothing_of(secrets), 30)

    def test_a_rotated_client_secret_and_its_successor_are_not_in_memory(self):
        self.folder.write("other.yaml", h.principal("other"))
        first = h.wait_for("its Secret", lambda: self.folder.credentials("other-credentials"))
        self.folder.write("other.yaml", h.manifest("Principal", "other", {"clientCredentials": {}}, annotations={
            f"{h.GROUP}/rotate-requested-at": "2026-11-30T00:00:00Z"}))
        def rotated():
            now = self.folder.credentials("other-credentials")
            return now["client-secret"] != first["client-secret"] and now
        second = h.wait_for("another secret", rotated)
        h.wait_for("nothing of it is in memory", lambda: self.nothing_of(
            {"first": first["client-secret"], "second": second["client-secret"]}), 30)

    def test_a_store_credential_leaves_memory_with_its_secret(self):
        """In force it is needed; a Secret that was replaced, or is gone, is not."""
        key = "old-" + os.urandom(16).hex()
        self.folder.write("keys.yaml", h.secret("other-keys", {"access-key-id": "AKOLD", "secret-access-key": key}),
                          h.integration(self.rgw, "other", allowedLocations=["s3://warehouse/other/*"],
                                        credentialsSecretRef={"name": "other-keys"},
                                        adminCredentialsSecretRef={"name": "other-keys"}))
        h.wait_for("it was read", lambda: found_in(self.pid, {"key": key}))
        self.folder.remove("keys.yaml")
        h.wait_for("nothing of it is in memory", lambda: self.nothing_of({"key": key}), 60)

    def test_the_process_gains_no_privileges_and_its_calls_are_filtered(self):
        with open(f"/proc/{self.pid}/status") as f:
            status = dict(line.split(":", 1) for line in f)
        self.assertEqual(status["NoNewPrivs"].strip(), "1")
        self.assertEqual(status["Seccomp"].strip(), "2")
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/status") as f:
                self.assertIn("Seccomp:\t2", f.read(), f"thread {task}")

    def test_it_leaves_no_core_and_excludes_its_memory_from_dumps(self):
        with open(f"/proc/{self.pid}/limits") as f:
            self.assertRegex(f.read(), r"Max core file size +0 +0 ")
        with open(f"/proc/{self.pid}/coredump_filter") as f:
            self.assertEqual(int(f.read(), 16), 0)

    def test_what_it_writes_is_its_own_users_alone(self):
        wrong = []
        for root, _, files in os.walk(self.base):
            if root.startswith(self.folder.base):
                continue  # ours
            wrong += [f for f in files if stat.S_IMODE(os.stat(os.path.join(root, f)).st_mode) & 0o077]
        self.assertEqual(wrong, [])
        self.assertTrue(os.path.exists(os.path.join(self.base, "catalog.db")))

    def test_root_is_warned_of(self):
        self.assertEqual(bool(self.desk.said(msg="runs as root", level="warning")), os.geteuid() == 0)

    def test_the_binary_is_hardened(self):
        def readelf(*what):
            return subprocess.run(["readelf", "-W", *what, h.released()], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertRegex(readelf("-h"), r"Type: +DYN")
        self.assertRegex(readelf("-d"), r"FLAGS_1\).*NOW.*PIE")
        self.assertIn("GNU_RELRO", readelf("-l"))
        self.assertRegex(readelf("-l"), r"GNU_STACK.* RW +0x")
        symbols = readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__\w+_chk\b")
        if "X86-64" in readelf("-h"):
            self.assertRegex(readelf("-n"), r"x86 feature:.* SHSTK")
            main = subprocess.run(["objdump", "-d", "--disassemble=main", h.released()], stdout=subprocess.PIPE, text=True)
            self.assertRegex(main.stdout, r"<main>:\n.*endbr64")


class InCluster(Reading):
    """Secrets come by a watch, and are written by the program itself."""

    def test_secrets_of_a_cluster_are_not_kept(self):
        rgw, kube = h.Rgw(), h.Kube()
        self.addCleanup(rgw.stop)
        self.addCleanup(kube.stop)
        rgw.bucket("warehouse")
        kube.install()
        kube.apply(*h.lakehouse(rgw))
        desk = h.Frontdesk("--kubeconfig", kube.kubeconfig, argv0=h.released())
        self.addCleanup(desk.kill)
        self.pid = desk.process.pid
        kube.wait_ready("principal", "etl")
        first = kube.secret("etl-credentials")
        h.wait_for("a token", lambda: desk.token(first))
        kube.kubectl("annotate", "principal", "etl", "-n", h.NAMESPACE, f"{h.GROUP}/rotate-requested-at=2026-11-30T00:00:00Z")
        def rotated():
            now = kube.secret("etl-credentials")
            return now["client-secret"] != first["client-secret"] and now
        second = h.wait_for("another secret", rotated)
        h.wait_for("a token by it", lambda: desk.token(second))
        key = "old-" + os.urandom(16).hex()
        kube.apply(h.secret("other-keys", {"access-key-id": "AKOLD", "secret-access-key": key}),
                   h.integration(rgw, "other", allowedLocations=["s3://warehouse/other/*"],
                                 credentialsSecretRef={"name": "other-keys"},
                                 adminCredentialsSecretRef={"name": "other-keys"}))
        h.wait_for("it was read", lambda: found_in(self.pid, {"key": key}))
        kube.apply(h.secret("other-keys", {"access-key-id": "AKNEW", "secret-access-key": "new"}))
        h.wait_for("nothing of it is in memory", lambda: self.nothing_of({
            "first": first["client-secret"], "second": second["client-secret"], "replaced key": key}), 60)


class Commands(unittest.TestCase):
    """Those that are over soon hide their memory as well."""

    def setUp(self):
        """One that waits, for a server that never answers: by a user of its own, for root may read whatever it likes."""
        self.base = tempfile.mkdtemp(prefix="fd-process-")
        self.addCleanup(shutil.rmtree, self.base)
        os.chmod(self.base, 0o755)
        program = shutil.copy(h.released(), self.base)
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        self.user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        # Where a limit is set already, its absence would prove nothing.
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        self.process = subprocess.Popen(["sh", "-c", f"ulimit -c {'unlimited' if most < 0 else most // 512}; exec \"$@\"",
                                         "sh", program, "table", "list", "lake", "--uri",
                                         f"http://127.0.0.1:{silent.getsockname()[1]}"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=self.base, env={**os.environ, "FRONTDESK_TOKEN": "t"},
                                        **self.user)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.of = f"/proc/{self.process.pid}/"
        h.wait_for("its files in /proc are root's", lambda: os.stat(self.of + "mem").st_uid == 0 and self.runs())

    def runs(self):
        with open(self.of + "comm") as f:
            return f.read() == "frontdesk\n"

    def test_every_command_hides_its_memory(self):
        with open(self.of + "limits") as f:
            self.assertRegex(f.read(), r"Max core file size +0 +0 ")
        reader = subprocess.run(["cat", self.of + "mem"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                **self.user)
        self.assertIn("Permission denied", reader.stderr)

    def test_a_crash_leaves_no_core(self):
        self.process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(self.process.pid, 0)
        self.process.returncode = -signal.SIGABRT
        self.assertTrue(os.WIFSIGNALED(status))
        self.assertFalse(os.WCOREDUMP(status))
