// Command hearth-lab contains every simulator of Hearth's lab, each as a subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"hearth.dev/lab/internal/labconfig"
)

// command runs one simulator until its context ends. args are the arguments after `--config <lab.json>`.
type command func(ctx context.Context, lab *labconfig.Lab, args []string) error

// commands maps the subcommands' names to them. The other files in this folder add one each.
var commands = map[string]command{}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hearth-lab:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || commands[args[0]] == nil {
		return fmt.Errorf("give one of these subcommands: %v", names())
	}
	if len(args) < 3 || args[1] != "--config" {
		return fmt.Errorf("call it as: hearth-lab %s --config <lab.json> [arguments]", args[0])
	}
	lab, err := labconfig.Load(args[2])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := commands[args[0]](ctx, lab, args[3:]); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return nil
}

func names() []string {
	all := make([]string, 0, len(commands))
	for name := range commands {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
