import java.util.Random;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * Fills topics with records of every shape: each codec, keys and values that are null, empty or
 * large, headers, timestamps that run backwards. The content depends on nothing but the arguments.
 * Arguments: address, command, then
 *   plain (topic partitions codec megabytes)...   records through the idempotent producer
 *   transactions topic                            commits and aborts, alone and interleaved
 */
public final class SampleTopics {
    private static final long EPOCH = 1_700_000_000_000L;

    public static void main(String[] arguments) throws Exception {
        if (arguments[1].equals("transactions")) {
            transactions(arguments[0], arguments[2]);
            return;
        }
        for (int at = 2; at < arguments.length; at += 4) {
            int partitions = Integer.parseInt(arguments[at + 1]);
            long bytes = (long) (Double.parseDouble(arguments[at + 3]) * (1 << 20));
            plain(arguments[0], arguments[at], partitions, arguments[at + 2], bytes);
        }
    }

    private static void plain(
        String address, String topic, int partitions, String codec, long bytes) throws Exception {
        Random random = new Random(topic.hashCode());
        String compression = "compression.type=" + codec;
        try (KafkaProducer<byte[], byte[]> producer =
                 Common.producer(address, compression, "linger.ms=5")) {
            Future<RecordMetadata> last = null;
            long sent = 0;
            for (int number = 0; sent < bytes; number++) {
                ProducerRecord<byte[], byte[]> record =
                    record(topic, number % partitions, number, random);
                last = producer.send(record);
                sent += 70 + (record.value() == null ? 0 : record.value().length);
            }
            producer.flush();
            last.get();
        }
    }

    private static ProducerRecord<byte[], byte[]> record(
        String topic, int partition, int number, Random random) {
        byte[] key = number % 3 == 0 ? null : Integer.toString(number % 50).getBytes();
        byte[] value = switch (number % 17) {
            case 0 -> null;
            case 1 -> new byte[0];
            case 2 -> bytes(random, 20_000);
            default -> bytes(random, random.nextInt(500));
        };
        // Every tenth record lies a minute before the one it follows.
        long timestamp = EPOCH + number * 10L - (number % 10 == 9 ? 60_000 : 0);
        ProducerRecord<byte[], byte[]> record =
            new ProducerRecord<>(topic, partition, timestamp, key, value);
        for (int header = 0; header < number % 4; header++) {
            byte[] content = header == 2 ? null : bytes(random, header * 10);
            record.headers().add("header-" + header, content);
        }
        return record;
    }

    /** Bytes that compress to about half. */
    private static byte[] bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; at++) bytes[at] = (byte) (' ' + random.nextInt(16));
        return bytes;
    }

    private static void transactions(String address, String topic) throws Exception {
        Random random = new Random(topic.hashCode());
        try (KafkaProducer<byte[], byte[]> one = Common.producer(address, "transactional.id=one");
             KafkaProducer<byte[], byte[]> two = Common.producer(address, "transactional.id=two")) {
            one.initTransactions();
            two.initTransactions();
            int number = 0;
            for (int round = 0; round < 20; round++) {
                one.beginTransaction();
                two.beginTransaction();
                for (int sent = 0; sent < 200; sent++, number++) {
                    (sent % 2 == 0 ? one : two).send(record(topic, sent % 3 % 2, number, random));
                    if (sent % 25 == 0) one.flush();
                }
                finish(one, round % 2 == 0);
                finish(two, round % 3 == 0);
            }
        }
    }

    private static void finish(KafkaProducer<byte[], byte[]> producer, boolean commit) {
        producer.flush();
        if (commit) producer.commitTransaction();
        else producer.abortTransaction();
    }
}
