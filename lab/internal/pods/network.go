package pods

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

// network replaces cluster DNS and Service addresses: it finds the process behind a Service.
type network struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
	// local returns the loopback address of a pod's process.
	local func(podAddress string) (string, bool)
	// server is the API server's URL, which kubernetes.default resolves to.
	server string
}

func newNetwork(factory informers.SharedInformerFactory, local func(string) (string, bool), server string) *network {
	return &network{
		services: factory.Core().V1().Services().Lister(),
		slices:   factory.Discovery().V1().EndpointSlices().Lister(),
		local:    local, server: server,
	}
}

// resolve returns the host:port of the process that a client wants to reach. inside is false for a name or address
// outside the cluster.
func (n *network) resolve(host, port string) (address string, inside bool, err error) {
	if net.ParseIP(host) != nil {
		if local, ok := n.local(host); ok {
			return net.JoinHostPort(local, port), true, nil
		}
		service := n.byClusterIP(host)
		if service == nil {
			return "", false, nil
		}
		address, err = n.behind(service, port)
		return address, true, err
	}
	name, namespace, ok := serviceName(host)
	if !ok {
		return "", false, nil
	}
	service, err := n.services.Services(namespace).Get(name)
	if err != nil {
		return "", true, fmt.Errorf("lookup %s: no such Service in the cluster", host)
	}
	address, err = n.behind(service, port)
	return address, true, err
}

// serviceName splits a Service's DNS name, SERVICE.NAMESPACE.svc, with or without the cluster's domain and a final dot.
func serviceName(host string) (name, namespace string, ok bool) {
	host = strings.TrimSuffix(strings.TrimSuffix(host, "."), ".cluster.local")
	parts := strings.Split(host, ".")
	if len(parts) != 3 || parts[2] != "svc" {
		return "", "", false
	}
	return parts[0], parts[1], true
}

func (n *network) byClusterIP(address string) *corev1.Service {
	all, err := n.services.List(everything)
	if err != nil {
		return nil
	}
	for _, service := range all {
		if service.Spec.ClusterIP == address {
			return service
		}
	}
	return nil
}

// behind picks a ready endpoint of a Service that has a real process.
func (n *network) behind(service *corev1.Service, port string) (string, error) {
	title := service.Namespace + "/" + service.Name
	if title == "default/kubernetes" {
		return hostPortOf(n.server), nil
	}
	portName, ok := portName(service, port)
	if !ok {
		return "", fmt.Errorf("Service %s has no port %s", title, port)
	}
	slices, err := n.slices.EndpointSlices(service.Namespace).List(labels.Set{discoveryv1.LabelServiceName: service.Name}.AsSelector())
	if err != nil {
		return "", err
	}
	faked := false
	for _, slice := range slices {
		for _, target := range slice.Ports {
			if target.Name == nil || *target.Name != portName || target.Port == nil {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready != nil && !*endpoint.Conditions.Ready {
					continue
				}
				for _, address := range endpoint.Addresses {
					if local, ok := n.local(address); ok {
						return net.JoinHostPort(local, strconv.Itoa(int(*target.Port))), nil
					}
					faked = true
				}
			}
		}
	}
	if faked {
		return "", fmt.Errorf("the pods behind Service %s only look alive, in the lab they have no process", title)
	}
	return "", fmt.Errorf("no ready pod behind Service %s", title)
}

func portName(service *corev1.Service, port string) (string, bool) {
	for _, declared := range service.Spec.Ports {
		if strconv.Itoa(int(declared.Port)) == port {
			return declared.Name, true
		}
	}
	return "", false
}

// hostPortOf returns the host:port of a URL.
func hostPortOf(url string) string {
	host := strings.TrimPrefix(strings.TrimPrefix(url, "https://"), "http://")
	host, _, _ = strings.Cut(host, "/")
	if _, _, err := net.SplitHostPort(host); err != nil {
		return net.JoinHostPort(host, "443")
	}
	return host
}
