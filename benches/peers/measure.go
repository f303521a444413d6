package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Result is what one measurement says of one pair.
type Result struct {
	Name        string  `json:"name"`
	Peer        string  `json:"peer"`
	Ns          float64 `json:"ns,omitempty"`
	Allocations float64 `json:"allocations,omitempty"`
	Bytes       float64 `json:"bytes,omitempty"`
	// OtherAnswers counts unchanged pairs that the peer says are changed, and the other way round.
	OtherAnswers int `json:"other_answers,omitempty"`
}

// cpu is how long this process was on a processor, in nanoseconds: what else runs on the machine does not count, giving
// memory back does.
func cpu() (int64, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now)
	return now.Nano(), err
}

// passesMin is how many passes a measurement has at least.
const passesMin = 3

// measure times passes over all pairs. The answers of each pass are compared with those of an untimed one.
func measure[P, A any](name, peer string, pairs []P, budget time.Duration, ask func(P) (A, error), same func(a, b A) bool) (Result, []A, error) {
	answers := make([]A, len(pairs))
	pass := func(answers []A) (err error) {
		for i := range pairs {
			if answers[i], err = ask(pairs[i]); err != nil {
				return fmt.Errorf("%s: pair %d: %w", name, i, err)
			}
		}
		return nil
	}
	if err := pass(answers); err != nil {
		return Result{}, nil, err
	}
	var times []float64
	var before, after runtime.MemStats
	var allocations, bytes float64
	timed := make([]A, len(pairs))
	for begin := time.Now(); len(times) < passesMin || time.Since(begin) < budget; {
		clear(timed)
		runtime.ReadMemStats(&before)
		start, err := cpu()
		if err != nil {
			return Result{}, nil, err
		}
		if err := pass(timed); err != nil {
			return Result{}, nil, err
		}
		end, err := cpu()
		if err != nil {
			return Result{}, nil, err
		}
		times = append(times, float64(end-start)/float64(len(pairs)))
		runtime.ReadMemStats(&after)
		allocations = float64(after.Mallocs-before.Mallocs) / float64(len(pairs))
		bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(len(pairs))
		for i := range answers {
			if !same(answers[i], timed[i]) {
				return Result{}, nil, fmt.Errorf("%s: pair %d: a timed answer differs", name, i)
			}
		}
	}
	slices.Sort(times)
	return Result{Name: name, Peer: peer, Ns: times[len(times)/2], Allocations: allocations, Bytes: bytes}, answers, nil
}
