package standin_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/unstable/propertyvalue"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/cloudflare"
	"hearth.dev/lab/plugins/internal/random"
	"hearth.dev/lab/plugins/internal/standin"
)

// recorded is a state as the vendor's plugin keeps it, and Terraform's state that it stands for. It is written from the schema of the
// provider and the rules of Pulumi's bridge, for no published plugin can be had where this was made.
type recorded struct {
	Source    string         `json:"source"`
	Token     string         `json:"token"`
	ID        string         `json:"id"`
	Inputs    map[string]any `json:"inputs"`
	Outputs   map[string]any `json:"outputs"`
	Secrets   []string       `json:"secrets"`
	Terraform map[string]any `json:"terraform"`
}

const delta = "__pulumi_raw_state_delta"

func each(t *testing.T, check func(t *testing.T, kind standin.Resource, one recorded)) {
	t.Helper()
	for _, plugin := range []standin.Plugin{random.Plugin(), cloudflare.Plugin()} {
		raw, err := os.ReadFile("testdata/" + plugin.Name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var all []recorded
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatalf("%s: %v", plugin.Name, err)
		}
		for token := range plugin.Resources {
			if !slices.ContainsFunc(all, func(one recorded) bool { return one.Token == token }) {
				t.Errorf("no state of %s is recorded", token)
			}
		}
		for _, one := range all {
			t.Run(one.Token, func(t *testing.T) {
				kind, ok := plugin.Resources[one.Token]
				if !ok || one.Source == "" {
					t.Fatal("there is no such resource, or no source")
				}
				check(t, kind, one)
			})
		}
	}
}

// own are the outputs that the resource itself has.
func (r recorded) own(kind standin.Resource) resource.PropertyMap {
	outputs := resource.PropertyMap{}
	for key, value := range resource.NewPropertyMapFromMap(r.Outputs) {
		if _, ok := kind.Properties[string(key)]; ok {
			outputs[key] = value
		}
	}
	return outputs
}

func plain(value resource.PropertyMap) map[string]any {
	return propertyvalue.RemoveSecrets(resource.NewObjectProperty(value)).ObjectValue().Mappable()
}

func sameJSON(t *testing.T, what string, got, want any) {
	t.Helper()
	var a, b any
	one, _ := json.Marshal(got)
	other, _ := json.Marshal(want)
	_, _ = json.Unmarshal(one, &a), json.Unmarshal(other, &b)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s is\n%s\nnot\n%s", what, one, other)
	}
}

func TestKeepsInTheStateWhatTheVendorsPluginKeeps(t *testing.T) {
	each(t, func(t *testing.T, kind standin.Resource, one recorded) {
		stored := kind.Stored(standin.State{ID: one.ID, Outputs: one.own(kind)})
		for _, key := range one.Secrets {
			if !stored[resource.PropertyKey(key)].IsSecret() {
				t.Errorf("%s is not secret", key)
			}
		}
		got := plain(stored)
		if _, ok := one.Outputs[delta]; !ok {
			delete(got, delta)
		}
		sameJSON(t, "the state", got, one.Outputs)
	})
}

func TestTheBridgeRecoversTerraformsState(t *testing.T) {
	each(t, func(t *testing.T, kind standin.Resource, one recorded) {
		stored := kind.Stored(standin.State{ID: one.ID, Outputs: one.own(kind)})
		read, err := tfbridge.UnmarshalRawStateDelta(stored[delta])
		if err != nil {
			t.Fatal(err)
		}
		state, err := read.Recover(resource.NewObjectProperty(stored))
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, "Terraform's state", json.RawMessage(state), one.Terraform)
	})
}

func TestFindsNothingToChangeInTheVendorsState(t *testing.T) {
	each(t, func(t *testing.T, kind standin.Resource, one recorded) {
		state, inputs := resource.NewPropertyMapFromMap(one.Outputs), resource.NewPropertyMapFromMap(one.Inputs)
		if found := kind.Properties.Check(inputs); len(found) > 0 {
			t.Errorf("refuses the inputs: %v", found)
		}
		if changes := kind.Properties.Diff(state, inputs, inputs); len(changes) > 0 {
			t.Errorf("sees changes: %v", changes)
		}
		again := kind.Stored(standin.State{ID: one.ID, Outputs: state})
		sameJSON(t, "the same state", plain(again), plain(kind.Stored(standin.State{ID: one.ID, Outputs: one.own(kind)})))
	})
}
