/**
 * The checks that hold for every version of the Java client.
 * Arguments: address, and perhaps a part of the names of the checks to run
 */
public final class ClientChecks {
    public static void main(String[] arguments) throws Exception {
        Checks checks = new Checks(arguments.length > 1 ? arguments[1] : "");
        try (Cluster cluster = new Cluster(arguments[0])) {
            add(checks, cluster);
            checks.run();
        }
        // A check that hangs must not keep the program from its end.
        System.exit(0);
    }

    static void add(Checks checks, Cluster cluster) {
        RecordChecks.add(checks, cluster);
        GroupChecks.add(checks, cluster, "classic");
        TransactionChecks.add(checks, cluster);
        AdminChecks.add(checks, cluster);
        ConfigChecks.add(checks, cluster);
        GroupAdminChecks.add(checks, cluster, "classic");
    }
}
