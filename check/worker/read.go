package main

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"
)

// read reads topics from their beginnings and notes every record: without an end until it is
// stopped, or up to the offsets it was given.
func read(w *worker) error {
	from := map[string]map[int32]kgo.Offset{}
	left := map[string]map[int32]int64{}
	for _, topic := range w.Topics {
		from[topic] = map[int32]kgo.Offset{}
		left[topic] = map[int32]int64{}
		for partition := range w.Partitions {
			from[topic][partition] = kgo.NewOffset().AtStart()
			if ends := w.Until[topic]; ends != nil && ends[partition] > 0 {
				left[topic][partition] = ends[partition]
			}
		}
	}
	isolation := kgo.ReadUncommitted()
	if w.Isolation == "read_committed" {
		isolation = kgo.ReadCommitted()
	}
	client, err := kgo.NewClient(w.options(
		kgo.ConsumePartitions(from),
		kgo.FetchIsolationLevel(isolation),
		// The last record before an end may be the marker of a transaction.
		kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return err
	}
	defer client.Close()
	w.history.append("reading", fields{"isolation": w.Isolation})
	for !w.stopped() && (w.Until == nil || anyLeft(left)) {
		fetches := client.PollFetches(w.stop)
		if err := w.trouble(fetches); err != nil {
			return err
		}
		fetches.EachPartition(func(partition kgo.FetchTopicPartition) {
			w.sawRecords(partition, left[partition.Topic])
		})
	}
	if w.Until == nil {
		return nil
	}
	if anyLeft(left) {
		return errors.New("stopped before the end")
	}
	w.history.append("complete", fields{"isolation": w.Isolation})
	return nil
}

func (w *worker) sawRecords(partition kgo.FetchTopicPartition, left map[int32]int64) {
	records := [][2]any{}
	for _, record := range partition.Records {
		if !record.Attrs.IsControl() {
			records = append(records, [2]any{record.Offset, string(record.Value)})
		}
		if record.Offset+1 >= left[partition.Partition] {
			delete(left, partition.Partition)
		}
	}
	if len(records) > 0 {
		w.history.append("read", fields{
			"isolation": w.Isolation,
			"topic":     partition.Topic,
			"partition": partition.Partition,
			"records":   records,
		})
	}
}

func anyLeft(left map[string]map[int32]int64) bool {
	for _, partitions := range left {
		if len(partitions) > 0 {
			return true
		}
	}
	return false
}
