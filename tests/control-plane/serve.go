package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
)

// clusterReady is the line that `serve` prints.
type clusterReady struct {
	URL        string            `json:"url"`
	CA         string            `json:"ca"`
	CAFile     string            `json:"caFile"`
	Tokens     map[string]string `json:"tokens"`
	Kubeconfig string            `json:"kubeconfig"`
	PID        int               `json:"pid"`
	Kubernetes string            `json:"kubernetes"`
	Ports      map[string]int    `json:"ports"`
}

// serve runs a control plane until the context ends or a part of it fails.
func serve(ctx context.Context, f *flags) error {
	data, err := filepath.Abs(f.data)
	if err != nil {
		return err
	}
	ports := map[string]int{}
	etcdURL := f.etcdURL
	var etcd *etcdServer
	if etcdURL == "" {
		etcd, err = startEtcd(filepath.Join(data, "etcd"), 0, f.etcdArgs)
		if err != nil {
			return err
		}
		// Last of all: the API server wants to write until it has stopped.
		defer etcd.Close()
		etcdURL = etcd.url
		ports["etcd"] = etcd.port
	}
	identity, err := loadIdentity(filepath.Join(data, "pki"))
	if err != nil {
		return fmt.Errorf("keys and certificates: %w", err)
	}
	people, err := loadUsers(filepath.Join(data, "tokens.csv"))
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	listener, port, err := listen(f.port)
	if err != nil {
		return err
	}
	ports["api"] = port
	kubeconfig := filepath.Join(data, "kubeconfig")
	cluster := &cluster{
		url:        fmt.Sprintf("https://127.0.0.1:%d", port),
		data:       data,
		etcdURL:    etcdURL,
		identity:   identity,
		users:      people,
		kubeconfig: kubeconfig,
	}
	if err := cluster.writeKubeconfig(kubeconfig, humans, "fleet"); err != nil {
		return err
	}

	// The first part that ends takes the others with it.
	parts, ctx := errgroup.WithContext(ctx)
	if etcd != nil {
		parts.Go(func() error { return ended(ctx, "etcd", etcd.run(ctx)) })
	}
	parts.Go(func() error {
		return ended(ctx, "kube-apiserver", runAPIServer(ctx, cluster, listener, f))
	})
	parts.Go(func() error {
		if err := cluster.prepare(ctx); err != nil {
			return stopped(ctx, err)
		}
		if f.controllers {
			parts.Go(func() error {
				return ended(ctx, "kube-controller-manager", runControllers(ctx, cluster, f))
			})
		}
		if f.pods {
			parts.Go(func() error {
				return ended(ctx, "pods loop", runPods(ctx, cluster))
			})
		}
		if f.controllers {
			if err := cluster.waitForControllers(ctx); err != nil {
				return stopped(ctx, err)
			}
		}
		klog.Infof("ready at %s", cluster.url)
		return report(clusterReady{
			URL:        cluster.url,
			CA:         string(identity.caPEM),
			CAFile:     identity.caFile,
			Tokens:     people.tokens(humans),
			Kubeconfig: kubeconfig,
			PID:        os.Getpid(),
			Kubernetes: version.Get().GitVersion,
			Ports:      ports,
		})
	})
	return parts.Wait()
}

// ended turns the end of a part that should run for ever into an error, unless we are stopping.
func ended(ctx context.Context, part string, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s ended", part)
	}
	return fmt.Errorf("%s: %w", part, err)
}

// stopped drops an error that only says that we are stopping.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
