"""A day of PyIceberg with several tables open at once."""
import pyarrow as pa
from engine_day import pyiceberg_catalog, tell
from pyiceberg.expressions import EqualTo
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType
from pyiceberg.view.metadata import SQLViewRepresentation, ViewVersion

SCHEMA = Schema(NestedField(1, "id", LongType(), required=False), NestedField(2, "name", StringType(), required=False),
                identifier_field_ids=[])
catalog = pyiceberg_catalog()
catalog.create_namespace_if_not_exists("py")


def rows(first, count, name):
    return pa.table({"id": pa.array(range(first, first + count), pa.int64()), "name": [name] * count})


def ids(table, **scan):
    return sorted(table.scan(**scan).to_arrow()["id"].to_pylist())


def partitioned():
    spec = PartitionSpec(PartitionField(source_id=2, field_id=1000, transform=IdentityTransform(), name="b"))
    return catalog.create_table("py.b", schema=SCHEMA, partition_spec=spec)


def interleaved(a, b):
    """Reads and writes of two tables in turn, each with its own key."""
    seen = []
    for i in range(3):
        a.append(rows(10 * i, 2, "a"))
        b.append(rows(10 * i, 3, "b"))
        seen.append([len(ids(a)), len(ids(b))])
    return seen


def change(table):
    table.delete(EqualTo("id", 0))
    table.overwrite(rows(100, 1, "over"), overwrite_filter=EqualTo("id", 1))
    return ids(table)


def evolve(table):
    with table.update_schema() as schema:
        schema.add_column("extra", StringType())
        schema.rename_column("name", "title")
    with table.update_spec() as spec:
        spec.add_field("id", IdentityTransform(), "by_id")
    table.append(pa.table({"id": pa.array([200], pa.int64()), "title": ["new"], "extra": ["x"]}))
    return [f.name for f in table.schema().fields], len(table.scan().to_arrow())


def branch(table):
    """How many rows main has, and the branch, after one more was written there."""
    main = table.current_snapshot().snapshot_id
    table.manage_snapshots().create_branch(main, "side").create_tag(main, "mark").commit()
    table.append(rows(300, 1, "side"), branch="side")
    return len(ids(table)), len(ids(table, snapshot_id=table.snapshot_by_name("side").snapshot_id))


def upsert(table):
    done = table.upsert(pa.table({"id": pa.array([10, 999], pa.int64()), "name": ["up", "up"]}), join_cols=["id"])
    return done.rows_updated, done.rows_inserted


def transaction(name):
    with catalog.create_table_transaction(name, schema=SCHEMA) as staged:
        staged.append(rows(0, 2, "staged"))
    return ids(catalog.load_table(name))


def expire(table):
    before = len(table.snapshots())
    table.maintenance.expire_snapshots().by_ids([s.snapshot_id for s in table.snapshots()[:2]]).commit()
    return before - len(table.refresh().snapshots())


def view():
    version = ViewVersion(version_id=1, schema_id=1, timestamp_ms=1, summary={}, default_namespace=["py"],
                          representations=[SQLViewRepresentation(type="sql", sql="SELECT id FROM a", dialect="spark")])
    catalog.create_view("py.v", SCHEMA, version)
    return [catalog.view_exists("py.v"), catalog.load_view("py.v").current_version().representations[0].root.sql,
            catalog.list_views("py")]


def purge(name):
    table = catalog.create_table(name, schema=SCHEMA)
    table.append(rows(0, 2, "first"))
    table.overwrite(rows(2, 2, "second"))
    catalog.purge_table(name)
    return table.location(), catalog.table_exists(name)


def outside(own, other):
    """Writes with the key of one table below another one."""
    with own.io.new_output(other.location() + "/data/foreign").create(overwrite=True) as f:
        f.write(b"x")


tell("create", lambda: [t.name()[-1] for t in (catalog.create_table("py.a", schema=SCHEMA), partitioned())])
a, b = catalog.load_table("py.a"), catalog.load_table("py.b")
tell("two tables in turn", lambda: interleaved(a, b))
tell("delete and overwrite", lambda: change(a))
tell("upsert", lambda: upsert(b))
tell("branch", lambda: branch(b))
tell("expire", lambda: expire(b))
tell("evolve", lambda: evolve(a))
tell("older one", lambda: len(ids(a, snapshot_id=a.snapshots()[0].snapshot_id)))
tell("staged", lambda: transaction("py.staged"))
tell("rename", lambda: ids(catalog.rename_table("py.staged", "py.renamed")))
tell("view", view)
tell("drop view", lambda: [catalog.drop_view("py.v"), catalog.list_views("py")])
tell("drop", lambda: [catalog.drop_table("py.renamed"), catalog.table_exists("py.renamed")])
tell("purge", lambda: purge("py.purged"))
own, crossing = catalog.load_table("sales.own"), catalog.load_table("sales.crossing")
tell("own", lambda: [[i] for i in ids(own)])
tell("crossing", lambda: ids(crossing))
tell("write outside", lambda: outside(own, catalog.load_table("sales.victim")))
