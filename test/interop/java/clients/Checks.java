import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs named checks, a few at a time because most of them wait for something, and says of each, in
 * the order they were added: "ok NAME", or "failed NAME" and why on lines that begin with a tab.
 * A check that does not end is shown with the place where it hangs. How long each took goes to
 * standard error.
 */
final class Checks {
    interface Check {
        void run() throws Exception;
    }

    private record Named(String name, FutureTask<Void> task, Thread thread) {}

    private static final int AT_ONCE = 4;
    private static final int LIMIT_SECONDS = 60;

    private final List<Named> checks = new ArrayList<>();
    private final Semaphore room = new Semaphore(AT_ONCE);
    private final String part;

    /** Of the checks that are added, only those whose name contains `part` will run. */
    Checks(String part) {
        this.part = part;
    }

    /** Adds a check; each uses topics, groups and ids of its own. */
    void add(String name, Check check) {
        if (!name.contains(part)) return;
        FutureTask<Void> task = new FutureTask<>(() -> {
            long startedAt = System.nanoTime();
            try {
                check.run();
            } finally {
                System.err.println((System.nanoTime() - startedAt) / 1_000_000 + " ms: " + name);
                room.release();
            }
            return null;
        });
        checks.add(new Named(name, task, new Thread(task, name)));
    }

    /** Runs what was added and prints the outcomes. */
    void run() throws InterruptedException {
        Thread starter = new Thread(() -> {
            for (Named check : checks) {
                room.acquireUninterruptibly();
                check.thread.start();
            }
        });
        starter.start();
        for (Named check : checks) {
            String problem = outcome(check);
            System.out.println((problem == null ? "ok " : "failed ") + check.name);
            if (problem != null) problem.lines().forEach(line -> System.out.println("\t" + line));
        }
        System.out.flush();
    }

    private String outcome(Named check) throws InterruptedException {
        try {
            check.task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException error) {
            StringWriter trace = new StringWriter();
            error.getCause().printStackTrace(new PrintWriter(trace));
            return trace.toString();
        } catch (TimeoutException error) {
            // It keeps its thread, but not its place among those that may run at once.
            room.release();
            StringBuilder place = new StringBuilder("no end after " + LIMIT_SECONDS + " s, at\n");
            for (StackTraceElement at : check.thread.getStackTrace()) place.append(at).append('\n');
            return place.toString();
        }
    }

    static void equal(Object actual, Object expected, String what) {
        if (expected.equals(actual)) return;
        throw new AssertionError(what + ": " + actual + " instead of " + expected);
    }

    static void holds(boolean condition, String what) {
        if (!condition) throw new AssertionError("not so: " + what);
    }

    /** Runs what must fail, and returns the error: the cause where a future or Kafka wrapped it. */
    static <E extends Throwable> E fails(Class<E> expected, Check action) {
        Throwable thrown;
        try {
            action.run();
            thrown = null;
        } catch (Throwable error) {
            thrown = error;
        }
        if (thrown == null) throw new AssertionError("no " + expected.getSimpleName());
        for (Throwable at = thrown; at != null; at = at.getCause()) {
            if (expected.isInstance(at)) return expected.cast(at);
        }
        throw new AssertionError("another error than " + expected.getSimpleName(), thrown);
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    /** Tries until something holds; the check's own limit is the end of its patience. */
    static void until(Condition condition) throws Exception {
        while (!condition.holds()) Thread.sleep(50);
    }
}
