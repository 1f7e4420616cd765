package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/IBM/sarama"
)

var saramaCommands = map[string]command{
	"produce":  saramaProduce,
	"consume":  saramaConsume,
	"read":     saramaRead,
	"member":   saramaMember,
	"transact": saramaTransact,
	"fence":    saramaFence,
	"admin":    saramaAdmin,
}

var saramaCodecs = map[string]sarama.CompressionCodec{
	"none":   sarama.CompressionNone,
	"gzip":   sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy,
	"lz4":    sarama.CompressionLZ4,
	"zstd":   sarama.CompressionZSTD,
}

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 3 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	return config
}

func saramaSend(producer sarama.SyncProducer, topic string, sent []sentRecord) error {
	var messages []*sarama.ProducerMessage
	for _, each := range sent {
		message := &sarama.ProducerMessage{
			Topic:     topic,
			Partition: each.Partition,
			Timestamp: time.UnixMilli(each.Timestamp),
		}
		if each.Key != nil {
			message.Key = sarama.StringEncoder(*each.Key)
		}
		if each.Value != nil {
			message.Value = sarama.StringEncoder(*each.Value)
		}
		for _, header := range each.Headers {
			header := sarama.RecordHeader{Key: []byte(header[0]), Value: []byte(header[1])}
			message.Headers = append(message.Headers, header)
		}
		messages = append(messages, message)
	}
	return producer.SendMessages(messages)
}

func saramaProduce(_ context.Context, asked request) error {
	config := saramaConfig()
	config.Producer.Compression = saramaCodecs[asked.Codec]
	if asked.Idempotent {
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer([]string{asked.Address}, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	return saramaSend(producer, asked.Topic, asked.Records)
}

func saramaShow(message *sarama.ConsumerMessage) {
	headers := [][2]*string{}
	for _, header := range message.Headers {
		headers = append(headers, [2]*string{text(header.Key), text(header.Value)})
	}
	emit("record", fields{
		"partition": message.Partition,
		"offset":    message.Offset,
		"key":       text(message.Key),
		"value":     text(message.Value),
		"headers":   headers,
		"timestamp": message.Timestamp.UnixMilli(),
	})
}

func saramaConsume(_ context.Context, asked request) error {
	config := saramaConfig()
	if asked.Isolation == "read_committed" {
		config.Consumer.IsolationLevel = sarama.ReadCommitted
	}
	consumer, err := sarama.NewConsumer([]string{asked.Address}, config)
	if err != nil {
		return err
	}
	defer consumer.Close()
	for partition, last := range asked.Last {
		reader, err := consumer.ConsumePartition(asked.Topic, int32(partition), sarama.OffsetOldest)
		if err != nil {
			return err
		}
		for message := range reader.Messages() {
			saramaShow(message)
			if message.Offset >= last {
				break
			}
		}
		if err := reader.Close(); err != nil {
			return err
		}
	}
	return nil
}

// saramaReader ends the session, with a commit, when it has read its count of messages.
type saramaReader struct {
	left int
	stop context.CancelFunc
}

func (r *saramaReader) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (r *saramaReader) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (r *saramaReader) ConsumeClaim(
	session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim,
) error {
	for message := range claim.Messages() {
		saramaShow(message)
		session.MarkMessage(message, "")
		r.left--
		if r.left == 0 {
			session.Commit()
			r.stop()
			return nil
		}
	}
	return nil
}

func saramaRead(ctx context.Context, asked request) error {
	ctx, stop := context.WithCancel(ctx)
	return saramaJoin(ctx, asked, &saramaReader{asked.Count, stop})
}

// saramaJoin stays in the group until the context ends, and joins again when it was thrown out of it,
// for instance while there is no broker.
func saramaJoin(
	ctx context.Context, asked request, handler sarama.ConsumerGroupHandler,
) error {
	group, err := sarama.NewConsumerGroup([]string{asked.Address}, asked.Group, saramaConfig())
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{asked.Topic}, handler); err != nil {
			fmt.Fprintln(os.Stderr, "consume:", err)
			time.Sleep(100 * time.Millisecond)
		}
	}
	return group.Close()
}

// saramaMembership commits each message after it has printed it.
type saramaMembership struct {
	topic string
	has   owned
}

func (m *saramaMembership) Setup(session sarama.ConsumerGroupSession) error {
	m.has.add(session.Claims()[m.topic])
	return nil
}

func (m *saramaMembership) Cleanup(session sarama.ConsumerGroupSession) error {
	m.has.remove(session.Claims()[m.topic])
	return nil
}

func (m *saramaMembership) ConsumeClaim(
	session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim,
) error {
	for message := range claim.Messages() {
		saramaShow(message)
		session.MarkMessage(message, "")
		session.Commit()
	}
	return nil
}

func saramaMember(_ context.Context, asked request) error {
	return saramaJoin(untilStopped(), asked, &saramaMembership{topic: asked.Topic})
}

func saramaTransactional(asked request) (sarama.SyncProducer, error) {
	config := saramaConfig()
	config.Producer.Idempotent = true
	config.Producer.Transaction.ID = asked.TransactionalID
	config.Net.MaxOpenRequests = 1
	return sarama.NewSyncProducer([]string{asked.Address}, config)
}

func saramaTransact(_ context.Context, asked request) error {
	producer, err := saramaTransactional(asked)
	if err != nil {
		return err
	}
	defer producer.Close()
	for _, each := range asked.Transactions {
		if err := producer.BeginTxn(); err != nil {
			return err
		}
		if err := saramaSend(producer, asked.Topic, each.Records); err != nil {
			return err
		}
		if each.Offset != nil {
			position := &sarama.PartitionOffsetMetadata{Partition: 0, Offset: each.Offset.Offset}
			offsets := map[string][]*sarama.PartitionOffsetMetadata{asked.Topic: {position}}
			if err := producer.AddOffsetsToTxn(offsets, each.Offset.Group); err != nil {
				return err
			}
		}
		end := producer.CommitTxn
		if each.Outcome == "abort" {
			end = producer.AbortTxn
		}
		if err := end(); err != nil {
			return err
		}
	}
	return nil
}

func saramaFence(_ context.Context, asked request) error {
	begin := func(records []sentRecord) (sarama.SyncProducer, error) {
		producer, err := saramaTransactional(asked)
		if err != nil {
			return nil, err
		}
		if err := producer.BeginTxn(); err != nil {
			return nil, err
		}
		return producer, saramaSend(producer, asked.Topic, records)
	}
	first, err := begin(asked.First)
	if err != nil {
		return err
	}
	second, err := begin(asked.Second)
	if err != nil {
		return err
	}
	defer second.Close()
	err = first.CommitTxn()
	known := errors.Is(err, sarama.ErrInvalidProducerEpoch) || errors.Is(err, sarama.ErrProducerFenced)
	emit("fenced", fields{"fenced": known, "error": fmt.Sprint(err)})
	return second.CommitTxn()
}
