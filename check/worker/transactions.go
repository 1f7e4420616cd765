package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// item is the value of a record that was written in a transaction.
type item struct {
	Transaction string `json:"transaction"`
	Index       int    `json:"index"`
	Count       int    `json:"count"`
	// The record that it was made from, as partition/offset.
	Source string `json:"source,omitempty"`
}

func (w *worker) transactionOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.TransactionalID(w.TransactionalID),
		kgo.TransactionTimeout(time.Duration(w.TxnLimitMs) * time.Millisecond),
	}
}

// initialized makes the client ask for its producer id, which fences whoever had it before.
func (w *worker) initialized(client *kgo.Client) error {
	id, epoch, err := client.ProducerID(context.Background())
	if err != nil {
		return err
	}
	w.history.append("initialized", fields{
		"transactionalId": w.TransactionalID, "producerId": id, "producerEpoch": epoch,
	})
	return nil
}

// send gives the items to the broker and waits until all are acknowledged.
func (w *worker) send(client *kgo.Client, topic string, items []item, to []int32) error {
	var records []*kgo.Record
	for index, each := range items {
		value, err := json.Marshal(each)
		if err != nil {
			return err
		}
		records = append(records, &kgo.Record{Topic: topic, Partition: to[index], Value: value})
	}
	return client.ProduceSync(context.Background(), records...).FirstErr()
}

func (w *worker) began(transaction, topic string, to []int32) {
	w.history.append("began", fields{
		"transaction":     transaction,
		"transactionalId": w.TransactionalID,
		"topic":           topic,
		"partitions":      to,
	})
}

func (w *worker) ending(transaction string, commit bool) {
	w.history.append("ending", fields{"transaction": transaction, "commit": commit})
}

func (w *worker) ended(transaction string, committed bool, err error) {
	outcome := fields{"transaction": transaction, "outcome": "aborted"}
	if err != nil {
		outcome["outcome"] = "unknown"
		outcome["error"] = err.Error()
	} else if committed {
		outcome["outcome"] = "committed"
	}
	w.history.append("ended", outcome)
}

// ledger writes transactions over several partitions; most are committed, some are aborted, and a
// few are left open until the broker's patience ends.
func ledger(w *worker) error {
	client, err := kgo.NewClient(w.options(w.transactionOptions()...)...)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := w.initialized(client); err != nil {
		return err
	}
	for number := 0; !w.stopped(); number++ {
		if err := w.entry(client, fmt.Sprintf("%s.%d", w.Process, number)); err != nil {
			return err
		}
		w.pause(20 * time.Millisecond)
	}
	return nil
}

func (w *worker) entry(client *kgo.Client, transaction string) error {
	count := 2 + w.random.IntN(8)
	items, to := make([]item, count), make([]int32, count)
	for index := range count {
		items[index] = item{Transaction: transaction, Index: index, Count: count}
		to[index] = w.random.Int32N(w.Partitions)
	}
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	w.began(transaction, w.Topic, to)
	half := count / 2
	err := w.send(client, w.Topic, items[:half], to[:half])
	if err == nil {
		w.pause(100 * time.Millisecond)
		if w.random.IntN(60) == 0 {
			w.pause(2 * time.Duration(w.TxnLimitMs) * time.Millisecond)
		}
		err = w.send(client, w.Topic, items[half:], to[half:])
		// Whoever is superseded just here asks to end what is no longer its own.
		w.pause(100 * time.Millisecond)
	}
	commit := err == nil && w.random.IntN(4) > 0
	w.ending(transaction, commit)
	failure := client.EndTransaction(context.Background(), kgo.TransactionEndTry(commit))
	w.ended(transaction, commit, failure)
	return failure
}

// billing reads a topic and writes a record for each one that it read; the records and the offsets
// up to which it read are one transaction.
func billing(w *worker) error {
	options := append(w.groupOptions(), w.transactionOptions()...)
	options = append(options, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	session, err := kgo.NewGroupTransactSession(w.options(options...)...)
	if err != nil {
		return err
	}
	defer session.Close()
	if err := w.initialized(session.Client()); err != nil {
		return err
	}
	for number := 0; !w.stopped(); number++ {
		fetches := session.PollRecords(w.stop, 20)
		if err := w.trouble(fetches); err != nil {
			return err
		}
		if fetches.NumRecords() == 0 {
			continue
		}
		if err := w.bill(session, fmt.Sprintf("%s.%d", w.Process, number), fetches); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) bill(
	session *kgo.GroupTransactSession, transaction string, fetches kgo.Fetches,
) error {
	var items []item
	var to []int32
	fetches.EachRecord(func(record *kgo.Record) {
		items = append(items, item{
			Transaction: transaction,
			Index:       len(items),
			Count:       fetches.NumRecords(),
			Source:      fmt.Sprintf("%d/%d", record.Partition, record.Offset),
		})
		to = append(to, w.random.Int32N(w.Partitions))
	})
	if err := session.Begin(); err != nil {
		return err
	}
	w.began(transaction, w.Output, to)
	err := w.send(session.Client(), w.Output, items, to)
	w.pause(30 * time.Millisecond)
	commit := err == nil && w.random.IntN(10) > 0
	w.ending(transaction, commit)
	committed, failure := session.End(context.Background(), kgo.TransactionEndTry(commit))
	w.ended(transaction, committed, failure)
	return failure
}
