import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.UnreleasedInstanceIdException;

/** Consumer groups within one process, in either protocol; GroupMember shows them over several. */
final class GroupChecks {
    private final Cluster cluster;
    private final String protocol;
    private final boolean isClassic;

    private GroupChecks(Cluster cluster, String protocol) {
        this.cluster = cluster;
        this.protocol = protocol;
        this.isClassic = protocol.equals("classic");
    }

    static void add(Checks checks, Cluster cluster, String protocol) {
        GroupChecks groups = new GroupChecks(cluster, protocol);
        String kind = " (" + protocol + ")";
        checks.add("a group commits and resumes" + kind, groups::commitAndResume);
        checks.add("positions without a commit" + kind, groups::withoutCommit);
        checks.add("auto-commit keeps the place" + kind, groups::autoCommit);
        checks.add("two topics and two members share evenly" + kind, groups::twoMembers);
        checks.add("a new partition and a new topic are found" + kind, groups::growth);
        checks.add("a static member comes back unnoticed" + kind, groups::staticMember);
        checks.add("one instance id, one member" + kind, groups::duplicateInstance);
        checks.add("who does not poll loses its place" + kind, groups::slowMember);
    }

    private KafkaConsumer<String, String> member(String group, String... settings) {
        List<String> all = new ArrayList<>(List.of(settings));
        all.add("group.id=" + group);
        all.add("metadata.max.age.ms=500");
        // 3.x knows the classic protocol only, in which the client names its session timeout.
        if (isClassic) all.add("session.timeout.ms=6000");
        else all.add("group.protocol=consumer");
        return cluster.consumer(all.toArray(new String[0]));
    }

    private String name(String what) {
        return what + "-" + protocol;
    }

    private void commitAndResume() throws Exception {
        String topic = cluster.topic(name("resume"), 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.send(topic, 0, Cluster.numbered("", 30));
        try (KafkaConsumer<String, String> consumer = member(topic, "max.poll.records=10")) {
            consumer.subscribe(List.of(topic));
            Checks.equal(Cluster.poll(consumer, 10).size(), 10, "records of the first polls");
            OffsetAndMetadata offset = new OffsetAndMetadata(10, "ten were read");
            consumer.commitSync(Map.of(partition, offset));
            Map<TopicPartition, OffsetAndMetadata> known = consumer.committed(Set.of(partition));
            Checks.equal(known.get(partition).offset(), 10L, "the committed offset");
            Checks.equal(known.get(partition).metadata(), "ten were read", "its metadata");
        }
        try (KafkaConsumer<String, String> consumer = member(topic, "max.poll.records=5")) {
            consumer.subscribe(List.of(topic));
            Checks.equal(Cluster.poll(consumer, 5).get(0), "10", "the value after the commit");
            CompletableFuture<Void> done = new CompletableFuture<>();
            consumer.commitAsync((offsets, error) -> {
                if (error == null) done.complete(null);
                else done.completeExceptionally(error);
            });
            while (!done.isDone()) consumer.poll(Duration.ofMillis(50));
            done.get();
        }
        try (KafkaConsumer<String, String> reader = member(topic)) {
            long kept = reader.committed(Set.of(partition)).get(partition).offset();
            Checks.holds(kept >= 15 && kept <= 30, "commitAsync moved on, to " + kept);
        }
    }

    private void withoutCommit() throws Exception {
        String topic = cluster.topic(name("reset"), 1);
        cluster.send(topic, 0, "old");
        try (KafkaConsumer<String, String> none =
                 member(name("reset-none"), "auto.offset.reset=none")) {
            none.subscribe(List.of(topic));
            Checks.fails(NoOffsetForPartitionException.class, () -> Cluster.poll(none, 1));
        }
        try (KafkaConsumer<String, String> latest =
                 member(name("reset-latest"), "auto.offset.reset=latest")) {
            latest.subscribe(List.of(topic));
            Cluster.pollUntilAssigned(latest, 1);
            Checks.equal(latest.position(new TopicPartition(topic, 0)), 1L, "the end");
            cluster.send(topic, 0, "new");
            Checks.equal(Cluster.poll(latest, 1), List.of("new"), "values");
            TopicPartition partition = new TopicPartition(topic, 0);
            Checks.holds(latest.committed(Set.of(partition)).get(partition) == null,
                "what was not committed is not known");
        }
    }

    private void autoCommit() throws Exception {
        String topic = cluster.topic(name("auto-commit"), 1);
        cluster.send(topic, 0, Cluster.numbered("", 20));
        String[] settings = {"enable.auto.commit=true", "auto.commit.interval.ms=100"};
        try (KafkaConsumer<String, String> first = member(topic, settings)) {
            first.subscribe(List.of(topic));
            Cluster.poll(first, 20);
        }
        cluster.send(topic, 0, "after");
        try (KafkaConsumer<String, String> second = member(topic, settings)) {
            second.subscribe(List.of(topic));
            Checks.equal(Cluster.poll(second, 1), List.of("after"), "values after the place");
        }
    }

    /** Polls both in turn, each in this thread, until the assignments are as wanted. */
    private static void settle(KafkaConsumer<?, ?> one, int first, KafkaConsumer<?, ?> two,
                               int second) {
        while (one.assignment().size() != first || two.assignment().size() != second) {
            // In the classic protocol a poll may wait for the other member's: keep it short.
            one.poll(Duration.ofMillis(50));
            two.poll(Duration.ofMillis(50));
        }
    }

    private void twoMembers() throws Exception {
        String a = cluster.topic(name("shared-a"), 3);
        String b = cluster.topic(name("shared-b"), 3);
        try (KafkaConsumer<String, String> one = member(a, "max.poll.interval.ms=10000");
             KafkaConsumer<String, String> two = member(a, "max.poll.interval.ms=10000")) {
            one.subscribe(List.of(a, b));
            Cluster.pollUntilAssigned(one, 6);
            two.subscribe(List.of(b));
            // Only one of them wants topic a; how b is split is the assignor's affair.
            while (two.assignment().isEmpty()) {
                one.poll(Duration.ofMillis(50));
                two.poll(Duration.ofMillis(50));
            }
            settle(one, 6 - two.assignment().size(), two, two.assignment().size());
            Set<TopicPartition> all = new HashSet<>(one.assignment());
            all.addAll(two.assignment());
            Checks.equal(all.size(), 6, "partitions assigned to either");
            Checks.holds(two.assignment().stream().allMatch(at -> at.topic().equals(b)),
                "a member gets topics it has subscribed to");
            two.unsubscribe();
            Cluster.pollUntilAssigned(one, 6);
        }
    }

    private void growth() throws Exception {
        String prefix = name("growth");
        String first = cluster.topic(prefix + "-1", 1);
        try (KafkaConsumer<String, String> consumer = member(prefix)) {
            consumer.subscribe(Pattern.compile(Pattern.quote(prefix) + "-\\d+"));
            Cluster.pollUntilAssigned(consumer, 1);
            cluster.admin.createPartitions(Map.of(first, NewPartitions.increaseTo(3))).all().get();
            Cluster.pollUntilAssigned(consumer, 3);
            String second = cluster.topic(prefix + "-2", 2);
            Cluster.pollUntilAssigned(consumer, 5);
            cluster.send(second, 1, "found");
            Checks.equal(Cluster.poll(consumer, 1), List.of("found"), "values");
        }
    }

    /** Counts what a member is told. */
    private static final class Told implements ConsumerRebalanceListener {
        int assigned;
        int revoked;

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            assigned++;
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            revoked++;
        }
    }

