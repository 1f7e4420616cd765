import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;

/** What goes in comes out: every part of a record, in every compression. */
final class RecordChecks {
    private static final long EPOCH = 1_700_000_000_000L;

    private final Cluster cluster;

    private RecordChecks(Cluster cluster) {
        this.cluster = cluster;
    }

    static void add(Checks checks, Cluster cluster) {
        RecordChecks records = new RecordChecks(cluster);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            checks.add("records of every shape, " + codec, () -> records.everyShape(codec));
        }
        checks.add("LogAppendTime is the broker's", records::logAppendTime);
        checks.add("offsets by time, though timestamps run backwards", records::offsetsByTime);
        checks.add("a compacted topic takes tombstones, and no record without a key",
            records::compactedTopic);
        checks.add("limits of a topic refuse a record and no other", records::limits);
        checks.add("positions outside the log", records::outsideTheLog);
        checks.add("a topic is created for a producer, and for a consumer only if it asks",
            records::autoCreation);
        checks.add("acks 0 and 1 and idempotence off", records::weakerPromises);
    }

    private static ProducerRecord<String, String> record(String topic, int number) {
        String key = switch (number % 4) {
            case 0 -> null;
            case 1 -> "";
            default -> "key-" + number % 10;
        };
        String value = switch (number % 5) {
            case 0 -> null;
            case 1 -> "";
            case 2 -> "x".repeat(20_000) + number;
            default -> "value-" + number + "-Ungeziefer-\u866b";
        };
        ProducerRecord<String, String> record =
            new ProducerRecord<>(topic, 0, EPOCH + number * 1000L, key, value);
        for (int header = 0; header < number % 4; header++) {
            byte[] content = header == 2 ? null : new byte[] {(byte) header, (byte) number};
            // The same key twice is two headers, in order.
            record.headers().add("header-" + header / 2, content);
        }
        return record;
    }

    private static List<String> headers(Iterable<Header> headers) {
        List<String> texts = new ArrayList<>();
        headers.forEach(header -> texts.add(header.key() + Arrays.toString(header.value())));
        return texts;
    }

    private void everyShape(String codec) throws Exception {
        String topic = cluster.topic("records-" + codec, 1);
        int count = 60;
        try (KafkaProducer<String, String> producer =
                 cluster.producer("compression.type=" + codec, "linger.ms=20")) {
            for (int number = 0; number < count; number++) producer.send(record(topic, number));
        }
        List<ConsumerRecord<String, String>> read = cluster.read(topic);
        Checks.equal(read.size(), count, "records");
        for (int number = 0; number < count; number++) {
            ProducerRecord<String, String> sent = record(topic, number);
            ConsumerRecord<String, String> at = read.get(number);
            Checks.equal(at.offset(), (long) number, "offset");
            Checks.holds(Objects.equals(at.key(), sent.key()), "the key is kept");
            Checks.holds(Objects.equals(at.value(), sent.value()), "the value is kept");
            Checks.equal(at.timestamp(), sent.timestamp(), "timestamp");
            Checks.equal(at.timestampType(), TimestampType.CREATE_TIME, "type of timestamp");
            Checks.equal(headers(at.headers()), headers(sent.headers()), "headers");
        }
    }

    private void logAppendTime() throws Exception {
        String topic = cluster.topic("append-time", 1, "message.timestamp.type=LogAppendTime");
        long before = System.currentTimeMillis();
        List<Long> acknowledged = new ArrayList<>();
        try (KafkaProducer<String, String> producer = cluster.producer("compression.type=gzip")) {
            for (int number = 0; number < 10; number++) {
                acknowledged.add(producer.send(record(topic, number)).get().timestamp());
            }
        }
        long after = System.currentTimeMillis();
        List<ConsumerRecord<String, String>> read = cluster.read(topic);
        Checks.equal(read.stream().map(ConsumerRecord::timestamp).toList(), acknowledged,
            "timestamps as they were acknowledged");
        for (ConsumerRecord<String, String> at : read) {
            Checks.equal(at.timestampType(), TimestampType.LOG_APPEND_TIME, "type of timestamp");
            Checks.holds(at.timestamp() >= before && at.timestamp() <= after, "it is today's");
        }
    }

    private void offsetsByTime() throws Exception {
        String topic = cluster.topic("by-time", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        long[] times = {5000, 1000, 9000, 3000, 9000};
        try (KafkaProducer<String, String> producer = cluster.producer()) {
            for (long time : times) {
                producer.send(new ProducerRecord<>(topic, 0, EPOCH + time, null, "")).get();
            }
        }
        try (KafkaConsumer<String, String> consumer = cluster.consumer()) {
            Map<Long, Long> expected = Map.of(0L, 0L, 4000L, 0L, 5000L, 0L, 5001L, 2L, 9000L, 2L);
            expected.forEach((time, offset) -> {
                OffsetAndTimestamp found =
                    consumer.offsetsForTimes(Map.of(partition, EPOCH + time)).get(partition);
                Checks.equal(found.offset(), offset, "offset at " + time);
                Checks.equal(found.timestamp(), EPOCH + times[(int) found.offset()], "its time");
            });
            Map<TopicPartition, OffsetAndTimestamp> none =
                consumer.offsetsForTimes(Map.of(partition, EPOCH + 9001));
            Checks.holds(none.get(partition) == null, "nothing is later than the latest");
        }
    }

    private void compactedTopic() throws Exception {
        String topic = cluster.topic("compacted", 1, "cleanup.policy=compact");
        try (KafkaProducer<String, String> producer = cluster.producer()) {
            producer.send(new ProducerRecord<>(topic, 0, "key", "value")).get();
            producer.send(new ProducerRecord<>(topic, 0, "key", null)).get();
            Checks.fails(InvalidRecordException.class,
                () -> producer.send(new ProducerRecord<>(topic, 0, null, "no key")).get());
        }
        List<ConsumerRecord<String, String>> read = cluster.read(topic);
        Checks.equal(read.size(), 2, "records");
        Checks.holds(read.get(1).value() == null, "the second is a tombstone");
    }

    private void limits() throws Exception {
        String topic = cluster.topic("limits", 1, "max.message.bytes=2000",
            "message.timestamp.before.max.ms=60000");
        try (KafkaProducer<String, String> producer = cluster.producer()) {
            Checks.fails(RecordTooLargeException.class, () ->
                producer.send(new ProducerRecord<>(topic, 0, null, "x".repeat(3000))).get());
            Checks.fails(InvalidTimestampException.class, () ->
                producer.send(new ProducerRecord<>(topic, 0, EPOCH, null, "old")).get());
            Cluster.send(producer, topic, 0, "fits");
            Checks.equal(cluster.values(topic), List.of("fits"), "values");
        }
    }

    private void outsideTheLog() throws Exception {
        String topic = cluster.topic("outside", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.send(topic, 0, "one", "two");
        try (KafkaConsumer<String, String> consumer = cluster.consumer("auto.offset.reset=none")) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 100);
            Checks.fails(OffsetOutOfRangeException.class, () -> Cluster.poll(consumer, 1));
            consumer.seek(partition, 1);
            Checks.equal(Cluster.poll(consumer, 1), List.of("two"), "values from offset 1");
        }
        try (KafkaConsumer<String, String> consumer = cluster.consumer()) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 100);
            Checks.equal(Cluster.poll(consumer, 2), List.of("one", "two"), "values after a reset");
        }
    }

    private void autoCreation() throws Exception {
        String produced = "created-for-a-producer";
        cluster.send(produced, 0, "first");
        Checks.equal(cluster.values(produced), List.of("first"), "values");
        String asked = "created-for-a-consumer";
        String unasked = "never-created";
        try (KafkaConsumer<String, String> consumer =
                 cluster.consumer("allow.auto.create.topics=true");
             KafkaConsumer<String, String> modest = cluster.consumer()) {
            consumer.assign(Cluster.partitions(asked, 1));
            modest.assign(Cluster.partitions(unasked, 1));
            Checks.until(() -> {
                consumer.poll(Duration.ofMillis(100));
                modest.poll(Duration.ofMillis(100));
                return cluster.admin.listTopics().names().get().contains(asked);
            });
        }
        Set<String> names = cluster.admin.listTopics().names().get();
        Checks.holds(!names.contains(unasked), "nobody asked for " + unasked);
    }

    private void weakerPromises() throws Exception {
        String topic = cluster.topic("weaker", 1);
        List<String> expected = new ArrayList<>();
        Map<String, Future<RecordMetadata>> last = new HashMap<>();
        for (String acks : List.of("0", "1", "all")) {
            try (KafkaProducer<String, String> producer =
                     cluster.producer("acks=" + acks, "enable.idempotence=false")) {
                for (String value : Cluster.numbered("acks-" + acks + "-", 100)) {
                    last.put(acks, producer.send(new ProducerRecord<>(topic, 0, "key", value)));
                    expected.add(value);
                }
            }
            Checks.until(() -> cluster.values(topic).size() >= expected.size());
        }
        Checks.equal(cluster.values(topic), expected, "values");
        Checks.equal(last.get("0").get().hasOffset(), false, "acks=0 learns of an offset");
        Checks.equal(last.get("1").get().offset(), 199L, "the last offset with acks=1");
        Checks.equal(last.get("all").get().offset(), 299L, "the last offset with acks=all");
    }
}
