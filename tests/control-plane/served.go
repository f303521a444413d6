package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// servedKind is what the registry of a server says about a kind.
type servedKind struct {
	namespaced bool
	resets     map[string][]string
}

// servedKinds asks the registry of a server with our flags.
func servedKinds(ctx context.Context) (map[schema.GroupVersionKind]*servedKind, error) {
	groups, err := registry(ctx)
	if err != nil {
		return nil, err
	}
	kinds := map[schema.GroupVersionKind]*servedKind{}
	for group, endpoints := range groups {
		for version, paths := range endpoints {
			gv := schema.GroupVersion{Group: group, Version: version}
			for path, endpoint := range paths {
				resource, subresource, _ := strings.Cut(path, "/")
				kind, err := kindOf(gv, paths[resource])
				if err != nil {
					return nil, fmt.Errorf("%s of %s: %w", resource, gv, err)
				}
				if kinds[kind] == nil {
					kinds[kind] = &servedKind{resets: map[string][]string{}}
				}
				if scoped, ok := endpoint.(rest.Scoper); ok && subresource == "" {
					kinds[kind].namespaced = scoped.NamespaceScoped()
				}
				if paths := resets(gv, endpoint); paths != nil {
					kinds[kind].resets[subresource] = paths
				}
			}
		}
	}
	return kinds, nil
}

// kindOf is the kind at an endpoint, found as the server finds it.
func kindOf(gv schema.GroupVersion, endpoint rest.Storage) (schema.GroupVersionKind, error) {
	if endpoint == nil {
		return schema.GroupVersionKind{}, errors.New("there are only subresources")
	}
	for _, scheme := range builtIn {
		kinds, _, err := scheme.ObjectKinds(endpoint.New())
		if err != nil {
			continue
		}
		for _, kind := range kinds {
			if kind.Group == gv.Group {
				return gv.WithKind(kind.Kind), nil
			}
		}
	}
	return schema.GroupVersionKind{}, fmt.Errorf("no kind is a %T", endpoint.New())
}

// resets are the paths of the fields that an endpoint resets.
func resets(gv schema.GroupVersion, endpoint rest.Storage) []string {
	strategy, ok := endpoint.(rest.ResetFieldsStrategy)
	if !ok {
		return nil
	}
	var paths []string
	if set := strategy.GetResetFields()[fieldpath.APIVersion(gv.String())]; set != nil {
		set.Iterate(func(path fieldpath.Path) {
			paths = append(paths, strings.TrimPrefix(path.String(), "."))
		})
	}
	slices.Sort(paths)
	return paths
}
