package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"reflect"
	"slices"

	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	features "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
	aggregator "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// typeTable is what `types` prints: what a published schema does not say about built-in kinds, above all whether
// a field can be absent and whether the server leaves out one that is empty.
type typeTable struct {
	// Gates are the feature gates that are on by default.
	Gates      []string    `json:"gates"`
	Kinds      []kindFacts `json:"kinds"`
	Kubernetes string      `json:"kubernetes"`
	Types      shapes      `json:"types"`
}

// kindFacts say which type a kind has, and what a server with our flags does with it if it serves it at all.
type kindFacts struct {
	Group      string `json:"group"`
	Kind       string `json:"kind"`
	Namespaced *bool  `json:"namespaced,omitempty"`
	// Resets are the paths of fields whose values are dropped without a word, by subresource; "" is the main
	// resource. No subresource that allows only a few fields is here.
	Resets  map[string][]string `json:"resets,omitzero"`
	Type    string              `json:"type"`
	Version string              `json:"version"`
}

// builtIn are the schemes of the server and of the two that it delegates to.
var builtIn = []*runtime.Scheme{legacyscheme.Scheme, extensions.Scheme, aggregator.Scheme}

// printTypes prints the table of the kinds that are compiled in, served or not.
func printTypes(ctx context.Context, out io.Writer) error {
	onlyFatalLogs()
	served, err := servedKinds(ctx)
	if err != nil {
		return err
	}
	table := &typeTable{Kubernetes: version.Get().GitVersion, Types: shapes{}}
	for _, scheme := range builtIn {
		for kind, t := range scheme.AllKnownTypes() {
			if kind.Version == runtime.APIVersionInternal || !isObject(t) {
				continue
			}
			if _, err := table.Types.of(t); err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			table.Kinds = append(table.Kinds, facts(kind, t, served[kind]))
		}
	}
	slices.SortFunc(table.Kinds, func(a, b kindFacts) int {
		return slices.Compare([]string{a.Group, a.Version, a.Kind}, []string{b.Group, b.Version, b.Kind})
	})
	for gate := range features.DefaultMutableFeatureGate.GetAll() {
		if features.DefaultFeatureGate.Enabled(gate) {
			table.Gates = append(table.Gates, string(gate))
		}
	}
	slices.Sort(table.Gates)
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", " ")
	return encoder.Encode(table)
}

// isObject tells kinds of objects from lists, options and what else a scheme knows.
func isObject(t reflect.Type) bool {
	metadata, ok := t.FieldByName("ObjectMeta")
	return ok && metadata.Type == reflect.TypeFor[meta.ObjectMeta]()
}

func facts(kind schema.GroupVersionKind, t reflect.Type, served *servedKind) kindFacts {
	facts := kindFacts{Group: kind.Group, Version: kind.Version, Kind: kind.Kind, Type: modelName(t)}
	if served != nil {
		facts.Namespaced, facts.Resets = &served.namespaced, served.resets
	}
	return facts
}

// onlyFatalLogs silences what is said about the start of a server. Errors are returned.
func onlyFatalLogs() {
	set := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(set)
	_ = set.Parse([]string{"--logtostderr=false", "--stderrthreshold=FATAL"})
	klog.SetOutput(io.Discard)
}
