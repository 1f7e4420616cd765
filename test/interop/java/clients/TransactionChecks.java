import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Idempotence and transactions as a producer, its readers and an operator see them. */
final class TransactionChecks {
    private final Cluster cluster;

    private TransactionChecks(Cluster cluster) {
        this.cluster = cluster;
    }

    static void add(Checks checks, Cluster cluster) {
        TransactionChecks transactions = new TransactionChecks(cluster);
        checks.add("an idempotent producer keeps the order", transactions::idempotence);
        checks.add("commits are read and aborts are not", transactions::commitAndAbort);
        checks.add("what is open holds readers back", transactions::lastStableOffset);
        checks.add("consume, transform and produce, once each", transactions::sendOffsets);
        checks.add("a zombie is fenced and its records are aborted", transactions::zombie);
        checks.add("a member that was replaced commits nothing", transactions::zombieMember);
        checks.add("a transaction ends with its timeout", transactions::timeout);
        checks.add("transactions are listed, described and fenced", transactions::describe);
        checks.add("an operator aborts an open transaction", transactions::abortByOperator);
    }

    private KafkaProducer<String, String> transactional(String id, String... settings) {
        List<String> all = new ArrayList<>(List.of(settings));
        all.add("transactional.id=" + id);
        KafkaProducer<String, String> producer = cluster.producer(all.toArray(new String[0]));
        producer.initTransactions();
        return producer;
    }

    private void idempotence() throws Exception {
        String topic = cluster.topic("idempotent", 1);
        String[] values = Cluster.numbered("", 5000);
        try (KafkaProducer<String, String> producer = cluster.producer("batch.size=200")) {
            Cluster.send(producer, topic, 0, values);
        }
        List<ConsumerRecord<String, String>> read = cluster.read(topic);
        Checks.equal(read.stream().map(ConsumerRecord::value).toList(), List.of(values), "values");
        Checks.equal(read.get(values.length - 1).offset(), values.length - 1L, "last offset");
        ProducerState state = Cluster.only(producers(topic));
        // The sequence counts records from 0.
        Checks.equal(state.lastSequence(), values.length - 1, "last sequence");
    }

