package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// etcdStartLimit bounds the wait for etcd to elect itself and to replay its log.
const etcdStartLimit = 50 * time.Second

// etcdReady is the line that `etcd` prints.
type etcdReady struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
}

// etcdServer is a running etcd of one member.
type etcdServer struct {
	*embed.Etcd
	url  string
	port int
}

// serveEtcd runs etcd alone until the context ends.
func serveEtcd(ctx context.Context, f *flags) error {
	etcd, err := startEtcd(f.data, f.port, f.etcdArgs)
	if err != nil {
		return err
	}
	defer etcd.Close()
	if err := report(etcdReady{URL: etcd.url, PID: os.Getpid()}); err != nil {
		return err
	}
	return ended(ctx, "etcd", etcd.run(ctx))
}

// run returns when the context ends or etcd fails.
func (e *etcdServer) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-e.Err():
		return err
	}
}

// startEtcd starts etcd and waits until it serves. Port 0 lets the system choose.
func startEtcd(dir string, port int, args []string) (*etcdServer, error) {
	config := embed.NewConfig()
	set := flag.NewFlagSet("etcd", flag.ContinueOnError)
	// Registering the flags sets the fields to etcd's defaults, so ours come after it.
	config.AddFlags(set)
	config.Dir = dir
	config.LogLevel = "error"
	config.LogOutputs = []string{"stderr"}
	// Survives a killed process, which is what tests do; only a power cut would need the syncs.
	config.UnsafeNoFsync = true
	// A member without peers has nobody to wait for: it may elect itself at once.
	config.TickMs = 10
	config.ElectionMs = 100
	// The gateway for JSON would dial the advertised address, which has no port yet.
	config.EnableGRPCGateway = false
	// Two segments are reserved on the disk from the start; the default of 64 MiB is for bigger clusters.
	wal.SegmentSizeBytes = 4 << 20
	if err := set.Parse(args); err != nil {
		return nil, fmt.Errorf("--etcd-arg: %w", err)
	}
	client := url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	// Nobody talks to the peer address; port 0 keeps it the same at every start without taking a port.
	peer := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.ListenClientUrls = []url.URL{client}
	config.AdvertiseClientUrls = []url.URL{client}
	config.ListenPeerUrls = []url.URL{peer}
	config.AdvertisePeerUrls = []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)

	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
	case err := <-etcd.Err():
		return nil, fmt.Errorf("etcd: %w", err)
	case <-time.After(etcdStartLimit):
		etcd.Close()
		return nil, errors.New("etcd was not ready in time")
	}
	address, ok := etcd.Clients[0].Addr().(*net.TCPAddr)
	if !ok {
		etcd.Close()
		return nil, fmt.Errorf("etcd listens on %s, which is no TCP address", etcd.Clients[0].Addr())
	}
	return &etcdServer{Etcd: etcd, url: fmt.Sprintf("http://127.0.0.1:%d", address.Port), port: address.Port}, nil
}
