// Command control-plane is a complete Kubernetes control plane in one process, for tests: etcd, the API
// server, the controller manager, and a loop that stands in for schedulers and kubelets.
//
//	control-plane serve --data DIR [--port N] [--etcd-url URL] [--audit-log FILE] ...
//	control-plane etcd  --data DIR [--port N] ...
//	control-plane types
//
// When everything answers it prints one line of JSON on stdout. All other words go to stderr.
// `types` prints what the Go types of built-in kinds look like (see typeTable) and ends.
// Keys, certificates, tokens and the kubeconfig stay in DIR: a second start with the same --data and
// --port is the same cluster, for clients too.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

// flags are the options of both subcommands; `etcd` uses a part of them.
type flags struct {
	data           string
	port           int
	etcdURL        string
	auditLog       string
	pods           bool
	controllers    bool
	apiserverArgs  []string
	controllerArgs []string
	etcdArgs       []string
	detach         bool
	parent         int
}

func init() {
	// The parent-death signal belongs to a thread. The main goroutine keeps the main thread, which
	// lives as long as the process.
	runtime.LockOSThread()
}

func main() {
	err := run(os.Args[1:])
	klog.Flush()
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "control-plane:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("which command? `control-plane serve --data DIR`, `control-plane etcd --data DIR` or `control-plane types`")
	}
	var command func(context.Context, *flags) error
	f := &flags{}
	set := pflag.NewFlagSet(args[0], pflag.ContinueOnError)
	set.StringVar(&f.data, "data", "", "directory of everything that is kept (required)")
	set.IntVar(&f.port, "port", 0, "port on 127.0.0.1; 0 lets the system choose")
	set.StringArrayVar(&f.etcdArgs, "etcd-arg", nil, "a flag for etcd, like --etcd-arg=--quota-backend-bytes=4000000; repeatable")
	set.BoolVar(&f.detach, "detach", false, "live on when the parent process dies")
	set.IntVar(&f.parent, "parent", 0, "process id of the parent: exit at once when it is not our parent any more")
	switch args[0] {
	case "serve":
		command = serve
		set.StringVar(&f.etcdURL, "etcd-url", "", "use this etcd instead of one in this process")
		set.StringVar(&f.auditLog, "audit-log", "", "write an audit log to this file")
		set.BoolVar(&f.pods, "pods", true, "make pods Running and pods of Jobs Succeeded")
		set.BoolVar(&f.controllers, "controllers", true, "run the controller manager")
		set.StringArrayVar(&f.apiserverArgs, "apiserver-arg", nil, "a flag for kube-apiserver; replaces our own value of the same flag; repeatable")
		set.StringArrayVar(&f.controllerArgs, "controller-arg", nil, "a flag for kube-controller-manager, likewise; repeatable")
	case "etcd":
		command = serveEtcd
	case "types":
		if len(args) > 1 {
			return fmt.Errorf("unexpected argument %q", args[1])
		}
		return printTypes(context.Background(), os.Stdout)
	default:
		return fmt.Errorf("unknown command %q: there are `serve`, `etcd` and `types`", args[0])
	}
	if err := set.Parse(args[1:]); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if f.data == "" {
		return errors.New("--data is required")
	}
	if !f.detach {
		if err := dieWithParent(f.parent); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(f.data, 0o700); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return command(ctx, f)
}

// report prints the one line that says that we are ready.
func report(ready any) error {
	line, err := json.Marshal(ready)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%s\n", line)
	return err
}
