package frontdesk;

import org.apache.iceberg.rest.RESTCompatibilityKitCatalogTests;
import org.junit.jupiter.api.Test;

/**
 * The kit's own tests of nested namespaces, of names with slashes and of unique locations, which the kit leaves out
 * without a property that would let them in. Only the switches are ours, the tests are the kit's.
 */
public class SwitchedOnTests extends RESTCompatibilityKitCatalogTests {
  @Override
  protected boolean supportsNestedNamespaces() {
    return true;
  }

  @Override
  protected boolean supportsNamesWithSlashes() {
    return true;
  }

  /** The kit leaves it out because its own server has to be told; here every table has a place of its own. */
  @Test
  @Override
  public void createTableInUniqueLocation() {
    super.createTableInUniqueLocation();
  }
}
