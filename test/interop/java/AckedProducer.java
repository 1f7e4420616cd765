import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Sends numbered records to a partition with acks=all and idempotence, whatever happens to the
 * broker meanwhile, and writes "number offset" for each acknowledgement, "number failed" where
 * there was none. Without a last number it goes on until standard input says something, at a pace
 * that loads the broker but not the disk's space. Prints the number after the last one sent.
 * Arguments: address, topic, record size, file, first number, number after the last or 0
 */
public final class AckedProducer {
    private static final int IN_FLIGHT = 20_000;

    public static void main(String[] arguments) throws Exception {
        String topic = arguments[1];
        int size = Integer.parseInt(arguments[2]);
        long number = Long.parseLong(arguments[4]);
        long end = Long.parseLong(arguments[5]);
        boolean endless = end == 0;
        // So that a send outlives a restart of the broker, however slow the machine.
        String[] settings = {"acks=all", "delivery.timeout.ms=120000",
            "reconnect.backoff.max.ms=100", "linger.ms=2", "batch.size=65536"};
        Semaphore room = new Semaphore(IN_FLIGHT);
        try (BufferedWriter acknowledged = Files.newBufferedWriter(Path.of(arguments[3]));
             KafkaProducer<byte[], byte[]> producer = Common.producer(arguments[0], settings)) {
            while (endless ? !inputEnded() : number < end) {
                long sent = number++;
                byte[] value = ByteBuffer.allocate(size).putLong(sent).array();
                room.acquire();
                producer.send(new ProducerRecord<>(topic, 0, null, value), (at, error) -> {
                    room.release();
                    String outcome = error == null ? Long.toString(at.offset()) : "failed " + error;
                    write(acknowledged, sent + " " + outcome, endless);
                });
                if (endless && sent % 100 == 0) Thread.sleep(10);
            }
            producer.flush();
        }
        System.out.println(number);
    }

    private static boolean inputEnded() throws IOException {
        return System.in.available() > 0;
    }

    private static synchronized void write(BufferedWriter writer, String line, boolean now) {
        try {
            writer.write(line);
            writer.newLine();
            if (now) writer.flush();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
