package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var franzCommands = map[string]command{
	"produce":  franzProduce,
	"consume":  franzConsume,
	"read":     franzRead,
	"member":   franzMember,
	"transact": franzTransact,
	"fence":    franzFence,
	"share":    franzShare,
	"admin":    franzAdmin,
}

func franzClient(asked request, more ...kgo.Opt) (*kgo.Client, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(asked.Address),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.FetchMaxWait(100 * time.Millisecond),
	}
	return kgo.NewClient(append(options, more...)...)
}

func franzSend(ctx context.Context, client *kgo.Client, topic string, sent []sentRecord) error {
	var records []*kgo.Record
	for _, each := range sent {
		record := &kgo.Record{
			Topic:     topic,
			Partition: each.Partition,
			Key:       bytesOf(each.Key),
			Value:     bytesOf(each.Value),
			Timestamp: time.UnixMilli(each.Timestamp),
		}
		for _, header := range each.Headers {
			header := kgo.RecordHeader{Key: header[0], Value: []byte(header[1])}
			record.Headers = append(record.Headers, header)
		}
		records = append(records, record)
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}

func franzProduce(ctx context.Context, asked request) error {
	options := []kgo.Opt{kgo.ProducerBatchCompression(codecs[asked.Codec])}
	if !asked.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := franzClient(asked, options...)
	if err != nil {
		return err
	}
	defer client.Close()
	return franzSend(ctx, client, asked.Topic, asked.Records)
}

func franzShow(record *kgo.Record) {
	headers := [][2]*string{}
	for _, header := range record.Headers {
		headers = append(headers, [2]*string{&header.Key, text(header.Value)})
	}
	emit("record", fields{
		"partition": record.Partition,
		"offset":    record.Offset,
		"key":       text(record.Key),
		"value":     text(record.Value),
		"headers":   headers,
		"timestamp": record.Timestamp.UnixMilli(),
	})
}

func franzConsume(ctx context.Context, asked request) error {
	start := map[int32]kgo.Offset{}
	for partition := range asked.Last {
		start[int32(partition)] = kgo.NewOffset().AtStart()
	}
	isolation := kgo.ReadUncommitted()
	if asked.Isolation == "read_committed" {
		isolation = kgo.ReadCommitted()
	}
	client, err := franzClient(asked,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{asked.Topic: start}),
		kgo.FetchIsolationLevel(isolation),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for seen := newProgress(asked.Last); !seen.done(); {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			franzShow(record)
			seen.saw(record.Partition, record.Offset)
		})
	}
	return nil
}

func franzGroup(asked request) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(asked.Group),
		kgo.ConsumeTopics(asked.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
	}
}

func franzRead(ctx context.Context, asked request) error {
	client, err := franzClient(asked, franzGroup(asked)...)
	if err != nil {
		return err
	}
	defer client.Close()
	for left := asked.Count; left > 0; {
		fetches := client.PollRecords(ctx, left)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(franzShow)
		left -= fetches.NumRecords()
		if err := client.CommitRecords(ctx, fetches.Records()...); err != nil {
			return err
		}
	}
	return nil
}

var franzBalancers = map[string]kgo.GroupBalancer{
	"cooperative-sticky": kgo.CooperativeStickyBalancer(),
	"range":              kgo.RangeBalancer(),
}

func franzMember(_ context.Context, asked request) error {
	has := &owned{}
	added := func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
		has.add(topics[asked.Topic])
	}
	removed := func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
		has.remove(topics[asked.Topic])
	}
	options := append(franzGroup(asked),
		kgo.Balancers(franzBalancers[asked.Assignor]),
		kgo.SessionTimeout(3*time.Second),
		kgo.HeartbeatInterval(300*time.Millisecond),
		kgo.OnPartitionsAssigned(added),
		kgo.OnPartitionsRevoked(removed),
		kgo.OnPartitionsLost(removed),
	)
	if asked.Protocol == "consumer" {
		options = append(options, kgo.ServerSideBalancer())
	}
	client, err := franzClient(asked, options...)
	if err != nil {
		return err
	}
	defer client.Close()
	for stop := untilStopped(); ; {
		fetches := client.PollRecords(stop, 20)
		if stop.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			// The library goes on by itself, for instance when the broker is back.
			fmt.Fprintln(os.Stderr, "poll:", err)
		}
		fetches.EachRecord(franzShow)
		err := client.CommitRecords(context.Background(), fetches.Records()...)
		if err != nil {
			// A rebalance has begun meanwhile: whoever gets the partition reads these again.
			fmt.Fprintln(os.Stderr, "commit:", err)
		}
	}
}

func franzTransact(ctx context.Context, asked request) error {
	client, err := franzClient(asked, kgo.TransactionalID(asked.TransactionalID))
	if err != nil {
		return err
	}
	defer client.Close()
	for _, each := range asked.Transactions {
		if err := client.BeginTransaction(); err != nil {
			return err
		}
		if err := franzSend(ctx, client, asked.Topic, each.Records); err != nil {
			return err
		}
		how := kgo.TryCommit
		if each.Outcome == "abort" {
			how = kgo.TryAbort
		}
		if err := client.EndTransaction(ctx, how); err != nil {
			return err
		}
	}
	return nil
}

func franzFence(ctx context.Context, asked request) error {
	begin := func(records []sentRecord) (*kgo.Client, error) {
		client, err := franzClient(asked, kgo.TransactionalID(asked.TransactionalID))
		if err != nil {
			return nil, err
		}
		if err := client.BeginTransaction(); err != nil {
			return nil, err
		}
		return client, franzSend(ctx, client, asked.Topic, records)
	}
	first, err := begin(asked.First)
	if err != nil {
		return err
	}
	defer first.Close()
	second, err := begin(asked.Second)
	if err != nil {
		return err
	}
	defer second.Close()
	err = first.EndTransaction(ctx, kgo.TryCommit)
	fenced := errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced)
	emit("fenced", fields{"fenced": fenced, "error": fmt.Sprint(err)})
	return second.EndTransaction(ctx, kgo.TryCommit)
}

var franzVerdicts = map[string]kgo.AckStatus{
	"accept":  kgo.AckAccept,
	"release": kgo.AckRelease,
	"reject":  kgo.AckReject,
}

func franzShare(ctx context.Context, asked request) error {
	failures := make(chan error, 1000)
	client, err := franzClient(asked,
		kgo.ShareGroup(asked.Group),
		kgo.ConsumeTopics(asked.Topic),
		kgo.ShareAckCallback(func(_ *kgo.Client, results kgo.ShareAckResults) {
			if err := results.Error(); err != nil {
				failures <- err
			}
		}),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for stop := untilStopped(); ; {
		fetches := client.PollRecords(stop, 20)
		if stop.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return err
		}
		var deliveries []fields
		holds := false
		fetches.EachRecord(func(record *kgo.Record) {
			value, count := string(record.Value), record.DeliveryCount()
			verdict := verdictOn(value, count)
			if verdict == "hold" {
				holds = true
			} else {
				record.Ack(franzVerdicts[verdict])
			}
			deliveries = append(deliveries, fields{
				"partition": record.Partition,
				"offset":    record.Offset,
				"value":     value,
				"count":     count,
				"verdict":   verdict,
			})
		})
		if err := client.FlushAcks(ctx); err != nil {
			return err
		}
		if len(failures) > 0 {
			return <-failures
		}
		for _, each := range deliveries {
			emit("delivery", each)
		}
		// The next poll would accept what has no answer: wait for the end instead.
		if holds {
			<-stop.Done()
			return nil
		}
	}
}
