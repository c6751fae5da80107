// Projects of which charts and definitions are read; nothing is built of them, and none of them changes another's version.
module hearth.dev/toolchain/charts

go 1.26

require (
	github.com/backube/volsync v0.16.0
	github.com/ceph/ceph-csi-operator v1.0.4
	github.com/cert-manager/cert-manager v1.21.2
	github.com/cilium/cilium v1.20.2
	github.com/cloudnative-pg/cloudnative-pg v1.30.1
	github.com/cloudnative-pg/plugin-barman-cloud v0.13.0
	github.com/crossplane/crossplane/v2 v2.4.0
	github.com/external-secrets/external-secrets v1.3.2
	github.com/kubernetes-csi/external-snapshotter/client/v8 v8.7.0
	github.com/piraeusdatastore/piraeus-operator/v2 v2.10.5
	github.com/prometheus-operator/prometheus-operator v0.92.0
	github.com/rook/rook v1.20.6
	github.com/siderolabs/talos v1.13.9
	github.com/traefik/traefik/v3 v3.7.13
	sigs.k8s.io/external-dns v0.22.0
	sigs.k8s.io/gateway-api v1.6.1
)
