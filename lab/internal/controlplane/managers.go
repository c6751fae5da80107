package controlplane

import (
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/constants"
	"sigs.k8s.io/yaml"
)

// controllerManager renders kube-controller-manager, nil if machine.controlPlane disables it.
func (c *ControlPlane) controllerManager(node Node) (*component, error) {
	cluster := node.Config.Cluster()
	if node.Config.Machine().Controlplane().ControllerManager().Disabled() {
		return nil, nil
	}
	settings := cluster.ControllerManager()
	this := &component{
		name: "kube-controller-manager", image: settings.Image(), dir: c.path("kube-controller-manager"),
		env: environment(settings.Env()), endpoint: cluster.Endpoint().String(),
		files: map[string][]byte{
			"ca.crt": cluster.IssuingCA().Crt, "ca.key": cluster.IssuingCA().Key,
			"root-ca.crt": trusted(cluster), "service-account.key": cluster.ServiceAccount().Key,
		},
		kubeconfigs: map[string]kubeconfigRequest{
			"kubeconfig": c.local(node, constants.KubernetesControllerManagerOrganization),
		},
	}
	args := arguments{
		"allocate-node-cidrs":              {"true"},
		"authentication-kubeconfig":        {this.path("kubeconfig")},
		"authorization-kubeconfig":         {this.path("kubeconfig")},
		"bind-address":                     {node.Address.String()},
		"cluster-cidr":                     {strings.Join(cluster.Network().PodCIDRs(), ",")},
		"cluster-signing-cert-file":        {this.path("ca.crt")},
		"cluster-signing-key-file":         {this.path("ca.key")},
		"configure-cloud-routes":           {"false"},
		"controllers":                      {"*,tokencleaner"},
		"kubeconfig":                       {this.path("kubeconfig")},
		"leader-elect":                     {"true"},
		"profiling":                        {"false"},
		"root-ca-file":                     {this.path("root-ca.crt")},
		"service-account-private-key-file": {this.path("service-account.key")},
		"service-cluster-ip-range":         {strings.Join(cluster.Network().ServiceCIDRs(), ",")},
		"tls-min-version":                  {"VersionTLS13"},
		"use-service-account-credentials":  {"true"},
		// Not Talos's. By default the manager sends 20 requests a second, and only waits for its first five seconds.
		"kube-api-burst": {"1000"},
		"kube-api-qps":   {"500"},
	}
	policies := deny("cluster-signing-cert-file", "cluster-signing-key-file", "authentication-kubeconfig",
		"authorization-kubeconfig", "root-ca-file", "service-account-private-key-file")
	policies["service-cluster-ip-range"], policies["controllers"] = additive, additive
	if err := args.merge(this.name, settings.ExtraArgs(), policies); err != nil {
		return nil, err
	}
	this.flags = args.flags()
	return this, nil
}

// scheduler renders kube-scheduler, nil if machine.controlPlane disables it.
func (c *ControlPlane) scheduler(node Node) (*component, error) {
	cluster := node.Config.Cluster()
	if node.Config.Machine().Controlplane().Scheduler().Disabled() {
		return nil, nil
	}
	settings := cluster.Scheduler()
	this := &component{
		name: "kube-scheduler", image: settings.Image(), dir: c.path("kube-scheduler"), env: environment(settings.Env()),
		endpoint: node.Config.Cluster().Endpoint().String(),
		kubeconfigs: map[string]kubeconfigRequest{
			"kubeconfig": c.local(node, constants.KubernetesSchedulerOrganization),
		},
	}
	document := map[string]any{}
	for name, value := range settings.Config() {
		document[name] = value
	}
	document["apiVersion"], document["kind"] = "kubescheduler.config.k8s.io/v1", "KubeSchedulerConfiguration"
	connection := map[string]any{}
	if configured, ok := document["clientConnection"].(map[string]any); ok {
		for name, value := range configured {
			connection[name] = value
		}
	}
	connection["kubeconfig"] = this.path("kubeconfig")
	document["clientConnection"] = connection
	content, err := yaml.Marshal(document)
	if err != nil {
		return nil, err
	}
	this.files = map[string][]byte{"scheduler-config.yaml": content}
	args := arguments{
		"authentication-kubeconfig":              {this.path("kubeconfig")},
		"authentication-tolerate-lookup-failure": {"false"},
		"authorization-kubeconfig":               {this.path("kubeconfig")},
		"bind-address":                           {node.Address.String()},
		"config":                                 {this.path("scheduler-config.yaml")},
		"leader-elect":                           {"true"},
		"profiling":                              {"false"},
		"tls-min-version":                        {"VersionTLS13"},
	}
	policies := deny("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig", "config")
	if err := args.merge(this.name, settings.ExtraArgs(), policies); err != nil {
		return nil, err
	}
	this.flags = args.flags()
	return this, nil
}

// local requests a kubeconfig for this machine's API server.
func (c *ControlPlane) local(node Node, name string) kubeconfigRequest {
	cluster := node.Config.Cluster()
	return kubeconfigRequest{
		ca: string(cluster.IssuingCA().Crt) + string(trusted(cluster)),
		render: func() ([]byte, error) {
			return kubeconfig(cluster, kubeconfigFor{
				server: node.localEndpoint(), user: name, context: "default",
				commonName: name, organization: name, lifetime: certificateLifetime,
			})
		},
	}
}
