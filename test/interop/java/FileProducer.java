import java.io.BufferedInputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Sends a file in records of changing size, one partition after the other in turn. A record's key
 * is its place in the file. Arguments: address, topic, partitions, file, settings...
 */
public final class FileProducer {
    public static void main(String[] arguments) throws Exception {
        String topic = arguments[1];
        int partitions = Integer.parseInt(arguments[2]);
        String[] settings = java.util.Arrays.copyOfRange(arguments, 4, arguments.length);
        AtomicReference<Exception> failure = new AtomicReference<>();
        long position = 0;
        try (KafkaProducer<byte[], byte[]> producer = Common.producer(arguments[0], settings);
             InputStream input = new BufferedInputStream(
                 Files.newInputStream(Path.of(arguments[3])), 1 << 20)) {
            for (int number = 0; ; number++) {
                byte[] value = Common.read(input, Common.SIZES[number % Common.SIZES.length]);
                if (value.length == 0) break;
                byte[] key = ByteBuffer.allocate(8).putLong(position).array();
                int partition = (number / 3) % partitions;
                producer.send(new ProducerRecord<>(topic, partition, key, value), (at, error) -> {
                    if (error != null) failure.compareAndSet(null, error);
                });
                position += value.length;
            }
            producer.flush();
        }
        if (failure.get() != null) throw failure.get();
        System.out.println(position);
    }
}
