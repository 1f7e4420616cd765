package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// produce sends numbered records, idempotently, and notes each one that was acknowledged.
func produce(w *worker) error {
	client, err := kgo.NewClient(w.options(kgo.ProducerLinger(5 * time.Millisecond))...)
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(time.Second / time.Duration(w.PerSecond))
	defer tick.Stop()
	for number := 0; !w.stopped(); number++ {
		id := fmt.Sprintf("%s.%d", w.Process, number)
		record := &kgo.Record{
			Topic:     w.Topic,
			Partition: w.random.Int32N(w.Partitions),
			Value:     []byte(id),
		}
		client.Produce(context.Background(), record, func(sent *kgo.Record, err error) {
			if err != nil {
				w.history.append("unproduced", fields{"id": id, "error": err.Error()})
				return
			}
			w.history.append("produced", fields{
				"id": id, "topic": sent.Topic, "partition": sent.Partition, "offset": sent.Offset,
			})
		})
		select {
		case <-tick.C:
		case <-w.stop.Done():
		}
	}
	return client.Flush(context.Background())
}
