package proxmox

import (
	"fmt"
	"log"
	"strings"
	"time"
)

const (
	// tasksKept is how many tasks are remembered.
	tasksKept = 200
	// waitTimeout is how long a request waits for the task that it started, so that short ones are over when it is answered.
	waitTimeout = 60 * time.Millisecond
)

// task is a piece of work that Proxmox does after it has answered.
type task struct {
	UPID string `json:"upid"`
	Node string `json:"node"`
	Kind string `json:"kind"`
	ID   string `json:"id"`
	User string `json:"user"`
	PID  int    `json:"pid"`
	// Start and End are Unix times in seconds.
	Start int64 `json:"start"`
	End   int64 `json:"end,omitempty"`
	// Exit is OK or an error message; empty while the task runs.
	Exit string   `json:"exit,omitempty"`
	Log  []string `json:"log"`
}

func (t *task) finish(exit string) { t.Exit, t.End = exit, time.Now().Unix() }

// work is what a task does; say writes a line to its log. It starts without the cluster's lock.
type work func(say func(format string, args ...any)) error

// begin starts a task and gives its UPID.
func (c *call) begin(node, kind, id string, do work) (any, error) {
	c.mu.Lock()
	c.pids++
	t := &task{Node: node, Kind: kind, ID: id, User: c.token, PID: c.pids, Start: time.Now().Unix()}
	t.UPID = fmt.Sprintf("UPID:%s:%08X:%08X:%08X:%s:%s:%s:", node, t.PID, t.PID*7919&0xffffffff, t.Start, kind, id, c.token)
	c.state.Tasks = append(c.state.Tasks, t)
	c.state.Tasks = c.state.Tasks[max(0, len(c.state.Tasks)-tasksKept):]
	err := c.save()
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(t, do)
	}()
	select {
	case <-done:
	case <-time.After(waitTimeout):
	}
	return t.UPID, nil
}

func (c *cluster) run(t *task, do work) {
	say := func(format string, args ...any) {
		c.logs.Lock()
		defer c.logs.Unlock()
		t.Log = append(t.Log, fmt.Sprintf(format, args...))
	}
	err := do(say)
	exit := "OK"
	if err != nil {
		exit = strings.TrimRight(err.Error(), "\n")
		say("TASK ERROR: %s", exit)
	} else {
		say("TASK OK")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t.finish(exit)
	if err := c.save(); err != nil {
		log.Print(err)
	}
}

func (c *call) task() (*task, error) {
	for _, t := range c.state.Tasks {
		if t.UPID == c.str("upid") && t.Node == c.str("node") {
			return t, nil
		}
	}
	if !strings.HasPrefix(c.str("upid"), "UPID:") {
		return nil, invalidField("upid", "unable to parse worker upid")
	}
	return nil, invalidField("upid", "no such task")
}

func taskStatus(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.task()
	if err != nil {
		return nil, err
	}
	status := t.summary()
	status["pid"] = t.PID
	status["status"] = "running"
	if t.Exit != "" {
		status["status"], status["exitstatus"] = "stopped", t.Exit
	}
	return status, nil
}

func (t *task) summary() map[string]any {
	user, token, _ := strings.Cut(t.User, "!")
	return map[string]any{
		"upid": t.UPID, "node": t.Node, "type": t.Kind, "id": t.ID, "user": user, "tokenid": token, "starttime": t.Start,
		"pstart": t.PID * 7919 & 0xffffffff,
	}
}

func taskLog(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.task()
	if err != nil {
		return nil, err
	}
	start, limit := c.num("start"), 50
	if c.has("limit") && c.num("limit") > 0 {
		limit = c.num("limit")
	}
	c.logs.Lock()
	defer c.logs.Unlock()
	lines := []map[string]any{}
	for i := start; i < len(t.Log) && len(lines) < limit; i++ {
		lines = append(lines, map[string]any{"n": i + 1, "t": t.Log[i]})
	}
	return lines, nil
}

func listTasks(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	for _, t := range c.state.Tasks {
		if t.Node != c.str("node") || c.has("vmid") && t.ID != c.str("vmid") {
			continue
		}
		entry := t.summary()
		if t.Exit != "" {
			entry["status"], entry["endtime"] = t.Exit, t.End
		}
		list = append(list, entry)
	}
	return list, nil
}

// stopTask does not interrupt anything: tasks here take no time worth it.
func stopTask(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.task()
	return nil, err
}
