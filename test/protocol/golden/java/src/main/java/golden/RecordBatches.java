package golden;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;

/**
 * Record batches made by Kafka's MemoryRecordsBuilder, and what Kafka reads from them: one line per
 * batch with a name, the bytes (base64) and JSON.
 */
final class RecordBatches {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long TIME = 1_700_000_000_000L;

    static String lines() {
        StringBuilder out = new StringBuilder();
        for (CompressionType codec : CompressionType.values()) {
            for (TimestampType time : new TimestampType[] {
                TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME}) {
                line(out, codec.name + " " + time.name, batch(codec, time, 8));
            }
            line(out, codec.name + " large", batch(codec, TimestampType.CREATE_TIME, 100));
        }
        for (ControlRecordType type : new ControlRecordType[] {
            ControlRecordType.ABORT, ControlRecordType.COMMIT}) {
            line(out, "marker " + type, MemoryRecords.withEndTransactionMarker(
                77L, TIME, 3, 4242L, (short) 5, new EndTransactionMarker(type, 9)));
        }
        return out.toString();
    }

    private static MemoryRecords batch(CompressionType codec, TimestampType time, int count) {
        Random random = new Random(count);
        MemoryRecordsBuilder builder = MemoryRecords.builder(
            ByteBuffer.allocate(1024), RecordBatch.MAGIC_VALUE_V2, Compression.of(codec).build(),
            time, 1_000_000_007L, TIME + 5, 9_007_199_254L, (short) 11, 2_000_000_000,
            count % 2 == 1, 6);
        for (int i = 0; i < count; i++) {
            // Out of order, and far enough apart to need varints of several lengths.
            long timestamp = TIME + (i % 3 - 1) * (long) Math.pow(10, i % 12);
            byte[] key = i % 4 == 1 ? null : bytes("key-" + i);
            byte[] value = i % 4 == 2 ? null : bytes("value ".repeat(random.nextInt(20)));
            Header[] headers = new Header[i % 3];
            for (int h = 0; h < headers.length; h++) {
                headers[h] = new RecordHeader("hlavička" + h, h == 1 ? null : bytes("x" + i));
            }
            builder.appendWithOffset(1_000_000_007L + i * 2L, timestamp, key, value, headers);
        }
        return builder.build();
    }

    private static void line(StringBuilder out, String name, MemoryRecords records) {
        RecordBatch batch = records.batches().iterator().next();
        ObjectNode json = JSON.createObjectNode();
        json.put("baseOffset", batch.baseOffset());
        json.put("sizeInBytes", batch.sizeInBytes());
        json.put("partitionLeaderEpoch", batch.partitionLeaderEpoch());
        json.put("crc", batch.checksum());
        json.put("lastOffset", batch.lastOffset());
        json.put("maxTimestamp", batch.maxTimestamp());
        json.put("producerId", batch.producerId());
        json.put("producerEpoch", batch.producerEpoch());
        json.put("baseSequence", batch.baseSequence());
        json.put("transactional", batch.isTransactional());
        json.put("control", batch.isControlBatch());
        json.put("compression", batch.compressionType().name);
        json.put("logAppendTime", batch.timestampType() == TimestampType.LOG_APPEND_TIME);
        ArrayNode list = json.putArray("records");
        for (Record record : batch) {
            ObjectNode node = list.addObject();
            node.put("offset", record.offset());
            node.put("timestamp", record.timestamp());
            node.put("key", base64(record.key()));
            node.put("value", base64(record.value()));
            ArrayNode headers = node.putArray("headers");
            for (Header header : record.headers()) {
                ObjectNode headerNode = headers.addObject();
                headerNode.put("key", header.key());
                byte[] value = header.value();
                headerNode.put("value", value == null ? null : base64(ByteBuffer.wrap(value)));
            }
        }
        out.append(name).append('\t').append(base64(records.buffer())).append('\t')
            .append(json).append('\n');
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String base64(ByteBuffer buffer) {
        if (buffer == null) return null;
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }

    private RecordBatches() {}
}
