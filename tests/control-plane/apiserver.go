package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// listen opens the port of the API server. Port 0 lets the system choose.
func listen(port int) (net.Listener, int, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, 0, err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, 0, fmt.Errorf("%s is no TCP address", listener.Addr())
	}
	return listener, address.Port, nil
}

// runAPIServer serves until the context ends.
func runAPIServer(ctx context.Context, c *cluster, listener net.Listener, f *flags) error {
	completed, err := apiServerOptions(ctx, c, listener, f)
	if err != nil {
		return err
	}
	// Shows the feature gates among the metrics, as the real program does.
	utilfeature.DefaultMutableFeatureGate.AddMetrics()
	return app.Run(ctx, completed)
}

// apiServerOptions are the flags of the API server, ours and the given ones.
func apiServerOptions(ctx context.Context, c *cluster, listener net.Listener, f *flags) (options.CompletedOptions, error) {
	var none options.CompletedOptions
	defaults := []string{
		"--etcd-servers=" + c.etcdURL,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		// No Endpoints of ours: nobody in the cluster calls them.
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + c.identity.certFile,
		"--tls-private-key-file=" + c.identity.keyFile,
		"--client-ca-file=" + c.identity.caFile,
		"--token-auth-file=" + filepath.Join(c.data, "tokens.csv"),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		// Room for 65,000 Services. Loopback: what the server sends to one of them (webhooks, aggregated APIs)
		// must not leave this machine, and is refused at once.
		"--service-cluster-ip-range=127.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.identity.serviceAccount,
		"--service-account-signing-key-file=" + c.identity.serviceAccount,
		// Else a pod is refused until a controller has made the service account of its namespace, and
		// what a server accepts depends on who was faster.
		"--disable-admission-plugins=ServiceAccount",
		// An open watch would hold up a stop for a minute.
		"--shutdown-watch-termination-grace-period=1s",
	}
	audit, err := auditArgs(filepath.Join(c.data, "audit-policy.yaml"), f.auditLog)
	if err != nil {
		return none, err
	}
	s := options.NewServerRunOptions()
	set := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, part := range s.Flags().FlagSets {
		set.AddFlagSet(part)
	}
	if err := set.Parse(withDefaults(f.apiserverArgs, append(defaults, audit...))); err != nil {
		return none, fmt.Errorf("--apiserver-arg: %w", err)
	}
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return none, err
	}
	s.SecureServing.Listener = listener
	s.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	completed, err := s.Complete(ctx)
	if err != nil {
		return none, err
	}
	if problems := completed.Validate(); len(problems) > 0 {
		return none, utilerrors.NewAggregate(problems)
	}
	return completed, nil
}
