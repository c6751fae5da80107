package controlplane

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/siderolabs/talos/pkg/machinery/config/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
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

	//go:embed manifests/flannel.yaml
	flannelTemplate string
	//go:embed manifests/kube-proxy.yaml
	proxyTemplate string

	bootstrapManifests = template.Must(template.New("bootstrap").Parse(bootstrapTemplate))
	coreDNSManifests   = template.Must(template.New("coredns").Parse(coreDNSTemplate))
	flannelManifests   = template.Must(template.New("flannel").Parse(flannelTemplate))
	proxyManifests     = template.Must(template.New("kube-proxy").Parse(proxyTemplate))
)

// flannelImage is that of Talos. Source: siderolabs/talos v1.13.9, pkg/images/list.go.
const flannelImage = "ghcr.io/siderolabs/flannel:" + constants.FlannelVersion

// Manifest is a group of objects that Talos creates in a new cluster, and that `talosctl upgrade-k8s` applies again.
type Manifest struct {
	// Name is Talos' name of the group, for example "11-core-dns".
	Name    string
	Objects []*unstructured.Unstructured
}

// Manifests returns what kubelets need to join, Flannel, kube-proxy and CoreDNS unless the configuration disables them, and the
// configuration's inline manifests. Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/k8s/manifest.go, and
// internal/k8stemplates beside it.
func Manifests(node Node) ([]Manifest, error) {
	cluster := node.Config.Cluster()
	var out bytes.Buffer
	if err := bootstrapManifests.Execute(&out, map[string]any{
		"TokenID": cluster.Token().ID(), "TokenSecret": cluster.Token().Secret(), "Server": server(node.Config),
	}); err != nil {
		return nil, err
	}
	if network := cluster.Network(); network.CNI().Name() == constants.FlannelCNI {
		if err := flannelManifests.Execute(&out, map[string]any{"Image": flannelImage, "PodCIDR": network.PodCIDRs()[0]}); err != nil {
			return nil, err
		}
	}
	if proxy := cluster.Proxy(); proxy.Enabled() {
		if err := proxyManifests.Execute(&out, map[string]any{"Image": proxy.Image(), "Mode": proxy.Mode()}); err != nil {
			return nil, err
		}
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
	objects, err := decodeAll(out.Bytes())
	if err != nil {
		return nil, err
	}
	var all []Manifest
	for _, object := range objects {
		all = add(all, groupOf(object), object)
	}
	for _, manifest := range cluster.InlineManifests() {
		objects, err := decodeAll([]byte(manifest.Contents()))
		if err != nil {
			return nil, fmt.Errorf("cluster.inlineManifests %s: %w", manifest.Name(), err)
		}
		all = add(all, "99-"+manifest.Name(), objects...)
	}
	return all, nil
}

func add(all []Manifest, name string, objects ...*unstructured.Unstructured) []Manifest {
	for i := range all {
		if all[i].Name == name {
			all[i].Objects = append(all[i].Objects, objects...)
			return all
		}
	}
	return append(all, Manifest{name, objects})
}

// groupOf returns the name of the group that Talos has an object in. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/k8s/manifest.go, render.
func groupOf(object *unstructured.Unstructured) string {
	switch name := object.GetName(); {
	case object.GetKind() == "Secret":
		return "00-kubelet-bootstrapping-token"
	case strings.Contains(name, "flannel"):
		return "05-flannel"
	case name == "kube-proxy":
		return "10-kube-proxy"
	case name == "system-bootstrap-node-bootstrapper":
		return "01-csr-node-bootstrap"
	case name == "system-bootstrap-approve-node-client-csr":
		return "01-csr-approver-role-binding"
	case name == "system-bootstrap-node-renewal":
		return "01-csr-renewal-role-binding"
	case name == "kubeconfig-in-cluster":
		return "11-kube-config-in-cluster"
	case name == "system:talos-nodes":
		return "11-talos-node-rbac-template"
	case object.GetKind() == "Service":
		return "11-core-dns-svc"
	}
	return "11-core-dns"
}

// server is the address at which pods reach the API server: KubePrism's if it is enabled.
func server(config config.Config) string {
	if prism := config.Machine().Features().KubePrism(); prism.Enabled() {
		return fmt.Sprintf("https://127.0.0.1:%d", prism.Port())
	}
	return config.Cluster().Endpoint().String()
}

func manifestsFor(node Node) string {
	all, err := Manifests(node)
	text, _ := json.Marshal(all)
	return fmt.Sprintf("%x %v", sha256.Sum256(text), err)
}

// applyManifests creates missing objects and does not change existing ones, as Talos does outside of an upgrade.
func applyManifests(ctx context.Context, admin *rest.Config, node Node, logf func(string, ...any)) error {
	all, err := Manifests(node)
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
	for _, manifest := range all {
		for _, object := range manifest.Objects {
			created, err := create(ctx, client, mapper, object)
			if err != nil {
				failures = append(failures, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err))
			} else if created {
				logf("created %s %s", object.GetKind(), object.GetName())
			}
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
