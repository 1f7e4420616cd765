package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupOptions are those of a member by the three ways in which a group can rebalance.
func (w *worker) groupOptions() []kgo.Opt {
	session := time.Duration(w.SessionMs) * time.Millisecond
	options := []kgo.Opt{
		kgo.ConsumerGroup(w.Group),
		kgo.ConsumeTopics(w.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(session),
		kgo.RebalanceTimeout(2 * session),
		kgo.HeartbeatInterval(session / 6),
		kgo.OnPartitionsAssigned(w.assigned),
		kgo.OnPartitionsRevoked(w.released(false)),
		kgo.OnPartitionsLost(w.released(true)),
	}
	if w.Instance != "" {
		options = append(options, kgo.InstanceID(w.Instance))
	}
	switch w.Protocol {
	case "eager":
		return append(options, kgo.Balancers(kgo.RangeBalancer(), kgo.RoundRobinBalancer()))
	case "cooperative":
		return append(options, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	return append(options, kgo.ServerSideBalancer())
}

// holding is a generation in which a member had a partition, or none: -1.
type holding struct {
	member     string
	generation int32
	partition  int32
}

func (w *worker) assigned(_ context.Context, client *kgo.Client, topics map[string][]int32) {
	id, generation := client.GroupMetadata()
	w.before = w.now
	w.now = holding{id, generation, -1}
	if partitions := topics[w.Topic]; len(partitions) > 0 {
		w.now.partition = partitions[0]
		for _, partition := range partitions {
			w.heldAs[partition] = id
		}
	}
	w.history.append("assigned", fields{
		"group":      w.Group,
		"member":     id,
		"instance":   w.Instance,
		"generation": generation,
		"partitions": partitionsOf(topics[w.Topic]),
	})
}

func (w *worker) released(
	lost bool,
) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
		w.history.append("released", fields{
			"group": w.Group, "lost": lost, "partitions": partitionsOf(topics[w.Topic]),
		})
	}
}

func partitionsOf(partitions []int32) []int32 {
	if partitions == nil {
		return []int32{}
	}
	return partitions
}

// member reads its share of a topic and commits what it has processed, and only that: partitions
// are not taken away between a poll and the commit for it, unless the group gives the member up.
func member(w *worker) error {
	options := append(w.groupOptions(), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll())
	client, err := kgo.NewClient(w.options(options...)...)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	for !w.stopped() {
		fetches := client.PollRecords(w.stop, 50)
		if err := w.trouble(fetches); err != nil {
			return err
		}
		w.commitBelatedly(client)
		next := map[string]int64{}
		fetches.EachPartition(func(partition kgo.FetchTopicPartition) {
			if len(partition.Records) == 0 {
				return
			}
			w.processed(partition.Records)
			last := partition.Records[len(partition.Records)-1]
			next[strconv.Itoa(int(partition.Partition))] = last.Offset + 1
		})
		if len(next) > 0 {
			w.work()
			if err := w.commit(client, fetches, next); err != nil {
				return err
			}
		}
		client.AllowRebalance()
	}
	return nil
}

// work takes a while, now and then longer than the group waits: then somebody else has been given
// the partitions when the commit is sent.
func (w *worker) work() {
	w.pause(20 * time.Millisecond)
	if w.random.IntN(400) == 0 {
		w.pause(time.Duration(3*w.SessionMs) * time.Millisecond)
	}
}

// trouble prints what a poll complains of, and returns what there is no way out of.
func (w *worker) trouble(fetches kgo.Fetches) error {
	for _, each := range fetches.Errors() {
		if errors.Is(each.Err, context.Canceled) {
			continue
		}
		fmt.Fprintln(os.Stderr, monotonicMicros(), "poll:", each.Partition, each.Err)
		if errors.Is(each.Err, kerr.FencedInstanceID) {
			return each.Err
		}
	}
	return nil
}

// processed notes the records of one partition, a line for each stretch of offsets without gaps.
func (w *worker) processed(records []*kgo.Record) {
	for from := 0; from < len(records); {
		to := from + 1
		ids := []string{string(records[from].Value)}
		for to < len(records) && records[to].Offset == records[to-1].Offset+1 {
			ids = append(ids, string(records[to].Value))
			to++
		}
		w.history.append("processed", fields{
			"group":     w.Group,
			"partition": records[from].Partition,
			"offset":    records[from].Offset,
			"ids":       ids,
		})
		from = to
	}
}

func (w *worker) commit(
	client *kgo.Client, fetches kgo.Fetches, next map[string]int64,
) error {
	offsets := map[int32]kgo.EpochOffset{}
	fetches.EachRecord(func(record *kgo.Record) {
		offsets[record.Partition] = kgo.EpochOffset{
			Epoch: record.LeaderEpoch, Offset: record.Offset + 1,
		}
	})
	number := w.committing(next)
	var fenced error
	client.CommitOffsetsSync(kgo.PreCommitFnContext(context.Background(), w.isStillOurs),
		map[string]map[int32]kgo.EpochOffset{w.Topic: offsets},
		func(
			_ *kgo.Client, sent *kmsg.OffsetCommitRequest, got *kmsg.OffsetCommitResponse, err error,
		) {
			if err == nil && len(sent.Topics) > 0 {
				w.topicID = sent.Topics[0].TopicID
			}
			fenced = w.committed(number, sent, got, err)
		})
	return fenced
}

// isStillOurs keeps a commit from going out under another membership than its records came under. A
// cooperative client whose member was given up joins again while the commit waits, and a classic
// group takes any member's commit for any partition: this is for the application to see to.
func (w *worker) isStillOurs(sent *kmsg.OffsetCommitRequest) error {
	for _, topic := range sent.Topics {
		for _, partition := range topic.Partitions {
			if w.heldAs[partition.Partition] != sent.MemberID {
				return fmt.Errorf("partition %d came to another member id", partition.Partition)
			}
		}
	}
	return nil
}

// commitBelatedly sends what a slow network could bring now: a commit of the generation before, by
// one who is a member still. Carried out, it would move the offset back to the beginning.
func (w *worker) commitBelatedly(client *kgo.Client) {
	before := w.before
	w.before = holding{partition: -1}
	// In the consumer protocol an older epoch may count, where the partition was not moved since.
	isOver := before.member == w.now.member && before.generation < w.now.generation
	isKnown := before.partition >= 0 && w.topicID != [16]byte{}
	if w.Protocol == "consumer" || !isKnown || !isOver {
		return
	}
	// A request of its own: at the error the client's own commits would make it join again.
	sent := kmsg.NewPtrOffsetCommitRequest()
	sent.Group = w.Group
	sent.Generation = before.generation
	sent.MemberID = before.member
	if w.Instance != "" {
		sent.InstanceID = &w.Instance
	}
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = w.Topic, w.topicID
	partition := kmsg.NewOffsetCommitRequestTopicPartition()
	partition.Partition = before.partition
	topic.Partitions = append(topic.Partitions, partition)
	sent.Topics = append(sent.Topics, topic)
	number := w.committing(map[string]int64{strconv.Itoa(int(before.partition)): 0})
	got, err := sent.RequestWith(context.Background(), client)
	w.committed(number, sent, got, err)
}

// committing notes that these offsets, by partition, are about to be committed; returns the
// commit's number.
func (w *worker) committing(next map[string]int64) int {
	w.commits++
	w.history.append("committing", fields{"group": w.Group, "commit": w.commits, "offsets": next})
	return w.commits
}

// committed notes the answer to a commit, and returns what there is no way out of.
func (w *worker) committed(
	number int, sent *kmsg.OffsetCommitRequest, got *kmsg.OffsetCommitResponse, err error,
) error {
	result := fields{
		"group":      w.Group,
		"commit":     number,
		"member":     sent.MemberID,
		"instance":   w.Instance,
		"generation": sent.Generation,
	}
	var fenced error
	if err != nil {
		result["error"] = err.Error()
	} else {
		codes := map[string]int16{}
		for _, topic := range got.Topics {
			for _, partition := range topic.Partitions {
				codes[strconv.Itoa(int(partition.Partition))] = partition.ErrorCode
				if partition.ErrorCode == kerr.FencedInstanceID.Code {
					fenced = kerr.FencedInstanceID
				}
			}
		}
		result["codes"] = codes
	}
	w.history.append("committed", result)
	return fenced
}
