package main

import (
	"time"

	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

const structuredMergeDiff = "structured-merge-diff "

// typedPair has a merged object besides the two.
type typedPair struct{ desired, live, merged *typed.TypedValue }

func typePairs(pairs []pair, types managedfields.TypeConverter) ([]typedPair, error) {
	made := make([]typedPair, len(pairs))
	for i, p := range pairs {
		var err error
		if made[i].desired, err = types.ObjectToTyped(p.desired); err != nil {
			return nil, err
		}
		if made[i].live, err = types.ObjectToTyped(p.live); err != nil {
			return nil, err
		}
		if made[i].merged, err = made[i].live.Merge(made[i].desired); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func merge(set string, pairs []typedPair, budget time.Duration) (Result, error) {
	ask := func(p typedPair) (*typed.TypedValue, error) { return p.live.Merge(p.desired) }
	same := func(a, b *typed.TypedValue) bool { return value.Equals(a.AsValue(), b.AsValue()) }
	result, _, err := measure("merge/"+set, structuredMergeDiff+"Merge", pairs, budget, ask, same)
	return result, err
}

// compare compares the live with the merged object, as an apply does.
func compare(set string, pairs []typedPair, budget time.Duration) (Result, error) {
	ask := func(p typedPair) (*typed.Comparison, error) { return p.live.Compare(p.merged) }
	same := func(a, b *typed.Comparison) bool {
		return a.Added.Equals(b.Added) && a.Modified.Equals(b.Modified) && a.Removed.Equals(b.Removed)
	}
	result, _, err := measure("compare/"+set, structuredMergeDiff+"Compare", pairs, budget, ask, same)
	return result, err
}
