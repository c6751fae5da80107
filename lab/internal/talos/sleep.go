package talos

import (
	"context"
	"time"
)

// sleep returns false if the context ends before.
func sleep(ctx context.Context, period time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(period):
		return true
	}
}
