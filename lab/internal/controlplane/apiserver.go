package controlplane

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/config/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"sigs.k8s.io/yaml"
)

// cipherSuites are the API server's in Talos.
const cipherSuites = "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256," +
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305," +
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384," +
	"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"

// apiServer renders kube-apiserver as in Talos's static pod. The lab differs in the listening address, the paths of
// files, and the missing Endpoints of the API server, which Kubernetes does not allow on a loopback address.
func (c *ControlPlane) apiServer(node Node) (*component, error) {
	cluster := node.Config.Cluster()
	this := &component{
		name: "kube-apiserver", image: cluster.APIServer().Image(), dir: c.path("kube-apiserver"),
		env: environment(cluster.APIServer().Env()),
	}
	apiServerIPs, err := cluster.Network().APIServerIPs()
	if err != nil {
		return nil, fmt.Errorf("cluster.network.serviceSubnets: %w", err)
	}
	public, err := publicKey(cluster.ServiceAccount().Key)
	if err != nil {
		return nil, err
	}
	endpoint := cluster.Endpoint().String()
	this.endpoint = endpoint
	this.files = map[string][]byte{
		"ca.crt": trusted(cluster), "aggregator-ca.crt": cluster.AggregatorCA().Crt,
		"etcd-client-ca.crt":  cluster.Etcd().CA().Crt,
		"service-account.key": cluster.ServiceAccount().Key, "service-account.pub": public,
	}
	for name, document := range map[string]any{
		"admission-control-config.yaml": admissionConfiguration(cluster.APIServer().AdmissionControl()),
		"auditpolicy.yaml":              cluster.APIServer().AuditPolicy(),
		"authorization-config.yaml":     authorizationConfiguration(cluster.APIServer().AuthorizationConfig()),
		"encryptionconfig.yaml":         encryptionConfiguration(cluster),
	} {
		if this.files[name], err = yaml.Marshal(document); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	this.certificates = map[string]certificate{
		"apiserver": {cluster.IssuingCA(), identity{
			commonName: "kube-apiserver", organization: "kube-master", server: true,
			hosts: apiServerHosts(node, apiServerIPs),
		}},
		"apiserver-kubelet-client": {cluster.IssuingCA(), identity{
			commonName: constants.KubernetesAPIServerKubeletClientCommonName, client: true,
			organization: constants.KubernetesAdminCertOrganization,
		}},
		"front-proxy-client": {cluster.AggregatorCA(), identity{commonName: "front-proxy-client", client: true}},
		"etcd-client":        {cluster.Etcd().CA(), identity{commonName: "kube-apiserver", client: true}},
	}
	args := arguments{
		"admission-control-config-file":      {this.path("admission-control-config.yaml")},
		"advertise-address":                  {advertised(node.Address).String()},
		"allow-privileged":                   {"true"},
		"anonymous-auth":                     {"false"},
		"api-audiences":                      {endpoint},
		"audit-log-maxage":                   {"30"},
		"audit-log-maxbackup":                {"10"},
		"audit-log-maxsize":                  {"100"},
		"audit-log-path":                     {this.path("audit.log")},
		"audit-policy-file":                  {this.path("auditpolicy.yaml")},
		"bind-address":                       {node.Address.String()},
		"client-ca-file":                     {this.path("ca.crt")},
		"enable-admission-plugins":           {"NodeRestriction"},
		"enable-bootstrap-token-auth":        {"true"},
		"encryption-provider-config":         {this.path("encryptionconfig.yaml")},
		"endpoint-reconciler-type":           {"none"},
		"etcd-cafile":                        {this.path("etcd-client-ca.crt")},
		"etcd-certfile":                      {this.path("etcd-client.crt")},
		"etcd-keyfile":                       {this.path("etcd-client.key")},
		"etcd-servers":                       {url(node.Address, constants.EtcdClientPort)},
		"kubelet-client-certificate":         {this.path("apiserver-kubelet-client.crt")},
		"kubelet-client-key":                 {this.path("apiserver-kubelet-client.key")},
		"kubelet-preferred-address-types":    {"InternalIP,ExternalIP,Hostname"},
		"profiling":                          {"false"},
		"proxy-client-cert-file":             {this.path("front-proxy-client.crt")},
		"proxy-client-key-file":              {this.path("front-proxy-client.key")},
		"requestheader-allowed-names":        {"front-proxy-client"},
		"requestheader-client-ca-file":       {this.path("aggregator-ca.crt")},
		"requestheader-extra-headers-prefix": {"X-Remote-Extra-"},
		"requestheader-group-headers":        {"X-Remote-Group"},
		"requestheader-username-headers":     {"X-Remote-User"},
		"secure-port":                        {strconv.Itoa(cluster.LocalAPIServerPort())},
		"service-account-issuer":             {endpoint},
		"service-account-key-file":           {this.path("service-account.pub")},
		"service-account-signing-key-file":   {this.path("service-account.key")},
		"service-cluster-ip-range":           {strings.Join(cluster.Network().ServiceCIDRs(), ",")},
		"tls-cert-file":                      {this.path("apiserver.crt")},
		"tls-cipher-suites":                  {cipherSuites},
		"tls-min-version":                    {"VersionTLS12"},
		"tls-private-key-file":               {this.path("apiserver.key")},
	}
	extra := cluster.APIServer().ExtraArgs()
	if choosesAuthorization(extra) {
		args["authorization-mode"] = []string{"Node,RBAC"}
	} else {
		args["authorization-config"] = []string{this.path("authorization-config.yaml")}
	}
	policies := deny("etcd-servers", "client-ca-file", "requestheader-client-ca-file", "proxy-client-cert-file",
		"proxy-client-key-file", "encryption-provider-config", "etcd-cafile", "etcd-certfile", "etcd-keyfile",
		"kubelet-client-certificate", "kubelet-client-key", "service-account-key-file", "service-account-signing-key-file",
		"tls-cert-file", "tls-private-key-file", "authorization-config")
	for _, name := range []string{"enable-admission-plugins", "feature-gates", "authorization-mode", "tls-cipher-suites"} {
		policies[name] = additive
	}
	if err := args.merge(this.name, extra, policies); err != nil {
		return nil, err
	}
	this.flags = args.flags()
	return this, nil
}

// apiServerHosts are the names and addresses in the API server's certificate.
func apiServerHosts(node Node, apiServerIPs []netip.Addr) []string {
	cluster := node.Config.Cluster()
	hosts := []string{
		cluster.Endpoint().Hostname(), node.Hostname, node.Address.String(), "127.0.0.1", "localhost",
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + cluster.Network().DNSDomain(),
	}
	hosts = append(hosts, cluster.CertSANs()...)
	for _, address := range slices.Concat(apiServerIPs, node.VIPs) {
		hosts = append(hosts, address.String())
	}
	return unique(hosts)
}

// advertised returns the address that the machine would have outside the lab. The API server does not accept a loopback
// address as its advertised one.
func advertised(address netip.Addr) netip.Addr {
	if !address.Is4() || !address.IsLoopback() {
		return address
	}
	octets := address.As4()
	octets[0] = 10
	return netip.AddrFrom4(octets)
}

func choosesAuthorization(extra map[string][]string) bool {
	for name := range extra {
		if name == "authorization-mode" || strings.HasPrefix(name, "authorization-webhook-") {
			return true
		}
	}
	return false
}

func admissionConfiguration(plugins []config.AdmissionPlugin) any {
	list := []map[string]any{}
	for _, plugin := range plugins {
		list = append(list, map[string]any{"name": plugin.Name(), "configuration": plugin.Configuration()})
	}
	return map[string]any{
		"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": list,
	}
}

// authorizationConfiguration has the configured authorizers. It adds the node and RBAC authorizers first if they are
// missing.
func authorizationConfiguration(configured []config.AuthorizationConfigAuthorizer) any {
	list, have := []map[string]any{}, map[string]bool{}
	for _, authorizer := range configured {
		entry := map[string]any{"type": authorizer.Type(), "name": authorizer.Name()}
		if webhook := authorizer.Webhook(); len(webhook) > 0 {
			entry["webhook"] = webhook
		}
		list, have[authorizer.Type()] = append(list, entry), true
	}
	if !have["Node"] {
		list = slices.Insert(list, 0, map[string]any{"type": "Node", "name": "node"})
	}
	if !have["RBAC"] {
		list = slices.Insert(list, 1, map[string]any{"type": "RBAC", "name": "rbac"})
	}
	return map[string]any{
		"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthorizationConfiguration", "authorizers": list,
	}
}

// encryptionConfiguration encrypts Secrets at rest. It uses Talos's key names, so that a snapshot of a real cluster can
// be read.
func encryptionConfiguration(cluster config.ClusterConfig) any {
	providers := []map[string]any{}
	add := func(kind, name, secret string) {
		if secret != "" {
			providers = append(providers, map[string]any{
				kind: map[string]any{"keys": []map[string]any{{"name": name, "secret": secret}}},
			})
		}
	}
	add("secretbox", "key2", cluster.SecretboxEncryptionSecret())
	add("aescbc", "key1", cluster.AESCBCEncryptionSecret())
	providers = append(providers, map[string]any{"identity": map[string]any{}})
	return map[string]any{
		"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration",
		"resources": []map[string]any{{"resources": []string{"secrets"}, "providers": providers}},
	}
}

// environment returns the configured variables, and those of this process that every program needs.
func environment(configured config.Env) []string {
	// A higher GC target uses more memory, which the lab has, and saves a quarter of the API server's CPU time.
	env := []string{"GOGC=300", "PATH=/usr/local/bin:/usr/bin:/bin"}
	for name, value := range configured {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}
