package child

import "time"

// Restart says when a child that ended is started again.
type Restart int

const (
	// Never leaves it ended.
	Never Restart = iota
	// OnFailure starts it again unless it ended with status 0.
	OnFailure
	// Always starts it again.
	Always
)

// Spec says what to run and how to look after it.
type Spec struct {
	// Name is what the child is called in status and in its log.
	Name string
	// Path is the program's absolute path.
	Path string
	// Args are its arguments, without the program's name.
	Args []string
	// Env is its whole environment as NAME=value; nil is this process's.
	Env []string
	// Dir is its working folder; empty is this process's.
	Dir string
	// Log is the file that stdout and stderr are appended to. Empty: they are dropped.
	Log string
	// Restart says when it is started again; Never by default.
	Restart Restart
	// GiveUp is the number of deaths within GiveUpWithin after which it is not started again until Restart is
	// called; 0 never gives up.
	GiveUp       int
	GiveUpWithin time.Duration
	// StopTimeout is how long it may take to end after SIGTERM, 10 s by default. Negative: SIGKILL at once.
	StopTimeout time.Duration
	// OnChange is called, one call at a time, after every change of state. It must not call Stop or wait for Done.
	OnChange func(Status)
}

// State is where a child is in its life.
type State string

const (
	// Running means that the process exists; whether it is ready is for others to see.
	Running State = "running"
	// Waiting means that it died and is started again after a pause.
	Waiting State = "waiting"
	// Failed means that it died too often and is not started again by itself.
	Failed State = "failed"
	// Exited means that it ended and its restart policy leaves it so.
	Exited State = "exited"
	// Stopped means that it was told to stop.
	Stopped State = "stopped"
)

// Status is what is known of a child.
type Status struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Pid is 0 while no process exists.
	Pid int `json:"pid,omitempty"`
	// Restarts counts starts after the first one.
	Restarts int `json:"restarts"`
	// Started is when the present or latest process was started.
	Started time.Time `json:"started"`
	// LastExit tells how the previous process ended, for example "signal: killed"; empty where there was none.
	LastExit string `json:"lastExit,omitempty"`
}
