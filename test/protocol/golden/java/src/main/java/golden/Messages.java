package golden;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.SimpleRecord;

/**
 * Fills Kafka's generated message classes with pseudo-random values, always the same ones, and gives
 * what Kafka makes of them: one line per message with kind, version, contents, bytes (base64) and
 * JSON. The contents are "random", or "defaults" where nothing is set but each array of structs has
 * one element, of which nothing is set either.
 *
 * Which fields a version has comes from the message definitions inside Kafka's jar.
 */
final class Messages {
    static final List<String> APIS = List.of(
        "Produce", "Fetch", "ListOffsets", "Metadata", "OffsetCommit", "OffsetFetch",
        "FindCoordinator", "JoinGroup", "Heartbeat", "LeaveGroup", "SyncGroup", "DescribeGroups",
        "ListGroups", "SaslHandshake", "ApiVersions", "CreateTopics", "DeleteTopics",
        "DeleteRecords", "InitProducerId", "OffsetForLeaderEpoch", "AddPartitionsToTxn",
        "AddOffsetsToTxn", "EndTxn", "WriteTxnMarkers", "TxnOffsetCommit", "DescribeConfigs",
        "AlterConfigs", "DescribeLogDirs", "SaslAuthenticate", "CreatePartitions", "DeleteGroups",
        "IncrementalAlterConfigs", "OffsetDelete", "DescribeCluster", "ConsumerGroupHeartbeat",
        "ConsumerGroupDescribe", "DescribeTopicPartitions",
        "DescribeAcls", "CreateAcls", "DeleteAcls", "AlterReplicaLogDirs",
        "CreateDelegationToken", "RenewDelegationToken", "ExpireDelegationToken",
        "DescribeDelegationToken", "ElectLeaders", "AlterPartitionReassignments",
        "ListPartitionReassignments", "DescribeClientQuotas", "AlterClientQuotas",
        "DescribeUserScramCredentials", "AlterUserScramCredentials", "DescribeQuorum",
        "UpdateFeatures", "DescribeProducers", "UnregisterBroker", "DescribeTransactions",
        "ListTransactions", "GetTelemetrySubscriptions", "PushTelemetry", "ListConfigResources",
        "ShareGroupHeartbeat", "ShareGroupDescribe", "ShareFetch", "ShareAcknowledge",
        "InitializeShareGroupState", "ReadShareGroupState", "WriteShareGroupState",
        "DeleteShareGroupState", "ReadShareGroupStateSummary", "StreamsGroupHeartbeat",
        "StreamsGroupDescribe", "DescribeShareGroupOffsets", "AlterShareGroupOffsets",
        "DeleteShareGroupOffsets");

    /** Of the controllers of clusters with ZooKeeper: not in Kafka 4. */
    static final List<String> CONTROL_APIS = List.of(
        "LeaderAndIsr", "StopReplica", "UpdateMetadata", "ControlledShutdown");

    /** The first versions with partitions by topic, and with the common header. */
    private static final Map<String, Integer> FIRST_VERSIONS = Map.of(
        "LeaderAndIsr", 2, "StopReplica", 1, "UpdateMetadata", 5, "ControlledShutdown", 1);

    /** Coordinator records, by the package of their classes. */
    static final Map<String, List<String>> RECORDS = Map.of(
        "group", List.of(
            "LegacyOffsetCommit", "OffsetCommit", "GroupMetadata", "ConsumerGroupMetadata",
            "ConsumerGroupPartitionMetadata", "ConsumerGroupMemberMetadata",
            "ConsumerGroupTargetAssignmentMetadata", "ConsumerGroupTargetAssignmentMember",
            "ConsumerGroupCurrentMemberAssignment", "ShareGroupMemberMetadata",
            "ShareGroupMetadata", "ShareGroupTargetAssignmentMetadata",
            "ShareGroupTargetAssignmentMember", "ShareGroupCurrentMemberAssignment",
            "ShareGroupStatePartitionMetadata", "ConsumerGroupRegularExpression"),
        "transaction", List.of("TransactionLog"),
        "share", List.of("ShareSnapshot", "ShareUpdate"));