    private void staticMember() throws Exception {
        String topic = cluster.topic(name("static"), 2);
        Told told = new Told();
        try (KafkaConsumer<String, String> stays = member(topic, "group.instance.id=stays")) {
            stays.subscribe(List.of(topic), told);
            Set<TopicPartition> before;
            try (KafkaConsumer<String, String> leaves = member(topic, "group.instance.id=leaves")) {
                leaves.subscribe(List.of(topic));
                settle(stays, 1, leaves, 1);
                before = Set.copyOf(leaves.assignment());
            }
            int assigned = told.assigned;
            int revoked = told.revoked;
            try (KafkaConsumer<String, String> back = member(topic, "group.instance.id=leaves")) {
                back.subscribe(List.of(topic));
                settle(stays, 1, back, 1);
                Checks.equal(back.assignment(), before, "what it had before");
                Checks.equal(told.assigned, assigned, "what the other was told of assignments");
                Checks.equal(told.revoked, revoked, "what the other was told of revocations");
            }
        }
    }

    private void duplicateInstance() throws Exception {
        String topic = cluster.topic(name("instance"), 1);
        try (KafkaConsumer<String, String> first = member(topic, "group.instance.id=only");
             KafkaConsumer<String, String> second = member(topic, "group.instance.id=only")) {
            first.subscribe(List.of(topic));
            Cluster.pollUntilAssigned(first, 1);
            second.subscribe(List.of(topic));
            if (isClassic) {
                // The newcomer takes the place, and the first learns of it.
                Cluster.pollUntilAssigned(second, 1);
                Checks.fails(FencedInstanceIdException.class, () -> Cluster.poll(first, 1));
            } else {
                Checks.fails(UnreleasedInstanceIdException.class, () -> Cluster.poll(second, 1));
            }
        }
    }

    private void slowMember() throws Exception {
        String topic = cluster.topic(name("slow"), 1);
        cluster.send(topic, 0, "once");
        try (KafkaConsumer<String, String> slow = member(topic, "max.poll.interval.ms=1000");
             KafkaConsumer<String, String> heir = member(topic)) {
            slow.subscribe(List.of(topic));
            Cluster.poll(slow, 1);
            heir.subscribe(List.of(topic));
            Checks.equal(Cluster.poll(heir, 1), List.of("once"), "what was not committed comes");
            Map<TopicPartition, OffsetAndMetadata> late =
                Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(1));
            Checks.fails(CommitFailedException.class, () -> slow.commitSync(late));
        }
    }
}
