"""The steps of hack/quickstart, each said before it is done. Called by hack/quickstart."""
import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TOP, "tests", "e2e")]
os.environ.setdefault("FRONTDESK", os.path.join(TOP, "build", "release", "frontdesk"))

import harness as h  # noqa: E402

BUCKET, CATALOG, CLIENT = "warehouse-production", "analytics", "spark-etl"
step_number = 0


def step(text):
    global step_number
    step_number += 1
    print(f"\n{step_number}. {text}", flush=True)


def show(text):
    """Every line of it indented alike."""
    for line in text.rstrip("\n").split("\n"):
        print(f"   {line}", flush=True)


def show_time(what):
    """Seconds since hack/quickstart was called: installing and building are in it."""
    show(f"{what}: {time.time() - int(os.environ.get('FRONTDESK_QUICKSTART_BEGAN', time.time())):.0f} s since the start")


def expect(claim, text):
    if not claim:
        raise SystemExit(f"   FAILED: {text}")
    show(text)


class OwnCluster(h.Kube):
    """The cluster of $KUBECONFIG, with the kubectl on PATH."""

    def __init__(self, path):
        self.kubeconfig, self.facts, self.process = path, {"assets": os.path.dirname(shutil.which("kubectl") or "")}, None

    def stop(self):
        pass


def samples(endpoint):
    """The manifests of config/samples that work together, with this store's address in them."""
    texts = []
    for path in sorted(glob.glob(os.path.join(TOP, "config", "samples", "*.yaml"))):
        with open(path) as f:
            text = f.read()
        if "kustomization" in path or "aws-" in os.path.basename(path):
            continue
        texts.append(text.replace("http://rgw.example.com:7480", endpoint))
    return "\n---\n".join(texts)


class Cluster:
    """The resources live at a Kubernetes API server."""

    def __init__(self, cleanups):
        if os.environ.get("KUBECONFIG"):
            step("Using the cluster of $KUBECONFIG")
            self.kube = OwnCluster(os.environ["KUBECONFIG"])
        else:
            step("Starting a real kube-apiserver (etcd, kube-apiserver, kube-controller-manager)")
            self.kube = h.Kube()
        cleanups.append(self.kube.stop)
        show(f"kubeconfig: {self.kube.kubeconfig}")
        self.options = ("--kubeconfig", self.kube.kubeconfig, "--resync", "5")

    def prepare(self):
        step("kubectl apply -f crds/")
        self.kube.install()

    def apply(self, text, secrets):
        for s in secrets:
            self.kube.apply(s)
        self.kube.kubectl("apply", "-f", "-", stdin=text)

    def show_ready(self):
        for kind, name in (("sti", "production-warehouse"), ("pcat", CATALOG), ("prin", CLIENT)):
            self.kube.wait_ready(kind, name, seconds=60)
        show(self.kube.kubectl("get", "frontdesk", "-n", h.NAMESPACE))

    def client(self):
        return self.kube.secret(CLIENT + "-credentials")

    def make_read_only(self):
        self.kube.patch("crole", "analytics-writer", {"grants": [{"privileges": ["TABLE_READ_DATA", "NAMESPACE_LIST"]}]})
        self.kube.wait_ready("crole", "analytics-writer")

    def delete_all(self):
        for kind in ("crole", "prole", "prin", "pcat", "sti"):
            self.kube.kubectl("delete", kind, "--all", "-n", h.NAMESPACE, "--timeout=60s")


