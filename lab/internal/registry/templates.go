package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	k8syaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type object = map[string]any

// addInstallTemplates turns the operator's install manifests into templates, with their settings in values.yaml.
func addInstallTemplates(files map[string][]byte, config string, image imageName) error {
	values := object{
		"nameOverride": "", "fullnameOverride": "", "installCRDs": true, "logLevel": "info",
		"commonLabels": object{}, "priorityClassName": "", "podSecurityContext": object{}, "nodeSelector": object{},
		"tolerations": []any{}, "extraArgs": []any{}, "extraEnvs": []any{},
		"web":            object{"enabled": true},
		"reporting":      object{"interval": "5m"},
		"image":          object{"repository": image.Repository, "tag": "", "pullSecrets": []any{}, "imagePullPolicy": "IfNotPresent"},
		"serviceAccount": object{"create": true, "name": ""},
		"rbac":           object{"create": true, "createAggregation": true},
		"multitenancy": object{
			"enabled": false, "enabledForWorkloadIdentity": false,
			"defaultServiceAccount": "flux-operator", "defaultWorkloadIdentityServiceAccount": "flux-operator",
		},
	}
	for _, name := range []string{"manager/account.yaml", "manager/deployment.yaml", "manager/service.yaml", "default/rbac.yaml"} {
		all, err := documents(filepath.Join(config, name))
		if err != nil {
			return err
		}
		for _, document := range all {
			guard := templated(document, values)
			raw, err := yaml.Marshal(document)
			if err != nil {
				return err
			}
			title := strings.ToLower(document["kind"].(string))
			if title == "clusterrole" {
				title = metadataOf(document)["name"].(string)
			}
			files["templates/"+title+".yaml"] = guarded(guard, blocks(string(raw)))
		}
	}
	var err error
	files["values.yaml"], err = yaml.Marshal(values)
	return err
}

// templated replaces parts of a manifest by template expressions and moves its settings into values. guard is the
// condition under which the manifest is rendered, empty for always.
func templated(document, values object) (guard string) {
	const fullname, account = `{{ include "flux-operator.fullname" . }}`, `{{ include "flux-operator.serviceAccountName" . }}`
	metadata := metadataOf(document)
	metadata["labels"] = merged(metadata["labels"], `include "flux-operator.labels" .`)
	switch document["kind"] {
	case "ServiceAccount":
		metadata["name"], metadata["namespace"] = account, "{{ .Release.Namespace }}"
		return ".Values.serviceAccount.create"
	case "Service":
		metadata["name"], metadata["namespace"] = fullname, "{{ .Release.Namespace }}"
		document["spec"].(object)["selector"] = block(`include "flux-operator.selector" .`)
	case "Deployment":
		metadata["name"], metadata["namespace"] = fullname, "{{ .Release.Namespace }}"
		templatedDeployment(document["spec"].(object), values)
	case "ClusterRoleBinding":
		metadata["name"] = `{{ include "flux-operator.fullname" . }}-cluster-admin`
		for _, subject := range document["subjects"].([]any) {
			subject.(object)["name"], subject.(object)["namespace"] = account, "{{ .Release.Namespace }}"
		}
		return ".Values.rbac.create"
	case "ClusterRole":
		if strings.HasPrefix(metadata["name"].(string), "flux-web-") {
			return ".Values.web.enabled"
		}
		return ".Values.rbac.createAggregation"
	}
	return ""
}

func templatedDeployment(spec, values object) {
	spec["selector"] = object{"matchLabels": block(`include "flux-operator.selector" .`)}
	template := spec["template"].(object)
	metadataOf(template)["labels"] = block(`include "flux-operator.labels" .`)
	pod := template["spec"].(object)
	pod["serviceAccountName"] = `{{ include "flux-operator.serviceAccountName" . }}`
	pod["priorityClassName"] = "{{ .Values.priorityClassName }}"
	pod["securityContext"] = block("toYaml .Values.podSecurityContext")
	pod["imagePullSecrets"] = block("toYaml .Values.image.pullSecrets")
	for _, key := range []string{"affinity", "nodeSelector", "tolerations"} {
		if pod[key] != nil {
			values[key] = pod[key]
		}
		pod[key] = block("toYaml .Values." + key)
	}
	container := pod["containers"].([]any)[0].(object)
	for _, key := range []string{"resources", "livenessProbe", "readinessProbe", "securityContext", "env"} {
		values[key] = container[key]
		container[key] = block("toYaml .Values." + key)
	}
	container["env"] = block(`include "flux-operator.env" .`)
	container["args"] = block(`include "flux-operator.args" .`)
	container["image"] = `{{ include "flux-operator.image" . }}`
	container["imagePullPolicy"] = "{{ .Values.image.imagePullPolicy }}"
}

// block returns a marker for an expression that renders to lines of YAML. blocks replaces the marker.
func block(expression string) string { return "BLOCK " + expression }

var blockLine = regexp.MustCompile(`(?m)^( *)((?:- )?)(\w+): BLOCK (.*)$`)

func blocks(text string) string {
	return blockLine.ReplaceAllStringFunc(text, func(line string) string {
		part := blockLine.FindStringSubmatch(line)
		indent := len(part[1]) + len(part[2]) + 2
		return fmt.Sprintf("%s%s%s:\n%s{{- %s | nindent %d }}", part[1], part[2], part[3], strings.Repeat(" ", indent), part[4], indent)
	})
}

// merged keeps the labels that Kubernetes interprets, such as role aggregation, in addition to the chart's own.
func merged(labels any, own string) any {
	kept := object{}
	for key, value := range asObject(labels) {
		if !strings.HasPrefix(key, "app.kubernetes.io/") {
			kept[key] = value
		}
	}
	if len(kept) == 0 {
		return block(own)
	}
	return kept
}

func asObject(value any) object {
	o, _ := value.(object)
	return o
}

func metadataOf(document object) object {
	metadata := asObject(document["metadata"])
	if metadata == nil {
		metadata = object{}
		document["metadata"] = metadata
	}
	return metadata
}

func guarded(condition, text string) []byte {
	if condition == "" {
		return []byte(text)
	}
	return fmt.Appendf(nil, "{{- if %s }}\n%s{{- end }}\n", condition, text)
}

// documents reads the YAML documents of a file.
func documents(file string) ([]object, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []object
	decoder := k8syaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	for {
		var document object
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(document) > 0 {
			all = append(all, document)
		}
	}
}
