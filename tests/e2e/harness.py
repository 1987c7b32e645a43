"""harness - starts the real parts and the program, and speaks to them the way people do."""
import base64
import http.client
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

# The AWS C++ SDK below PyArrow sends checksum trailers that RGW 16 refuses.
os.environ["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"
os.environ["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "when_required"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("LSAN_OPTIONS", f"suppressions={TOP}/hack/lsan.supp:print_suppressions=0")
NAMESPACE = "lakehouse"
GROUP = "polaris.apache.org"


def program():
    return os.environ.get("FRONTDESK") or os.path.join(TOP, "build", "dev", "frontdesk")


def released():
    """The program as it is released: $FRONTDESK_RELEASE, or built when it is not there."""
    path = os.environ.get("FRONTDESK_RELEASE") or os.path.join(TOP, "build", "release", "frontdesk")
    if not os.path.exists(path):
        for command in (["--preset", "release"], ["--build", "--preset", "release", "--target", "frontdesk"]):
            subprocess.run(["cmake", *command], cwd=TOP, stdout=subprocess.DEVNULL, check=True)
    return path


# What a claim may raise while it is not yet true: of what is not there yet, or of a program that is just being killed.
NOT_YET = (AssertionError, OSError, LookupError, http.client.HTTPException)
LOOPS_ASKED = 16


def wait_for(what, claim, seconds=60):
    """Calls claim() until it returns something true; one of NOT_YET in it means "not yet"."""
    deadline, last = time.monotonic() + seconds, None
    while True:
        try:
            found = claim()
            if found:
                return found
        except NOT_YET as e:
            last = e
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}" + (f" ({last})" if last else ""))
        time.sleep(0.05)


def wait_for_loops(what, claim, seconds=60):
    """As wait_for, of every loop of the program: a change reaches each by itself, and which one a connection comes to
    is chance, so claim() is to be true many times in a row."""
    def of_each():
        for _ in range(LOOPS_ASKED):
            found = claim()
            if not found:
                return None
        return found
    return wait_for(what + ", in every loop", of_each, seconds)


class Server:
    """One of the programs in tests/env: its facts as attributes."""

    STARTS = 3  # a port that was free when it was chosen may be taken when it is used

    def __init__(self, name, *arguments):
        for _ in range(self.STARTS):
            self.process = subprocess.Popen([os.path.join(TOP, "tests", "env", name), *arguments],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            line = self.process.stdout.readline()
            if line:
                self.facts = json.loads(line)
                return
            self.process.wait()
        raise RuntimeError(f"tests/env/{name} did not start")

    def __getitem__(self, key):
        return self.facts[key]

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(30)
        self.process.stdout.close()


def boto(service, endpoint, key, token=None, region="us-east-1"):
    import boto3
    from botocore.config import Config

    return boto3.client(service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key["access_key"],
                        aws_secret_access_key=key["secret_key"], aws_session_token=token,
                        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1},
                                      connect_timeout=5, read_timeout=20, parameter_validation=False))


def status_of(call, **arguments):
    """The HTTP status of a boto call, whether it was granted or refused."""
    from botocore.exceptions import ClientError

    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"]


class Rgw(Server):
    def __init__(self):
        super().__init__("rgw")
        self.endpoint = self["endpoint"]
        self.iam = boto("iam", self.endpoint, self["admin"])
        self.s3 = boto("s3", self.endpoint, self["user"])

    def bucket(self, name):
        self.s3.create_bucket(Bucket=name)
        return name

    def roles(self):
        """Names of all roles; RGW answers 404 when there is none."""
        from botocore.exceptions import ClientError

        try:
            return [r["RoleName"] for r in self.iam.list_roles()["Roles"]]
        except ClientError:
            return []

    def with_key(self, credential):
        return boto("s3", self.endpoint, {"access_key": credential["s3.access-key-id"],
                                          "secret_key": credential["s3.secret-access-key"]},
                    credential["s3.session-token"])


class At:
    """A store's keys, and another way to it: a port of this machine."""

    def __init__(self, rgw, port):
        self.rgw, self.endpoint = rgw, f"http://127.0.0.1:{port}"

    def __getitem__(self, key):
        return self.rgw[key]


