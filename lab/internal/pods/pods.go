// Package pods is what runs the pods of the lab's cluster: kwok for those that only have to look alive, and real
// processes for the images it knows. It stands for every kubelet's pod side and for the cluster network between those
// processes; nodes themselves (leases, conditions, addresses) belong to the machines.
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

// goodbye is how long the controllers get to end by themselves when this process is told to stop.
const goodbye = 8 * time.Second

// Run runs the pods of the cluster that --kubeconfig administers until ctx ends.
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
	// Asking for them is what makes the factory watch them.
	factory.Core().V1().PersistentVolumeClaims().Informer()
	factory.Core().V1().PersistentVolumes().Informer()
	if lab.VolumesHoldData() {
		if r.storage, err = newStorage(lab, config, client, factory); err != nil {
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
	r.run(ctx)
	all.Wait()
	return ctx.Err()
}
