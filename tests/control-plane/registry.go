package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	extensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	definition "k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kube-aggregator/pkg/apis/apiregistration"
	apiservice "k8s.io/kube-aggregator/pkg/registry/apiservice/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// endpoints are the parts of a registry by version of the API group, and by path like `pods/status`.
type endpoints map[string]map[string]rest.Storage

// registry is that of a server with our flags, which is configured and never started.
func registry(ctx context.Context) (map[string]endpoints, error) {
	data, err := os.MkdirTemp("", "control-plane-types-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(data)
	// The allocator of ports is not made without a connection to it.
	etcd, err := startEtcd(filepath.Join(data, "etcd"), 0, []string{"--log-level=fatal"})
	if err != nil {
		return nil, err
	}
	defer etcd.Close()
	identity, err := loadIdentity(filepath.Join(data, "pki"))
	if err != nil {
		return nil, err
	}
	if _, err := loadUsers(filepath.Join(data, "tokens.csv")); err != nil {
		return nil, err
	}
	listener, _, err := listen(0)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	cluster := &cluster{data: data, etcdURL: etcd.url, identity: identity}
	options, err := apiServerOptions(ctx, cluster, listener, &flags{})
	if err != nil {
		return nil, err
	}
	config, err := app.NewConfig(options)
	if err != nil {
		return nil, err
	}
	return groupsOf(config)
}

// groupsOf are the API groups of a server, and of the two that it delegates to.
func groupsOf(config *app.Config) (map[string]endpoints, error) {
	completed, err := config.Complete()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config.KubeAPIs.ControlPlane.Generic.LoopbackClientConfig)
	if err != nil {
		return nil, err
	}
	providers, err := completed.KubeAPIs.StorageProviders(client)
	if err != nil {
		return nil, err
	}
	groups := map[string]endpoints{}
	enabled := config.KubeAPIs.ControlPlane.APIResourceConfigSource
	for _, provider := range providers {
		group, err := provider.NewRESTStorage(enabled, noStorage{})
		if err != nil {
			return nil, fmt.Errorf("group %q: %w", provider.GroupName(), err)
		}
		groups[provider.GroupName()] = group.VersionedResourcesStorageMap
	}
	definitions, err := definition.NewREST(extensions.Scheme, noStorage{})
	if err != nil {
		return nil, err
	}
	groups[extensionsv1.GroupName] = endpoints{extensionsv1.SchemeGroupVersion.Version: {
		"customresourcedefinitions":        definitions,
		"customresourcedefinitions/status": definition.NewStatusREST(extensions.Scheme, definitions),
	}}
	services := apiservice.NewRESTStorage(config.Aggregator.GenericConfig.MergedResourceConfig, noStorage{}, false)
	groups[apiregistration.GroupName] = services.VersionedResourcesStorageMap
	return groups, nil
}

// noStorage lets endpoints be made that keep nothing.
type noStorage struct{}

func (noStorage) GetRESTOptions(resource schema.GroupResource, _ runtime.Object) (generic.RESTOptions, error) {
	return generic.RESTOptions{
		ResourcePrefix: resource.String(),
		StorageConfig:  &storagebackend.ConfigForResource{},
		Decorator: func(*storagebackend.ConfigForResource, string, func(runtime.Object) (string, error),
			func() runtime.Object, func() runtime.Object, storage.AttrFunc, storage.IndexerFuncs, *cache.Indexers,
		) (storage.Interface, factory.DestroyFunc, error) {
			return nil, func() {}, nil
		},
	}, nil
}
