package main

import (
	"encoding/json"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

type fields map[string]any

// history is a file of events. Each is written by one call to the system, so that a process that
// is killed leaves whole lines, and everything that it did before.
type history struct {
	mutex   sync.Mutex
	file    *os.File
	process string
}

func openHistory(path, process string) (*history, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	return &history{file: file, process: process}, err
}

// append writes an event; a history that cannot be written is the end of the process.
func (h *history) append(event string, more fields) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	more["event"] = event
	more["process"] = h.process
	more["at"] = monotonicMicros()
	line, err := json.Marshal(more)
	if err == nil {
		_, err = h.file.Write(append(line, '\n'))
	}
	if err != nil {
		panic(err)
	}
}

// monotonicMicros is CLOCK_MONOTONIC, which all processes of the machine share, in microseconds.
func monotonicMicros() int64 {
	const monotonic = 1
	var now syscall.Timespec
	_, _, failure := syscall.Syscall(
		syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&now)), 0)
	if failure != 0 {
		panic(failure)
	}
	return now.Nano() / 1000
}
