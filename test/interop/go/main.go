// The Go side of the interop tests. franz-go and sarama do what harness/contract.ts says:
//
//	samsa-interop-go franz COMMAND REQUEST.json
//	samsa-interop-go sarama COMMAND REQUEST.json
//
// and franz-go sends a file as records and puts it together again:
//
//	samsa-interop-go produce ADDRESS TOPIC PARTITIONS FILE CODEC
//	samsa-interop-go consume ADDRESS TOPIC PARTITIONS FILE
//
// A record's key is its place in the file, as in the Java programs, so that each can read what the
// other wrote. Both print the number of bytes.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var sizes = []int{1, 100, 1_000, 10_000, 100_000, 7, 4_096, 65_536}

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	switch os.Args[1] {
	case "franz":
		check(runCommand(ctx, franzCommands, os.Args[2], os.Args[3]))
	case "sarama":
		check(runCommand(ctx, saramaCommands, os.Args[2], os.Args[3]))
	default:
		transfer(ctx)
	}
}

func transfer(ctx context.Context) {
	partitions, err := strconv.Atoi(os.Args[4])
	check(err)
	var total int64
	switch os.Args[1] {
	case "produce":
		total, err = produce(ctx, os.Args[2], os.Args[3], int32(partitions), os.Args[5], os.Args[6])
	case "consume":
		total, err = consume(ctx, os.Args[2], os.Args[3], int32(partitions), os.Args[5])
	default:
		err = fmt.Errorf("unknown command %s", os.Args[1])
	}
	check(err)
	fmt.Println(total)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func produce(
	ctx context.Context, address, topic string, partitions int32, file, codec string,
) (int64, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(address),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[codec]),
	)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	input, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer input.Close()
	var failure atomic.Pointer[error]
	var place int64
	for number := 0; ; number++ {
		value := make([]byte, sizes[number%len(sizes)])
		length, err := io.ReadFull(input, value)
		if err == io.EOF {
			break
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return 0, err
		}
		record := &kgo.Record{
			Topic:     topic,
			Partition: int32(number/3) % partitions,
			Key:       binary.BigEndian.AppendUint64(nil, uint64(place)),
			Value:     value[:length],
		}
		client.Produce(ctx, record, func(_ *kgo.Record, err error) {
			if err != nil {
				failure.CompareAndSwap(nil, &err)
			}
		})
		place += int64(length)
	}
	if err := client.Flush(ctx); err != nil {
		return 0, err
	}
	if err := failure.Load(); err != nil {
		return 0, *err
	}
	return place, nil
}

func consume(
	ctx context.Context, address, topic string, partitions int32, file string,
) (int64, error) {
	start := make(map[int32]kgo.Offset)
	for partition := range partitions {
		start[partition] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(address),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: start}),
	)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	left, err := recordsIn(ctx, client, topic, partitions)
	if err != nil {
		return 0, err
	}
	output, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer output.Close()
	offsets := make([]int64, partitions)
	places := make([]int64, partitions)
	var total int64
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return 0, err
		}
		var wrong error
		fetches.EachRecord(func(at *kgo.Record) {
			place := int64(binary.BigEndian.Uint64(at.Key))
			if at.Offset != offsets[at.Partition] || place < places[at.Partition] {
				wrong = fmt.Errorf("partition %d: offset %d with place %d, after place %d",
					at.Partition, at.Offset, place, places[at.Partition])
			}
			offsets[at.Partition] = at.Offset + 1
			places[at.Partition] = place + int64(len(at.Value))
			if _, err := output.WriteAt(at.Value, place); err != nil {
				wrong = err
			}
			total += int64(len(at.Value))
			left--
		})
		if wrong != nil {
			return 0, wrong
		}
	}
	return total, nil
}

// recordsIn counts the records of a topic that nothing was deleted from, by its end offsets.
func recordsIn(
	ctx context.Context, client *kgo.Client, topic string, partitions int32,
) (int64, error) {
	wanted := kmsg.NewListOffsetsRequestTopic()
	wanted.Topic = topic
	for partition := range partitions {
		at := kmsg.NewListOffsetsRequestTopicPartition()
		at.Partition = partition
		at.Timestamp = -1
		wanted.Partitions = append(wanted.Partitions, at)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.Topics = append(request.Topics, wanted)
	var total int64
	for _, shard := range client.RequestSharded(ctx, request) {
		if shard.Err != nil {
			return 0, shard.Err
		}
		for _, found := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, partition := range found.Partitions {
				if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
					return 0, err
				}
				total += partition.Offset
			}
		}
	}
	return total, nil
}
