package pods

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"hearth.dev/lab/internal/authority"
)

// kubeletPort is the port at which the API server asks a node for a container's log.
const kubeletPort = 10250

// serveKubelet serves `kubectl logs` on a node's address while the node is up.
func (r *runner) serveKubelet(ctx context.Context, node *corev1.Node) {
	address := nodeAddress(node)
	if ip := net.ParseIP(address); ip == nil || !ip.IsLoopback() {
		log.Printf("pods: node %s has the address %q, which is not in 127.0.0.0/8, so there are no logs of its pods", node.Name, address)
		return
	}
	config, err := kubeletTLS(r.lab.Dir, r.config, address)
	if err != nil {
		log.Printf("pods: no logs of pods on %s: %v", node.Name, err)
		return
	}
	alive := r.host(node.Name).alive
	for alive.wait(ctx, true) == nil {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(kubeletPort)))
		if err != nil {
			log.Printf("pods: no logs of pods on %s: %v", node.Name, err)
			return
		}
		server := &http.Server{
			Handler: r.kubeletHandler(node.Name), TLSConfig: config, ReadHeaderTimeout: dialTimeout,
			ErrorLog: log.New(io.Discard, "", 0),
		}
		go func() {
			_ = alive.wait(ctx, false)
			_ = server.Close()
		}()
		_ = server.ServeTLS(listener, "", "")
	}
}

// kubeletTLS requires a client certificate of the cluster's authority, as a kubelet does.
func kubeletTLS(dir string, cluster *rest.Config, address string) (*tls.Config, error) {
	ca, err := authority.Open(dir)
	if err != nil {
		return nil, err
	}
	config, err := ca.ServerTLS(address)
	if err != nil {
		return nil, err
	}
	bundle := cluster.CAData
	if len(bundle) == 0 {
		if bundle, err = os.ReadFile(cluster.CAFile); err != nil {
			return nil, err
		}
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(bundle) {
		return nil, errors.New("the kubeconfig has no certificate authority")
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}

func (r *runner) kubeletHandler(node string) http.Handler {
	handler := http.NewServeMux()
	handler.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, request *http.Request) {
		if err := r.mayAsk(request, node); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		r.serveLog(w, request, node)
	})
	return handler
}

// mayAsk asks the API server whether the client is authorized, as a kubelet with webhook authorization does.
func (r *runner) mayAsk(request *http.Request, node string) error {
	subject := request.TLS.PeerCertificates[0].Subject
	review, err := r.client.AuthorizationV1().SubjectAccessReviews().Create(request.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: subject.CommonName, Groups: subject.Organization,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: "get", Version: "v1", Resource: "nodes", Subresource: "proxy", Name: node,
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if !review.Status.Allowed {
		return fmt.Errorf("user %s may not get nodes/proxy of %s", subject.CommonName, node)
	}
	return nil
}

// serveLog writes the log of a container's present process, or with `previous` that of the one before.
func (r *runner) serveLog(w http.ResponseWriter, request *http.Request, node string) {
	namespace, name, container := request.PathValue("namespace"), request.PathValue("pod"), request.PathValue("container")
	pod, err := r.pods.Pods(namespace).Get(name)
	if apierrors.IsNotFound(err) || err == nil && pod.Spec.NodeName != node {
		http.Error(w, fmt.Sprintf("pod %s/%s is not on node %s", namespace, name, node), http.StatusNotFound)
		return
	}
	query := request.URL.Query()
	options := logOptions{previous: query.Get("previous") == "true", follow: query.Get("follow") == "true", tail: -1}
	if lines, err := strconv.Atoi(query.Get("tailLines")); err == nil {
		options.tail = lines
	}
	if bytes, err := strconv.ParseInt(query.Get("limitBytes"), 10, 64); err == nil {
		options.limit = bytes
	}
	if !r.hasProcess(pod, container) {
		http.Error(w, fmt.Sprintf("container %s only looks alive: the lab has no program for its image", container), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	err = copyLog(request.Context(), flushing{w}, r.logFile(pod, container), options)
	if errors.Is(err, os.ErrNotExist) {
		http.Error(w, fmt.Sprintf("container %s has not started yet", container), http.StatusBadRequest)
	} else if err != nil && request.Context().Err() == nil {
		log.Printf("pods: log of %s/%s: %v", namespace, name, err)
	}
}

func (r *runner) hasProcess(pod *corev1.Pod, container string) bool {
	for _, c := range pod.Spec.Containers {
		if c.Name == container {
			return r.known.ofImage(c.Image) != nil
		}
	}
	return false
}

// logFile is the path of the log of a container's processes.
func (r *runner) logFile(pod *corev1.Pod, container string) string {
	return r.lab.Path("logs", "pods", fmt.Sprintf("%s_%s_%s.log", pod.Namespace, pod.Name, container))
}

// flushing flushes each write, so that a follower sees it immediately.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	if flusher, ok := f.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
	return n, err
}

// followPause is the polling interval of a followed log.
const followPause = 250 * time.Millisecond
