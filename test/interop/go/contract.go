package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What the two libraries' programs share: the request, and the lines they print. See
// harness/contract.ts for the commands and what they print.

type sentRecord struct {
	Partition int32       `json:"partition"`
	Key       *string     `json:"key"`
	Value     *string     `json:"value"`
	Headers   [][2]string `json:"headers"`
	Timestamp int64       `json:"timestamp"`
}

type transaction struct {
	Records []sentRecord `json:"records"`
	Outcome string       `json:"outcome"`
	Offset  *struct {
		Group  string `json:"group"`
		Offset int64  `json:"offset"`
	} `json:"offset"`
}

type adminStep struct {
	Do         string            `json:"do"`
	Topic      string            `json:"topic"`
	Partition  int32             `json:"partition"`
	Partitions int32             `json:"partitions"`
	Total      int32             `json:"total"`
	Configs    map[string]string `json:"configs"`
	Key        string            `json:"key"`
	Value      string            `json:"value"`
	Before     int64             `json:"before"`
	Group      string            `json:"group"`
	Prefix     string            `json:"prefix"`
	Offsets    []int64           `json:"offsets"`
}

type request struct {
	Address         string        `json:"address"`
	Topic           string        `json:"topic"`
	Codec           string        `json:"codec"`
	Idempotent      bool          `json:"idempotent"`
	Records         []sentRecord  `json:"records"`
	Group           string        `json:"group"`
	Isolation       string        `json:"isolation"`
	Last            []int64       `json:"last"`
	Count           int           `json:"count"`
	Protocol        string        `json:"protocol"`
	Assignor        string        `json:"assignor"`
	TransactionalID string        `json:"transactionalId"`
	Transactions    []transaction `json:"transactions"`
	First           []sentRecord  `json:"first"`
	Second          []sentRecord  `json:"second"`
	Steps           []adminStep   `json:"steps"`
	PauseMs         int64         `json:"pauseMs"`
}

type fields map[string]any

var printing sync.Mutex

func emit(kind string, event fields) {
	if event == nil {
		event = fields{}
	}
	event["type"] = kind
	line, err := json.Marshal(event)
	check(err)
	printing.Lock()
	defer printing.Unlock()
	_, err = os.Stdout.Write(append(line, '\n'))
	check(err)
}

func text(data []byte) *string {
	if data == nil {
		return nil
	}
	value := string(data)
	return &value
}

func bytesOf(value *string) []byte {
	if value == nil {
		return nil
	}
	return []byte(*value)
}

// owned is the set of partitions a member has; every change is printed.
type owned struct {
	mutex      sync.Mutex
	partitions []int32
}

func (o *owned) add(partitions []int32) {
	o.change(append(slices.Clone(o.partitions), partitions...))
}

func (o *owned) remove(partitions []int32) {
	o.change(slices.DeleteFunc(slices.Clone(o.partitions), func(each int32) bool {
		return slices.Contains(partitions, each)
	}))
}

func (o *owned) change(partitions []int32) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	slices.Sort(partitions)
	o.partitions = slices.Compact(partitions)
	if o.partitions == nil {
		o.partitions = []int32{}
	}
	emit("owns", fields{"partitions": o.partitions, "at": time.Now().UnixMilli()})
}

// progress tells when a reader has seen the last offset of every partition.
type progress struct {
	last    []int64
	missing map[int32]bool
}

func newProgress(last []int64) *progress {
	missing := map[int32]bool{}
	for partition := range last {
		missing[int32(partition)] = true
	}
	return &progress{last, missing}
}

func (p *progress) saw(partition int32, offset int64) {
	if offset >= p.last[partition] {
		delete(p.missing, partition)
	}
}

func (p *progress) done() bool { return len(p.missing) == 0 }

// untilStopped is a context that ends on SIGTERM.
func untilStopped() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	return ctx
}

func verdictOn(value string, deliveries int32) string {
	switch {
	case strings.HasPrefix(value, "hold") && deliveries == 1:
		return "hold"
	case strings.HasPrefix(value, "release") && deliveries == 1:
		return "release"
	case strings.HasPrefix(value, "reject"):
		return "reject"
	}
	return "accept"
}

type deed func(step adminStep) (fields, error)

// runSteps does the steps of an admin request; codeOf gives an error's Kafka code.
func runSteps(asked request, deeds map[string]deed, codeOf func(error) (int16, bool)) error {
	for _, step := range asked.Steps {
		answer, err := deeds[step.Do](step)
		if err != nil {
			code, isKafkas := codeOf(err)
			if !isKafkas {
				return fmt.Errorf("%s: %w", step.Do, err)
			}
			answer = fields{"error": code}
		}
		emit("answer", answer)
		time.Sleep(time.Duration(asked.PauseMs) * time.Millisecond)
	}
	return nil
}

func startingWith(prefix string, names []string) []string {
	found := []string{}
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

type command func(ctx context.Context, asked request) error

// runCommand runs `COMMAND REQUEST.json` with one library's commands.
func runCommand(ctx context.Context, commands map[string]command, name, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var asked request
	if err := json.Unmarshal(text, &asked); err != nil {
		return err
	}
	run, exists := commands[name]
	if !exists {
		return fmt.Errorf("unknown command %s", name)
	}
	return run(ctx, asked)
}
