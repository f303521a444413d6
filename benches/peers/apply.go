package main

import (
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
)

// manager is who applies, as in the inputs.
const manager = "fleet"

// applyUnchanged applies what changes nothing with the API server's own field manager. It writes to the live object it
// is given, so it gets a copy, which counts.
func applyUnchanged(set string, pairs []pair, types managedfields.TypeConverter, budget time.Duration) (Result, error) {
	managers := map[schema.GroupVersionKind]*managedfields.FieldManager{}
	var unchanged []pair
	for _, p := range pairs {
		if p.changed {
			continue
		}
		unchanged = append(unchanged, p)
		kind := p.live.GroupVersionKind()
		if managers[kind] != nil {
			continue
		}
		made, err := managedfields.NewDefaultFieldManager(types, asIs{}, asIs{}, asIs{}, kind, kind.GroupVersion(), "", nil)
		if err != nil {
			return Result{}, err
		}
		managers[kind] = made
	}
	ask := func(p pair) (*unstructured.Unstructured, error) {
		after, err := managers[p.live.GroupVersionKind()].Apply(p.live.DeepCopy(), p.desired, manager, false)
		if err != nil {
			return nil, err
		}
		return after.(*unstructured.Unstructured), nil
	}
	result, answers, err := measure("apply-unchanged/"+set, "apimachinery managedfields Apply", unchanged, budget, ask, isEqualButTimes)
	for i, answer := range answers {
		if !sameOwners(answer, unchanged[i].live) {
			result.OtherAnswers++
		}
	}
	return result, err
}

// isEqualButTimes leaves out when owners last wrote. Where a definition says something in another form than it is
// stored, this setup, in which nothing brings it into that form, writes a new time.
func isEqualButTimes(a, b *unstructured.Unstructured) bool {
	a, b = withoutTimes(a), withoutTimes(b)
	return isEqual(a, b)
}

// sameOwners looks only at who owns what.
func sameOwners(a, b *unstructured.Unstructured) bool {
	return reflect.DeepEqual(withoutTimes(a).GetManagedFields(), withoutTimes(b).GetManagedFields())
}

func withoutTimes(object *unstructured.Unstructured) *unstructured.Unstructured {
	object = object.DeepCopy()
	entries := object.GetManagedFields()
	for i := range entries {
		entries[i].Time = nil
	}
	object.SetManagedFields(entries)
	return object
}

func isEqual(a, b *unstructured.Unstructured) bool {
	return reflect.DeepEqual(a.Object, b.Object)
}

// asIs converts nothing, fills in nothing, and makes unstructured objects.
type asIs struct{}

func (asIs) Convert(_, _, _ any) error { return fmt.Errorf("not needed") }

func (asIs) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (asIs) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

func (asIs) Default(runtime.Object) {}

func (asIs) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object, nil
}
