package pods

import (
	"context"
	"sync"
)

// gate is a condition that goroutines can wait for. It is open or closed.
type gate struct {
	mu      sync.Mutex
	open    bool
	closed  int
	changed chan struct{}
}

func newGate() *gate { return &gate{changed: make(chan struct{})} }

// set opens or closes the gate.
func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open != open {
		g.open = open
		if !open {
			g.closed++
		}
		close(g.changed)
		g.changed = make(chan struct{})
	}
}

// state reports whether the gate is open, and returns a channel that is closed at the next change.
func (g *gate) state() (open bool, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open, g.changed
}

// closings counts how often the gate was closed, so that a caller can notice a closing that it missed.
func (g *gate) closings() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// wait returns when the gate is in the given state, or with the context's error.
func (g *gate) wait(ctx context.Context, open bool) error {
	for {
		now, changed := g.state()
		if now == open {
			return ctx.Err()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
