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
 * Sends numbered records with acks=all and idempotence until standard input ends, whatever happens
 * to the broker meanwhile, and writes "partition number offset" for each acknowledgement and
 * "partition number failed" where there was none. Prints how many it sent to each partition.
 * Arguments: address, topic, partitions, record size, file, records to send or 0 for no end
 */
public final class AckedProducer {
    private static final int IN_FLIGHT = 20_000;

    public static void main(String[] arguments) throws Exception {
        String topic = arguments[1];
        int partitions = Integer.parseInt(arguments[2]);
        int size = Integer.parseInt(arguments[3]);
        long limit = Long.parseLong(arguments[5]);
        // So that a send outlives a restart of the broker, however slow the machine.
        String[] settings = {"delivery.timeout.ms=120000", "reconnect.backoff.max.ms=100", "acks=all",
            "linger.ms=2", "batch.size=65536"};
        Semaphore room = new Semaphore(IN_FLIGHT);
        long[] sent = new long[partitions];
        try (KafkaProducer<byte[], byte[]> producer = Common.producer(arguments[0], settings);
             BufferedWriter acknowledged = Files.newBufferedWriter(Path.of(arguments[4]))) {
            long total = 0;
            while (limit == 0 ? !inputEnded() : total < limit) {
                int partition = (int) (total++ % partitions);
                long number = sent[partition]++;
                byte[] value = ByteBuffer.allocate(size).putLong(number).array();
                room.acquire();
                producer.send(new ProducerRecord<>(topic, partition, null, value), (at, error) -> {
                    room.release();
                    String outcome = error == null ? Long.toString(at.offset()) : "failed " + error;
                    write(acknowledged, partition + " " + number + " " + outcome);
                });
            }
            producer.flush();
        }
        for (long count : sent) System.out.println(count);
    }

    private static boolean inputEnded() throws IOException {
        return System.in.available() > 0;
    }

    private static synchronized void write(BufferedWriter writer, String line) {
        try {
            writer.write(line);
            writer.newLine();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
