package kubelet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	certificates "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// signTimeout is how long the control plane may take to approve and sign the certificate.
const signTimeout = 30 * time.Second

// identityOf identifies what a certificate is valid for. A change needs a new certificate.
func identityOf(node Node) string {
	return fmt.Sprintf("%s %s %x", node.Name, node.Config.Cluster().Endpoint(), trusted(node))
}

// trusted are the authorities of the cluster's API servers, PEM encoded.
func trusted(node Node) []byte {
	cluster := node.Config.Cluster()
	all := [][]byte{}
	for _, ca := range cluster.AcceptedCAs() {
		all = append(all, ca.Crt)
	}
	if ca := cluster.IssuingCA(); ca != nil {
		all = append(all, ca.Crt)
	}
	return bytes.Join(all, nil)
}

// client returns the kubelet's own client. It requests a certificate if there is none.
func (k *Kubelet) client(ctx context.Context, node Node) (kubernetes.Interface, error) {
	base := rest.Config{
		Host: node.Config.Cluster().Endpoint().String(), TLSClientConfig: rest.TLSClientConfig{CAData: trusted(node)},
		Timeout: 20 * time.Second,
		// A kubelet's own defaults: pkg/kubelet/apis/config/v1beta1/defaults.go in Kubernetes v1.36.
		QPS: 50, Burst: 100,
	}
	crt, key, err := k.stored(node)
	if err != nil {
		k.report(func(s *Status) { s.Message = "getting a certificate" })
		if crt, key, err = requestCertificate(ctx, base, node); err != nil {
			return nil, fmt.Errorf("getting a certificate: %w", err)
		}
		if err := k.store(crt, key); err != nil {
			return nil, err
		}
		k.options.Logf("kubelet: the cluster signed a certificate for %s", node.Name)
	}
	base.CertData, base.KeyData = crt, key
	return kubernetes.NewForConfig(&base)
}

func (k *Kubelet) certificatePath() string { return filepath.Join(k.options.Dir, "kubelet-client.pem") }

// stored returns the stored certificate, if it is for this cluster and node and remains valid for some time.
func (k *Kubelet) stored(node Node) (crt, key []byte, err error) {
	content, err := os.ReadFile(k.certificatePath())
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair(content, content)
	if err != nil {
		return nil, nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted(node))
	_, err = pair.Leaf.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: time.Now().Add(24 * time.Hour), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err == nil && pair.Leaf.Subject.CommonName != "system:node:"+node.Name {
		err = errors.New("it is another node's")
	}
	return content, content, err
}

func (k *Kubelet) store(crt, key []byte) error {
	if err := os.MkdirAll(k.options.Dir, 0o700); err != nil {
		return err
	}
	temporary := k.certificatePath() + ".new"
	if err := os.WriteFile(temporary, append(bytes.Clone(crt), key...), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, k.certificatePath())
}

// requestCertificate is TLS bootstrapping: it requests a certificate with the bootstrap token, and
// kube-controller-manager approves and signs the request.
func requestCertificate(ctx context.Context, base rest.Config, node Node) (crt, key []byte, err error) {
	token := node.Config.Cluster().Token()
	base.BearerToken = token.ID() + "." + token.Secret()
	client, err := kubernetes.NewForConfig(&base)
	if err != nil {
		return nil, nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "system:node:" + node.Name, Organization: []string{"system:nodes"}},
	}, private)
	if err != nil {
		return nil, nil, err
	}
	created, err := client.CertificatesV1().CertificateSigningRequests().Create(ctx, &certificates.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "csr-"},
		Spec: certificates.CertificateSigningRequestSpec{
			Request:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}),
			SignerName: certificates.KubeAPIServerClientKubeletSignerName,
			Usages:     []certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageClientAuth},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, nil, err
	}
	if crt, err = awaitSignature(ctx, client, created.Name); err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(private)
	return crt, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), err
}

func awaitSignature(ctx context.Context, client kubernetes.Interface, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	for {
		request, err := client.CertificatesV1().CertificateSigningRequests().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		if len(request.Status.Certificate) > 0 {
			return request.Status.Certificate, nil
		}
		for _, condition := range request.Status.Conditions {
			if condition.Type == certificates.CertificateDenied || condition.Type == certificates.CertificateFailed {
				return nil, fmt.Errorf("the request %s was refused: %s", name, condition.Message)
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the request %s was not signed in %s", name, signTimeout)
		case <-time.After(300 * time.Millisecond):
		}
	}
}