    private List<ProducerState> producers(String topic) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        return cluster.admin.describeProducers(List.of(partition)).partitionResult(partition).get()
            .activeProducers();
    }

    private void commitAndAbort() throws Exception {
        String one = cluster.topic("transactions-1", 1);
        String two = cluster.topic("transactions-2", 1);
        List<String> committed = new ArrayList<>();
        List<String> all = new ArrayList<>();
        try (KafkaProducer<String, String> producer = transactional("commit-and-abort")) {
            for (int round = 0; round < 12; round++) {
                producer.beginTransaction();
                List<String> values = List.of(Cluster.numbered(round + "-", 5));
                Cluster.send(producer, one, 0, values.toArray(new String[0]));
                Cluster.send(producer, two, 0, values.toArray(new String[0]));
                all.addAll(values);
                if (round % 3 == 0) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                    committed.addAll(values);
                }
            }
        }
        for (String topic : List.of(one, two)) {
            Checks.equal(cluster.committedValues(topic), committed, "read_committed");
            Checks.equal(cluster.values(topic), all, "read_uncommitted");
            // Five records and a marker for each transaction.
            List<ConsumerRecord<String, String>> read = cluster.read(topic);
            Checks.equal(read.get(read.size() - 1).offset(), 12 * 6 - 2L, "last offset");
        }
    }

    private long end(String topic, String isolation) {
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<String, String> consumer =
                 cluster.consumer("isolation.level=" + isolation)) {
            return consumer.endOffsets(List.of(partition)).get(partition);
        }
    }

    private void lastStableOffset() throws Exception {
        String topic = cluster.topic("stable", 1);
        cluster.send(topic, 0, "before");
        try (KafkaProducer<String, String> open = transactional("stable-open");
             KafkaProducer<String, String> other = transactional("stable-other")) {
            open.beginTransaction();
            Cluster.send(open, topic, 0, "open");
            other.beginTransaction();
            Cluster.send(other, topic, 0, "committed");
            other.commitTransaction();
            cluster.send(topic, 0, "plain");
            Checks.equal(cluster.committedValues(topic), List.of("before"), "while it is open");
            Checks.equal(end(topic, "read_committed"), 1L, "the last stable offset");
            Checks.equal(end(topic, "read_uncommitted"), 5L, "the high watermark");
            open.abortTransaction();
        }
        List<String> expected = List.of("before", "committed", "plain");
        Checks.until(() -> end(topic, "read_committed") == 6L);
        Checks.equal(cluster.committedValues(topic), expected, "after the abort");
    }

    /** Where a consumer of records goes on after them. */
    private static Map<TopicPartition, OffsetAndMetadata> after(
        List<ConsumerRecord<String, String>> records) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (ConsumerRecord<String, String> at : records) {
            offsets.put(new TopicPartition(at.topic(), at.partition()),
                new OffsetAndMetadata(at.offset() + 1));
        }
        return offsets;
    }

    private void sendOffsets() throws Exception {
        String from = cluster.topic("transform-from", 1);
        String to = cluster.topic("transform-to", 1);
        String[] values = Cluster.numbered("", 50);
        cluster.send(from, 0, values);
        int handled = 0;
        for (int attempt = 0; handled < values.length; attempt++) {
            // A new consumer each time: what it reads depends on the committed offsets alone.
            try (KafkaConsumer<String, String> consumer = cluster.consumer("group.id=transform",
                     "max.poll.records=10", "isolation.level=read_committed");
                 KafkaProducer<String, String> producer = transactional("transform")) {
                consumer.subscribe(List.of(from));
                List<ConsumerRecord<String, String>> records = new ArrayList<>();
                while (records.isEmpty()) {
                    consumer.poll(Duration.ofMillis(200)).forEach(records::add);
                }
                producer.beginTransaction();
                for (ConsumerRecord<String, String> at : records) {
                    producer.send(new ProducerRecord<>(to, 0, null, at.value() + "!"));
                }
                producer.sendOffsetsToTransaction(after(records), consumer.groupMetadata());
                // The first attempt of each ten is given up.
                if (attempt % 2 == 0) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                    handled += records.size();
                }
            }
        }
        List<String> expected = List.of(values).stream().map(value -> value + "!").toList();
        Checks.equal(cluster.committedValues(to), expected, "values that were transformed");
    }

    private void zombie() throws Exception {
        String topic = cluster.topic("zombie", 1);
        try (KafkaProducer<String, String> zombie = transactional("zombie")) {
            zombie.beginTransaction();
            Cluster.send(zombie, topic, 0, "of the zombie");
            try (KafkaProducer<String, String> successor = transactional("zombie")) {
                // Fenced from here on, whether it sends or ends. Which of Kafka's errors it gets
                // depends on the version; all of them are fatal or say to begin anew.
                Checks.fails(KafkaException.class,
                    () -> Cluster.send(zombie, topic, 0, "too late"));
                Checks.fails(KafkaException.class, zombie::commitTransaction);
                successor.beginTransaction();
                Cluster.send(successor, topic, 0, "of the successor");
                successor.commitTransaction();
            }
            Checks.fails(KafkaException.class, zombie::beginTransaction);
        }
        Checks.equal(cluster.committedValues(topic), List.of("of the successor"), "values");
        Checks.holds(!cluster.values(topic).contains("too late"), "a fenced record is not there");
    }

    private void zombieMember() throws Exception {
        String from = cluster.topic("member-from", 1);
        TopicPartition partition = new TopicPartition(from, 0);
        cluster.send(from, 0, "value");
        try (KafkaProducer<String, String> producer = transactional("member");
             KafkaConsumer<String, String> consumer = cluster.consumer("group.id=member")) {
            consumer.subscribe(List.of(from));
            Cluster.poll(consumer, 1);
            ConsumerGroupMetadata stale = consumer.groupMetadata();
            consumer.unsubscribe();
            producer.beginTransaction();
            OffsetAndMetadata next = new OffsetAndMetadata(1);
            Checks.fails(CommitFailedException.class, () -> {
                producer.sendOffsetsToTransaction(Map.of(partition, next), stale);
                producer.commitTransaction();
            });
            producer.abortTransaction();
            Checks.holds(consumer.committed(Set.of(partition)).get(partition) == null,
                "nothing is committed");
        }
    }

    private void timeout() throws Exception {
        String topic = cluster.topic("timeout", 1);
        try (KafkaProducer<String, String> producer =
                 transactional("timeout", "transaction.timeout.ms=1500")) {
            producer.beginTransaction();
            Cluster.send(producer, topic, 0, "left open");
            cluster.send(topic, 0, "plain");
            // The broker aborts it by itself: readers get on.
            Checks.until(() -> cluster.committedValues(topic).equals(List.of("plain")));
            Checks.fails(KafkaException.class, producer::commitTransaction);
        }
        try (KafkaProducer<String, String> again = transactional("timeout")) {
            again.beginTransaction();
            Cluster.send(again, topic, 0, "again");
            again.commitTransaction();
        }
        Checks.equal(cluster.committedValues(topic), List.of("plain", "again"), "values");
    }

    private TransactionDescription describe(String id) throws Exception {
        return cluster.admin.describeTransactions(Set.of(id)).description(id).get();
    }

    private Set<String> listed(TransactionState state) throws Exception {
        ListTransactionsOptions options = new ListTransactionsOptions().filterStates(Set.of(state));
        Set<String> ids = new HashSet<>();
        cluster.admin.listTransactions(options).all().get()
            .forEach(listing -> ids.add(listing.transactionalId()));
        return ids;
    }

    private void describe() throws Exception {
        String topic = cluster.topic("described", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer =
                 transactional("described", "transaction.timeout.ms=33000")) {
            Checks.equal(describe("described").state(), TransactionState.EMPTY, "state");
            producer.beginTransaction();
            Cluster.send(producer, topic, 0, "value");
            TransactionDescription ongoing = describe("described");
            Checks.equal(ongoing.state(), TransactionState.ONGOING, "state");
            Checks.equal(ongoing.topicPartitions(), Set.of(partition), "partitions");
            Checks.equal(ongoing.transactionTimeoutMs(), 33_000L, "timeout");
            Checks.holds(ongoing.transactionStartTimeMs().isPresent(), "its start is known");
            ProducerState state = Cluster.only(producers(topic));
            Checks.equal(state.producerId(), ongoing.producerId(), "producer id");
            Checks.equal(state.producerEpoch(), ongoing.producerEpoch(), "producer epoch");
            Checks.equal(state.currentTransactionStartOffset().getAsLong(), 0L, "first offset");
            Checks.holds(listed(TransactionState.ONGOING).contains("described"), "it is listed");
            producer.commitTransaction();
            Checks.until(() -> listed(TransactionState.COMPLETE_COMMIT).contains("described"));
            Checks.equal(describe("described").topicPartitions(), Set.of(), "partitions");
            cluster.admin.fenceProducers(List.of("described")).all().get();
            Checks.fails(KafkaException.class, () -> {
                producer.beginTransaction();
                Cluster.send(producer, topic, 0, "fenced");
                producer.commitTransaction();
            });
        }
        Checks.equal(cluster.committedValues(topic), List.of("value"), "values");
    }

    private void abortByOperator() throws Exception {
        String topic = cluster.topic("operated", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = transactional("operated")) {
            producer.beginTransaction();
            Cluster.send(producer, topic, 0, "value");
            ProducerState state = Cluster.only(producers(topic));
            AbortTransactionSpec spec = new AbortTransactionSpec(partition, state.producerId(),
                (short) state.producerEpoch(), state.coordinatorEpoch().orElse(0));
            cluster.admin.abortTransaction(spec).all().get();
            Checks.equal(end(topic, "read_committed"), 2L, "readers get on");
            Checks.equal(cluster.committedValues(topic), Collections.emptyList(), "values");
        }
    }
}
