package proxmox

import (
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"hearth.dev/lab/internal/child"
	"hearth.dev/lab/internal/guestagent"
	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/statefile"
)

// process is the Talos machine that runs in a virtual machine.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	// ordered means that the machine was told to end.
	ordered atomic.Bool
}

// shutDown presses the power button and reports whether the machine was off within the timeout.
func (p *process) shutDown(timeout time.Duration) bool {
	p.ordered.Store(true)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return true
	case <-time.After(timeout):
		return false
	}
}

// kill cuts the power and waits until the process has ended.
func (p *process) kill() {
	p.ordered.Store(true)
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// boot starts the Talos machine of a virtual machine that was just powered on. If the machine cannot boot or be
// reached, for example without an image or an address, no process is started. The virtual machine still counts as
// running, and its log says why.
func (c *cluster) boot(v *vm) error {
	v.Problem = ""
	spec, err := c.specOf(v)
	if err != nil {
		v.Problem = err.Error()
		c.note(v, "%s", v.Problem)
		return nil
	}
	file := c.lab.Path("machines", v.Machine, "spec.json")
	if err := statefile.Write(file, spec); err != nil {
		return fail("start failed: %v", err)
	}
	// A machine whose power was cut could not stop its agent.
	if err := guestagent.Stop(c.lab.Path("machines", v.Machine)); err != nil {
		return fail("start failed: %v", err)
	}
	program, err := machineProgram(c.lab)
	if err != nil {
		return err
	}
	cmd := exec.Command(program, "machine", "--config", c.lab.File, "--spec", file)
	output, err := c.openLog(v)
	if err != nil {
		return fail("start failed: %v", err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	if err := child.Begin(cmd); err != nil {
		return fail("start failed: %v", err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	c.processes[v.ID] = p
	go c.watch(v, p)
	return nil
}

// machineProgram is this program, unless the configuration has a program "machine".
func machineProgram(lab *labconfig.Lab) (string, error) {
	if program := lab.Programs["machine"]; program != "" {
		return program, nil
	}
	return os.Executable()
}

// watch notices when a machine powers itself off or dies.
func (c *cluster) watch(v *vm, p *process) {
	err := p.cmd.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.processes, v.ID)
	close(p.done)
	if c.closing {
		return
	}
	if err != nil && !p.ordered.Load() {
		c.note(v, "the machine ended: %v", err)
	}
	v.Running, v.Problem = false, ""
	if err := c.save(); err != nil {
		log.Print(err)
	}
}

func (c *cluster) openLog(v *vm) (*os.File, error) {
	path := c.lab.Path("logs", "machine-"+v.Machine+".log")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
}

// note writes a line of the host into a machine's log.
func (c *cluster) note(v *vm, format string, args ...any) {
	line := fmt.Sprintf("host %s, VM %d: %s", v.Node, v.ID, fmt.Sprintf(format, args...))
	log.Print(line)
	if file, err := c.openLog(v); err == nil {
		fmt.Fprintln(file, time.Now().Format(time.RFC3339), line)
		_ = file.Close()
	}
}

// bootHosts starts the machines that ran when the simulator ended and those that start with their host, in startup
// order.
func (c *cluster) bootHosts() {
	c.mu.Lock()
	var ids []int
	for id, v := range c.state.VMs {
		if v.Running || v.Config["onboot"] == "1" {
			ids = append(ids, id)
		}
		v.Running, v.Problem = false, ""
	}
	order := func(id int) string {
		return fmt.Sprintf("%s %09d", startupOrder(c.state.VMs[id].Config["startup"]), id)
	}
	slices.SortFunc(ids, func(a, b int) int { return strings.Compare(order(a), order(b)) })
	c.mu.Unlock()
	for _, id := range ids {
		if err := c.powerOn(id, func(string, ...any) {}); err != nil {
			log.Printf("VM %d does not start with its host: %v", id, err)
		}
	}
}

// startupOrder returns a sort key for a startup option such as order=1,up=30. A machine without an order sorts last.
func startupOrder(startup string) string {
	for part := range strings.SplitSeq(startup, ",") {
		number := strings.TrimPrefix(part, "order=")
		if !strings.Contains(number, "=") && number != "" {
			return fmt.Sprintf("%09s", number)
		}
	}
	return "a"
}

// shutDownHosts ends all machines, first with a shutdown. In the state they stay powered on.
func (c *cluster) shutDownHosts() {
	c.mu.Lock()
	c.closing = true
	running := slices.Collect(maps.Values(c.processes))
	c.mu.Unlock()
	done := make(chan struct{})
	for _, p := range running {
		go func() {
			p.shutDown(8 * time.Second)
			p.kill()
			done <- struct{}{}
		}()
	}
	for range running {
		<-done
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.save(); err != nil {
		log.Print(err)
	}
}