class Kube(Server):
    def __init__(self):
        if not (os.environ.get("KUBEBUILDER_ASSETS") or shutil.which("go") or self.built()):
            raise unittest.SkipTest("no Go and no $KUBEBUILDER_ASSETS: no Kubernetes control plane")
        super().__init__("kube")
        self.kubeconfig = self["kubeconfig"]

    @staticmethod
    def built():
        build = subprocess.run([os.path.join(TOP, "tests", "env", "build-cluster")], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
        return build.returncode == 0

    def kubectl(self, *arguments, stdin=None, check=True):
        done = subprocess.run([os.path.join(self["assets"], "kubectl"), "--kubeconfig", self.kubeconfig, *arguments],
                              input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout if check else done

    def apply(self, *objects):
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(json.dumps(o) for o in objects))

    def get(self, kind, name, namespace=NAMESPACE):
        return json.loads(self.kubectl("get", kind, name, "-n", namespace, "-o", "json"))

    def condition(self, kind, name, type_="Ready", namespace=NAMESPACE):
        for c in self.get(kind, name, namespace).get("status", {}).get("conditions", []):
            if c["type"] == type_:
                return c
        return {"status": "Missing", "reason": "", "message": ""}

    def wait_ready(self, kind, name, status="True", namespace=NAMESPACE, seconds=60):
        def claim():
            o = self.get(kind, name, namespace)
            s = o.get("status", {})
            ready = [c for c in s.get("conditions", []) if c["type"] == "Ready"]
            assert ready and ready[0]["status"] == status, f"{kind}/{name}: {s}"
            assert s.get("observedGeneration") == o["metadata"]["generation"], f"{kind}/{name}: {s}"
            return ready[0]
        return wait_for(f"{kind}/{name} Ready={status}", claim, seconds)

    def patch(self, kind, name, spec, namespace=NAMESPACE):
        self.kubectl("patch", kind, name, "-n", namespace, "--type=merge", "-p", json.dumps({"spec": spec}))

    def delete(self, kind, name, namespace=NAMESPACE, wait=True):
        self.kubectl("delete", kind, name, "-n", namespace, f"--wait={'true' if wait else 'false'}", "--timeout=30s")

    def secret(self, name, namespace=NAMESPACE):
        data = self.get("secret", name, namespace)["data"]
        return {k: base64.b64decode(v).decode() for k, v in data.items()}

    def install(self):
        self.kubectl("apply", "-f", os.path.join(TOP, "crds"))
        self.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd",
                     *[f"{p}.{GROUP}" for p in ("storageintegrations", "polariscatalogs", "principals",
                                                "principalroles", "catalogroles")])
        self.kubectl("create", "namespace", NAMESPACE)


# ---- what the tests of a class share ----

class Cluster(unittest.TestCase):
    """A real API server with the CRDs."""

    @classmethod
    def setUpClass(cls):
        cls.kube = Kube()
        cls.addClassCleanup(cls.kube.stop)
        cls.kube.install()


