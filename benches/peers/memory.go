package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/kube/kubetest"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cacheMemory fills gitops-engine's cluster cache with the live objects, manifests kept, which is what its diff needs.
// They come over HTTP from a server that knows nothing but lists, and watches in which nothing happens.
func cacheMemory(set string, pairs []pair) (Result, error) {
	lists, resources := listsOf(pairs)
	server := httptest.NewServer(serve(lists))
	defer server.Close()
	config := &rest.Config{Host: server.URL, QPS: 1000, Burst: 1000}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return Result{}, err
	}
	keep := func(object *unstructured.Unstructured, _ bool) (any, bool) { return nil, true }
	before := heap()
	held := cache.NewClusterCache(config,
		cache.SetLogr(logr.Discard()),
		cache.SetKubectl(&kubetest.MockKubectlCmd{APIResources: resources, DynamicClient: client}),
		cache.SetPopulateResourceInfoHandler(keep),
	)
	if err := held.EnsureSynced(); err != nil {
		return Result{}, err
	}
	found := held.FindResources("", func(r *cache.Resource) bool { return r.Resource != nil })
	if len(found) != len(pairs) {
		return Result{}, fmt.Errorf("the cache has %d of %d objects", len(found), len(pairs))
	}
	found = nil
	bytes := float64(heap()-before) / float64(len(pairs))
	held.Invalidate()
	runtime.KeepAlive(pairs)
	return Result{Name: "memory/" + set, Peer: "gitops-engine cluster cache", Bytes: bytes}, nil
}

// heap is what is in use after a collection.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// listsOf gives the text of a list for each path of one.
func listsOf(pairs []pair) (map[string][]byte, []kube.APIResourceInfo) {
	items := map[string][]string{}
	var resources []kube.APIResourceInfo
	for _, p := range pairs {
		kind := p.live.GroupVersionKind()
		version := kind.GroupVersion()
		plural := strings.ToLower(kind.Kind) + "s"
		path := "/apis/" + version.String() + "/" + plural
		if version.Group == "" {
			path = "/api/" + version.Version + "/" + plural
		}
		if items[path] == nil {
			resources = append(resources, kube.APIResourceInfo{
				GroupKind:            kind.GroupKind(),
				Meta:                 metav1.APIResource{Name: plural, Kind: kind.Kind, Namespaced: true},
				GroupVersionResource: schema.GroupVersionResource{Group: version.Group, Version: version.Version, Resource: plural},
			})
		}
		items[path] = append(items[path], string(p.liveText))
	}
	lists := map[string][]byte{}
	for path, texts := range items {
		var first struct{ APIVersion, Kind string }
		if err := json.Unmarshal([]byte(texts[0]), &first); err != nil {
			panic(err)
		}
		lists[path] = fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"metadata":{"resourceVersion":"2000000"},"items":[%s]}`,
			first.APIVersion, first.Kind+"List", strings.Join(texts, ","))
	}
	return lists, resources
}

func serve(lists map[string][]byte) http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		list, known := lists[request.URL.Path]
		if !known {
			http.NotFound(answer, request)
			return
		}
		answer.Header().Set("Content-Type", "application/json")
		if request.URL.Query().Get("watch") != "" {
			answer.WriteHeader(http.StatusOK)
			answer.(http.Flusher).Flush()
			<-request.Context().Done()
			return
		}
		_, _ = answer.Write(list)
	}
}
