package child

import "time"

// Restart is a restart policy.
type Restart int

const (
	// Never does not restart the child.
	Never Restart = iota
	// OnFailure restarts the child unless it ended with status 0.
	OnFailure
	// Always restarts the child.
	Always
)

// Spec describes a child.
type Spec struct {
	// Name is the child's name in its status and its log.
	Name string
	// Path is the program's absolute path.
	Path string
	// Args are the arguments, without the program's name.
	Args []string
	// Env is the whole environment as NAME=value. Nil means this process's environment.
	Env []string
	// Dir is the working folder. Empty means this process's.
	Dir string
	// Log is the file to which stdout and stderr are appended. Empty discards them.
	Log string
	// Restart is the restart policy, Never by default.
	Restart Restart
	// GiveUp is the number of deaths within GiveUpWithin after which the child is not restarted until Restart is
	// called. 0 means no limit.
	GiveUp       int
	GiveUpWithin time.Duration
	// StopTimeout is how long the child may take to end after SIGTERM, 10 s by default. If negative, SIGKILL is sent
	// immediately.
	StopTimeout time.Duration
	// OnChange is called after every change of state, one call at a time. It must not call Stop or wait for Done.
	OnChange func(Status)
}

// State is a child's state.
type State string

const (
	// Running means that the process exists. It may not be ready.
	Running State = "running"
	// Waiting means that the process died and will be restarted after a pause.
	Waiting State = "waiting"
	// Failed means that the process died too often and is not restarted automatically.
	Failed State = "failed"
	// Exited means that the process ended and its policy does not restart it.
	Exited State = "exited"
	// Stopped means that Stop was called or the context ended.
	Stopped State = "stopped"
)

// Status describes a child's present state.
type Status struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Pid is 0 if no process exists.
	Pid int `json:"pid,omitempty"`
	// Restarts is the number of starts after the first one.
	Restarts int `json:"restarts"`
	// Started is when the present or latest process started.
	Started time.Time `json:"started"`
	// LastExit is how the previous process ended, for example "signal: killed". Empty if there was none.
	LastExit string `json:"lastExit,omitempty"`
}
