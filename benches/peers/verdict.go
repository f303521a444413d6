package main

import (
	"bytes"
	"time"

	"github.com/argoproj/gitops-engine/pkg/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const gitopsEngine = "gitops-engine diff.Diff"

func verdictBytes(set string, pairs []pair, budget time.Duration) (Result, error) {
	return verdict("verdict-bytes/"+set, pairs, budget, func(p pair) (*diff.DiffResult, error) {
		desired, err := decodeObject(p.desiredText)
		if err != nil {
			return nil, err
		}
		live, err := decodeObject(p.liveText)
		if err != nil {
			return nil, err
		}
		return diff.Diff(desired, live)
	})
}

func verdictValues(set string, pairs []pair, budget time.Duration) (Result, error) {
	return verdict("verdict-values/"+set, pairs, budget, func(p pair) (*diff.DiffResult, error) {
		return diff.Diff(p.desired, p.live)
	})
}

func verdict(name string, pairs []pair, budget time.Duration, ask func(pair) (*diff.DiffResult, error)) (Result, error) {
	same := func(a, b *diff.DiffResult) bool {
		return a.Modified == b.Modified && bytes.Equal(a.PredictedLive, b.PredictedLive)
	}
	result, answers, err := measure(name, gitopsEngine, pairs, budget, ask, same)
	for i, answer := range answers {
		if answer.Modified != pairs[i].changed {
			result.OtherAnswers++
		}
	}
	return result, err
}

func decode(set string, pairs []pair, budget time.Duration) (Result, error) {
	type both struct{ desired, live *unstructured.Unstructured }
	ask := func(p pair) (found both, err error) {
		if found.desired, err = decodeObject(p.desiredText); err != nil {
			return found, err
		}
		found.live, err = decodeObject(p.liveText)
		return found, err
	}
	same := func(a, b both) bool { return isEqual(a.desired, b.desired) && isEqual(a.live, b.live) }
	result, _, err := measure("decode/"+set, "unstructured from JSON", pairs, budget, ask, same)
	return result, err
}
