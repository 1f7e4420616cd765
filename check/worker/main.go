// The clients whose histories are checked. Each is a process of its own, so that it can be killed
// and stopped at any moment:
//
//	samsa-check-worker COMMAND REQUEST.json
//
// What it learns it appends to its history at once, one line of JSON each; history.ts has the
// lines. SIGTERM ends it in order. In trouble that it cannot get out of it ends by itself, and is
// started again by whoever watches over it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

type request struct {
	Address string `json:"address"`
	// The role and its incarnation, as in "eager-1#3".
	Process    string   `json:"process"`
	History    string   `json:"history"`
	Seed       uint64   `json:"seed"`
	Topic      string   `json:"topic"`
	Topics     []string `json:"topics"`
	Partitions int32    `json:"partitions"`
	Group      string   `json:"group"`
	Protocol   string   `json:"protocol"`
	Instance   string   `json:"instance"`
	// What is produced to by the transactions that read a topic.
	Output          string `json:"output"`
	TransactionalID string `json:"transactionalId"`
	// Where a reader stops: the offsets after the last records, by topic.
	Until      map[string][]int64 `json:"until"`
	Isolation  string             `json:"isolation"`
	SessionMs  int64              `json:"sessionMs"`
	PerSecond  int                `json:"perSecond"`
	TxnLimitMs int64              `json:"transactionTimeoutMs"`
	// Speaks as a client of the time of Kafka 3.6, before transactions had new epochs (KIP-890).
	IsOld bool `json:"isOld"`
}

type worker struct {
	request
	history *history
	random  *rand.Rand
	// Ends on SIGTERM.
	stop context.Context
	// A member's commits so far, and what it had in the generation before this one.
	commits int
	topicID [16]byte
	// Under which member id each partition was assigned.
	heldAs map[int32]string
	before holding
	now    holding
}

var commands = map[string]func(*worker) error{
	"produce": produce,
	"member":  member,
	"ledger":  ledger,
	"billing": billing,
	"read":    read,
}

func main() {
	if err := start(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(command, path string) error {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var asked request
	if err := json.Unmarshal(bytes, &asked); err != nil {
		return err
	}
	log, err := openHistory(asked.History, asked.Process)
	if err != nil {
		return err
	}
	log.append("started", fields{})
	name := fnv.New64a()
	name.Write([]byte(asked.Process))
	stop, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err = commands[command](&worker{
		request: asked,
		history: log,
		random:  rand.New(rand.NewPCG(asked.Seed, name.Sum64())),
		stop:    stop,
		heldAs:  map[int32]string{},
	})
	if err != nil {
		log.append("failed", fields{"error": err.Error()})
	}
	return err
}

// client has time limits above any pause of the broker: a request that is given up could still be
// carried out, after the next one, and then the history would not say what happened.
func (w *worker) options(more ...kgo.Opt) []kgo.Opt {
	options := []kgo.Opt{
		kgo.SeedBrokers(w.Address),
		kgo.ClientID(w.Process),
		kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelInfo, func() string {
			return fmt.Sprintf("%d ", monotonicMicros())
		})),
		kgo.RequestTimeoutOverhead(30 * time.Second),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }),
		kgo.RequestRetries(1_000),
		kgo.MetadataMinAge(200 * time.Millisecond),
		kgo.FetchMaxWait(200 * time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}
	if w.IsOld {
		options = append(options, kgo.MaxVersions(kversion.V3_6_0()))
	}
	return append(options, more...)
}

// pause waits up to so long, less when it is time to stop.
func (w *worker) pause(limit time.Duration) {
	select {
	case <-time.After(time.Duration(w.random.Int64N(int64(limit)))):
	case <-w.stop.Done():
	}
}

func (w *worker) stopped() bool { return w.stop.Err() != nil }
