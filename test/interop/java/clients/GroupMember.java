import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.utils.Utils;

/**
 * One member in each of several groups, until standard input ends: then it leaves them. What
 * happens to it goes to standard output, a line each: the time (System.nanoTime, one clock for all
 * processes of a machine), the group, then one of
 *   assigned PARTITION...      all that it now has
 *   revoked PARTITION...       after it has committed what it read of them
 *   lost PARTITION...          taken away without asking
 *   read PARTITION FIRST LAST  offsets
 *   rebalance                  a commit that has to wait for one
 * Arguments: address, topic, then for each group its id and settings: id,key=value,...
 */
public final class GroupMember implements ConsumerRebalanceListener {
    private static volatile boolean leaving;

    private final String group;
    private final KafkaConsumer<String, String> consumer;
    /** Up to where it has read what it has. */
    private final Map<TopicPartition, OffsetAndMetadata> read = new HashMap<>();

    private GroupMember(Cluster cluster, String group, String[] settings) {
        this.group = group;
        this.consumer = cluster.consumer(settings);
    }

    public static void main(String[] arguments) throws Exception {
        List<Thread> threads = new ArrayList<>();
        try (Cluster cluster = new Cluster(arguments[0])) {
            for (String argument : Arrays.asList(arguments).subList(2, arguments.length)) {
                String[] parts = argument.split(",");
                String id = parts[0];
                parts[0] = "group.id=" + id;
                GroupMember member = new GroupMember(cluster, id, parts);
                Thread thread = new Thread(() -> member.run(arguments[1]), id);
                // What a member throws ends the process, and so the test.
                thread.setUncaughtExceptionHandler((at, error) -> {
                    error.printStackTrace();
                    Runtime.getRuntime().halt(1);
                });
                threads.add(thread);
                thread.start();
            }
            while (System.in.read() >= 0) continue;
            leaving = true;
            for (Thread thread : threads) thread.join();
        }
    }

    private void run(String topic) {
        consumer.subscribe(List.of(topic), this);
        while (!leaving) {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
            if (!records.isEmpty()) tell(records);
        }
        consumer.close();
    }

    private void tell(ConsumerRecords<String, String> records) {
        for (TopicPartition partition : records.partitions()) {
            List<ConsumerRecord<String, String>> some = records.records(partition);
            long last = some.get(some.size() - 1).offset();
            tell("read " + partition.partition() + ' ' + some.get(0).offset() + ' ' + last);
            read.put(partition, new OffsetAndMetadata(last + 1));
        }
        try {
            consumer.commitSync();
        } catch (RebalanceInProgressException | CommitFailedException later) {
            // The next poll takes part in the rebalance, before which onPartitionsRevoked commits.
            tell("rebalance");
        }
    }

    private void tell(String what) {
        System.out.println(System.nanoTime() + " " + group + ' ' + what);
    }

    private void tell(String event, Collection<TopicPartition> partitions) {
        Set<Integer> numbers = new TreeSet<>();
        for (TopicPartition partition : partitions) numbers.add(partition.partition());
        StringBuilder line = new StringBuilder(event);
        for (int number : numbers) line.append(' ').append(number);
        tell(line.toString());
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> added) {
        tell("assigned", consumer.assignment());
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        // Of a partition that goes as soon as it has come, there is no position to ask for.
        Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>(read);
        positions.keySet().retainAll(partitions);
        commit(positions);
        read.keySet().removeAll(partitions);
        tell("revoked", partitions);
    }

    /** In the new protocol a commit may be too early: the next heartbeat brings the epoch for it. */
    private void commit(Map<TopicPartition, OffsetAndMetadata> positions) {
        for (int attempt = 1; ; attempt++) {
            try {
                consumer.commitSync(positions);
                return;
            } catch (CommitFailedException stale) {
                if (attempt == 50) throw stale;
                Utils.sleep(50);
            }
        }
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        read.keySet().removeAll(partitions);
        tell("lost", partitions);
    }
}
