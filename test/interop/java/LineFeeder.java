import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Sends each line of a file once, at a pace, and lives through the broker's crashes.
 * Arguments: address, topic, partitions, file, lines per second
 */
public final class LineFeeder {
    public static void main(String[] arguments) throws Exception {
        int partitions = Integer.parseInt(arguments[2]);
        List<String> lines = Files.readAllLines(Path.of(arguments[3]));
        int perSecond = Integer.parseInt(arguments[4]);
        AtomicReference<Exception> failure = new AtomicReference<>();
        long startedAt = System.nanoTime();
        try (KafkaProducer<byte[], byte[]> producer =
                 Common.producer(arguments[0], "linger.ms=20")) {
            for (int number = 0; number < lines.size(); number++) {
                byte[] line = lines.get(number).getBytes();
                producer.send(new ProducerRecord<>(arguments[1], number % partitions, null, line),
                    (at, error) -> {
                        if (error != null) failure.compareAndSet(null, error);
                    });
                long dueMs = number * 1000L / perSecond;
                long aheadMs = dueMs - (System.nanoTime() - startedAt) / 1_000_000;
                if (aheadMs > 10) Thread.sleep(aheadMs);
            }
        }
        if (failure.get() != null) throw failure.get();
    }
}
