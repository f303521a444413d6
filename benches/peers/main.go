// What others have for the questions that fleet-diff answers, on the same inputs and timed the same way.
//
// `peers INPUTS OPENAPI` prints a JSON list of what was measured. INPUTS is a folder of pairs as `field-inputs` writes
// it, OPENAPI one with the OpenAPI v3 documents of an API server.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"time"

	"k8s.io/klog/v2"
)

func main() {
	budget := flag.Duration("budget", 4*time.Second, "how long each measurement lasts at least")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: peers INPUTS OPENAPI")
	}
	klog.LogToStderr(false)
	klog.SetOutput(os.Stderr)
	results, err := run(flag.Arg(0), flag.Arg(1), *budget)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		log.Fatal(err)
	}
}

func run(inputs, openapi string, budget time.Duration) ([]Result, error) {
	before := heap()
	types, err := readTypes(openapi)
	if err != nil {
		return nil, err
	}
	results := []Result{{Name: "types", Peer: "apimachinery TypeConverter", Bytes: float64(heap() - before)}}
	add := func(result Result, err error) error {
		results = append(results, result)
		return err
	}
	for _, set := range []string{"deployments", "samples", "inventory"} {
		pairs, err := readPairs(inputs, set)
		if err != nil {
			return nil, err
		}
		if err := add(verdictBytes(set, pairs, budget)); err != nil {
			return nil, err
		}
		if set == "inventory" {
			if err := add(cacheMemory(set, pairs)); err != nil {
				return nil, err
			}
			continue
		}
		if err := add(verdictValues(set, pairs, budget)); err != nil {
			return nil, err
		}
		// The diff normalises some of its inputs in place.
		if pairs, err = readPairs(inputs, set); err != nil {
			return nil, err
		}
		if err := add(decode(set, pairs, budget)); err != nil {
			return nil, err
		}
		if err := add(applyUnchanged(set, pairs, types, budget)); err != nil {
			return nil, err
		}
		typed, err := typePairs(pairs, types)
		if err != nil {
			return nil, err
		}
		if err := add(merge(set, typed, budget)); err != nil {
			return nil, err
		}
		if err := add(compare(set, typed, budget)); err != nil {
			return nil, err
		}
	}
	return results, nil
}
