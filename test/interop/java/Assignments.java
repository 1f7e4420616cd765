import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Prints what Java's assignors make of groups: a line for each line of a file. Argument: the file.
 *
 * <pre>
 * assignor|topic=racks,racks...;topic=...|member=instance=rack=topics=owned=generation=userData;...
 * racks: those of a partition's replicas, with a + between; lists have a comma, "" is none
 * out: member=topic-partition,topic-partition...;member=...
 * </pre>
 */
public final class Assignments {
    public static void main(String[] arguments) throws Exception {
        StringBuilder out = new StringBuilder();
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            String[] parts = line.split("\\|", -1);
            GroupSubscription group = group(parts[2]);
            Map<String, Assignment> assigned =
                assignor(parts[0]).assign(cluster(parts[1]), group).groupAssignment();
            out.append(new TreeMap<>(assigned).entrySet().stream()
                .map(each -> each.getKey() + "=" + each.getValue().partitions().stream()
                    .map(TopicPartition::toString).collect(Collectors.joining(",")))
                .collect(Collectors.joining(";"))).append('\n');
        }
        System.out.print(out);
    }

    private static ConsumerPartitionAssignor assignor(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            default -> new CooperativeStickyAssignor();
        };
    }

    private static Cluster cluster(String topics) {
        Map<String, Node> nodes = new HashMap<>();
        List<PartitionInfo> partitions = new ArrayList<>();
        for (String topic : topics.split(";")) {
            String[] named = topic.split("=", -1);
            String[] racks = named[1].split(",", -1);
            for (int partition = 0; partition < racks.length; partition++) {
                Node[] replicas = list(racks[partition], "\\+").stream()
                    .map(rack -> nodes.computeIfAbsent(rack,
                        name -> new Node(nodes.size(), "host", 1, name)))
                    .toArray(Node[]::new);
                Node leader = replicas.length == 0 ? Node.noNode() : replicas[0];
                partitions.add(
                    new PartitionInfo(named[0], partition, leader, replicas, replicas));
            }
        }
        return new Cluster("id", nodes.values(), partitions,
            Collections.emptySet(), Collections.emptySet());
    }

    private static GroupSubscription group(String members) {
        Map<String, Subscription> subscriptions = new HashMap<>();
        for (String member : members.split(";")) {
            String[] fields = member.split("=", -1);
            List<TopicPartition> owned = list(fields[4], ",").stream().map(name -> {
                int dash = name.lastIndexOf('-');
                return new TopicPartition(name.substring(0, dash),
                    Integer.parseInt(name.substring(dash + 1)));
            }).toList();
            ByteBuffer userData = fields[6].isEmpty()
                ? null : ByteBuffer.wrap(HexFormat.of().parseHex(fields[6]));
            Subscription subscription = new Subscription(list(fields[3], ","), userData, owned,
                Integer.parseInt(fields[5]), Optional.of(fields[2]).filter(r -> !r.isEmpty()));
            subscription.setGroupInstanceId(Optional.of(fields[1]).filter(i -> !i.isEmpty()));
            subscriptions.put(fields[0], subscription);
        }
        return new GroupSubscription(subscriptions);
    }

    private static List<String> list(String text, String separator) {
        return text.isEmpty() ? List.of() : Arrays.asList(text.split(separator));
    }
}
