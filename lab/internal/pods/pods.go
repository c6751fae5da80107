// Package pods runs the pods of the lab's cluster: real processes for the images it knows, and kwok for the others. It
// replaces the pod side of every kubelet and the cluster network between these processes. The machines maintain the
// nodes themselves (leases, conditions, addresses).
package pods

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"sync"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"hearth.dev/lab/internal/labconfig"
)

// stopTimeout is how long the controllers may take to end when this process is told to stop.
const stopTimeout = 8 * time.Second

// Run runs the pods of the cluster of --kubeconfig until ctx ends.
func Run(ctx context.Context, lab *labconfig.Lab, args []string) error {
	flags := flag.NewFlagSet("pods", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "the cluster administrator's kubeconfig")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return fmt.Errorf("--kubeconfig: %w", err)
	}
	config.QPS, config.Burst = 50, 100
	config.UserAgent = "hearth-lab-pods"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	known, err := knownPrograms(lab)
	if err != nil {
		return err
	}
	if err := startKwok(ctx, lab, *kubeconfig, known); err != nil {
		return err
	}
	return serve(ctx, lab, config, client, known)
}

func serve(ctx context.Context, lab *labconfig.Lab, config *rest.Config, client kubernetes.Interface, known programs) error {
	host, _, err := net.SplitHostPort(lab.Internet.Proxy)
	if err != nil {
		return fmt.Errorf("internet.proxy %q is not host:port: %w", lab.Internet.Proxy, err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return fmt.Errorf("the cluster network's proxy cannot listen: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	r, err := newRunner(lab, config, client, factory, known, "http://"+listener.Addr().String())
	if err != nil {
		return err
	}
	defer func() {
		if err := r.temporary.close(); err != nil {
			log.Printf("pods: temporary files: %v", err)
		}
	}()
	// The factory watches only informers that were requested.
	factory.Core().V1().PersistentVolumeClaims().Informer()
	factory.Core().V1().PersistentVolumes().Informer()
	attached := &attacher{
		client: client, attachments: factory.Storage().V1().VolumeAttachments().Lister(),
		volumes: factory.Core().V1().PersistentVolumes().Lister(),
	}
	if lab.VolumesHoldData() {
		if r.storage, err = newStorage(lab, config, client, factory, attached); err != nil {
			return err
		}
	}
	network := newNetwork(factory, r.loopbackOf, config.Host)
	factory.Start(ctx.Done())
	log.Printf("pods: real programs are %s", known)
	var all sync.WaitGroup
	all.Go(func() { serveProxy(ctx, listener, network, lab.Internet.Proxy) })
	factory.WaitForCacheSync(ctx.Done())
	all.Go(func() {
		if err := r.defineCilium(ctx); err != nil && ctx.Err() == nil {
			log.Printf("pods: the definitions of Cilium's resources: %v", err)
		}
	})
	all.Go(func() {
		if err := r.create(ctx); err != nil && ctx.Err() == nil {
			log.Printf("pods: creating: %v", err)
		}
	})
	all.Go(func() {
		if r.storage != nil {
			r.storage.run(ctx)
		} else if err := r.claims(ctx, factory); err != nil && ctx.Err() == nil {
			log.Printf("pods: volumes: %v", err)
		}
	})
	all.Go(func() {
		said := map[string]string{}
		attached.run(ctx, func(what string, err error) { sayOnce(said, what, err) })
	})
	r.run(ctx)
	all.Wait()
	return ctx.Err()
}
