package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// phaseAnnotation on a pod says which phase it shall reach, for tests of workloads that are not well.
// Pending leaves the pod alone. Without it a pod of a Job succeeds and any other runs.
const phaseAnnotation = "fleet.test/phase"

// podWorkers is how many pods are worked on at a time.
const podWorkers = 4

// runPods does for pods what a scheduler and a kubelet would do, as far as their status shows it.
func runPods(ctx context.Context, c *cluster) error {
	client, err := kubernetes.NewForConfig(c.config(userPods))
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Pods().Informer()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	add := func(pod any) {
		if key, err := cache.MetaNamespaceKeyFunc(pod); err == nil {
			queue.Add(key)
		}
	}
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, pod any) { add(pod) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return errors.New("stopped before the pods were listed")
	}
	for range podWorkers {
		go func() {
			for {
				key, down := queue.Get()
				if down {
					return
				}
				err := workOn(ctx, client, informer.GetStore(), key)
				if err != nil {
					klog.Errorf("pod %s: %v", key, err)
					queue.AddRateLimited(key)
				} else {
					queue.Forget(key)
				}
				queue.Done(key)
			}
		}()
	}
	<-ctx.Done()
	queue.ShutDown()
	return ctx.Err()
}

// workOn takes one pod one step further.
func workOn(ctx context.Context, client kubernetes.Interface, pods cache.Store, key string) error {
	found, exists, err := pods.GetByKey(key)
	if err != nil || !exists {
		return err
	}
	pod, ok := found.(*core.Pod)
	if !ok {
		return fmt.Errorf("the cache holds a %T", found)
	}
	switch {
	case pod.DeletionTimestamp != nil:
		err = finish(ctx, client, pod)
	case pod.Status.Phase == core.PodPending:
		err = start(ctx, client, pod)
	}
	// Gone in the meantime, or another one by the same name: the next event tells.
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// finish confirms that the containers of a deleted pod are gone. Only pods on a node wait for that.
func finish(ctx context.Context, client kubernetes.Interface, pod *core.Pod) error {
	if pod.Spec.NodeName == "" || (pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds == 0) {
		return nil
	}
	now := int64(0)
	return client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, meta.DeleteOptions{
		GracePeriodSeconds: &now,
		Preconditions:      &meta.Preconditions{UID: &pod.UID},
	})
}

// start brings a pod to the phase that it shall reach.
func start(ctx context.Context, client kubernetes.Interface, pod *core.Pod) error {
	phase := wantedPhase(pod)
	if phase == core.PodPending {
		return nil
	}
	patch, err := json.Marshal(map[string]any{
		// The UID makes the server refuse when this is another pod by now.
		"metadata": map[string]any{"uid": pod.UID},
		"status":   statusIn(phase, pod),
	})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, patch, meta.PatchOptions{}, "status")
	return err
}

func wantedPhase(pod *core.Pod) core.PodPhase {
	if phase, ok := pod.Annotations[phaseAnnotation]; ok {
		return core.PodPhase(phase)
	}
	if owner := meta.GetControllerOf(pod); owner != nil && owner.Kind == "Job" && owner.APIVersion == batch.SchemeGroupVersion.String() {
		return core.PodSucceeded
	}
	return core.PodRunning
}

// statusIn is the status of a pod in a phase after Pending.
func statusIn(phase core.PodPhase, pod *core.Pod) core.PodStatus {
	now := meta.NewTime(time.Now())
	condition := func(kind core.PodConditionType, holds bool, reason string) core.PodCondition {
		status := core.ConditionFalse
		if holds {
			status = core.ConditionTrue
		}
		return core.PodCondition{Type: kind, Status: status, Reason: reason, LastTransitionTime: now}
	}
	running, reason := phase == core.PodRunning, ""
	if !running {
		reason = "PodCompleted"
	}
	status := core.PodStatus{
		Phase:     phase,
		StartTime: &now,
		HostIP:    "127.0.0.1",
		PodIP:     madeUpIP(pod.UID),
		Conditions: []core.PodCondition{
			condition(core.PodScheduled, true, ""),
			condition(core.PodInitialized, true, reason),
			condition(core.ContainersReady, running, reason),
			condition(core.PodReady, running, reason),
		},
	}
	status.PodIPs = []core.PodIP{{IP: status.PodIP}}
	for _, container := range pod.Spec.InitContainers {
		stays := container.RestartPolicy != nil && *container.RestartPolicy == core.ContainerRestartPolicyAlways
		initPhase := core.PodSucceeded
		if stays {
			initPhase = phase
		}
		status.InitContainerStatuses = append(status.InitContainerStatuses, containerIn(initPhase, container, now))
	}
	for _, container := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, containerIn(phase, container, now))
	}
	return status
}

func containerIn(phase core.PodPhase, container core.Container, now meta.Time) core.ContainerStatus {
	running := phase == core.PodRunning
	status := core.ContainerStatus{
		Name:    container.Name,
		Image:   container.Image,
		ImageID: "none",
		Ready:   running || phase == core.PodSucceeded,
		Started: &running,
	}
	if running {
		status.State.Running = &core.ContainerStateRunning{StartedAt: now}
		return status
	}
	ended := &core.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}
	if phase == core.PodFailed {
		ended.Reason, ended.ExitCode = "Error", 1
	}
	status.State.Terminated = ended
	return status
}

// madeUpIP is an address that nobody answers at; EndpointSlices list only pods that have one.
func madeUpIP(uid types.UID) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(uid))
	n := sum.Sum32()
	return fmt.Sprintf("10.%d.%d.%d", 128+n>>16&0x7f, n>>8&0xff, 1+n&0x7f)
}