    private static final ObjectMapper JSON =
        new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);
    private static final String API_CLASSES = "org.apache.kafka.common.message.";
    private static final int SAMPLES = 2;
    private static final int DEFAULTS = -1;
    private static final long MAX_SAFE = (1L << 53) - 1;

    private final Random random;
    private final int version;
    private final boolean defaults;
    private final String source;
    private final String outer;
    private final Map<String, JsonNode> commonStructs = new HashMap<>();

    private Messages(String source, JsonNode definition, int version, int sample) {
        this.source = source;
        boolean api = List.of("request", "response", "header").contains(definition.get("type").asText());
        this.outer = definition.get("name").asText() + (api ? "Data" : "");
        this.version = version;
        this.defaults = sample == DEFAULTS;
        this.random = new Random(31L * outer.hashCode() + 7L * version + sample);
        JsonNode common = definition.get("commonStructs");
        if (common != null) {
            for (JsonNode struct : common) {
                commonStructs.put(struct.get("name").asText(), struct.get("fields"));
            }
        }
    }

    static String lines(String api) throws Exception {
        StringBuilder out = new StringBuilder();
        for (String kind : List.of("Request", "Response")) {
            // Only a request says that its latest version is not stable; the response goes with it.
            boolean unstable = definition(api + "Request").path("latestVersionUnstable").asBoolean();
            JsonNode definition = definition(api + kind);
            int[] range = range(definition.get("validVersions").asText());
            int latest = unstable ? range[1] - 1 : range[1];
            int first = FIRST_VERSIONS.getOrDefault(api, range[0]);
            for (int version = first; version <= latest; version++) {
                append(out, kind.toLowerCase(), definition, version, DEFAULTS);
                for (int sample = 0; sample < SAMPLES; sample++) {
                    append(out, kind.toLowerCase(), definition, version, sample);
                }
            }
        }
        return out.toString();
    }

    static String headerLines() throws Exception {
        StringBuilder out = new StringBuilder();
        for (int version = 1; version <= 2; version++) {
            for (int sample = 0; sample < SAMPLES; sample++) {
                append(out, "request", definition("RequestHeader"), version, sample);
            }
        }
        for (int version = 0; version <= 1; version++) {
            append(out, "response", definition("ResponseHeader"), version, 0);
        }
        return out.toString();
    }

    /** Keys and values of a coordinator's records, with the type or version before the fields. */
    static String recordLines(String group, String name) throws Exception {
        String source = "org.apache.kafka.coordinator." + group + ".generated.";
        StringBuilder out = new StringBuilder();
        JsonNode key = definition(name + "Key");
        int type = key.get("apiKey").asInt();
        JsonNode value = definition(name + "Value");
        for (int sample = DEFAULTS; sample < SAMPLES; sample++) {
            append(out, "key", source, key, 0, sample, new short[] {(short) type});
        }
        appendVersions(out, "value", source, value);
        return out.toString();
    }

    static String consumerProtocolLines() throws Exception {
        StringBuilder out = new StringBuilder();
        for (String kind : List.of("Subscription", "Assignment")) {
            JsonNode definition = definition("ConsumerProtocol" + kind);
            appendVersions(out, kind.toLowerCase(), API_CLASSES, definition);
        }
        return out.toString();
    }

    /** Every version, each with its number before it. */
    private static void appendVersions(
            StringBuilder out, String kind, String source, JsonNode definition) throws Exception {
        int[] range = range(definition.get("validVersions").asText());
        for (int version = range[0]; version <= range[1]; version++) {
            for (int sample = DEFAULTS; sample < SAMPLES; sample++) {
                append(out, kind, source, definition, version, sample, new short[] {(short) version});
            }
        }
    }

    private static void append(
            StringBuilder out, String kind, JsonNode definition, int version, int sample)
            throws Exception {
        append(out, kind, API_CLASSES, definition, version, sample, new short[0]);
    }

    private static void append(
            StringBuilder out, String kind, String source, JsonNode definition, int version,
            int sample, short[] prefix) throws Exception {
        Messages filler = new Messages(source, definition, version, sample);
        Class<?> type = Class.forName(source + filler.outer);
        Message message = (Message) filler.fill(type, definition.get("fields"));
        ObjectSerializationCache cache = new ObjectSerializationCache();
        int size = 2 * prefix.length + message.size(cache, (short) version);
        ByteBuffer buffer = ByteBuffer.allocate(size);
        for (short number : prefix) buffer.putShort(number);
        message.write(new ByteBufferAccessor(buffer), cache, (short) version);
        Class<?> converter = Class.forName(type.getName() + "JsonConverter");
        Object json = converter.getMethod("write", type, short.class)
            .invoke(null, message, (short) version);
        out.append(kind).append('\t').append(version).append('\t')
            .append(sample == DEFAULTS ? "defaults" : "random").append('\t')
            .append(Base64.getEncoder().encodeToString(buffer.array())).append('\t')
            .append(json).append('\n');
    }

    private Object fill(Class<?> type, JsonNode fields) throws Exception {
        Object struct = type.getDeclaredConstructor().newInstance();
        for (JsonNode field : fields) {
            if (!contains(versions(field))) continue;
            // Now and then a field keeps its default.
            boolean skipped = defaults ? !isArrayOfStructs(field) : random.nextInt(8) == 0;
            if (skipped && !isRequiredRecords(field)) continue;
            String name = field.get("name").asText();
            String setterName = "set" + Character.toUpperCase(name.charAt(0)) + name.substring(1);
            for (Method setter : type.getMethods()) {
                if (setter.getName().equals(setterName)) {
                    Class<?> target = setter.getParameterTypes()[0];
                    setter.invoke(struct, skipped ? MemoryRecords.EMPTY : value(field, target));
                }
            }
        }
        return struct;
    }

    private Object value(JsonNode field, Class<?> target) throws Exception {
        String type = field.get("type").asText();
        JsonNode nullable = field.get("nullableVersions");
        if (!defaults && nullable != null && contains(nullable.asText()) && random.nextInt(4) == 0) return null;
        if (type.startsWith("[]")) {
            Collection<Object> list = collection(target);
            for (int left = defaults ? 1 : random.nextInt(3); left > 0; left--) {
                list.add(single(field, type.substring(2), null));
            }
            return list;
        }
        return single(field, type, target);
    }

    /** Records are null by default, even where null cannot be written. */
    private boolean isRequiredRecords(JsonNode field) {
        boolean nullable = contains(field.path("nullableVersions").asText("none"));
        return field.get("type").asText().equals("records") && !nullable;
    }

    private boolean isArrayOfStructs(JsonNode field) {
        String type = field.get("type").asText();
        boolean known = field.has("fields") || commonStructs.containsKey(type.substring(2));
        return type.startsWith("[]") && known && !field.has("tag");
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> collection(Class<?> target) throws Exception {
        if (target == List.class) return new ArrayList<>();
        return (Collection<Object>) target.getDeclaredConstructor().newInstance();
    }

    private Object single(JsonNode field, String type, Class<?> target) throws Exception {
        switch (type) {
            case "bool": return random.nextBoolean();
            case "int8": return (byte) random.nextInt();
            case "int16": return (short) random.nextInt();
            case "uint16": return random.nextInt(65536);
            case "int32": return random.nextInt();
            case "uint32": return random.nextInt() & 0xffffffffL;
            case "int64": return int64(field);
            case "float64": return random.nextDouble() * 1000;
            case "string": return text();
            case "uuid": return new Uuid(random.nextLong(), random.nextLong());
            case "bytes": return target == ByteBuffer.class ? ByteBuffer.wrap(bytes()) : bytes();
            case "records": return MemoryRecords.withRecords(
                Compression.NONE, new SimpleRecord(1234567890123L, bytes(), bytes()));
            default: break;
        }
        JsonNode fields = field.has("fields") ? field.get("fields") : commonStructs.get(type);
        String name = source + outer + "$" + type;
        return fill(Class.forName(name), fields);
    }

    /**
     * In a hash, and where Long.MAX_VALUE is the default, any long is legitimate; elsewhere what a
     * double can hold.
     */
    private long int64(JsonNode field) {
        long value = random.nextLong();
        if (field.get("name").asText().endsWith("Hash")) return value;
        if (field.path("default").asText().startsWith("9223372036854775807")) return value;
        return random.nextBoolean() ? value % MAX_SAFE : value % 100_000;
    }

    private String text() {
        switch (random.nextInt(8)) {
            case 0: return "";
            case 1: return "Žluťoučký kůň 变形记 🪲";
            case 2: return "long-".repeat(30 + random.nextInt(30));
            default: return Integer.toString(random.nextInt(Integer.MAX_VALUE), 36);
        }
    }

    private byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(40)];
        random.nextBytes(bytes);
        return bytes;
    }

    private boolean contains(String versions) {
        int[] range = range(versions);
        return version >= range[0] && version <= range[1];
    }

    private static String versions(JsonNode field) {
        return field.get(field.has("versions") ? "versions" : "taggedVersions").asText();
    }

    private static int[] range(String versions) {
        if (versions.equals("none")) return new int[] {0, -1};
        if (versions.endsWith("+")) {
            int from = Integer.parseInt(versions.substring(0, versions.length() - 1));
            return new int[] {from, Short.MAX_VALUE};
        }
        String[] ends = versions.split("-");
        return new int[] {Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])};
    }

    private static JsonNode definition(String name) throws Exception {
        String path = "/common/message/" + name + ".json";
        try (InputStream stream = Message.class.getResourceAsStream(path)) {
            return JSON.readTree(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
