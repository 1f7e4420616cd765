import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Apache Kafka's command-line tools, one after another in one process, because a JVM takes
 * longer to start than most of them take to run. A command is a line on standard input, its parts
 * separated by tabs: the tool's class, a file to be its standard input or nothing, its arguments.
 * The answer is a line with its exit code and the lengths of what it printed to standard output, to
 * standard error and to either in the order in which it came, then these. A tool that ends the process itself is answered for all the same,
 * but the exit code is left to the process to tell.
 */
public final class ToolBox {
    private static final int RUNNING = -1;
    private static final int ENDS_PROCESS = -2;

    /** Thrown where a tool would have ended the process. */
    private static final class Ended extends Error {
        private static final long serialVersionUID = 1;
    }

    /** Writes everything to two others. */
    private static final class Copying extends OutputStream {
        private final OutputStream one;
        private final OutputStream other;

        Copying(OutputStream one, OutputStream other) {
            this.one = one;
            this.other = other;
        }

        @Override
        public void write(int value) throws IOException {
            one.write(value);
            other.write(value);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            one.write(bytes, offset, length);
            other.write(bytes, offset, length);
        }
    }

    public static void main(String[] arguments) throws Exception {
        InputStream commands = System.in;
        PrintStream answers = System.out;
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        // Once and for all: a tool may keep the streams it has found.
        System.setOut(new PrintStream(new Copying(output, both), true));
        System.setErr(new PrintStream(new Copying(errors, both), true));
        AtomicInteger code = new AtomicInteger();
        AtomicInteger outputLength = new AtomicInteger();
        AtomicInteger errorsLength = new AtomicInteger();
        AtomicInteger bothLength = new AtomicInteger();
        IntConsumer end = status -> {
            // The first counts: some tools take what is thrown at an exit for a failure, and print it.
            if (!code.compareAndSet(RUNNING, status)) return;
            outputLength.set(output.size());
            errorsLength.set(errors.size());
            bothLength.set(both.size());
        };
        Runnable answer = () -> {
            answers.println(code + " " + outputLength + " " + errorsLength + " " + bothLength);
            answers.write(output.toByteArray(), 0, outputLength.get());
            answers.write(errors.toByteArray(), 0, errorsLength.get());
            answers.write(both.toByteArray(), 0, bothLength.get());
            answers.flush();
        };
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            if (code.get() != RUNNING) return;
            end.accept(ENDS_PROCESS);
            answer.run();
        }));
        Exit.setExitProcedure((status, message) -> {
            end.accept(status);
            throw new Ended();
        });
        Exit.setHaltProcedure((status, message) -> end.accept(status));
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
            end.accept(isThrown ? 1 : 0);
            answer.run();
            output.reset();
            errors.reset();
            both.reset();
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
