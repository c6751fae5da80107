package controlplane

import (
	"bytes"
	stdx509 "crypto/x509"
	"fmt"
	"time"

	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/config/config"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// AdminKubeconfig returns the kubeconfig of `talosctl kubeconfig`: the cluster's endpoint, and a new administrator
// certificate with the name, organization and lifetime from cluster.adminKubeconfig.
func AdminKubeconfig(cluster config.ClusterConfig) ([]byte, error) {
	admin := cluster.AdminKubeconfig()
	return kubeconfig(cluster, kubeconfigFor{
		server: cluster.Endpoint().String(), user: "admin", context: "admin",
		commonName: admin.CommonName(), organization: admin.CertOrganization(), lifetime: admin.CertLifetime(),
	})
}

type kubeconfigFor struct {
	server, user, context    string
	commonName, organization string
	lifetime                 time.Duration
}

func kubeconfig(cluster config.ClusterConfig, who kubeconfigFor) ([]byte, error) {
	authority, err := x509.NewCertificateAuthorityFromCertificateAndKey(cluster.IssuingCA())
	if err != nil {
		return nil, fmt.Errorf("reading cluster.ca: %w", err)
	}
	pair, err := x509.NewKeyPair(authority,
		x509.CommonName(who.commonName), x509.Organization(who.organization),
		x509.NotBefore(time.Now().Add(-10*time.Second)), x509.NotAfter(time.Now().Add(who.lifetime)),
		x509.KeyUsage(stdx509.KeyUsageDigitalSignature|stdx509.KeyUsageKeyEncipherment),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageClientAuth}),
	)
	if err != nil {
		return nil, fmt.Errorf("signing a client certificate for %s: %w", who.commonName, err)
	}
	name, user, context := cluster.Name(), who.user+"@"+cluster.Name(), who.context+"@"+cluster.Name()
	return clientcmd.Write(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{
			name: {Server: who.server, CertificateAuthorityData: trusted(cluster)},
		},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{
			user: {ClientCertificateData: pair.CrtPEM, ClientKeyData: pair.KeyPEM},
		},
		Contexts: map[string]*clientcmdapi.Context{
			context: {Cluster: name, AuthInfo: user, Namespace: "default"},
		},
		CurrentContext: context,
	})
}

// trusted are all certificate authorities that the cluster's clients trust, PEM encoded.
func trusted(cluster config.ClusterConfig) []byte {
	all := [][]byte{}
	for _, ca := range cluster.AcceptedCAs() {
		all = append(all, ca.Crt)
	}
	if ca := cluster.IssuingCA(); ca != nil {
		all = append(all, ca.Crt)
	}
	return bytes.Join(all, nil)
}
