package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// pair is a definition and what is live, as text and decoded.
type pair struct {
	desiredText, liveText []byte
	desired, live         *unstructured.Unstructured
	// changed is true for every second pair, except in the inventory.
	changed bool
}

func readPairs(folder, set string) ([]pair, error) {
	desired, err := readLines(filepath.Join(folder, set+".desired.jsonl"))
	if err != nil {
		return nil, err
	}
	live, err := readLines(filepath.Join(folder, set+".live.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(desired) != len(live) {
		return nil, fmt.Errorf("%s: %d definitions and %d live objects", set, len(desired), len(live))
	}
	pairs := make([]pair, len(live))
	for i := range pairs {
		pairs[i] = pair{desiredText: desired[i], liveText: live[i], changed: set != "inventory" && i%2 == 1}
		if pairs[i].desired, err = decodeObject(desired[i]); err != nil {
			return nil, err
		}
		if pairs[i].live, err = decodeObject(live[i]); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

func readLines(path string) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")), nil
}

func decodeObject(text []byte) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(text)
}