class Folder:
    """The resources live in a folder."""

    def __init__(self, base):
        self.folder = h.Folder(base)
        self.options = (*self.folder.options(), "--resync", "5")

    def prepare(self):
        step(f"Keeping the manifests in {self.folder.base}")

    def apply(self, text, secrets):
        self.text = text
        self.folder.write("secrets.yaml", *secrets)
        self.folder.write("samples.yaml", text)

    def show_ready(self):
        h.wait_for("the client's Secret", self.client, 60)

    def client(self):
        import e2e_folder

        e2e_folder.Desk.folder = self.folder
        return e2e_folder.Desk.credentials(CLIENT + "-credentials")

    def make_read_only(self):
        documents = self.text.split("\n---\n")
        kept = [d for d in documents if "kind: CatalogRole" not in d]
        self.folder.write("samples.yaml", *kept, h.role("analytics-writer", ["TABLE_READ_DATA", "NAMESPACE_LIST"],
                                                        [{"kind": "Principal", "name": CLIENT}]))

    def delete_all(self):
        self.folder.remove("samples.yaml")


def refused(s3, table_prefix, neighbour, neighbour_file):
    calls = (("get", s3.get_object, {"Key": neighbour_file}), ("put", s3.put_object, {"Key": neighbour + "x", "Body": b"x"}),
             ("list", s3.list_objects_v2, {"Prefix": neighbour}), ("delete", s3.delete_object, {"Key": neighbour_file}),
             ("multipart", s3.create_multipart_upload, {"Key": neighbour + "x"}),
             ("copy", s3.copy_object, {"Key": table_prefix + "x", "CopySource": {"Bucket": BUCKET, "Key": neighbour_file}}))
    for name, call, arguments in calls:
        status = h.status_of(call, Bucket=BUCKET, **arguments)
        expect(status == 403, f"{name} at the neighbour's table: {status}")


def vended(desk, client, table):
    token = desk.token(client)
    status, body = desk.call("GET", f"/v1/{CATALOG}/namespaces/sales/tables/{table}/credentials", token)
    return body["storage-credentials"][0] if status == 200 else None


def write_allowed(rgw, credential):
    key = credential["prefix"][len(f"s3://{BUCKET}/"):] + "hello"
    return h.status_of(rgw.with_key(credential["config"]).put_object, Bucket=BUCKET, Key=key, Body=b"x") == 200


def use_a_real_client(desk, rgw, client):
    import pyarrow as pa

    step("PyIceberg, knowing only a client id and a secret, creates a table, appends and scans it")
    catalog = desk.pyiceberg(client, CATALOG)
    catalog.create_namespace("sales")
    schema = pa.schema([("id", pa.int64()), ("name", pa.string())])
    orders, neighbour = (catalog.create_table(("sales", n), schema=schema) for n in ("orders", "customers"))
    rows = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "name": ["one", "two", "three"]})
    orders.append(rows)
    neighbour.append(rows)
    expect(orders.scan().to_arrow().num_rows == 3, f"3 rows written and read at {orders.location()}")
    step("The same credential at the neighbour's table: the store itself denies")
    credential = vended(desk, client, "orders")
    strip = len(f"s3://{BUCKET}/")
    refused(rgw.with_key(credential["config"]), credential["prefix"][strip:], neighbour.location()[strip:] + "/",
            neighbour.metadata_location[strip:])
    expect(write_allowed(rgw, credential), "put at its own table: 200")
    show_time("a credential vended and used")


def change_things(place, desk, rgw, client):
    name = [r for r in rgw.roles()][0]
    step(f"Deleting the role {name} at the store behind the operator's back")
    for policy in rgw.iam.list_role_policies(RoleName=name)["PolicyNames"]:
        rgw.iam.delete_role_policy(RoleName=name, PolicyName=policy)
    rgw.iam.delete_role(RoleName=name)
    h.wait_for("the role is back", lambda: name in rgw.roles(), 60)
    h.wait_for("its credentials work", lambda: (lambda c: c and write_allowed(rgw, c))(vended(desk, client, "orders")), 60)
    show("it is back, and its credentials work")
    step("Editing the CatalogRole to read-only")
    place.make_read_only()
    h.wait_for("the next credential cannot write",
               lambda: (lambda c: c and not write_allowed(rgw, c))(vended(desk, client, "orders")), 30)
    show("the next credential cannot write: 403")


