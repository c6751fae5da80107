package pods

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"hearth.dev/lab/internal/labconfig"
)

// volsyncImage describes what the lab needs of VolSync's image: a shell, the manager, and the script that moves a
// volume's data with restic. Source: backube/volsync, Dockerfile and cmd/main.go.
func volsyncImage(lab *labconfig.Lab) program {
	bash, err := exec.LookPath("bash")
	if err != nil {
		bash = "/bin/bash"
	}
	env := map[string]string{"PATH": filepath.Dir(lab.Programs["restic"]) + ":" + searchPath}
	return program{
		path: bash, env: env,
		commands: map[string]*program{
			"/bin/bash": {path: bash, env: env},
			"/manager": {
				path:    lab.Programs["volsync"],
				listens: map[string]string{"health-probe-bind-address": "8081", "metrics-bind-address": "8443"},
				fixed:   map[string]string{"leader-elect": "false"},
			},
			"/mover-restic/entry.sh": {path: bash, args: []string{moverScript(lab)}, env: env},
		},
	}
}

func moverScript(lab *labconfig.Lab) string {
	return filepath.Join(lab.Data["volsync"], "mover-restic", "entry.sh")
}

// checkVolsync returns an error if something of VolSync's image is missing.
func checkVolsync(lab *labconfig.Lab) error {
	for what, path := range map[string]string{"programs.restic": lab.Programs["restic"], "data.volsync": moverScript(lab)} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%s, which VolSync needs: %w", what, err)
		}
	}
	return nil
}
