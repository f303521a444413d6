package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// readTypes makes what an API server makes of its own OpenAPI v3 documents.
func readTypes(folder string) (managedfields.TypeConverter, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*_openapi.json"))
	if err != nil {
		return nil, err
	}
	models := map[string]*spec.Schema{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var document spec3.OpenAPI
		if err := json.Unmarshal(text, &document); err != nil {
			return nil, err
		}
		if document.Components != nil {
			maps.Copy(models, document.Components.Schemas)
		}
	}
	return managedfields.NewTypeConverter(models, false)
}
