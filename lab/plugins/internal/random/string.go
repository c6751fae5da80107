package random

import (
	"crypto/rand"
	"math/big"
	"unicode/utf8"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/bcrypt"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// class is a kind of character: whether a string may have it, and how many it must have.
type class struct{ allowed, minimum, characters string }

var classes = []class{
	{"lower", "minLower", "abcdefghijklmnopqrstuvwxyz"},
	{"upper", "minUpper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{"numeric", "minNumeric", "0123456789"},
	{"special", "minSpecial", "!@#$%&*()-_=+[]{}<>:?"},
}

// bcryptLimit is the number of bytes that bcrypt uses.
const bcryptLimit = 72

func stringProperties() schema.Properties {
	properties := schema.Properties{
		"length":          required(integer(1)),
		"number":          {Kind: schema.Boolean, Replaces: true, Assigned: true},
		"overrideSpecial": {Kind: schema.String, Replaces: true},
		"result":          output(),
	}
	for _, one := range classes {
		properties[one.allowed] = &schema.Property{Kind: schema.Boolean, Replaces: true, Default: true}
		if one.allowed == "numeric" { // follows number where only that is given
			properties[one.allowed] = &schema.Property{Kind: schema.Boolean, Replaces: true, Assigned: true}
		}
		minimum := integer(0)
		minimum.Default = 0.0
		properties[one.minimum] = minimum
	}
	return properties
}

// stringResource makes a string that is not secret. The string is its own ID.
func stringResource() standin.Resource {
	return characters(2, stringProperties(), func(result string) (string, resource.PropertyMap, error) {
		return result, resource.PropertyMap{"result": text(result)}, nil
	})
}

// passwordResource makes a secret string with its bcrypt hash. Its ID is always "none".
func passwordResource() standin.Resource {
	properties := stringProperties()
	properties["result"], properties["bcryptHash"] = secret(), secret()
	return characters(3, properties, func(result string) (string, resource.PropertyMap, error) {
		hash, err := bcrypt.GenerateFromPassword([]byte(result)[:min(len(result), bcryptLimit)], bcrypt.DefaultCost)
		return "none", resource.PropertyMap{"result": text(result), "bcryptHash": text(string(hash))}, err
	})
}

// characters describes a resource of characters. Its schema's version is that of hashicorp/terraform-provider-random 3.9.0,
// internal/provider/resource_string.go and resource_password.go.
func characters(
	schemaVersion int, properties schema.Properties, outputs func(result string) (string, resource.PropertyMap, error),
) standin.Resource {
	kind := generated(properties, func(given resource.PropertyMap) (standin.State, error) {
		result, err := compose(given)
		if err != nil {
			return standin.State{}, err
		}
		id, values, err := outputs(result)
		values["number"], values["numeric"] = resource.NewBoolProperty(numeric(given)), resource.NewBoolProperty(numeric(given))
		return standin.State{ID: id, Outputs: values}, err
	}, func(value string) (standin.State, error) {
		id, values, err := outputs(value)
		values["length"], values["number"] = count(utf8.RuneCountInString(value)), resource.NewBoolProperty(true)
		for _, one := range classes {
			values[resource.PropertyKey(one.allowed)] = resource.NewBoolProperty(true)
			values[resource.PropertyKey(one.minimum)] = count(0)
		}
		return standin.State{ID: id, Outputs: values}, err
	})
	kind.Check, kind.SchemaVersion = checkCharacters, schemaVersion
	return kind
}

func checkCharacters(given resource.PropertyMap) []schema.Failure {
	total, any := 0.0, false
	for _, one := range classes {
		if minimum := given[resource.PropertyKey(one.minimum)]; minimum.IsNumber() {
			total += minimum.NumberValue()
		}
		any = any || allowed(given, one)
	}
	if length := given["length"]; length.IsNumber() && length.NumberValue() < total {
		return []schema.Failure{{Property: "length", Reason: "length is less than the sum of minLower, minUpper, minNumeric and " +
			"minSpecial: give a larger length or smaller minimums"}}
	}
	if !any {
		return []schema.Failure{{Property: "special", Reason: "special, upper, lower and numeric are all false: allow one of them"}}
	}
	return nil
}

// numeric returns numeric, or number, its deprecated form.
func numeric(given resource.PropertyMap) bool {
	for _, key := range []resource.PropertyKey{"numeric", "number"} {
		if value := given[key]; value.IsBool() {
			return value.BoolValue()
		}
	}
	return true
}

func allowed(given resource.PropertyMap, one class) bool {
	if one.allowed == "numeric" {
		return numeric(given)
	}
	value := given[resource.PropertyKey(one.allowed)]
	return !value.IsBool() || value.BoolValue()
}

// compose picks the minimum of every class, fills the rest from all allowed characters, and shuffles.
func compose(given resource.PropertyMap) (string, error) {
	var all, picked []rune
	for _, one := range classes {
		set := one.characters
		if special := given["overrideSpecial"]; one.allowed == "special" && special.IsString() && special.StringValue() != "" {
			set = special.StringValue()
		}
		if minimum := given[resource.PropertyKey(one.minimum)]; minimum.IsNumber() {
			chosen, err := choose([]rune(set), int(minimum.NumberValue()))
			if err != nil {
				return "", err
			}
			picked = append(picked, chosen...)
		}
		if allowed(given, one) {
			all = append(all, []rune(set)...)
		}
	}
	rest, err := choose(all, int(given["length"].NumberValue())-len(picked))
	if err != nil {
		return "", err
	}
	picked = append(picked, rest...)
	for i := len(picked) - 1; i > 0; i-- {
		other, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			return "", err
		}
		picked[i], picked[other.Int64()] = picked[other.Int64()], picked[i]
	}
	return string(picked), nil
}

func choose(from []rune, many int) ([]rune, error) {
	chosen := make([]rune, many)
	for i := range chosen {
		at, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
		if err != nil {
			return nil, err
		}
		chosen[i] = from[at.Int64()]
	}
	return chosen, nil
}