class ClusterAndStore(Cluster):
    """... and a real RGW with a bucket."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rgw = Rgw()
        cls.addClassCleanup(cls.rgw.stop)
        cls.rgw.bucket("warehouse")


# ---- manifests ----

def manifest(kind, name, spec, namespace=NAMESPACE, **metadata):
    return {"apiVersion": f"{GROUP}/v1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace, **metadata}, "spec": spec}


def secret(name, data, namespace=NAMESPACE):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
            "type": "Opaque", "stringData": data}


def key_secret(name, key, namespace=NAMESPACE):
    return secret(name, {"access-key-id": key["access_key"], "secret-access-key": key["secret_key"]}, namespace)


def integration(rgw, name="store", bucket="warehouse", **spec):
    return manifest("StorageIntegration", name, {
        "storageType": "s3", "provider": "ceph-rgw", "bucket": bucket, "region": "us-east-1",
        "endpoint": rgw if isinstance(rgw, str) else rgw.endpoint,
        "credentialsSecretRef": {"name": "store-keys"},
        "adminCredentialsSecretRef": {"name": "store-admin"}, "credentialTtlSeconds": 900,
        "allowedLocations": [f"s3://{bucket}/lake/*"], **spec})


def lakehouse(rgw, bucket="warehouse"):
    """Everything that one principal needs to work."""
    return [key_secret("store-keys", rgw["user"]), key_secret("store-admin", rgw["admin"]),
            integration(rgw, bucket=bucket), catalog(), principal(), role()]


def catalog(name="analytics", **spec):
    return manifest("PolarisCatalog", name, {"storageIntegrationRef": {"name": "store"}, "type": "Internal", **spec})


def file_integration():
    """Of a folder of this machine: below --file-storage DIR."""
    return manifest("StorageIntegration", "store", {"storageType": "file", "bucket": "lake"})


def principal(name="etl"):
    return manifest("Principal", name, {"clientCredentials": {}})


ALL = ["CATALOG_MANAGE_CONTENT"]


def role(name="writer", privileges=None, principals=None, catalog_name="analytics", **grant):
    return manifest("CatalogRole", name, {
        "catalogRef": {"name": catalog_name},
        "principals": principals or [{"kind": "Principal", "name": "etl"}],
        "grants": [{"privileges": privileges or ALL, **grant}]})


# ---- the program ----

class Frontdesk:
    """`frontdesk run` with given options; its log as parsed lines."""

    def __init__(self, *options, folder=None, wait=True, env=None, argv0=None):
        self.argv0 = argv0 or program()
        self.env = {**os.environ, **(env or {})}
        self.folder = folder or tempfile.mkdtemp(prefix="fd-e2e-")
        self.options, self.log, self.lines = options, [], queue.Queue()
        self.process = None
        self.start(wait)

    def start(self, wait=True, extra=()):
        # One log for all starts: a test may look at what was said before a restart.
        argv = [self.argv0, "run", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
                "--store", "sqlite:" + os.path.join(self.folder, "catalog.db"), "--threads", "2",
                "--audit", "file:" + os.path.join(self.folder, "audit.jsonl"), *self.options, *extra]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, env=self.env)
        found = queue.Queue()
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr, found), daemon=True)
        self.reader.start()
        try:
            line = found.get(timeout=60)
        except queue.Empty:
            raise AssertionError("frontdesk did not start:\n" + self.tail()) from None
        if line is None:
            self.process.wait()
            raise AssertionError("frontdesk ended at once:\n" + self.tail())
        self.uri = ("https://" if "--tls-cert" in argv else "http://") + line["address"]
        self.admin = "http://" + line["admin"]
        if wait:
            wait_for("readyz", lambda: self.get(self.admin + "/readyz")[0] == 200, 60)

    def _read(self, stream, found):
        for raw in stream:
            text = raw.decode(errors="replace").rstrip("\n")
            try:
                line = json.loads(text)
            except ValueError:
                line = {"msg": text, "level": "raw"}
            self.log.append(line)
            if line.get("msg") == "listening":
                found.put(line)
        found.put(None)
        stream.close()

    def tail(self):
        return "\n".join(json.dumps(entry) if entry.get("level") != "raw" else entry["msg"] for entry in self.log[-80:])

    def said(self, **fields):
        return [entry for entry in self.log if all(fields[k] in str(entry.get(k, "")) for k in fields)]

    def stop(self):
        """SIGTERM drains and ends with 0; a sanitizer's report makes it something else."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(60)
        self.reader.join(10)
        assert code == 0, f"frontdesk ended with {code}:\n{self.tail()}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(10)

    @staticmethod
    def get(url, headers=None, method="GET", body=None, timeout=20):
        request = urllib.request.Request(url, headers=headers or {}, method=method, data=body)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as r:
                return r.status, r.read(), r.headers
        except urllib.error.HTTPError as e:
            return e.code, e.read(), e.headers

    def token(self, client, scope="PRINCIPAL_ROLE:ALL"):
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": client["client-id"],
                                       "client_secret": client["client-secret"], "scope": scope}).encode()
        status, body, _ = self.get(self.uri + "/v1/oauth/tokens", method="POST", body=form,
                                   headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert status == 200, f"token: {status} {body}"
        return json.loads(body)["access_token"]

    def call(self, method, path, token, body=None, **headers):
        """(status, parsed body) of a catalog request."""
        headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json",
                   **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = None if body is None else json.dumps(body).encode()
        status, text, _ = self.get(self.uri + path, headers, method, data)
        try:
            return status, json.loads(text) if text else None
        except ValueError:
            return status, text

    def pyiceberg(self, client, warehouse="analytics", scope="PRINCIPAL_ROLE:ALL"):
        from pyiceberg.catalog import load_catalog

        return load_catalog(warehouse, type="rest", uri=self.uri, warehouse=warehouse, scope=scope,
                            credential=client["client-id"] + ":" + client["client-secret"])

    def audit(self):
        """The records so far: they are written in the background, and of the last line there may be half."""
        with open(os.path.join(self.folder, "audit.jsonl")) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]


class Folder:
    """A folder of manifests, changed the way editors and GitOps agents do: by renaming a new file over the old."""

    def __init__(self, base):
        self.base = os.path.join(base, "resources")
        self.state = os.path.join(base, "state")
        os.makedirs(self.base, exist_ok=True)

    def write(self, name, *objects):
        path = os.path.join(self.base, name)
        with open(path + ".tmp", "w") as f:
            f.write("\n---\n".join(o if isinstance(o, str) else json.dumps(o) for o in objects))
        os.rename(path + ".tmp", path)

    def remove(self, name):
        os.unlink(os.path.join(self.base, name))

    def options(self):
        return ("--resources", self.base, "--state", self.state)

    def credentials(self, secret="etl-credentials"):
        """A client's id and secret, as the program wrote them; None as long as it has not."""
        for root, _, files in os.walk(self.state):
            for file in files:
                if secret in file:
                    with open(os.path.join(root, file)) as f:
                        text = f.read()
                    found = dict(re.findall(r"^\s*\"?([a-z-]+)\"?:\s*\"?([A-Za-z0-9+/=]+)\"?,?\s*$", text, re.M))
                    return {k: base64.b64decode(found[k]).decode() for k in ("client-id", "client-secret")}
        return None

    def token(self, desk, name="etl", not_yet=(401, 404)):
        """A token of the principal, once every loop knows it and its catalog."""
        client = wait_for(f"{name}'s Secret", lambda: self.credentials(name + "-credentials"))
        token = wait_for(f"{name}'s token", lambda: desk.token(client))
        wait_for_loops(f"{name}'s grants", lambda: desk.call("GET", "/v1/analytics/namespaces", token)[0] not in not_yet)
        return token


SIMPLE_SCHEMA = {"type": "struct", "schema-id": 0, "fields": [
    {"id": 1, "name": "id", "type": "long", "required": False},
    {"id": 2, "name": "name", "type": "string", "required": False}]}
