package talos

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

func TestLeavesAgainWhereEtcdIsNotHealthyYet(t *testing.T) {
	other := errors.New("etcdserver: re-configuration failed due to not enough started members")
	for name, given := range map[string]struct {
		answers []error
		end     error
	}{
		"after it was unhealthy":    {[]error{rpctypes.ErrUnhealthy, rpctypes.ErrStopped, nil}, nil},
		"not where it is the last":  {[]error{other, nil}, other},
		"not where it left at once": {[]error{nil, other}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			err := whileUnhealthy(t.Context(), time.Millisecond, func() error {
				asked++
				return given.answers[asked-1]
			})
			if !errors.Is(err, given.end) {
				t.Errorf("ended with %v after %d attempts", err, asked)
			}
		})
	}
}

func TestStopsLeavingWithWhatEtcdSaid(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := whileUnhealthy(ctx, time.Millisecond, func() error { return rpctypes.ErrUnhealthy })
	if !errors.Is(err, rpctypes.ErrUnhealthy) {
		t.Errorf("ended with %v", err)
	}
}
