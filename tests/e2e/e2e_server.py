"""The listener as clients and attackers meet it: TLS, certificates that change, sockets that misbehave."""
import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import e2e_folder
import harness as h


def make_pair(folder, name, algorithm="EC"):
    """A self-signed certificate and its key, as paths."""
    cert, key = os.path.join(folder, name + ".crt"), os.path.join(folder, name + ".key")
    kind = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "EC" else ["rsa:2048"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "2", "-subj", "/CN=" + name,
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, stderr=subprocess.DEVNULL)
    return cert, key


def trusting_all(highest=None, lowest=None):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    return context


class Tls(unittest.TestCase):
    """The files are swapped in a folder; `serve` is what the program is told to read."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fd-tls-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.serve = os.path.join(self.folder, "serve")
        os.mkdir(self.serve)
        self.pairs = {}

    def pair(self, name, algorithm="EC"):
        if name not in self.pairs:
            self.pairs[name] = make_pair(self.folder, name, algorithm)
        return self.pairs[name]

    def start(self, threads=2):
        self.resources = h.Folder(self.folder)
        self.resources.write("principal.yaml", h.principal())
        self.desk = h.Frontdesk(*self.resources.options(), "--file-storage", self.folder, "--tls-cert", os.path.join(self.serve, "tls.crt"), "--tls-key",
                                os.path.join(self.serve, "tls.key"), "--threads", str(threads), folder=self.folder)
        self.addCleanup(self.desk.kill)
        self.port = int(self.desk.uri.rsplit(":", 1)[1])

    def install(self, name, algorithm="EC"):
        """By renaming each file over the old one."""
        for source, target in zip(self.pair(name, algorithm), ("tls.crt", "tls.key")):
            with open(source) as f:
                self.put(target, f.read())

    def put(self, target, text):
        with open(os.path.join(self.serve, "next"), "w") as f:
            f.write(text)
        os.rename(os.path.join(self.serve, "next"), os.path.join(self.serve, target))

    def mount(self, name):
        """As the kubelet mounts a Secret: links to ..data, itself a link that is swapped."""
        version = os.path.join(self.serve, f"..{time.monotonic_ns()}")
        os.mkdir(version)
        for source, target in zip(self.pair(name), ("tls.crt", "tls.key")):
            shutil.copy(source, os.path.join(version, target))
        os.symlink(os.path.basename(version), os.path.join(self.serve, "..data_tmp"))
        os.rename(os.path.join(self.serve, "..data_tmp"), os.path.join(self.serve, "..data"))
        for target in ("tls.crt", "tls.key"):
            if not os.path.lexists(os.path.join(self.serve, target)):
                os.symlink(os.path.join("..data", target), os.path.join(self.serve, target))

    def connect(self, context=None, session=None):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        try:
            return (context or trusting_all()).wrap_socket(raw, server_hostname="127.0.0.1", session=session)
        except BaseException:
            raw.close()
            raise

    def shown(self, context=None):
        """The name in the certificate that a new connection is shown."""
        with self.connect(context) as s:
            der = s.getpeercert(binary_form=True)
        text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "RFC2253"],
                              input=der, stdout=subprocess.PIPE, check=True).stdout.decode()
        return text.strip().split("CN=")[1]

    def wait_shown(self, name):
        h.wait_for_loops(f"the certificate of {name}", lambda: self.shown() == name)

    def ask(self, s, path="/nowhere"):
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: desk\r\n\r\n".encode())
        text = b""
        while b"\r\n\r\n" not in text:
            piece = s.recv(65536)
            if not piece:
                return text
            text += piece
        return text

    def complaints(self):
        return self.desk.said(level="error", msg="certificate")


class TlsSessions(Tls):
    def setUp(self):
        super().setUp()
        self.install("one")

    def test_it_answers_over_tls_1_3_and_speaks_http_1_1(self):
        self.start()
        context = trusting_all()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with self.connect(context) as s:
            self.assertEqual((s.version(), s.selected_alpn_protocol()), ("TLSv1.3", "http/1.1"))
            self.assertTrue(self.ask(s).startswith(b"HTTP/1.1 404 "))
            self.assertTrue(self.ask(s, "/v1/config").startswith(b"HTTP/1.1 401 "))
        with self.connect() as s:
            self.assertTrue(self.ask(s).startswith(b"HTTP/1.1 404 "))
        self.desk.stop()

    def test_its_certificate_is_verified_by_those_who_trust_it(self):
        self.start()
        context = ssl.create_default_context(cafile=self.pair("one")[0])
        with self.connect(context) as s:
            self.assertEqual(dict(x[0] for x in s.getpeercert()["subject"])["commonName"], "one")

    def test_tls_1_2_is_answered_and_older_ones_are_refused(self):
        self.start()
        with self.connect(trusting_all(ssl.TLSVersion.TLSv1_2)) as s:
            self.assertEqual(s.version(), "TLSv1.2")
            self.assertTrue(self.ask(s).startswith(b"HTTP/1.1 404 "))
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = trusting_all(version, version)
            context.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.connect(context).close()

    def test_plain_text_is_closed_and_the_server_lives(self):
        self.start()
        for bytes_ in (b"GET /v1/config HTTP/1.1\r\nHost: desk\r\n\r\n", b"\r\n" * 1000, b"\x16\x03\x01\xff\xff" + b"x" * 70000):
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as s:
                try:
                    s.sendall(bytes_)
                    answer = b"".join(iter(lambda: s.recv(65536), b""))
                except ConnectionError:
                    answer = b""
                self.assertNotIn(b"HTTP/1.1", answer)
        with self.connect() as s:
            self.assertTrue(self.ask(s).startswith(b"HTTP/1.1 404 "))
        self.desk.stop()

    def test_a_handshake_that_never_comes_is_ended(self):
        self.start()
        silent = [socket.create_connection(("127.0.0.1", self.port), timeout=40) for _ in range(20)]
        silent[0].sendall(b"\x16\x03\x01")
        with self.connect() as s:
            self.assertTrue(self.ask(s).startswith(b"HTTP/1.1 404 "))
        for s in silent:
            try:
                self.assertEqual(s.recv(1), b"")
            except ConnectionError:
                pass
            s.close()
        self.desk.stop()

    def test_sessions_are_resumed_at_any_thread(self):
        self.start(threads=4)
        context, resumed = trusting_all(ssl.TLSVersion.TLSv1_2), 0
        with self.connect(context) as first:
            self.ask(first)
            session = first.session
        for _ in range(16):
            with self.connect(context, session) as s:
                resumed += s.session_reused
        self.assertEqual(resumed, 16)

    def test_an_answer_to_a_client_that_is_still_sending_arrives(self):
        self.start()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.connect(trusting_all(version)) as s:
                s.sendall(b"POST /v1/x/namespaces HTTP/1.1\r\nHost: desk\r\nContent-Length: 99999999\r\n\r\n")
                try:
                    for _ in range(64):
                        s.sendall(b"x" * 65536)
                except (ConnectionError, ssl.SSLError):
                    pass
                self.assertTrue(s.recv(65536).startswith(b"HTTP/1.1 413 "))
        self.desk.stop()

    def post(self, path, body, token=None, says_so=None):
        """Closes its side behind the request when `says_so` is given: with TLS's own word for it, or without."""
        head = f"POST {path} HTTP/1.1\r\nHost: desk\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting_all().wrap_bio(coming, going)
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as s:
            def until_done(step):
                while True:
                    try:
                        return step()
                    except ssl.SSLWantReadError:
                        if going.pending:
                            s.sendall(going.read())
                        piece = s.recv(65536)
                        if not piece:
                            return b""
                        coming.write(piece)
            until_done(tls.do_handshake)
            tls.write((head + "\r\n" + body).encode())
            if says_so:
                with contextlib.suppress(ssl.SSLWantReadError):
                    tls.unwrap()
            s.sendall(going.read())
            if says_so is not None:
                s.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ssl.SSLZeroReturnError):
                while piece := until_done(lambda: tls.read(65536)):
                    answer += piece
        head, _, text = answer.partition(b"\r\n\r\n")
        return head[9:12], text

    def start_with_a_catalog(self):
        """The token of who may do everything in it."""
        self.start()
        self.resources.write("lakehouse.yaml", h.manifest("StorageIntegration", "store", {"storageType": "file", "bucket": "lake"}),
                             h.catalog(), h.role())
        client = h.wait_for("a Secret", lambda: self.resources.credentials("etl-credentials"))
        form = "grant_type=client_credentials&scope=PRINCIPAL_ROLE:ALL&client_id={client-id}&client_secret={client-secret}"
        token = h.wait_for("a token", lambda: json.loads(self.post("/v1/oauth/tokens", form.format(**client))[1])["access_token"])
        h.wait_for("a namespace", lambda: self.post("/v1/analytics/namespaces", '{"namespace": ["a"]}', token)[0] == b"200")
        return token

    def test_a_client_that_closes_its_side_behind_a_request_is_answered(self):
        token = self.start_with_a_catalog()
        for i, says_so in enumerate((False, True) * 5):
            self.assertEqual(self.post("/v1/analytics/namespaces", json.dumps({"namespace": [f"n{i}"]}), token, says_so)[0], b"200", says_so)
        self.desk.stop()

    def pipeline(self, n, path, *headers, status):
        with self.connect() as s:
            s.sendall("\r\n".join((f"GET {path} HTTP/1.1", "Host: desk", *headers, "", "")).encode() * n)
            text, answers = b"", 0
            while answers < n:
                piece = s.recv(65536)
                self.assertTrue(piece)
                text += piece
                answers = text.count(b"HTTP/1.1 %d " % status)

    def test_thousands_of_pipelined_requests_are_answered_over_tls(self):
        self.start()
        self.pipeline(2000, "/" + "x" * 12000, status=404)
        self.desk.stop()

    def test_pipelined_requests_that_wait_for_the_database_are_answered_over_tls(self):
        token = self.start_with_a_catalog()
        for n, length in ((1000, 10), (300, 700), (100, 12000)):
            self.pipeline(n, "/v1/analytics/namespaces/a?pad=" + "x" * length, "Authorization: Bearer " + token, status=200)
        self.desk.stop()


