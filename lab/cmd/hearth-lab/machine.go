package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/talos"
)

func init() { commands["machine"] = runMachine }

// runMachine runs one Talos machine until it powers off.
func runMachine(ctx context.Context, lab *labconfig.Lab, args []string) error {
	flags := flag.NewFlagSet("machine", flag.ContinueOnError)
	path := flags.String("spec", "", "the machine's hardware, a JSON file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *path == "" {
		return errors.New("give the machine's hardware by --spec")
	}
	content, err := os.ReadFile(*path)
	if err != nil {
		return err
	}
	var spec labconfig.Machine
	if err := json.Unmarshal(content, &spec); err != nil {
		return fmt.Errorf("parsing %s: %w", *path, err)
	}
	machine, err := talos.New(lab, spec)
	if err != nil {
		return err
	}
	return machine.Run(ctx)
}
