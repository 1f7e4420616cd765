import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

/**
 * Prints a line for each key of a file (in hexadecimal, a line each): its murmur2 hash, and its
 * partition for each number of partitions. Arguments: file, numbers...
 */
public final class KeyPartitions {
    public static void main(String[] arguments) throws Exception {
        int[] counts = Arrays.stream(arguments).skip(1).mapToInt(Integer::parseInt).toArray();
        StringBuilder lines = new StringBuilder();
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            byte[] key = HexFormat.of().parseHex(line);
            lines.append(Utils.murmur2(key));
            for (int count : counts) {
                lines.append(' ').append(BuiltInPartitioner.partitionForKey(key, count));
            }
            lines.append('\n');
        }
        System.out.print(lines);
    }
}
