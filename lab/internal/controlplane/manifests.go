package controlplane

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/siderolabs/talos/pkg/machinery/config/config"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

var (
	//go:embed manifests/bootstrap.yaml
	bootstrapTemplate string
	//go:embed manifests/coredns.yaml
	coreDNSTemplate string

	bootstrapManifests = template.Must(template.New("bootstrap").Parse(bootstrapTemplate))
	coreDNSManifests   = template.Must(template.New("coredns").Parse(coreDNSTemplate))
)

// renderManifests returns the objects that Talos creates in a new cluster: what kubelets need to join, CoreDNS, and the
// configuration's inline manifests. It omits kube-proxy and Flannel, which the lab cannot run.
func renderManifests(node Node) ([]byte, error) {
	cluster := node.Config.Cluster()
	var out bytes.Buffer
	if err := bootstrapManifests.Execute(&out, map[string]any{
		"TokenID": cluster.Token().ID(), "TokenSecret": cluster.Token().Secret(), "Server": server(node.Config),
	}); err != nil {
		return nil, err
	}
	if cluster.CoreDNS().Enabled() {
		addresses, err := cluster.Network().DNSServiceIPs()
		if err != nil {
			return nil, fmt.Errorf("cluster.network.serviceSubnets: %w", err)
		}
		if err := coreDNSManifests.Execute(&out, map[string]any{
			"Image": cluster.CoreDNS().Image(), "Domain": cluster.Network().DNSDomain(), "Addresses": addresses,
		}); err != nil {
			return nil, err
		}
	}
	for _, manifest := range cluster.InlineManifests() {
		fmt.Fprintf(&out, "\n---\n%s\n", manifest.Contents())
	}
	return out.Bytes(), nil
}

// server is the address at which pods reach the API server: KubePrism's if it is enabled.
func server(config config.Config) string {
	if prism := config.Machine().Features().KubePrism(); prism.Enabled() {
		return fmt.Sprintf("https://127.0.0.1:%d", prism.Port())
	}
	return config.Cluster().Endpoint().String()
}

func manifestsFor(node Node) string {
	rendered, err := renderManifests(node)
	return fmt.Sprintf("%x %v", sha256.Sum256(rendered), err)
}

// applyManifests creates missing objects and does not change existing ones, as Talos does outside of an upgrade.
func applyManifests(ctx context.Context, admin *rest.Config, node Node, logf func(string, ...any)) error {
	rendered, err := renderManifests(node)
	if err != nil {
		return err
	}
	objects, err := decodeAll(rendered)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(admin)
	if err != nil {
		return err
	}
	discovered, err := discovery.NewDiscoveryClientForConfig(admin)
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discovered))
	var failures []error
	for _, object := range objects {
		created, err := create(ctx, client, mapper, object)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err))
		} else if created {
			logf("created %s %s", object.GetKind(), object.GetName())
		}
	}
	if len(node.Config.Cluster().ExtraManifestURLs()) > 0 {
		logf("skipping cluster.extraManifests: the lab fetches nothing for the control plane")
	}
	return errors.Join(failures...)
}

func create(ctx context.Context, client dynamic.Interface, mapper *restmapper.DeferredDiscoveryRESTMapper,
	object *unstructured.Unstructured) (bool, error) {
	kind := object.GroupVersionKind()
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		mapper.Reset() // its definition may just have been created
		mapping, err = mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return false, err
	}
	var resource dynamic.ResourceInterface = client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		namespace := object.GetNamespace()
		if namespace == "" {
			namespace = metav1.NamespaceDefault
		}
		resource = client.Resource(mapping.Resource).Namespace(namespace)
	}
	// Creating a Service that exists would fail because its address is taken, so this looks for it first.
	if _, err := resource.Get(ctx, object.GetName(), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return false, err
	}
	_, err = resource.Create(ctx, object, metav1.CreateOptions{FieldManager: "talos"})
	if apierrors.IsAlreadyExists(err) {
		return false, nil
	}
	return err == nil, err
}

func decodeAll(text []byte) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("manifest %d: %s", len(objects)+1, strings.SplitN(err.Error(), "\n", 2)[0])
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

func unversioned(config *rest.Config) *rest.Config {
	copied := rest.CopyConfig(config)
	copied.GroupVersion, copied.NegotiatedSerializer = &schema.GroupVersion{}, scheme.Codecs
	return copied
}
