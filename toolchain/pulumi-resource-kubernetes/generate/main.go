// Command generate copies the schema out of the provider's module, where its own main package embeds it from.
package main

import (
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "github.com/pulumi/pulumi-kubernetes/provider/v4"

func main() {
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"schema.json", "terraform-mapping.json"} {
		if err := compact(filepath.Join(strings.TrimSpace(string(output)), "cmd", "pulumi-resource-kubernetes", name), name); err != nil {
			log.Fatal(err)
		}
	}
}

func compact(from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return err
	}
	if raw, err = json.Marshal(value); err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o644)
}
