package random

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"math/big"
	mathrand "math/rand/v2"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// integerResource picks an integer from min to max, inclusively.
func integerResource() standin.Resource {
	whole := func() *schema.Property { return &schema.Property{Kind: schema.Integer, Replaces: true, Required: true} }
	properties := schema.Properties{
		"min": whole(), "max": whole(), "seed": {Kind: schema.String, Replaces: true},
		"result": {Kind: schema.Integer, Computed: true},
	}
	integers := generated(properties, func(given resource.PropertyMap) (standin.State, error) {
		low, high := int64(given["min"].NumberValue()), int64(given["max"].NumberValue())
		picked, err := pick(high-low+1, given["seed"])
		return integerState(low+picked, low, high), err
	}, importInteger)
	integers.Check = func(given resource.PropertyMap) []schema.Failure {
		low, high := given["min"], given["max"]
		if low.IsNumber() && high.IsNumber() && low.NumberValue() > high.NumberValue() {
			return []schema.Failure{{Property: "min", Reason: "min is larger than max: give a smaller one"}}
		}
		return nil
	}
	return integers
}

func pick(choices int64, seed resource.PropertyValue) (int64, error) {
	if seed.IsString() {
		sum := fnv.New64a()
		fmt.Fprint(sum, seed.StringValue())
		return mathrand.New(mathrand.NewPCG(sum.Sum64(), 0)).Int64N(choices), nil
	}
	picked, err := rand.Int(rand.Reader, big.NewInt(choices))
	if err != nil {
		return 0, err
	}
	return picked.Int64(), nil
}

func importInteger(id string) (standin.State, error) {
	parts := strings.Split(id, ",")
	if len(parts) != 3 && len(parts) != 4 {
		return standin.State{}, errors.New("the ID to import is not of the form RESULT,MIN,MAX or RESULT,MIN,MAX,SEED")
	}
	var numbers [3]int64
	for i := range numbers {
		number, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil {
			return standin.State{}, fmt.Errorf("%q in the ID to import is not a whole number", parts[i])
		}
		numbers[i] = number
	}
	state := integerState(numbers[0], numbers[1], numbers[2])
	if len(parts) == 4 {
		state.Outputs["seed"] = text(parts[3])
	}
	return state, nil
}

func integerState(result, low, high int64) standin.State {
	return standin.State{ID: strconv.FormatInt(result, 10), Outputs: resource.PropertyMap{
		"result": count(int(result)), "min": count(int(low)), "max": count(int(high)),
	}}
}
