package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"
	utilcompatibility "k8s.io/apiserver/pkg/util/compatibility"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/compatibility"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

// runControllers runs the controller manager until the context ends.
func runControllers(ctx context.Context, c *cluster, f *flags) error {
	kubeconfig := filepath.Join(c.data, "controllers.kubeconfig")
	if err := c.writeKubeconfig(kubeconfig, []string{userControllers}, userControllers); err != nil {
		return err
	}
	defaults := []string{
		"--kubeconfig=" + kubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		"--bind-address=127.0.0.1",
		"--use-service-account-credentials=false",
		"--service-account-private-key-file=" + c.identity.serviceAccount,
		"--root-ca-file=" + c.identity.caFile,
		// Nodes of tests have no kubelet: these would find them dead and evict their pods.
		"--controllers=*,-node-lifecycle-controller,-taint-eviction-controller",
		// The default of 20 requests a second makes a test wait for its namespaces to go.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	s, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	// The default registry belongs to the API server in this process.
	registry := compatibility.NewComponentGlobalsRegistry()
	gates := utilfeature.DefaultMutableFeatureGate.DeepCopy()
	effective := utilcompatibility.DefaultBuildEffectiveVersion()
	if err := registry.Register(compatibility.DefaultKubeComponent, effective, gates); err != nil {
		return err
	}
	s.ComponentGlobalsRegistry = registry

	all, disabled, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	parts := s.Flags(all, disabled, aliases)
	set := pflag.NewFlagSet("kube-controller-manager", pflag.ContinueOnError)
	for _, part := range parts.FlagSets {
		set.AddFlagSet(part)
	}
	if err := set.Parse(withDefaults(f.controllerArgs, defaults)); err != nil {
		return fmt.Errorf("--controller-arg: %w", err)
	}
	s.ParsedFlags = &parts
	if err := registry.Set(); err != nil {
		return err
	}
	config, err := s.Config(ctx, all, disabled, aliases)
	if err != nil {
		return err
	}
	return app.Run(ctx, config.Complete())
}
