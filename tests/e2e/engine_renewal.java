import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.apache.iceberg.Schema;
import org.apache.iceberg.Table;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.io.PositionOutputStream;
import org.apache.iceberg.rest.RESTCatalog;
import org.apache.iceberg.types.Types;

/** As engine_renewal.py: Flink, and Iceberg's Java client by itself. */
public class engine_renewal {
  private static final Map<String, String> KNOWN = System.getenv();
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    long total = 0;
    try {
      Callable<Long> step = arguments[0].equals("flink") ? flink() : java();
      BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
      for (String line = orders.readLine(); line != null; line = orders.readLine()) {
        long until = System.nanoTime() + (long) (Double.parseDouble(line) * 1e9);
        long rows;
        do {
          rows = step.call();
          total++;
          Thread.sleep(500);
        } while (System.nanoTime() < until);
        System.out.println(JSON.writeValueAsString(List.of("rows", rows, total)));
      }
    } catch (Throwable e) { // whatever an engine throws is the outcome
      System.out.println(JSON.writeValueAsString(List.of("failed", chain(e))));
    }
    System.exit(0);
  }

  private static Callable<Long> flink() throws Exception {
    TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inBatchMode());
    String name = "fd.renewal." + KNOWN.get("TABLE");
    tables.executeSql(
        "CREATE CATALOG fd WITH ('type'='iceberg', 'catalog-type'='rest', 'warehouse'='brief', "
            + "'header.X-Iceberg-Access-Delegation'='vended-credentials', "
            + String.format("'uri'='%s', 'oauth2-server-uri'='%<s/v1/oauth/tokens', ", KNOWN.get("URI"))
            + String.format("'credential'='%s', 'scope'='%s')", KNOWN.get("CREDENTIAL"), KNOWN.get("SCOPE")));
    tables.executeSql("CREATE TABLE " + name + " (id BIGINT)").await();
    return () -> {
      tables.executeSql("INSERT INTO " + name + " VALUES (1)").await();
      try (CloseableIterator<Row> found = tables.executeSql("SELECT count(*) FROM " + name).collect()) {
        return (Long) found.next().getField(0);
      }
    };
  }

  /** One catalog and one table object for all the time; a step writes a file, and commits a property. */
  private static Callable<Long> java() {
    RESTCatalog catalog = new RESTCatalog();
    catalog.initialize(
        "fd",
        Map.of(
            "uri", KNOWN.get("URI"),
            "oauth2-server-uri", KNOWN.get("URI") + "/v1/oauth/tokens",
            "warehouse", "brief",
            "credential", KNOWN.get("CREDENTIAL"),
            "scope", KNOWN.get("SCOPE"),
            "header.X-Iceberg-Access-Delegation", "vended-credentials"));
    Table table =
        catalog.createTable(
            TableIdentifier.of("renewal", KNOWN.get("TABLE")),
            new Schema(Types.NestedField.optional(1, "id", Types.LongType.get())));
    long[] steps = {0};
    return () -> {
      String name = table.location() + "/data/" + ++steps[0];
      try (PositionOutputStream out = table.io().newOutputFile(name).create()) {
        out.write(1);
      }
      table.io().newInputFile(name).newStream().close();
      table.updateProperties().set("steps", Long.toString(steps[0])).commit();
      return Long.parseLong(table.properties().get("steps"));
    };
  }

  private static String chain(Throwable e) {
    return e == null ? "" : e + "; " + chain(e.getCause());
  }
}