class Certificates(Tls):
    def test_a_pair_that_was_renamed_into_place_is_shown(self):
        self.install("one")
        self.start()
        self.assertEqual(self.shown(), "one")
        self.install("two")
        self.wait_shown("two")
        self.desk.stop()

    def test_a_mounted_secret_that_was_swapped_is_shown(self):
        self.mount("one")
        self.start()
        self.assertEqual(self.shown(), "one")
        self.mount("two")
        self.wait_shown("two")
        self.desk.stop()

    def test_a_pair_that_was_written_in_place_is_shown(self):
        self.install("one")
        self.start()
        for source, target in zip(self.pair("two"), ("tls.crt", "tls.key")):
            with open(source, "rb") as f, open(os.path.join(self.serve, target), "r+b") as g:
                g.write(f.read())
                g.truncate()
        self.wait_shown("two")
        self.desk.stop()

    def test_a_broken_certificate_leaves_the_old_one_in_force_and_is_told_once(self):
        self.install("one")
        self.start(threads=4)
        # In one step: a file that is empty for a moment would be told as well.
        self.put("tls.crt", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        h.wait_for("it is told", self.complaints)
        self.assertEqual({self.shown() for _ in range(12)}, {"one"})
        time.sleep(2.5)
        self.assertEqual(len(self.complaints()), 1, self.complaints())
        self.assertIn("tls.crt", str(self.complaints()[0]))
        self.install("two")
        self.wait_shown("two")
        self.desk.stop()

    def test_a_key_that_is_not_the_certificates_leaves_the_old_pair_in_force(self):
        self.install("one")
        self.start()
        shutil.copy(self.pair("two")[1], os.path.join(self.serve, "tls.key"))
        h.wait_for("it is told", self.complaints)
        self.assertEqual({self.shown() for _ in range(12)}, {"one"})
        # The other half comes: what was wrong for a moment is right now.
        shutil.copy(self.pair("two")[0], os.path.join(self.serve, "tls.crt"))
        self.wait_shown("two")
        self.desk.stop()

    def test_files_that_vanish_leave_the_old_pair_in_force(self):
        self.install("one")
        self.start()
        os.unlink(os.path.join(self.serve, "tls.key"))
        os.unlink(os.path.join(self.serve, "tls.crt"))
        h.wait_for("it is told", self.complaints)
        self.assertEqual({self.shown() for _ in range(12)}, {"one"})
        self.install("two")
        self.wait_shown("two")
        self.desk.stop()

    def test_after_a_change_of_the_keys_kind_nobody_is_shown_the_old_certificate(self):
        self.install("one")
        self.start()
        self.assertEqual(self.shown(), "one")
        self.install("rsa", "RSA")
        self.wait_shown("rsa")
        elliptic = trusting_all(ssl.TLSVersion.TLSv1_2)
        elliptic.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.shown(elliptic)
        self.install("two")
        self.wait_shown("two")
        self.desk.stop()

    def test_a_chain_is_sent_whole(self):
        self.install("one")
        with open(os.path.join(self.serve, "tls.crt"), "a") as f, open(self.pair("authority")[0]) as g:
            f.write(g.read())
        self.start()
        self.install("two")
        with open(os.path.join(self.serve, "tls.crt"), "a") as f, open(self.pair("authority")[0]) as g:
            f.write(g.read())

        def sent():
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-showcerts"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            text = done.stdout.decode()
            return "CN = two" in text and text.count("BEGIN CERTIFICATE") == 2
        h.wait_for_loops("the new chain", sent)
        self.desk.stop()

    def test_connections_in_flight_live_on(self):
        self.install("one")
        self.start()
        with self.connect() as s:
            self.assertTrue(self.ask(s).startswith(b"HTTP/1.1 404 "))
            self.install("two")
            self.wait_shown("two")
            self.assertTrue(self.ask(s).startswith(b"HTTP/1.1 404 "))
        self.desk.stop()

    def test_a_server_does_not_start_with_a_pair_that_does_not_fit(self):
        self.install("one")
        shutil.copy(self.pair("two")[1], os.path.join(self.serve, "tls.key"))
        done = subprocess.run([h.program(), "run", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--store",
                               "sqlite:" + os.path.join(self.folder, "catalog.db"), "--audit", "stdout", "--resources", self.folder,
                               "--tls-cert", os.path.join(self.serve, "tls.crt"), "--tls-key", os.path.join(self.serve, "tls.key")],
                              stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("tls.key", done.stderr)


class UnderLoad(e2e_folder.Desk):
    """The program built with ThreadSanitizer, all of its threads at work at once."""
    CHANGES = 300

    @classmethod
    def setUpClass(cls):
        tsan = os.environ.get("FRONTDESK_TSAN", "")
        if not os.path.exists(tsan):
            raise unittest.SkipTest("no build with ThreadSanitizer")
        options = f"suppressions={h.TOP}/hack/tsan.supp:exitcode=66:history_size=4"
        for name, value in (("FRONTDESK", tsan), ("TSAN_OPTIONS", options)):
            cls.set_environment(name, value)
        cls.tls = tempfile.mkdtemp(prefix="fd-load-")
        cls.addClassCleanup(shutil.rmtree, cls.tls, True)
        cls.pairs = [make_pair(cls.tls, name, kind) for name, kind in (("one", "EC"), ("two", "RSA"))]
        cls.show(0)
        # The harness speaks plain HTTP unless told: for this class all of it goes over TLS.
        urllib.request.install_opener(urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusting_all())))
        cls.addClassCleanup(urllib.request.install_opener, None)
        super().setUpClass()

    @classmethod
    def set_environment(cls, name, value):
        before = os.environ.get(name)
        os.environ[name] = value
        cls.addClassCleanup(os.environ.__setitem__, name, before) if before else cls.addClassCleanup(os.environ.pop, name)

    @classmethod
    def options(cls):
        return ("--tls-cert", os.path.join(cls.tls, "tls.crt"), "--tls-key", os.path.join(cls.tls, "tls.key"), "--threads", "4")

    @classmethod
    def show(cls, i):
        for source, target in zip(cls.pairs[i % 2], ("tls.crt", "tls.key")):
            shutil.copy(source, os.path.join(cls.tls, "next"))
            os.rename(os.path.join(cls.tls, "next"), os.path.join(cls.tls, target))

    def ask(self, i):
        """One of everything that a client or an attacker does."""
        table = "/v1/analytics/namespaces/sales/tables/first"
        unknown = f"{e2e_folder.b64({'alg': 'RS256', 'kid': f'k{i}'})}.{e2e_folder.b64({'iss': 'frontdesk', 'exp': 1 << 40})}.AAAA"
        asks = (lambda: self.desk.call("GET", "/v1/config?warehouse=analytics", self.token),
                lambda: self.desk.call("GET", table, self.token, X_Iceberg_Access_Delegation="vended-credentials"),
                lambda: self.desk.call("GET", table + "/credentials", self.token),
                lambda: self.desk.token(self.client),
                lambda: self.desk.call("GET", table, unknown),
                lambda: self.desk.call("GET", table, self.token[:-2]),
                lambda: self.desk.call("POST", "/v1/analytics/namespaces", self.token, {"namespace": [f"n{i}"], "properties": {}}),
                lambda: self.create(f"t{i}"),
                lambda: self.desk.call("POST", table, self.token, {"requirements": [], "updates": [
                    {"action": "set-properties", "updates": {"i": str(i)}}]}),
                lambda: self.desk.call("GET", "/v1/nowhere/%FF", self.token),
                lambda: self.desk.get(self.desk.admin + ("/metrics", "/rulebook", "/readyz")[i % 3]),
                lambda: self.hang_up(table, i))
        asks[i % len(asks)]()

    def hang_up(self, path, i):
        """Leaves in the middle of a handshake, of a head, or before the answer."""
        host, port = self.desk.uri.split("//")[1].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as raw:
            if i % 3 == 0:
                raw.sendall(b"\x16\x03\x01")
                return
            with trusting_all().wrap_socket(raw) as s:
                head = f"GET {path}/credentials HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n"
                s.sendall((head + ("" if i % 2 else "\r\n")).encode())

    def keep_asking(self, number):
        i = number
        while not self.ending:
            try:
                self.ask(i)
                self.asked += 1
            except (OSError, AssertionError, http.client.HTTPException):
                # While all changes, and at the end, any answer may be wrong or missing: what is judged is the program.
                self.missed += 1
            i += 7

    def test_a_tsan_build_is_clean_under_load(self):
        self.ending, self.asked, self.missed = False, 0, 0
        askers = [threading.Thread(target=self.keep_asking, args=(n,), daemon=True) for n in range(8)]
        for a in askers:
            a.start()
        for i in range(self.CHANGES):
            self.folder.write("role.yaml", h.role("flip", privileges=h.ALL if i % 2 else ["NAMESPACE_LIST"]))
            if i % 5 == 0:
                self.folder.write("guest.yaml", h.principal(f"guest{i % 3}"))
            if i % 20 == 10:
                self.folder.write("lakehouse.yaml", *h.lakehouse(self.endpoint())[:-1], h.role(privileges=["TABLE_LIST"]))
            if i % 20 == 0:
                self.folder.write("lakehouse.yaml", *h.lakehouse(self.endpoint()))
            if i % 25 == 0:
                self.show(i // 25)
            if i % 40 == 39:
                self.folder.remove("guest.yaml")
            time.sleep(0.02)
        h.wait_for("enough was asked", lambda: self.asked > 500, 120)
        self.desk.process.terminate()
        self.desk.process.wait(60)
        self.ending = True
        for a in askers:
            a.join(60)
        self.assertEqual(self.desk.said(msg="WARNING: ThreadSanitizer"), [], self.reports())
        self.desk.stop()

    def reports(self):
        lines = [entry["msg"] for entry in self.desk.log if entry.get("level") == "raw"]
        return "\n".join(lines[:200])
