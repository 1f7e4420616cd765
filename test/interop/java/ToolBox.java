import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Apache Kafka's command-line tools, one after another in one process, because a JVM takes
 * longer to start than most of them take to run. A command is a line on standard input, its parts
 * separated by tabs: the tool's class, a file to be its standard input or nothing, its arguments.
 * The answer is a line with its exit code and the length of what it printed, then that.
 */
public final class ToolBox {
    private static final int RUNNING = -1;

    /** Thrown where a tool would have ended the process. */
    private static final class Ended extends Error {
        private static final long serialVersionUID = 1;
    }

    public static void main(String[] arguments) throws Exception {
        InputStream commands = System.in;
        PrintStream answers = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream both = new PrintStream((OutputStream) printed, true);
        // Once and for all: a tool may keep the streams it has found.
        System.setOut(both);
        System.setErr(both);
        AtomicInteger code = new AtomicInteger();
        AtomicInteger length = new AtomicInteger();
        Exit.setExitProcedure((status, message) -> {
            // The first counts: some tools take what is thrown here for a failure, and print it.
            if (code.compareAndSet(RUNNING, status)) length.set(printed.size());
            throw new Ended();
        });
        Exit.setHaltProcedure((status, message) -> code.compareAndSet(RUNNING, status));
        List<Runnable> hooks = new ArrayList<>();
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        BufferedReader lines = new BufferedReader(new InputStreamReader(commands));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t", -1);
            code.set(RUNNING);
            if (!parts[1].isEmpty()) System.setIn(new FileInputStream(parts[1]));
            boolean isThrown = !run(parts[0], Arrays.copyOfRange(parts, 2, parts.length));
            hooks.forEach(Runnable::run);
            hooks.clear();
            if (code.compareAndSet(RUNNING, isThrown ? 1 : 0)) length.set(printed.size());
            answers.println(code.get() + " " + length.get());
            answers.write(printed.toByteArray(), 0, length.get());
            answers.flush();
            printed.reset();
        }
        // Tools leave threads behind.
        System.exit(0);
    }

    /** Whether the tool ended by itself or by an exit, rather than by something it threw. */
    private static boolean run(String tool, String[] arguments) throws Exception {
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
            return true;
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof Ended) return true;
            thrown.getCause().printStackTrace();
            return false;
        }
    }
}