def look_around(place, desk, rgw, client):
    print(f"\nLeft running. The catalog: {desk.uri}  status: {desk.admin}/readyz /metrics /rulebook")
    print(f"The store: {rgw.endpoint} (administrator: {rgw['admin']['access_key']}); the program's log: {desk.folder}")
    if isinstance(place, Cluster):
        print(f"  export KUBECONFIG={place.kube.kubeconfig}; kubectl get frontdesk -n {h.NAMESPACE}")
    print(f"  client id {client['client-id']}; press Enter (or end this program) to clean up.", flush=True)
    sys.stdin.readline()


def tour(place, base, cleanups, rgw, *acts):
    """The operator run on those resources: from the samples to a client at work, then acts, then all deleted again."""
    place.prepare()
    step("Running frontdesk: operator and server in one program")
    desk = h.Frontdesk(*place.options, folder=base)
    cleanups.append(desk.kill)
    show(f"catalog at {desk.uri}, health and metrics at {desk.admin}")
    step("Applying the samples: a StorageIntegration, a catalog, a principal, roles")
    place.apply(samples(rgw.endpoint), [h.key_secret("rgw-keys", rgw["user"]), h.key_secret("rgw-admin", rgw["admin"])])
    place.show_ready()
    h.wait_for("a role at the store", rgw.roles, 60)
    show(f"roles at the store: {', '.join(rgw.roles())}")
    client = h.wait_for("the client's credentials", place.client, 60)
    h.wait_for("the client gets in", lambda: desk.token(client), 60)
    use_a_real_client(desk, rgw, client)
    for act in acts:
        act(place, desk, rgw, client)
    step("Deleting all resources")
    place.delete_all()
    h.wait_for("nothing of ours is left at the store", lambda: not rgw.roles(), 60)
    show("no role of ours is left at the store")
    desk.stop()


def first_in_a_folder(rgw, cleanups):
    """While the control plane is being built."""
    step("The control plane is still being built: meanwhile the same, with the manifests in a folder")
    base = tempfile.mkdtemp(prefix="frontdesk-quickstart-")
    cleanups.append(lambda: shutil.rmtree(base, ignore_errors=True))
    tour(Folder(base), base, cleanups, rgw)


def follow_build(log):
    """Until the control plane is built, with what its build says. A second build waits for the first to end; where
    that one failed it tries once more, and says itself what is wrong."""
    step("Waiting for the Kubernetes control plane")
    build = os.path.join(TOP, "tests", "env", "build-cluster")
    seen, waiting = 0, subprocess.Popen([build], stdout=subprocess.DEVNULL)
    while waiting.poll() is None:
        seen = show_rest(log, seen)
        time.sleep(1)
    show_rest(log, seen)
    expect(waiting.returncode == 0, "a control plane is built")
    show_time("a control plane built")


def show_rest(log, seen):
    with open(log) as f:
        f.seek(seen)
        text = f.read()
        if text:
            show(text)
        return f.tell()


def main():
    parser = argparse.ArgumentParser(prog="hack/quickstart")
    parser.add_argument("--folder", action="store_true")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    base, cleanups = tempfile.mkdtemp(prefix="frontdesk-quickstart-"), []
    building = os.environ.get("FRONTDESK_QUICKSTART_BUILD")
    try:
        no_cluster = arguments.folder or not (os.environ.get("KUBECONFIG") or os.environ.get("KUBEBUILDER_ASSETS") or shutil.which("go"))
        step("Starting a real Ceph RGW")
        rgw = h.Rgw()
        cleanups.append(rgw.stop)
        show(rgw.endpoint)
        rgw.bucket(BUCKET)
        if building:
            first_in_a_folder(rgw, cleanups)
            follow_build(building)
        place = Folder(base) if no_cluster else Cluster(cleanups)
        tour(place, base, cleanups, rgw, change_things, *([look_around] if arguments.keep else []))
        print("\nDone: everything above was shown on real parts.")
        show_time("all of it")
    finally:
        for cleanup in reversed(cleanups):
            cleanup()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
