package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// pollInterval is the time between two looks at something that is about to be ready.
const pollInterval = 50 * time.Millisecond

// cluster is what the parts of a control plane have to know about each other.
type cluster struct {
	url        string
	data       string
	etcdURL    string
	identity   *identity
	users      users
	kubeconfig string
}

// config is a client configuration of one of the users, without a rate limit.
func (c *cluster) config(user string) *rest.Config {
	return &rest.Config{
		Host:            c.url,
		BearerToken:     c.users[user],
		UserAgent:       "control-plane-" + user,
		QPS:             -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.identity.caPEM},
	}
}

// writeKubeconfig writes a kubeconfig with a context for each of the users.
func (c *cluster) writeKubeconfig(file string, names []string, current string) error {
	const name = "control-plane"
	config := api.NewConfig()
	config.Clusters[name] = &api.Cluster{Server: c.url, CertificateAuthorityData: c.identity.caPEM}
	for _, user := range names {
		config.AuthInfos[user] = &api.AuthInfo{Token: c.users[user]}
		config.Contexts[user] = &api.Context{Cluster: name, AuthInfo: user}
	}
	config.CurrentContext = current
	content, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	return writeFile(file, content)
}

// prepare waits until the API server is ready and gives the users their rights.
func (c *cluster) prepare(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.config(userControllers))
	if err != nil {
		return err
	}
	err = until(ctx, "the API server's /readyz", func(ctx context.Context) error {
		var status int
		result := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status)
		if status != http.StatusOK {
			return fmt.Errorf("it answers %d: %w", status, result.Error())
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, namespace := range []string{meta.NamespaceSystem, core.NamespaceDefault} {
		err := until(ctx, "namespace "+namespace, func(ctx context.Context) error {
			_, err := client.CoreV1().Namespaces().Get(ctx, namespace, meta.GetOptions{})
			return err
		})
		if err != nil {
			return err
		}
	}
	return bindUsers(ctx, client)
}

// bindUsers makes `fleet` and `someone` cluster-admins.
func bindUsers(ctx context.Context, client kubernetes.Interface) error {
	binding := &rbac.ClusterRoleBinding{
		ObjectMeta: meta.ObjectMeta{Name: "control-plane:users"},
		RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
	}
	for _, name := range []string{userFleet, userSomeone} {
		subject := rbac.Subject{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: name}
		binding.Subjects = append(binding.Subjects, subject)
	}
	// A cluster that is started again has it already, maybe changed by a test: that is left alone.
	_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return nil
}

// waitForControllers waits for what the controllers give to each namespace, so that a test that counts
// objects does not see them appear.
func (c *cluster) waitForControllers(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.config(userControllers))
	if err != nil {
		return err
	}
	return until(ctx, "the default service account", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts(core.NamespaceDefault).Get(ctx, "default", meta.GetOptions{})
		return err
	})
}

// until repeats a look until it finds nothing wrong. It ends without success only with the context: the
// one who started us knows how long to wait.
func until(ctx context.Context, what string, look func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		last = look(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w (last: %v)", what, err, last)
	}
	return nil
}
