package pods

import (
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// accountPath is the folder of a service account's credentials in every container.
const accountPath = "/var/run/secrets/kubernetes.io/serviceaccount"

// writeKubeconfig writes a kubeconfig with which a process outside a pod uses the pod's service account. The client
// library rereads the token file, so a renewed token takes effect. It returns "" if the pod has no account.
func writeKubeconfig(folder string, admin *rest.Config, namespace string, mounts []mount) (string, error) {
	for _, m := range mounts {
		if m.path != accountPath {
			continue
		}
		config := clientcmdapi.NewConfig()
		config.Clusters["lab"] = &clientcmdapi.Cluster{
			Server: admin.Host, TLSServerName: admin.ServerName, CertificateAuthority: filepath.Join(m.source, "ca.crt"),
		}
		config.AuthInfos["pod"] = &clientcmdapi.AuthInfo{TokenFile: filepath.Join(m.source, "token")}
		config.Contexts["pod"] = &clientcmdapi.Context{Cluster: "lab", AuthInfo: "pod", Namespace: namespace}
		config.CurrentContext = "pod"
		raw, err := clientcmd.Write(*config)
		if err != nil {
			return "", err
		}
		file := filepath.Join(folder, "kubeconfig")
		return file, replace(file, raw)
	}
	return "", nil
}
